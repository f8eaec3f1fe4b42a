"""Two contacts become one: nothing is opened by it, nothing is lost, nobody is written to twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from contacts.actions import delete_contact
from contacts.memory import record_interaction
from contacts.merging import MergeBlocked, columns_of, merge
from contacts.models import Consent, Contact, Interaction, Suppression
from contacts.permissions import give_consent, revoke_consent, suppress, suppressed
from contacts.uniting import unite
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.models import Enrollment, Execution, Message
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence
from tests.sequences.inbound.told import make_message

pytestmark = pytest.mark.django_db

ONE, TWO = "+12125550123", "+12125550124"


@pytest.fixture
def pair(people: People, now: datetime) -> tuple[Contact, Contact]:
    keep = make_contact(people.acme, now, phone=ONE, email="pat@people.example", first_name="Pat", tags=["a"])
    gone = make_contact(people.acme, now, phone=TWO, email="pat@work.example", first_name="Patricia", tags=["b"])
    return keep, gone


def one_of(pair: tuple[Contact, Contact], now: datetime) -> Contact:
    keep, gone = pair
    assert merge(keep, gone, by="member:1", now=now)
    gone.refresh_from_db()
    return keep


def stopped(contact: Contact, now: datetime, **changes: Any) -> None:
    given = {
        "address": contact.phone,
        "channels": ("sms", "voice"),
        "reason": "opted_out",
        "source": "sms",
        "actor": "person",
    }
    suppress(tenant_id=contact.tenant_id, now=now, **given | changes)


def test_the_kept_value_wins_and_the_other_is_kept_aside(pair: tuple[Contact, Contact], now: datetime) -> None:
    keep, gone = pair
    Contact.objects.all_tenants().filter(pk=keep.pk).update(custom_fields={"size": "m", "plan": "x"})
    Contact.objects.all_tenants().filter(pk=gone.pk).update(custom_fields={"size": "l", "pet": "dog"}, title="Boss")
    one_of(pair, now)
    assert (keep.first_name, keep.title, keep.tags) == ("Pat", "Boss", ["a", "b"])
    assert (keep.phone, keep.alternative_phone) == (ONE, TWO)
    assert (keep.email, keep.alternative_email) == ("pat@people.example", "pat@work.example")
    assert keep.custom_fields == {"size": "m", "plan": "x", "pet": "dog"}
    assert gone.custom_fields == {"first_name": "Patricia", "custom_fields": {"size": "l"}}
    assert (gone.merged_into_id, gone.deleted_at, gone.email, gone.phone) == (keep.pk, now, "", "")
    event = Event.objects.all_tenants().get(kind="contact.merged")
    assert (event.subject_id, event.data["gone"], event.data["replaced"]) == (
        keep.pk,
        gone.pk,
        ["custom_fields", "first_name"],
    )


def test_a_third_number_is_kept_aside_and_what_it_forbade_stays(pair: tuple[Contact, Contact], now: datetime) -> None:
    keep, gone = pair
    Contact.objects.all_tenants().filter(pk=keep.pk).update(alternative_phone="+12125550125")
    stopped(gone, now)
    one_of(pair, now)
    assert (keep.phone, keep.alternative_phone, gone.custom_fields["phones"]) == (ONE, "+12125550125", [TWO])
    pairs = [("sms", ONE), ("sms", TWO), ("sms", "+12125550125")]
    assert suppressed(keep.tenant_id, pairs) == set(pairs)


@pytest.mark.parametrize("which", [0, 1])
def test_what_one_of_them_forbade_holds_for_every_address(
    pair: tuple[Contact, Contact], now: datetime, which: int
) -> None:
    stopped(pair[which], now)
    keep = one_of(pair, now)
    pairs = [("sms", ONE), ("voice", ONE), ("sms", TWO), ("voice", TWO)]
    assert suppressed(keep.tenant_id, [*pairs, ("email", keep.email)]) == set(pairs)


def test_a_wrong_number_says_nothing_about_the_other_number(pair: tuple[Contact, Contact], now: datetime) -> None:
    stopped(pair[1], now, reason="wrong_number")
    keep = one_of(pair, now)
    assert suppressed(keep.tenant_id, [("sms", ONE), ("sms", TWO)]) == {("sms", TWO)}


def test_consents_keep_their_address_and_evidence_and_a_later_revocation_wins(
    pair: tuple[Contact, Contact], now: datetime
) -> None:
    keep, gone = pair
    with tenant_context(keep.tenant_id):
        revoke_consent(contact_id=keep.pk, channel="sms", now=now + timedelta(hours=1), actor="person")
        give_consent(
            contact_id=gone.pk, address="+12125550125", channel="voice", kind="pewc_artificial_voice", source="form",
            now=now, actor="api", text_shown="You may call me",
        )  # fmt: skip
    one_of(pair, now + timedelta(hours=2))
    with tenant_context(keep.tenant_id):
        rows = Consent.objects.filter(contact=keep)
        assert rows.count() == 7
        assert not rows.filter(channel="sms", revoked_at=None).exists()
        kept = rows.get(address="+12125550125")
        assert (kept.text_shown, kept.revoked_at) == ("You may call me", None)
        assert rows.filter(channel="email", revoked_at=None).count() == 2


def test_the_conversation_becomes_one(pair: tuple[Contact, Contact], now: datetime) -> None:
    keep, gone = pair
    for contact, hours in ((keep, 1), (gone, 2), (gone, 3)):
        record_interaction(
            tenant_id=keep.tenant_id, contact_id=contact.pk, channel="sms", direction="inbound", at=now + timedelta(hours=hours),
            body=f"said at {hours}", provider_id=f"x{hours}",
        )  # fmt: skip
    one_of(pair, now)
    with tenant_context(keep.tenant_id):
        assert Interaction.objects.filter(contact=keep).count() == 3
    assert (keep.interaction_count, keep.inbound_count, keep.last_sms_reply) == (3, 3, "said at 3")
    assert keep.last_inbound_at == now + timedelta(hours=3)


@pytest.mark.parametrize("state", ["claimed", "sending", "unknown"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_message_on_its_way_blocks_and_nothing_has_changed(
    people: People, pair: tuple[Contact, Contact], now: datetime, state: str, which: int
) -> None:
    keep, gone = pair
    stopped(gone, now)
    make_message(pair[which], make_senders(people.acme)["sms"], now, state=state)
    with pytest.raises(MergeBlocked, match="on its way"):
        merge(keep, gone, by="member:1", now=now)
    gone.refresh_from_db()
    assert (gone.deleted_at, gone.phone) == (None, TWO)
    assert suppressed(keep.tenant_id, [("sms", ONE)]) == set()
    assert not Event.objects.all_tenants().filter(kind="contact.merged").exists()


def test_enrolments_messages_and_tasks_follow(people: People, pair: tuple[Contact, Contact], now: datetime) -> None:
    keep, gone = pair
    enrollment = make_enrollment(make_sequence(people.acme, now), gone, now)
    message = make_message(
        gone, make_senders(people.acme)["sms"], now, enrollment=enrollment, state="ready", status_rank=0
    )
    one_of(pair, now)
    for row in (enrollment, message):
        row.refresh_from_db()
        assert row.contact_id == keep.pk
    assert (enrollment.status, message.state) == ("active", "ready")


def test_of_two_enrolments_of_one_sequence_one_goes_on_at_the_later_step(
    people: People, pair: tuple[Contact, Contact], now: datetime
) -> None:
    keep, gone = pair
    sequence = make_sequence(people.acme, now, {"kind": "sms"}, {"kind": "sms"}, {"kind": "sms"})
    with tenant_context(people.acme.pk):
        last = sequence.published.steps.order_by("-position").first()
    mine, theirs = make_enrollment(sequence, keep, now), make_enrollment(sequence, gone, now, step=last)
    waiting = make_message(gone, make_senders(people.acme)["sms"], now, enrollment=theirs, state="ready", status_rank=0)
    one_of(pair, now)
    for row in (mine, theirs, waiting):
        row.refresh_from_db()
    assert (mine.status, mine.step_id) == ("active", last.pk)
    assert (theirs.status, theirs.status_reason, theirs.contact_id) == ("exited", "merged", gone.pk)
    assert (waiting.state, waiting.state_reason) == ("cancelled", "merged")
    assert Execution.objects.all_tenants().get(enrollment=theirs).reason == "merged"
    with tenant_context(people.acme.pk):
        assert Enrollment.objects.filter(contact=keep, status="active").count() == 1


@pytest.mark.parametrize(
    ("mine", "theirs", "after"),
    [
        (("active", ""), ("paused", "replied"), ("paused", "replied")),
        (("paused", "paused"), ("active", ""), ("paused", "paused")),
        (("active", ""), ("failed", "crashed"), ("failed", "crashed")),
        (("active", ""), ("completed", "finished"), ("exited", "merged")),
        (("active", ""), ("exited", "opted_out"), ("paused", "opted_out")),
        (("completed", "finished"), ("active", ""), ("completed", "finished")),
        (("completed", "finished"), ("exited", "opted_out"), ("completed", "opted_out")),
        (("exited", "opted_out"), ("active", ""), ("exited", "opted_out")),
    ],
)
def test_of_two_standings_the_stricter_counts(
    people: People, pair: tuple[Contact, Contact], now: datetime, mine: Any, theirs: Any, after: Any
) -> None:
    sequence = make_sequence(people.acme, now)
    rows = [
        make_enrollment(sequence, contact, now, status=status, status_reason=reason)
        for contact, (status, reason) in zip(pair, (mine, theirs), strict=True)
    ]
    one_of(pair, now)
    for row in rows:
        row.refresh_from_db()
    assert (rows[0].status, rows[0].status_reason) == after
    assert rows[1].status not in ("active", "paused", "failed")


def test_an_opt_out_of_the_one_ends_the_sequences_of_the_other(
    people: People, pair: tuple[Contact, Contact], now: datetime
) -> None:
    enrollment = make_enrollment(make_sequence(people.acme, now), pair[0], now)
    stopped(pair[1], now)
    one_of(pair, now)
    enrollment.refresh_from_db()
    assert (enrollment.status_reason, enrollment.next_run_at) == ("opted_out", now)


def test_a_merge_lost_to_a_deletion_says_so(pair: tuple[Contact, Contact], now: datetime) -> None:
    keep, gone = pair
    with tenant_context(keep.tenant_id):
        delete_contact(gone, actor="member:1", now=now)
    assert merge(keep, gone, by="member:1", now=now) is False
    with pytest.raises(ValueError, match="Two different"):
        merge(keep, keep, by="member:1", now=now)


def test_nothing_of_two_tenants_becomes_one(people: People, pair: tuple[Contact, Contact], now: datetime) -> None:
    stranger = make_contact(people.charlie.tenant, now)
    with pytest.raises(ValueError, match="one tenant"):
        merge(pair[0], stranger, by="member:1", now=now)


def test_a_deletion_also_erases_what_merges_had_kept_aside(pair: tuple[Contact, Contact], now: datetime) -> None:
    keep = one_of(pair, now)
    with tenant_context(keep.tenant_id):
        delete_contact(keep, actor="member:1", now=now)
    pair[1].refresh_from_db()
    assert pair[1].custom_fields == {}


def test_an_address_that_takes_nothing_is_still_known_to_take_nothing(
    pair: tuple[Contact, Contact], now: datetime
) -> None:
    keep, gone = pair
    gone.email, gone.email_valid, keep.email_valid = keep.email, False, True
    assert unite(columns_of(keep), columns_of(gone)).values["email_valid"] is False


@pytest.mark.as_web
def test_the_page_finds_compares_and_merges(people: People, now: datetime, as_member: Any) -> None:
    keep = make_contact(people.acme, now, phone=ONE, first_name="Pat", last_name="Lee")
    same = make_contact(people.acme, now, phone="(212) 555-0123", first_name="Patty")
    namesake = make_contact(people.acme, now, phone=TWO, first_name="Pat", last_name="Lee")
    client, url = as_member(people.bob), reverse("contacts:merge", args=[keep.public_id])
    likely = client.get(url).content.decode()
    assert str(same.public_id) in likely
    assert str(namesake.public_id) in likely
    assert str(namesake.public_id) in client.get(url, {"q": TWO}).content.decode()
    assert "Nobody else has exactly this address" in client.get(url, {"q": "nobody@people.example"}).content.decode()
    compared = client.get(url, {"other": same.public_id}).content.decode()
    assert "As one" in compared
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().count() == 3
    assert client.post(url, {"other": same.public_id}).url == keep.get_absolute_url()
    with tenant_context(people.acme.pk):
        assert Contact.objects.get(pk=same.pk).merged_into_id == keep.pk
    assert client.get(same.get_absolute_url()).url == keep.get_absolute_url()


@pytest.mark.as_web
def test_the_page_says_why_it_cannot_be_done_now(people: People, now: datetime, as_member: Any) -> None:
    keep, gone = make_contact(people.acme, now), make_contact(people.acme, now)
    make_message(gone, make_senders(people.acme)["sms"], now, state="unknown")
    client, url = as_member(people.bob), reverse("contacts:merge", args=[keep.public_id])
    answer = client.post(url, {"other": gone.public_id}, follow=True)
    assert "Try again in a few minutes" in answer.content.decode()
    with tenant_context(people.acme.pk):
        assert Message.objects.get().contact_id == gone.pk
        assert Suppression.objects.count() == 0


@pytest.mark.as_web
@pytest.mark.parametrize("other", ["nonsense", "", "00000000-0000-0000-0000-000000000000"])
def test_nobody_is_merged_with_nobody(people: People, now: datetime, as_member: Any, other: str) -> None:
    keep = make_contact(people.acme, now)
    answer = as_member(people.bob).post(reverse("contacts:merge", args=[keep.public_id]), {"other": other})
    assert answer.status_code in (404, 422)


def test_a_second_mailbox_that_is_somebody_elses_first_is_not_taken_from_them(people: People, now: datetime) -> None:
    keep = make_contact(people.acme, now, phone=ONE, email="", alternative_email="shared@people.example")
    gone = make_contact(people.acme, now, phone=TWO, email="pat@people.example")
    other = make_contact(people.acme, now, phone="+12125550125", email="shared@people.example", first_name="Sam")
    with pytest.raises(MergeBlocked, match=r"Sam .*shared@people\.example"):
        merge(keep, gone, by="member:1", now=now)
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().filter(pk__in=[keep.pk, gone.pk, other.pk]).count() == 3
