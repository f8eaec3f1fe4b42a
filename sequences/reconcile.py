"""Settles messages whose fate is uncertain, by asking the provider. It may not send: a second attempt goes through `ready`
and so through every guard again.

"Absent" is proof only when the listing was complete, twice, and the first look came after the grace: longer than a request
may take, plus a worker's hard kill, plus the provider's listing lag (docs/reliability.md, measured: a grace shorter than the
lag made ten duplicates where none at all were lost).
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from omnify.tenants.models.people import SendingMode
from sequences import alarms, spending, states
from sequences.addressing import fingerprint_of, outbound_for
from sequences.aside import MOST_CRASHES
from sequences.claiming import Claim
from sequences.models import Message
from sequences.models.message import IN_FLIGHT
from sequences.outcome import apply_report, taken_by_others
from sequences.transports import transport_for
from sequences.transports.base import Absent, CannotSay, Found, Refused
from sequences.wirefacts import facts_of, reload

MOST_ATTEMPTS = 2
BUDGET_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """When what may be concluded. Must keep: a request's timeout < a send's hard kill (deadman.SECONDS) < grace."""

    claim_stale: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=120)
    between_looks: timedelta = timedelta(seconds=60)
    # The searches of mail providers lag more than the others' lists.
    between_mail_looks: timedelta = timedelta(minutes=5)
    # Where nobody can be asked, longer: as long as the provider tries to tell (Transport.patience).
    give_up: timedelta = timedelta(minutes=15)

    def pause(self, channel: str) -> timedelta:
        """How far apart two looks must be."""
        return self.between_mail_looks if channel == "email" else self.between_looks


NORMAL = Timing()

# claims_abandoned: nothing was sent (`sending` is committed before the socket), so they may go again; twice, and a person looks.
ABANDONED = """
WITH gone AS (
    SELECT id FROM sequences_message
    WHERE state = 'claimed' AND state_at < %(before)s AND sending_started_at IS NULL
    ORDER BY state_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE sequences_message AS m
SET crashes = m.crashes + 1, claim_token = NULL, state_at = %(now)s,
    state = CASE WHEN m.crashes + 1 >= %(most)s THEN 'held' ELSE 'ready' END,
    state_reason = CASE WHEN m.crashes + 1 >= %(most)s THEN 'abandoned_twice' ELSE 'abandoned' END
FROM gone WHERE m.id = gone.id
RETURNING m.id, m.tenant_id, m.state
"""
# sends_abandoned: begun and never answered for. The worker is gone; the provider may have it.
LOST = """
WITH lost AS (
    SELECT id FROM sequences_message
    WHERE state = 'sending' AND state_at < %(before)s ORDER BY state_at LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE sequences_message AS m SET state = 'unknown', state_reason = 'worker_lost', state_at = %(now)s
FROM lost WHERE m.id = lost.id
RETURNING m.id
"""
# unknowns_to_ask: the grace over, and not looked up too recently. Those asked longest ago first. Once the time to give up has
# come, whoever was last asked before it is asked at once: the long pause between two mail searches may not put that off.
UNKNOWN = """
SELECT id, tenant_id, looked_up_at FROM sequences_message
WHERE state = 'unknown' AND sending_started_at <= %(before)s
  AND (looked_up_at IS NULL OR looked_up_at <= CASE channel WHEN 'email' THEN %(mail_again)s ELSE %(again)s END
       OR (sending_started_at <= %(given_up)s AND looked_up_at < sending_started_at + make_interval(secs => %(give_up)s)))
ORDER BY looked_up_at NULLS FIRST, state_at LIMIT %(batch)s
"""
# settle: only one reconciler's conclusion counts, and only if nothing was learnt in between.
SETTLE = """
UPDATE sequences_message
SET state = %(state)s, state_reason = %(reason)s, state_at = %(now)s, not_before = %(now)s,
    claim_token = CASE WHEN %(state)s = 'ready' THEN NULL ELSE claim_token END
WHERE id = %(id)s AND state = 'unknown' AND claim_token = %(token)s AND status_rank = 0
"""
logger = logging.getLogger(__name__)


def reconcile(
    now: datetime, batch: int = 50, timing: Timing | None = None, *, budget_seconds: float = BUDGET_SECONDS
) -> int:
    """One round: abandoned claims go back, lost sends become unknown, unknowns are asked about; returns how many moved.

    `timing`: NORMAL unless given. No question is begun when `budget_seconds` are over: a provider that hangs must not keep
    a worker from a STOP.
    """
    until = time.monotonic() + budget_seconds
    timing = timing or NORMAL
    moved = _abandoned(now, batch, timing) + _lost(now, batch, timing) + _overdue(now, batch)
    with connection.cursor() as cursor:
        cursor.execute(
            UNKNOWN,
            {
                "before": now - timing.grace,
                "again": now - timing.between_looks,
                "mail_again": now - timing.between_mail_looks,
                "given_up": now - timing.give_up,
                "give_up": timing.give_up.total_seconds(),
                "batch": batch,
            },
        )
        unknown = cursor.fetchall()
    for asked, (message_id, tenant_id, looked_up_at) in enumerate(unknown):
        if asked and time.monotonic() >= until:
            break
        # Noted and committed before the question: one that kills its worker comes last the next time.
        _note_look(message_id, now, clean=False)
        try:
            moved += _ask(message_id, tenant_id, now, timing, looked_up_at)
        except Exception:
            logger.exception("Message %d could not be settled; it is tried again.", message_id)
            moved += _stumbled(message_id, tenant_id, now, timing)
    return moved


def _abandoned(now: datetime, batch: int, timing: Timing) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            ABANDONED, {"before": now - timing.claim_stale, "now": now, "batch": batch, "most": MOST_CRASHES}
        )
        rows = cursor.fetchall()
        for message_id, tenant_id, state in rows:
            if state == states.HELD:
                alarms.held(tenant_id, message_id, "abandoned_twice", now)
    for message_id, tenant_id, _ in rows:  # each in its own transaction: whoever holds a day's books waits for nobody
        spending.refund(message_id, tenant_id)
    return len(rows)


def _lost(now: datetime, batch: int, timing: Timing) -> int:
    with connection.cursor() as cursor:
        cursor.execute(LOST, {"before": now - timing.grace, "now": now, "batch": batch})
        return len(cursor.fetchall())


def _overdue(now: datetime, batch: int) -> int:
    """Held messages that nobody decided about in time are skipped: old news is not sent."""
    late = Message.objects.all_tenants().filter(state=states.HELD, expires_at__lte=now).order_by("expires_at")
    ids = list(late.values_list("pk", flat=True)[:batch])
    rows = Message.objects.all_tenants().filter(pk__in=ids, state=states.HELD)
    return int(rows.update(state=states.EXPIRED, state_at=now))


def _ask(message_id: int, tenant_id: int, now: datetime, timing: Timing, looked_up_at: datetime | None) -> int:
    """Asks the provider about one unknown message, last asked at `looked_up_at`. No transaction is open meanwhile. 1 if it left
    `unknown`, else 0."""
    loaded = reload(message_id, tenant_id, now)
    if loaded is None:
        return 0
    message, known = loaded
    claim = Claim(
        message.id, tenant_id, message.public_id, message.claim_token, message, known, facts_of(message, known), now
    )
    answer = _look_up(claim, now)
    if isinstance(answer, Found):
        report = states.report(known.provider, answer.status) or states.Report(states.ACCEPTED, 10)
        if known.provider == "vapi" and report.rank > 35:
            report = states.Report(states.SENT, 35)  # how it ended is for the end-of-call report to say
        return apply_report(
            tenant_id=tenant_id,
            message_id=message_id,
            provider=known.provider,
            provider_id=answer.provider_id,
            report=report,
            now=now,
            reason="found_at_provider",
        )
    if isinstance(answer, Absent):
        if message.lookups == 0:
            return _note_look(message_id, now, clean=True)
        if looked_up_at is not None and now - looked_up_at < timing.pause(message.channel):
            return 0  # asked early, to give up in time: two looks so near to each other are one
        state, reason = _conclusion(claim, now)
        return _settle(claim, state, reason, now)
    patience = max(timing.give_up, transport_for(known.provider).patience)
    if answer.final or now - message.sending_started_at >= patience:
        return _settle(claim, states.HELD, "no_proof", now)
    return _note_look(message_id, now, clean=False)


def _look_up(claim: Claim, now: datetime) -> Found | Absent | CannotSay:
    provider, message = claim.known.provider, claim.message
    if message.provider and message.provider != provider:
        return CannotSay("The sender was replaced since; the provider that had it cannot be asked.", final=True)
    if claim.facts.tenant_mode != SendingMode.LIVE and not claim.facts.sender_simulated:
        # It was live when this left. A copy of it, or a workspace that was switched back, asks no real provider anything.
        return CannotSay("This workspace only rehearses now, so the real provider is not asked.")
    if _has_twin(claim):
        return CannotSay("Another message with the same words to the same address is also uncertain.")

    def taken(provider_ids: list[str]) -> set[str]:
        return taken_by_others(provider, claim.id, provider_ids)

    try:
        if message.account and message.account != fingerprint_of(claim.known, claim.tenant_id):
            # Another account does not have it, and that it does not have it would be taken for proof.
            return CannotSay("The sender's account was changed since; only the old one could say.", final=True)
        outbound = outbound_for(claim, now)
        answer = transport_for(provider).find(outbound, message.sending_started_at, now, taken)
    except Refused as refused:
        return CannotSay(f"The provider cannot be asked: {refused.text}")
    if isinstance(answer, Found) and taken([answer.provider_id]):
        return CannotSay("What the provider has is another message of ours.")
    return answer


def _has_twin(claim: Claim) -> bool:
    """Whether another open message could be mistaken for this one in a listing that shows only words and addresses.

    One that is held counts too: nobody knows which of the two the provider has.
    """
    if claim.known.provider != "twilio":
        return False
    same = Message.objects.all_tenants().filter(
        channel=claim.message.channel, to_address=claim.message.to_address, body=claim.message.body
    )
    # Two questions, because each has a partial index of its own.
    open_, held = same.filter(state__in=IN_FLIGHT).exclude(pk=claim.id), same.filter(state=states.HELD)
    return open_.exists() or held.exists()


def _conclusion(claim: Claim, now: datetime) -> tuple[str, str]:
    """What a proven absence allows: one more attempt, never for a call, never late, never after something else went out."""
    message = claim.message
    if not transport_for(claim.known.provider).may_resend:
        return states.HELD, "not_placed"
    if message.expires_at <= now:
        return states.EXPIRED, "expired"
    if message.attempt >= MOST_ATTEMPTS:
        return states.HELD, "resent_once"
    others = Message.objects.all_tenants().filter(
        contact_id=message.contact_id, status_rank__gt=0, state_at__gte=message.sending_started_at
    )
    if others.exclude(pk=message.id).exists():
        return states.HELD, "touched_since"
    return states.READY, "not_sent"


def _settle(claim: Claim, state: str, reason: str, now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTLE, {"id": claim.id, "state": state, "reason": reason, "now": now, "token": claim.token})
        settled = int(cursor.rowcount)
        if settled and state == states.HELD:
            alarms.held(claim.tenant_id, claim.id, reason, now)
        if settled and reason != "no_proof":
            spending.refund(claim.id, claim.tenant_id)
        return settled


def _note_look(message_id: int, now: datetime, *, clean: bool) -> int:
    """Remembers that the provider was asked; `clean`: it answered with a whole list, and the message was not on it."""
    rows = Message.objects.all_tenants().filter(pk=message_id, state=states.UNKNOWN)
    rows.update(looked_up_at=now, lookups=F("lookups") + int(clean))
    return 0


def _stumbled(message_id: int, tenant_id: int, now: datetime, timing: Timing) -> int:
    """After an error of our own: asked again later, and shown to a person once that has gone on for too long."""
    _note_look(message_id, now, clean=False)
    rows = Message.objects.all_tenants().filter(
        pk=message_id, state=states.UNKNOWN, sending_started_at__lte=now - timing.give_up
    )
    with transaction.atomic():
        given_up = rows.update(state=states.HELD, state_reason="no_proof", state_at=now)
        if given_up:
            alarms.held(tenant_id, message_id, "no_proof", now)
    return int(given_up)
