"""The main job as a new user does it, in Chromium: log in, import, publish, enrol, see it arrive, answer, and be obeyed."""

from pathlib import Path
from typing import Any

import pytest

from contacts.models import Contact
from tests.browser.conftest import NARROW, WIDE
from tests.journeys.conftest import _processes, house  # noqa: F401
from tests.journeys.house import House
from tests.making import PASSWORD, People

AVA, STOP = "+12125550101", "please stop texting me"


@pytest.fixture
def site(house: House) -> str:  # noqa: F811
    """The pages come from a web process of its own, so that the simulator's webhooks and live hints reach it."""
    return house.web.url


class Guide:
    """Takes pictures of what is on the screen: both themes, wide and narrow."""

    def __init__(self, look: Any) -> None:
        self.look, self.stops = look, 0

    def show(self, page: Any, name: str) -> None:
        self.stops += 1
        for theme in ("light", "dark"):
            for width, size in (("390", NARROW), ("1440", WIDE)):
                page.emulate_media(color_scheme=theme)
                page.set_viewport_size(size)
                self.look(page, f"journey-{self.stops:02}-{name}-{theme}-{width}")
                sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert sideways <= 0, f"{name} scrolls sideways by {sideways} at {width} pixels"
        page.emulate_media(color_scheme="light")


@pytest.mark.timeout(600)  # a minute and a half on two busy cores
@pytest.mark.django_db(transaction=True)
def test_a_new_user_imports_publishes_enrols_and_sees_a_stop_obeyed(
    house: House,  # noqa: F811
    browser_page: Any,
    look: Any,
    people: People,
    tmp_path: Path,
) -> None:
    page, guide = browser_page(None), Guide(look)
    page.goto("/")
    guide.show(page, "log-in")
    page.get_by_label("Email").fill(people.alice.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{house.web.url}/")
    guide.show(page, "home-empty")

    import_sample(page, guide, house, tmp_path)
    publish_and_enrol(page, guide)
    house.work()
    page.reload()
    guide.show(page, "people")

    # It arrived on her phone; her answer shows on her page, in another tab, without a reload.
    ava = Contact.objects.all_tenants().get(phone=AVA)
    page.goto("/phone/")
    guide.show(page, "phones")
    page.get_by_role("link", name="Ava Morgan").click()
    page.get_by_text("thanks for your interest").wait_for()
    guide.show(page, "phone")
    tab = page.context.new_page()
    tab.goto(f"/contacts/{ava.public_id}/")
    tab.get_by_text("thanks for your interest").first.wait_for()
    answer(page, "sounds good, how much?")
    house.hear()
    tab.get_by_text("sounds good, how much?").first.wait_for()
    guide.show(tab, "contact-replied")

    # A member resumes her, the mail comes, she has had enough.
    page.goto("/sequences/")
    page.get_by_role("link", name="Three-channel demo").click()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_label("Search people").fill("ava")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Select Ava Morgan").check()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("1 person resumed.").wait_for()
    house.advance(days=1, minutes=5)
    house.work()
    page.goto(f"/phone/{ava.public_id}/")
    page.get_by_text("What we can do for Harbor Dental").wait_for()
    answer(page, STOP)
    house.work()
    page.get_by_text("You are unsubscribed").wait_for()
    guide.show(page, "phone-stopped")
    tab.get_by_text("You are unsubscribed").first.wait_for()
    tab.locator(".reach").get_by_text(STOP).first.wait_for()
    guide.show(tab, "contact-stopped")

    # The log says in words why nothing more goes out, and so does whoever tries again.
    page.goto("/sequences/")
    page.get_by_role("link", name="Three-channel demo").click()
    page.get_by_role("link", name="Log", exact=True).first.click()
    page.get_by_text(f"by writing “{STOP}”").first.wait_for()
    guide.show(page, "log")
    page.get_by_role("link", name="Overview", exact=True).click()
    guide.show(page, "overview")
    page.goto("/")
    guide.show(page, "home")
    page.goto("/notifications/")
    guide.show(page, "notifications")
    page.goto("/contacts/")
    guide.show(page, "contacts")
    received = [each["body"] for each in house.received(AVA, "sms")]
    assert len(received) == 2
    assert received[1].startswith("Acme: You are unsubscribed")


def import_sample(page: Any, guide: Guide, house: House, folder: Path) -> None:  # noqa: F811
    page.goto("/contacts/")
    guide.show(page, "contacts-empty")
    page.goto("/imports/new/")
    guide.show(page, "upload")
    with page.expect_download() as sample:
        page.get_by_role("link", name="Sample list").click()
    sample.value.save_as(folder / "sample.csv")
    page.get_by_label("The list, as a CSV file").set_input_files(folder / "sample.csv")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/map/")
    page.get_by_label("The list says it for each person").check()
    page.get_by_label("Where they agreed").fill("Form on our site")
    guide.show(page, "map")
    page.get_by_role("button", name="Review").click()
    page.wait_for_url("**/review/")
    guide.show(page, "checking")
    house.run_queued()
    page.get_by_role("button", name="Import 40 people").wait_for()
    guide.show(page, "review")
    page.get_by_role("button", name="Import 40 people").click()
    page.get_by_label("Type “40”").fill("40")
    guide.show(page, "signing")
    page.get_by_role("button", name="Sign alone").click()
    page.get_by_text("The import has begun.").wait_for()
    page.get_by_role("link", name="Where it was asked").click()
    page.wait_for_url("**/run/")
    house.run_queued()
    page.get_by_text("Nobody was enrolled.").wait_for()
    guide.show(page, "imported")


def publish_and_enrol(page: Any, guide: Guide) -> None:
    page.goto("/sequences/")
    guide.show(page, "sequences-empty")
    page.get_by_role("button", name="Use the three-channel demo").click()
    page.wait_for_url("**/edit/**")
    guide.show(page, "editor")
    page.get_by_role("link", name="Review and publish").first.click()
    guide.show(page, "review-sequence")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("Version 1 is published.").wait_for()
    page.get_by_role("link", name="Enrol people").first.click()
    page.get_by_label("All contacts").check()
    page.get_by_role("button", name="Check").click()
    guide.show(page, "enrol")
    page.get_by_role("button", name="Enrol 40 people").click()
    page.get_by_text("40 enrolled.").wait_for()


def answer(page: Any, words: str) -> None:
    """Types on the handset and sends."""
    page.get_by_label("Answer", exact=True).fill(words)
    page.get_by_role("button", name="Send").click()
    page.locator(".phone-thread .sent").get_by_text(words).wait_for()
