"""The pages of sequences in a browser: write, preview, move, undo, conflict, publish, enrol; both themes, wide and narrow."""

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contacts.models import Contact
from omnify.tenants.context import tenant_context
from sequences.definitions import draft_of, ensure_draft, update_step
from sequences.models import Execution, Message, Sender, Sequence, Step, Task
from sequences.playbooks import start_three_channel_demo
from sequences.publishing import publish
from tests.browser.conftest import NARROW, WIDE
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence

pytestmark = pytest.mark.django_db(transaction=True)
VIEWS = [(theme, name, size) for theme in ("light", "dark") for name, size in (("wide", WIDE), ("narrow", NARROW))]


def steps_of(people: People, name: str) -> list[Step]:
    with tenant_context(people.acme.pk):
        draft = draft_of(Sequence.objects.get(name=name))
        return list(Step.objects.filter(version=draft).order_by("position"))


@pytest.fixture
def acme(people: People, now: Any) -> People:
    make_senders(people.acme)
    make_contact(people.acme, now, first_name="Maya", last_name="Okafor")
    make_contact(people.acme, now, first_name="", last_name="", email="nameless@people.example")
    return people


@pytest.fixture
def demo(acme: People, now: Any) -> Sequence:
    with tenant_context(acme.acme.pk):
        return start_three_channel_demo(by=acme.alice, now=now)


def open_editor(page: Any, sequence: Sequence, key: str = "") -> None:
    page.goto(reverse("sequences:edit", args=[sequence.public_id]) + (f"?step={key}" if key else ""))


def saved(page: Any) -> None:
    page.locator("#save-state").get_by_text(re.compile("^Saved ")).wait_for()


def test_a_first_sequence_is_written_previewed_published_and_people_enrolled(acme: People, browser_page: Any) -> None:
    page = browser_page(acme.alice)
    page.goto(reverse("sequences:list"))
    page.get_by_role("heading", name="No sequence yet").wait_for()
    page.get_by_role("main").get_by_role("link", name="New sequence").last.click()
    page.get_by_label("Name").fill("Spring offer")
    page.get_by_role("button", name="Create and add steps").click()
    page.get_by_role("main").get_by_role("button", name="Text").click()
    page.get_by_label("Text", exact=True).fill("Hello {{ first_name }}")
    saved(page)
    preview = page.locator("#preview")
    preview.get_by_text("[first_name is empty]").wait_for()  # the newest contact has no name
    page.get_by_label("Older contact").click()
    preview.get_by_text("Hello Maya").wait_for()
    assert "1" in preview.locator("#counter div", has_text="Segments").inner_text()
    page.locator("summary", has_text="Add a step").click()
    page.locator(".flow-insert.last").get_by_role("button", name="Wait").click()
    page.get_by_text("Wait 2 days").wait_for()
    page.get_by_role("link", name="Review and publish").click()
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Version 1 is published.").wait_for()
    page.get_by_role("link", name="Enrol people").first.click()
    page.get_by_label("All contacts").check()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Enrol 2 people").click()
    page.get_by_text("2 enrolled.").wait_for()
    assert page.locator("tbody tr").count() == 2


def test_what_is_typed_is_saved_by_itself_and_survives_a_reload(
    acme: People, demo: Sequence, browser_page: Any
) -> None:
    key = steps_of(acme, demo.name)[0].key
    page = browser_page(acme.alice)
    open_editor(page, demo, key)
    page.get_by_label("Text", exact=True).press("Control+End")
    page.get_by_label("Text", exact=True).press_sequentially(" And more.")
    saved(page)
    assert steps_of(acme, demo.name)[0].body.endswith(" And more.")
    page.get_by_label("Name for your team").fill("Renamed")
    page.locator(f"#summary-{key}", has_text="Renamed").wait_for()
    page.reload()
    assert page.get_by_label("Name for your team").input_value() == "Renamed"


def test_an_action_right_after_typing_loses_no_letter(acme: People, demo: Sequence, browser_page: Any) -> None:
    first, _, third = steps_of(acme, demo.name)[:3]
    page = browser_page(acme.alice)
    open_editor(page, demo, first.key)
    page.get_by_label("Text", exact=True).fill("Typed in a hurry")
    page.locator(f"#open-{third.key}").click()
    page.get_by_label("Subject").wait_for()
    assert steps_of(acme, demo.name)[0].body == "Typed in a hurry"


def test_an_unknown_variable_is_marked_with_what_was_meant(acme: People, demo: Sequence, browser_page: Any) -> None:
    page = browser_page(acme.alice)
    open_editor(page, demo, steps_of(acme, demo.name)[0].key)
    page.get_by_label("Text", exact=True).fill("Hi {{ first_nam }}")
    page.locator("#problems").get_by_text("Did you mean “first_name”?").wait_for()
    page.locator(".flow-step.open").get_by_text("1 to put right").wait_for()
    page.get_by_role("link", name="Review and publish").click()
    assert page.get_by_role("button", name="Publish").is_disabled()
    page.get_by_role("link", name="Did you mean").click()
    page.get_by_label("Text", exact=True).wait_for()


