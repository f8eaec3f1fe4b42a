"""Who may end an opt-out: the person alone. And what is possible again once they have."""

from datetime import datetime, timedelta

import pytest

from contacts.actions import create_contact, update_contact
from contacts.merging import merge
from contacts.models import Contact, Suppression
from contacts.permissions import give_consent, suppressed
from omnify.tenants.context import tenant_context
from sequences.engine import tick
from sequences.enrolling import enroll, enrollment_checks
from sequences.enrollments import resume_enrollment
from sequences.models import Enrollment, Execution, Message, Step, Version
from sequences.publishing import publish
from tests.making import make_contact, make_enrollment, make_sequence
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, make_message, only, rows, status, text

pytestmark = pytest.mark.django_db

PHONE = "+12125550123"


def said(house: House, when: datetime, words: str) -> None:
    text(house.sms, when, PHONE, words)
    apply_all(when)


def left(house: House, now: datetime) -> datetime:
    """Pat says stop, and the engine takes them out; the moment after."""
    said(house, now, "STOP")
    tick(now)
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status, house.enrollment.status_reason) == ("exited", "opted_out")
    return now + timedelta(hours=1)


def checks(house: House) -> dict[str, list[int]]:
    with tenant_context(house.tenant.pk):
        house.sequence.refresh_from_db()
        return enrollment_checks(house.sequence, [house.pat.pk])


def test_after_their_own_start_a_member_may_enrol_them_again(house: House, now: datetime) -> None:
    later = left(house, now)
    assert checks(house) == {"opted_out": [house.pat.pk]}
    said(house, later, "START")
    house.enrollment.refresh_from_db()
    assert house.enrollment.status == "exited"
    tick(later)
    assert [each.state for each in rows(Message, purpose="marketing")] == []
    assert checks(house) == {"ready": [house.pat.pk]}
    assert enroll(house.sequence, [house.pat.pk], by="member:1", now=later).enrolled == 1
    tick(later)
    house.enrollment.refresh_from_db()
    assert house.enrollment.status in ("active", "completed")
    assert only(Message, purpose="marketing").to_address == PHONE


def test_a_second_stop_after_the_start_needs_a_second_start(house: House, now: datetime) -> None:
    later = left(house, now)
    said(house, later, "START")
    with tenant_context(house.tenant.pk):
        enroll(house.sequence, [house.pat.pk], by="member:1", now=later)
    said(house, later + timedelta(hours=1), "STOP")
    tick(later + timedelta(hours=1))
    assert checks(house) == {"opted_out": [house.pat.pk]}


@pytest.mark.parametrize(
    "how", ["edit", "edit of the number", "merge", "new contact", "consent", "resume", "enrol by force"]
)
def test_nobody_else_opens_what_the_person_closed(house: House, now: datetime, how: str) -> None:
    later = left(house, now)
    with tenant_context(house.tenant.pk):
        other = make_contact(house.tenant, now, phone="+12125550199")
        if how == "edit":
            update_contact(house.pat, {"first_name": "Patty", "tags": ["vip"]}, actor="member:1", now=later)
        elif how == "edit of the number":
            update_contact(house.pat, {"phone": "+12125550188"}, actor="member:1", now=later)
            update_contact(house.pat, {"phone": PHONE}, actor="member:1", now=later)
        elif how == "merge":
            merge(other, house.pat, by="member:1", now=later)
        elif how == "new contact":
            create_contact({"first_name": "Pat", "phone": PHONE}, actor="member:1", now=later)
        elif how == "consent":
            give_consent(
                contact_id=house.pat.pk, address=PHONE, channel="sms", kind="pewc_text", source="x", now=later, actor="api:1"
            )  # fmt: skip
        elif how == "resume":
            assert not resume_enrollment(house.enrollment, by="member:1", now=later)
        else:
            assert enroll(house.sequence, [house.pat.pk], by="member:1", now=later, force=True).enrolled == 0
        assert suppressed(house.tenant.pk, [("sms", PHONE), ("voice", PHONE)]) == {("sms", PHONE), ("voice", PHONE)}
        assert not Suppression.objects.filter(lifted_by="person").exists()
        assert "ready" not in enrollment_checks(house.sequence, [house.pat.pk])


@pytest.mark.parametrize(
    "yes", ["YES", "ok you can text me again", "I changed my mind, please start the campaign for my shop"]
)
def test_words_that_are_no_start_open_nothing(house: House, now: datetime, yes: str) -> None:
    later = left(house, now)
    said(house, later, yes)
    assert suppressed(house.tenant.pk, [("sms", PHONE)])


def test_a_stop_that_waits_for_its_receipt_keeps_it_through_a_publish(house: House, now: datetime) -> None:
    said(house, now, "please stop texting me")
    with tenant_context(house.tenant.pk):
        draft = Version.objects.create(sequence=house.sequence, number=2)
        Step.objects.create(version=draft, position=0, kind="task", body="Call them", name="Call them")
        publish(house.sequence, by=None, now=now)
    tick(now + timedelta(seconds=1))
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status, house.enrollment.status_reason) == ("exited", "opted_out")
    receipt = only(Execution)
    assert (receipt.decision, receipt.reason) == ("exit", "opted_out")
    assert "please stop texting me" in str(receipt.facts)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("You have the wrong number", "wrong_number"),
        ("My lawyer will sue you for this", "complaint"),
        ("STOP", "opted_out"),
        ("who is this", "replied"),
    ],
)
def test_a_waiting_text_names_what_cancelled_it(house: House, now: datetime, words: str, why: str) -> None:
    waiting = make_message(
        house.pat,
        house.sms,
        now,
        state="ready",
        status_rank=0,
        provider="",
        provider_id="",
        enrollment=house.enrollment,
    )
    said(house, now, words)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.state_reason) == ("cancelled", why)


def test_a_stop_while_fifty_wait_cancels_all_fifty(house: House, now: datetime) -> None:
    sequences = [make_sequence(house.tenant, now, name=f"S{n}") for n in range(10)]
    for n in range(50):
        enrollment = make_enrollment(sequences[n], house.pat, now) if n < 10 else None
        make_message(
            house.pat, house.sms, now, state="ready", status_rank=0, provider="", provider_id="", enrollment=enrollment
        )
    said(house, now, "STOP")
    assert {each.state for each in rows(Message, purpose="marketing")} == {"cancelled"}
    assert len(rows(Message, purpose="marketing")) == 50
    while tick(now).decided:
        pass
    assert {each.status for each in rows(Enrollment)} == {"exited"}


def test_a_landline_is_marked_where_it_is_the_main_number_only(house: House, now: datetime) -> None:
    second = make_contact(house.tenant, now, phone="+12125550177", alternative_phone=PHONE)
    national = make_contact(house.tenant, now, phone="(212) 555-0123")
    status(house.sms, now, make_message(house.pat, house.sms, now), "undelivered", ErrorCode="30006")
    apply_all(now)
    types = dict(Contact.objects.all_tenants().values_list("pk", "phone_type"))
    assert types == {house.pat.pk: "landline", second.pk: "unknown", national.pk: "landline"}
