"""G18: for whatever a person received, who, when, to where, in which words, by whose decision and which rule, on which consent;
told from our rows alone and compared with the provider's ledger. And no working role can change any of it afterwards."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from contacts.models import Consent, Interaction
from omnify.promises import pretending, scene
from omnify.promises.outcome import Outcome
from omnify.promises.pretending import Got
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.law import book
from sequences.models import Enrollment, Execution, Message, Step
from sequences.reconcile import reconcile

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
PEOPLE = {"quick": 40, "full": 600}
STEPS = (
    {"kind": "sms", "body": "Hello {{ first_name }}, shall we talk?"},
    {"kind": "email", "subject": "For {{ first_name }}", "body": "It is about your roof."},
    {"kind": "voice", "subject": "Good day", "body": "Ask whether Tuesday suits them."},
)
RULES = {row.id for row in book.ROWS}
# Not laws: the sequence's own window.
OWN = {"window"}

# Statements that would change history; each must be refused to both roles, in the row's own tenant.
TAMPERING = (
    "UPDATE tenants_event SET kind = 'x'",
    "UPDATE tenants_event SET at = now()",
    "DELETE FROM tenants_event",
    "TRUNCATE tenants_event",
    "UPDATE sequences_execution SET reason = 'x'",
    "UPDATE sequences_execution SET facts = '{}'",
    "DELETE FROM sequences_execution",
    "TRUNCATE sequences_execution",
    "UPDATE contacts_interaction SET at = now()",
    "UPDATE contacts_interaction SET direction = 'inbound'",
    "UPDATE contacts_interaction SET content_body = 'never said' WHERE channel <> 'voice'",
    "UPDATE contacts_interaction SET content_body = '', content_subject = '' WHERE channel <> 'voice'",
    "UPDATE contacts_interaction SET content_subject = 'never said'",
    "UPDATE contacts_interaction SET message_id = 1",
    "DELETE FROM contacts_interaction",
    "TRUNCATE contacts_interaction",
    "UPDATE contacts_consent SET given_at = now()",
    "UPDATE contacts_consent SET kind = 'pewc_text'",
    "UPDATE contacts_consent SET text_shown = 'yes to everything'",
    "DELETE FROM contacts_consent",
    "UPDATE sequences_message SET body = 'never sent' WHERE sending_started_at IS NOT NULL",
    "UPDATE sequences_message SET body = '', subject = '' WHERE sending_started_at IS NOT NULL",
    "UPDATE sequences_message SET to_address = '+12125550000' WHERE sending_started_at IS NOT NULL",
    "DELETE FROM sequences_message",
    "TRUNCATE sequences_message",
    "ALTER TABLE tenants_event DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE contacts_interaction DISABLE TRIGGER said_once",
    "DROP TRIGGER sent_stays ON sequences_message",
    "DROP TABLE tenants_event",
)
ROLES = ("omnify_web", "omnify_system")


class _Undo(Exception):
    """Takes back what a statement did that should have been refused."""


def prove_explainable(scale: str, seed: int) -> Outcome:
    """Tried: touches explained and statements that would change history. Failed: touches with a gap or with another account
    than the provider's, and statements that were not refused."""
    dice = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    made, provider = _history(PEOPLE[scale], dice)
    gaps = []
    with tenant_context(made.tenant.pk):
        for got in provider.ledger:
            gaps += [f"{got.channel}: {gap}" for gap in gaps_of(got)]
    got_through = tampered(made.tenant.pk)
    told = (
        f"{len(provider.ledger)} touches rebuilt, {len(TAMPERING) * len(ROLES)} attempts to change history, seed {seed}"
    )
    wrong = [*gaps, *got_through]
    print(*wrong[:50], sep="\n", flush=True)
    return Outcome(
        len(provider.ledger) + len(TAMPERING) * len(ROLES), len(wrong), f"{told} {'; '.join(wrong[:3])}".strip()
    )


