"""What a send costs the database, and that the quick way writes what the long way writes."""

from datetime import timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction
from sequences.claiming import claim_one, tenants_with_work
from sequences.delivery import deliver, dispatch, mark_sending
from sequences.outcome import apply_report, record_outcome
from sequences.states import Report
from sequences.transports.base import Receipt
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)
MEMORY = ("interaction_count", "first_contacted_at", "last_outbound_at", "last_interaction_summary")
NOT_COMPARED = {"_state", "id", "public_id", "contact_id", "message_id", "provider_id", "content_body"}


def test_a_claimed_message_costs_two_statements_to_send(wire: Wire, django_assert_num_queries: Any) -> None:
    message = wire.ready()
    claim: Any = claim_one("sms", wire.tenant_id, wire.now)
    with django_assert_num_queries(2):
        assert deliver(claim, wire.at()) == "accepted"
    assert refreshed(message).state == "accepted"


@pytest.mark.parametrize(
    ("channel", "word", "rank"), [("sms", "queued", 10), ("email", "sent", 30), ("voice", "queued", 10)]
)
def test_the_quick_way_and_the_long_way_write_the_same(wire: Wire, channel: str, word: str, rank: int) -> None:
    rows, memories, states = [], [], []
    for way in ("quick", "long"):
        message = wire.ready(channel, body="A word,\nand another.")
        claim: Any = claim_one(channel, wire.tenant_id, wire.now)
        mark_sending(claim, wire.now)
        if way == "quick":
            record_outcome(claim, Receipt(f"id-{way}", word), wire.now)
        else:
            apply_report(
                tenant_id=wire.tenant_id, message_id=message.pk, provider=claim.known.provider, provider_id=f"id-{way}",
                report=Report("sent" if rank == 30 else "accepted", rank), now=wire.now,
            )  # fmt: skip
        touch = Interaction.objects.all_tenants().get(message_id=message.pk)
        assert touch.provider_id == f"id-{way}"
        assert touch.content_body == message.body
        rows.append({name: value for name, value in vars(touch).items() if name not in NOT_COMPARED})
        person = Contact.objects.all_tenants().get(pk=message.contact_id)
        memories.append([getattr(person, name) for name in MEMORY])
        after = refreshed(message)
        states.append(
            (after.state, after.status_rank, after.state_at, after.state_reason, after.provider, after.permanent)
        )
    assert rows[0] == rows[1]
    assert memories[0] == memories[1]
    assert states[0] == states[1]
    assert memories[0][0] == 1


def test_a_callback_that_came_first_leaves_one_touch_and_its_state(wire: Wire) -> None:
    message = wire.ready()
    claim: Any = claim_one("sms", wire.tenant_id, wire.now)
    mark_sending(claim, wire.now)
    apply_report(
        tenant_id=wire.tenant_id, message_id=message.pk, provider="twilio", provider_id="SM-1",
        report=Report("delivered", 50), now=wire.now,
    )  # fmt: skip
    record_outcome(claim, Receipt("SM-1", "queued", segments=2), wire.now)
    after = refreshed(message)
    assert (after.state, after.status_rank, after.segments) == ("delivered", 50, 2)
    assert Interaction.objects.all_tenants().filter(message_id=message.pk).count() == 1
    assert Contact.objects.all_tenants().get(pk=message.contact_id).interaction_count == 1


def test_an_older_send_does_not_overwrite_what_was_said_since(wire: Wire) -> None:
    contact = wire.contact(last_inbound_at=wire.now + timedelta(minutes=1), last_interaction_summary="Texted us: yes")
    wire.ready("sms", contact)
    deliver(claim_one("sms", wire.tenant_id, wire.now), wire.at())  # type: ignore[arg-type]
    after = Contact.objects.all_tenants().get(pk=contact.pk)
    assert (after.last_interaction_summary, after.last_outbound_at) == ("Texted us: yes", wire.now)


def test_a_tenant_whose_work_comes_late_waits_for_no_others_backlog(wire: Wire, now: Any) -> None:
    from omnify.promises import scene
    from omnify.promises.pretending import Provider, in_place_of_all

    other = scene.make(now)
    late = other.message(other.people(1, places=["US-NY"])[0])
    for _ in range(12):
        wire.ready()
    provider = Provider(now=wire.at())
    with in_place_of_all(provider):
        dispatch(["sms"], now=wire.at(), budget_seconds=20, threads=1)
    assert [got.mark for got in provider.ledger].index(str(late.public_id)) <= 1
    assert tenants_with_work("sms", now) == []
