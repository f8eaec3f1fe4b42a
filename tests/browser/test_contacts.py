"""Contacts in a browser: the import wizard from file to list, one person's page, both themes, wide and narrow."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from contacts.importing import passes
from contacts.memory import record_interaction
from contacts.models import Contact, ImportJob, Suppression
from contacts.permissions import suppress
from contacts.samples import sample_csv
from omnify.tenants.context import tenant_context
from tests.browser.conftest import NARROW, WIDE
from tests.making import People, make_contact, make_senders

pytestmark = pytest.mark.django_db(transaction=True)
VIEWS = [(theme, name, size) for theme in ("light", "dark") for name, size in (("wide", WIDE), ("narrow", NARROW))]


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The sample list with two rows that cannot be taken as they are."""
    path = tmp_path / "sample-contacts.csv"
    path.write_text(
        sample_csv() + "Nobody,Here,not an address,12\r\n=1+1,Formula,formula@people.example,99\r\n", encoding="utf-8"
    )
    return path


def work(people: People, now: Any) -> ImportJob:
    """What the worker does with the one job there is."""
    with tenant_context(people.acme.pk):
        job = ImportJob.objects.get()
    passes.run(people.acme.pk, job.pk, now=now)
    return job


def make_conversation(people: People, now: Any) -> Contact:
    from datetime import timedelta

    make_senders(people.acme)
    contact = make_contact(
        people.acme, now, first_name="Maya", last_name="Okafor", title="Owner", city="Denver", state="CO", zones=["America/Denver"],
        tags=["lead", "spring"], owner=people.alice, custom_fields={"Interest": "solar quote"},
    )  # fmt: skip
    said = [
        ("sms", "outbound", "Hi Maya, it's Acme. May we send you a quote for solar panels?", "delivered", 3000),
        ("sms", "inbound", "Sounds good, how much is it? <b>Roughly</b>", "replied", 2950),
        ("email", "outbound", "Hello Maya,\n\nhere is the outline we spoke of.", "opened", 1500),
        ("voice", "outbound", "Talked about the roof and its age.", "answered", 400),
        ("sms", "inbound", "please stop texting me", "replied", 30),
    ]
    with tenant_context(people.acme.pk):
        for channel, direction, body, outcome, minutes in said:
            record_interaction(
                tenant_id=people.acme.pk, contact_id=contact.pk, channel=channel, direction=direction, body=body, outcome=outcome,
                at=now - timedelta(minutes=minutes), subject="Your quote" if channel == "email" else "",
            )  # fmt: skip
    suppress(
        tenant_id=people.acme.pk, address=contact.phone, channels=["sms"], reason="opted_out", source="sms",
        quote="please stop texting me", now=now, actor="person",
    )  # fmt: skip
    return contact


def test_a_list_is_imported_step_by_step(
    people: People, now: Any, sample: Path, browser_page: Any, assert_accessible: Any, look: Any
) -> None:
    page = browser_page(people.alice)
    page.goto(reverse("contacts:list"))
    page.get_by_role("link", name="Import a list").click()
    assert_accessible(page)
    page.get_by_label("The list, as a CSV file").set_input_files(sample)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="Which column is what").wait_for()
    assert page.get_by_label("Phone becomes").input_value() == "phone"
    page.get_by_label("Interest becomes").select_option("custom")
    page.get_by_label("Name of the new field for Interest").fill("interest")
    page.get_by_label("The list says it for each person").check()
    page.get_by_label("Where they agreed").fill("Web form")
    page.get_by_label("Tag everybody in it").fill("sample")
    assert_accessible(page)
    look(page, "contacts-import-map")
    page.get_by_role("button", name="Review", exact=True).click()
    page.get_by_role("heading", name="Checking every row").wait_for()
    work(people, now)
    page.get_by_role("button", name="Import 41 people").wait_for()
    page.get_by_text("There is a blank inside the address.").wait_for()
    with tenant_context(people.acme.pk):
        assert not Contact.objects.exists()
    assert_accessible(page)
    look(page, "contacts-import-review")
    page.get_by_role("button", name="Import 41 people").click()
    page.get_by_text("It waits for your own signature.").wait_for()
    assert_accessible(page)
    look(page, "approval")
    page.get_by_label("Type “41”").fill("41")
    page.get_by_role("button", name="Sign alone").click()
    page.get_by_text("The import has begun.").wait_for()
    page.get_by_role("link", name="Where it was asked").click()
    page.get_by_role("heading", name="Importing").wait_for()
    work(people, now)
    page.get_by_text("42 rows were read").wait_for()
    look(page, "contacts-import-done")
    page.get_by_role("link", name="See your contacts").click()
    page.get_by_role("link", name="Leilani Kahale").click()
    page.get_by_role("heading", name="Leilani Kahale").wait_for()
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 41
        assert Contact.objects.get(first_name="Leilani").custom_fields == {"interest": "boat tour"}