def test_a_variable_is_put_where_the_cursor_stands(acme: People, demo: Sequence, browser_page: Any) -> None:
    page = browser_page(acme.alice)
    open_editor(page, demo, steps_of(acme, demo.name)[0].key)
    text = page.get_by_label("Text", exact=True)
    text.fill("Dear ")
    page.get_by_text("Insert a variable").click()
    page.locator("[data-variable=last_name]").click()
    assert text.input_value() == "Dear {{ last_name }}"
    saved(page)


def test_a_dear_character_is_named_and_replaced_with_one_click(acme: People, demo: Sequence, browser_page: Any) -> None:
    page = browser_page(acme.alice)
    open_editor(page, demo, steps_of(acme, demo.name)[0].key)
    text = page.get_by_label("Text", exact=True)
    text.fill("It’s time")
    page.locator("#counter").get_by_text("UCS-2").wait_for()
    page.locator("[data-replace]").click()
    page.locator("#counter").get_by_text("GSM-7").wait_for()
    assert text.input_value() == "It's time"
    assert steps_of(acme, demo.name)[0].body == "It's time"


def test_steps_are_moved_by_keyboard_and_the_focus_goes_along(acme: People, demo: Sequence, browser_page: Any) -> None:
    first = steps_of(acme, demo.name)[0].key
    page = browser_page(acme.alice)
    open_editor(page, demo)
    page.locator(f"#down-{first}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flow-step").nth(1)).to_have_id(f"step-{first}")
    expect(page.locator(f"#down-{first}")).to_be_focused()
    page.locator(f"#open-{first}").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".flow-step").nth(0)).to_have_id(f"step-{first}")
    assert steps_of(acme, demo.name)[0].key == first


def test_a_deleted_step_comes_back_by_undo(acme: People, demo: Sequence, browser_page: Any) -> None:
    first = steps_of(acme, demo.name)[0].key
    page = browser_page(acme.alice)
    open_editor(page, demo)
    page.locator(f"#more-{first}").click()
    page.locator(f"#step-{first}").get_by_role("button", name="Delete").click()
    page.get_by_text("The step is gone.").wait_for()
    assert page.locator(f"#step-{first}").count() == 0
    page.get_by_role("button", name="Undo").click()
    page.locator(f"#step-{first}").wait_for()
    assert steps_of(acme, demo.name)[0].key == first


def test_two_editors_are_told_of_each_other_and_one_may_keep_theirs(
    acme: People, demo: Sequence, browser_page: Any, now: Any
) -> None:
    step = steps_of(acme, demo.name)[0]
    page = browser_page(acme.alice)
    page.expected = ["409"]
    open_editor(page, demo, step.key)
    with tenant_context(acme.acme.pk):
        draft = draft_of(demo)
        update_step(draft, step.key, revision=draft.revision, by=acme.bob, now=now, body="Bob was here")
    page.get_by_label("Text", exact=True).fill("Alice was here")
    page.get_by_text("Changed elsewhere.").wait_for()
    assert steps_of(acme, demo.name)[0].body == "Bob was here"
    page.get_by_role("button", name="Keep mine").click()
    saved(page)
    assert steps_of(acme, demo.name)[0].body == "Alice was here"


def test_what_could_not_be_saved_offline_is_saved_when_the_connection_is_back(
    acme: People, demo: Sequence, browser_page: Any
) -> None:
    page = browser_page(acme.alice)
    page.expected = ["net::ERR", "WebSocket", "htmx:"]
    open_editor(page, demo, steps_of(acme, demo.name)[0].key)
    page.context.set_offline(True)
    page.get_by_label("Text", exact=True).fill("Written in a tunnel")
    page.get_by_text("Offline: will try again").wait_for()
    page.context.set_offline(False)
    saved(page)
    assert steps_of(acme, demo.name)[0].body == "Written in a tunnel"


def test_a_mail_is_shown_in_a_frame_that_may_run_nothing(acme: People, demo: Sequence, browser_page: Any) -> None:
    mail = steps_of(acme, demo.name)[2]
    page = browser_page(acme.alice)
    open_editor(page, demo, mail.key)
    frame = page.frame_locator("iframe.mail")
    frame.get_by_text("one person who looks after you").wait_for()
    frame.get_by_text("1 Main St, Springfield").wait_for()
    assert page.locator("iframe.mail").get_attribute("sandbox") == ""
    assert frame.locator("body").evaluate("element => getComputedStyle(element).paddingTop") == "20px"


