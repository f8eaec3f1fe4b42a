"""The simulated handset in a browser: what arrives appears by itself, an answer comes back through the real webhook."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from omnify.simulator.running import running_simulator
from omnify.tenants.context import tenant_context
from sequences.models import ProviderEvent
from sequences.webhooks.ingest import hooks
from tests.browser.conftest import NARROW, WIDE
from tests.making import People, make_contact
from tests.simulator.test_pages import Wire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wire(site: str, settings: Any, tmp_path: Path, now: datetime) -> Iterator[Wire]:
    with running_simulator(tmp_path / "simulator") as sim:
        settings.SIMULATOR_URL, settings.PUBLIC_URL = sim.base_url, site
        yield Wire(sim, now)
        assert sim.client.settled()
    hang_up()


def hang_up() -> None:
    """Ends the webhook door's own connections: its event loop is about to end, and the test database to be dropped."""
    for desk in list(hooks._desks.values()):
        for link in desk.links:
            if link._connection is not None:
                link._connection.pgconn.finish()
    hooks._desks.clear()


@pytest.mark.parametrize(("theme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"])
def test_a_text_appears_by_itself_and_is_answered_through_the_webhook(
    wire: Wire, people: People, browser_page: Any, assert_accessible: Any, look: Any, theme: str, size: Any
) -> None:
    senders = wire.connect(people.acme)
    contact = make_contact(people.acme, wire.now, first_name="Maya", last_name="Okafor")
    page = browser_page(people.alice, theme=theme, viewport=size)
    page.goto(reverse("phone:list"))
    assert_accessible(page)
    page.get_by_role("link", name="Maya Okafor").click()
    expect(page.get_by_role("heading", name="Nothing arrived yet")).to_be_visible()
    wire.text(senders["sms"], contact, "Hi Maya, shall we talk? <b onclick=x>bold</b>")
    expect(page.get_by_role("log")).to_contain_text("Hi Maya, shall we talk? <b onclick=x>bold</b>")
    page.get_by_label("Answer", exact=True).fill("sounds good, how much?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status").first).to_contain_text("webhook took it (200)")
    expect(page.get_by_role("log")).to_contain_text("sounds good, how much?")
    assert_accessible(page)
    look(page, f"phone-{theme}")
    with tenant_context(people.acme.pk):
        assert ProviderEvent.objects.filter(kind="inbound", sender=senders["sms"]).count() == 1


def test_a_hostile_mail_runs_nothing_and_fetches_nothing(wire: Wire, people: People, browser_page: Any) -> None:
    senders, contact = wire.connect(people.acme), make_contact(people.acme, wire.now, first_name="Maya")
    html = (
        "<p>Hello</p><script>top.hacked = 1</script><img src=/fetched.png onerror='top.hacked = 2'>"
        "<a hx-get=/fetched hx-trigger=load>x</a><form action=/fetched><button>Go</button></form>"
    )
    wire.mail(senders["email"], contact, "<img src=x onerror=alert(1)>", html)
    page = browser_page(people.alice)
    page.expected = [
        "sandboxed",
        "violates the following",
        "policy: ",
    ]  # the frame's own policy says so, and that is the point
    asked: list[str] = []
    page.on("response", lambda response: asked.append(response.url))
    page.goto(reverse("phone:handset", args=[contact.public_id]))
    page.get_by_text("As designed").click()
    expect(page.frame_locator("iframe").get_by_text("Hello")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert not [url for url in asked if "fetched" in url]
    assert page.get_by_role("log").locator("img").count() == 0