def test_a_file_that_is_no_list_is_refused_in_place(people: People, tmp_path: Path, browser_page: Any) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"PK\x03\x04 a workbook" + bytes(6_000_000))
    page = browser_page(people.bob)
    page.expected = ["422"]
    page.goto(reverse("contacts:import_new"))
    page.get_by_label("The list, as a CSV file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("alert").get_by_text("This is an Excel workbook").wait_for()
    assert page.get_by_role("button", name="Upload").is_enabled()


def test_contacts_are_searched_chosen_and_tagged(people: People, now: Any, browser_page: Any) -> None:
    for name in ("Ann", "Anna", "Bob"):
        make_contact(people.acme, now, first_name=name, last_name="Lee")
    page = browser_page(people.bob)
    page.goto(reverse("contacts:list"))
    assert page.get_by_role("button", name="Add tag").is_disabled()
    page.keyboard.press("/")
    page.keyboard.type("ann")
    page.get_by_role("link", name="Bob Lee").wait_for(state="detached")
    assert page.url.endswith("?q=ann")
    page.get_by_label("Select all shown").check()
    page.get_by_text("2 selected").wait_for()
    page.locator(".bulk-tag").fill("vip")
    page.keyboard.press("Enter")
    page.get_by_text("added to 2").wait_for()
    assert page.url.endswith("?q=ann")
    with tenant_context(people.acme.pk):
        assert list(Contact.objects.order_by("id").values_list("tags", flat=True)) == [["vip"], ["vip"], []]


def test_several_contacts_are_deleted_after_a_question(people: People, now: Any, browser_page: Any) -> None:
    make_contact(people.acme, now, first_name="Ann", last_name="Lee")
    page = browser_page(people.bob)
    page.goto(reverse("contacts:list"))
    page.get_by_label("Select Ann Lee").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="No contacts yet").wait_for()
    with tenant_context(people.acme.pk):
        assert not Contact.objects.alive().exists()


def test_a_new_message_appears_on_the_person_s_page_by_itself(people: People, now: Any, browser_page: Any) -> None:
    contact = make_contact(people.acme, now, first_name="Ann")
    page = browser_page(people.bob)
    page.goto(contact.get_absolute_url())
    page.locator("body[data-live=on]").wait_for()
    record_interaction(
        tenant_id=people.acme.pk,
        contact_id=contact.pk,
        channel="sms",
        direction="inbound",
        at=now,
        body="Fresh off the wire",
    )
    page.get_by_text("Fresh off the wire").first.wait_for()


@pytest.mark.parametrize(("theme", "name", "size"), VIEWS)
def test_the_pages_are_accessible_and_fit(
    people: People,
    now: Any,
    sample: Path,
    browser_page: Any,
    assert_accessible: Any,
    look: Any,
    theme: str,
    name: str,
    size: dict[str, int],
) -> None:
    contact = make_conversation(people, now)
    for n in range(12):
        make_contact(
            people.acme,
            now,
            first_name=f"Person {n}",
            consents=("sms",) if n % 2 else (),
            tags=["lead"] if n % 3 else [],
        )
    with tenant_context(people.acme.pk):
        assert Suppression.objects.count() == 1
        job = ImportJob.objects.create(
            file_name="spring-fair.csv", file_path="imports/none.csv", file_size=1, header=["Email"], samples=[["a@x.example"]], mapping={"0": "email"},
            state="importing", rows_total=100_000, rows_done=42_000, started_at=now, encoding="utf-8", delimiter=",",
        )  # fmt: skip
    page = browser_page(people.alice, theme=theme, viewport=size)
    pages = {
        "list": reverse("contacts:list"), "contact": contact.get_absolute_url(), "edit": reverse("contacts:edit", args=[contact.public_id]),
        "delete": reverse("contacts:delete", args=[contact.public_id]), "imports": reverse("contacts:imports"),
        "import-run": reverse("contacts:import_run", args=[job.public_id]), "import-new": reverse("contacts:import_new"),
    }  # fmt: skip
    for what, url in pages.items():
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert_accessible(page)
        look(page, f"contacts-{what}-{theme}-{name}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what