@pytest.fixture
def lively(acme: People, demo: Sequence, now: Any) -> Sequence:
    """A published sequence with people in every state and receipts of every kind."""
    people = [make_contact(acme.acme, now, first_name=name) for name in ("Ivo", "Sam", "Noor", "Lena", "Tom", "Ada")]
    with tenant_context(acme.acme.pk):
        publish(demo, by=acme.alice, now=now)
        steps = list(Step.objects.filter(version_id=demo.published_id).order_by("position"))
        states = [
            {"status": "active"},
            {"status": "active", "status_reason": "quiet_hours", "step": steps[2]},
            {"status": "paused", "status_reason": "replied", "next_run_at": None, "step": steps[3]},
            {"status": "failed", "status_reason": "missing_variable", "next_run_at": None},
            {"status": "exited", "status_reason": "opted_out", "next_run_at": None, "finished_at": now, "step": None},
            {"status": "completed", "status_reason": "finished", "next_run_at": None, "finished_at": now, "step": None},
        ]
        rows = [make_enrollment(demo, contact, now, **state) for contact, state in zip(people, states, strict=True)]
        stop = {"why": "opted_out", "quote": "please stop texting me", "since": now.isoformat()}
        decisions = [
            (rows[0], steps[0], "send", "sent", {}, "sms"),
            (rows[1], steps[2], "wait", "quiet_hours", {"local": ["Wed 21:30"], "window": "08:00 to 21:00"}, ""),
            (rows[2], steps[0], "send", "sent", {}, "sms"),
            (rows[3], steps[0], "handoff", "missing_variable", {"missing": ["company"]}, ""),
            (rows[4], steps[0], "skip", "suppressed", {"channel": "sms", **stop}, ""),
        ]
        for turn, (row, step, decision, reason, facts, channel) in enumerate(decisions):
            execution = Execution.objects.create(
                enrollment=row, sequence_id=demo.pk, step_id=step.pk, turn=turn, visit=turn, at=now, decision=decision,
                reason=reason, facts=facts, channel=channel,
            )  # fmt: skip
            if decision == "send":
                failed = row is rows[2]
                Message.objects.create(
                    contact=row.contact, enrollment=row, execution_id=execution.pk, step_id=step.pk, visit=turn, channel="sms",
                    to_address=row.contact.phone, body="Hi there, thanks for your interest.", state_at=now, created_at=now,
                    state="undelivered" if failed else "delivered", error_code="30005" if failed else "",
                    error_text="Unknown destination handset" if failed else "", provider="twilio", not_before=now,
                    expires_at=now, sender=Sender.objects.get(channel="sms"),
                )  # fmt: skip
        Task.objects.create(
            contact=people[3], enrollment=rows[3], title="A sequence stopped for this person", created_at=now
        )
        draft = ensure_draft(demo, by=acme.alice, now=now)
        update_step(draft, steps[0].key, revision=0, by=acme.alice, now=now, body="Hi {{ first_name }}, shall we talk?")
        make_sequence(acme.acme, now, name="Win back")
    return demo


@pytest.mark.parametrize(("theme", "width", "viewport"), VIEWS)
def test_every_page_is_accessible_and_fits(
    acme: People,
    lively: Sequence,
    browser_page: Any,
    look: Any,
    assert_accessible: Any,
    theme: str,
    width: str,
    viewport: dict[str, int],
) -> None:
    steps = steps_of(acme, lively.name)
    with tenant_context(acme.acme.pk):
        contact = Contact.objects.get(first_name="Noor")
    page = browser_page(acme.alice, theme=theme, viewport=viewport)
    edit = reverse("sequences:edit", args=[lively.public_id])
    pages = {
        "list": reverse("sequences:list"),
        "edit-sms": f"{edit}?step={steps[0].key}",
        "edit-mail": f"{edit}?step={steps[2].key}",
        "edit-wait": f"{edit}?step={steps[1].key}",
        "edit-call": f"{edit}?step={steps[4].key}&as=worst",
        "contact": contact.get_absolute_url(),
        "enroll": reverse("sequences:enroll", args=[lively.public_id]) + "?who=all",
        "tasks": reverse("sequences:tasks"),
        **{
            name: reverse(f"sequences:{name}", args=[lively.public_id])
            for name in ("sequence", "people", "log", "steps", "settings", "publish")
        },
    }
    for name, url in pages.items():
        page.goto(url)
        if name == "log":
            page.locator(".receipt-line > summary").nth(1).click()
        if name == "contact":
            page.get_by_role("heading", name="Write to Noor").wait_for()
        look(page, f"sequences-{name}-{theme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (
            f"{name} is wider than the screen"
        )
        assert_accessible(page)