def _history(people: int, dice: random.Random) -> tuple[scene.Scene, pretending.Provider]:
    """A few hours in which these people are written to on every channel by three sequences, with a provider that is at times
    uncertain."""
    moment = NOON
    made = scene.make(NOON)
    contacts = made.people(people)
    for n, step in enumerate(STEPS):
        made.enrolled(made.sequence(step, name=f"History {n}"), dice.sample(contacts, max(people * 3 // 4, 1)))
    moods = ("accept", "accept", "accept", "accept_then_timeout")
    provider = pretending.Provider(now=lambda: moment, mood=lambda outbound: dice.choice(moods))
    with pretending.in_place_of_all(provider):
        for _ in range(8):
            tick(moment)
            dispatch(["sms", "email", "voice"], now=lambda at=moment: at, budget_seconds=30, threads=4)  # type: ignore[misc]
            moment += timedelta(minutes=11)
            reconcile(moment)
    return made, provider


def gaps_of(got: Got) -> Iterator[str]:
    """What our rows cannot say about a touch, or say otherwise than the provider does. Run in the tenant's context."""
    message = Message.objects.select_related("contact", "sender").filter(public_id=got.mark).first()
    if message is None:
        yield "nobody knows of it"
        return
    yield from _who_and_when(message, got)
    yield from _why(message)
    yield from _permit(message, got)
    touch = Interaction.objects.filter(message_id=message.pk)
    if [(each.contact_id, each.content_body, each.direction) for each in touch] != [
        (message.contact_id, message.body, "outbound")
    ]:
        yield "the conversation does not have it once, in these words"


def _who_and_when(message: Message, got: Got) -> Iterator[str]:
    if message.to_address != got.to or message.contact_id is None or message.sender is None:
        yield f"to {message.to_address}, received by {got.to}"
    if message.provider_id != got.provider_id or not message.account:
        yield f"provider's id {message.provider_id!r}, account {message.account!r}"
    started = message.sending_started_at
    if started is None or not message.created_at <= started <= got.at <= message.expires_at:
        yield f"made {message.created_at}, on the wire {started}, received {got.at}"
    # A mail carries its footer after our words; a call's words are what it opens with.
    same = (
        message.body == got.text if message.channel == "sms" else message.channel == "voice" or message.body in got.text
    )
    if not same:
        yield "other words were received"


def _why(message: Message) -> Iterator[str]:
    receipt = Execution.objects.filter(pk=message.execution_id).first()
    enrolment = Enrollment.objects.filter(pk=message.enrollment_id).first()
    if receipt is None or enrolment is None:
        yield "no receipt or no enrolment"
        return
    if (receipt.decision, receipt.enrollment_id, receipt.step_id) != (
        "send",
        enrolment.pk,
        message.step_id,
    ) or not receipt.reason:
        yield f"its receipt says {receipt.decision} {receipt.reason!r} of step {receipt.step_id}"
    step = Step.objects.filter(pk=message.step_id).first()
    if step is None or step.version.sequence_id != enrolment.sequence_id or step.version.published_at is None:
        yield "no published step has these words"
    who = Event.objects.filter(kind="sequence.enrolled", subject_id=enrolment.sequence_id).first()
    if who is None or not who.actor:
        yield "nobody knows who enrolled them"


def _permit(message: Message, got: Got) -> Iterator[str]:
    permit: dict[str, Any] = message.permit or {}
    rules = set(permit.get("rules", ())) - OWN
    if (not rules and message.channel != "email") or not rules <= RULES:
        yield f"allowed by {sorted(rules) or 'no rule'}"
    if not permit.get("until") or datetime.fromisoformat(permit["until"]) < got.at or not permit.get("epoch"):
        yield f"allowed until {permit.get('until')} in epoch {permit.get('epoch')}"
    if message.channel == "email":
        return
    given = Consent.objects.filter(
        contact_id=message.contact_id, channel=message.channel, kind__in=permit.get("consents", ())
    )
    before = [
        each.pk for each in given if each.given_at <= got.at and (each.revoked_at is None or each.revoked_at > got.at)
    ]
    if not before:
        yield "no consent in force then is known"


def tampered(tenant_id: int) -> list[str]:
    """The statements of TAMPERING that a working role could run."""
    through = []
    with tenant_context(tenant_id):
        for role in ROLES:
            for statement in TAMPERING:
                try:
                    with transaction.atomic(), connection.cursor() as cursor:
                        cursor.execute(f"SET LOCAL ROLE {role}")
                        cursor.execute(statement)
                        raise _Undo
                except _Undo:
                    through.append(f"{role} could: {statement}")
                except DatabaseError:
                    continue
    return through
