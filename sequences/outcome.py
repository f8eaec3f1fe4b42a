"""What became of a message: the only place that writes it down, for our own sends, the reconciler and providers' reports.

Each function is one transaction and decides by one conditional statement, so it may come twice, late, or from two places.
"""

import logging
from collections import namedtuple
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from omnify.tenants.context import tenant_context
from sequences import alarms, spending, states
from sequences.accepting import accepted, report_of
from sequences.codes import Verdict
from sequences.failures import Failure, failed
from sequences.limits import CALL_ENDED_RANK
from sequences.models import Message, Sender
from sequences.touches import note_touch
from sequences.transports.base import Busy, Receipt, Refused, Uncertain

SENDER_PAUSE = timedelta(minutes=15)

# message_report: moves a message to what a provider says, unless something further along is known. Counts in every
# state: what the provider has, it has.
REPORT = """
WITH old AS (
    SELECT id, status_rank FROM sequences_message WHERE id = %(id)s AND tenant_id = %(tenant)s FOR NO KEY UPDATE
)
UPDATE sequences_message AS m
SET state = CASE WHEN old.status_rank < %(rank)s THEN %(state)s ELSE m.state END,
    state_at = CASE WHEN old.status_rank < %(rank)s THEN %(now)s ELSE m.state_at END,
    state_reason = CASE WHEN old.status_rank < %(rank)s THEN %(reason)s ELSE m.state_reason END,
    status_rank = greatest(old.status_rank, %(rank)s),
    provider = CASE WHEN m.provider_id = '' THEN %(provider)s ELSE m.provider END,
    provider_id = CASE WHEN m.provider_id = '' THEN %(provider_id)s ELSE m.provider_id END,
    cost = coalesce(%(cost)s, m.cost), segments = coalesce(%(segments)s, m.segments),
    failure_type = CASE WHEN old.status_rank < %(rank)s THEN %(failure_type)s ELSE m.failure_type END,
    error_code = CASE WHEN old.status_rank < %(rank)s THEN %(error_code)s ELSE m.error_code END,
    error_text = CASE WHEN old.status_rank < %(rank)s THEN %(error_text)s ELSE m.error_text END,
    permanent = CASE WHEN old.status_rank < %(rank)s THEN %(permanent)s ELSE m.permanent END
FROM old WHERE m.id = old.id
RETURNING old.status_rank, m.id, m.tenant_id, m.contact_id, m.channel, m.subject, m.body, m.enrollment_id, m.step_id, m.estimate
"""
_Reported = namedtuple("_Reported", "was id tenant_id contact_id channel subject body enrollment_id step_id estimate")

logger = logging.getLogger(__name__)


def apply_report(
    *,
    tenant_id: int,
    message_id: int,
    provider: str,
    provider_id: str,
    report: states.Report,
    now: datetime,
    reason: str = "",
    failure_type: str = "",
    error_code: str = "",
    error_text: str = "",
    permanent: bool | None = None,
    cost: Decimal | None = None,
    segments: int | None = None,
) -> bool:
    """A provider's word about one message: accepted, sent, delivered, failed … True when it moved the message.

    The first such word also writes the touch into the conversation, whichever way it came (our own request's answer, a
    callback that overtook it, or the reconciler).
    """
    with tenant_context(tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(
                REPORT,
                {
                    "id": message_id,
                    "tenant": tenant_id,
                    "state": report.state,
                    "rank": report.rank,
                    "reason": reason[:60],
                    "now": now,
                    "provider": provider,
                    "provider_id": provider_id[:120],
                    "cost": cost,
                    "segments": segments,
                    "failure_type": failure_type[:24],
                    "error_code": error_code[:60],
                    "error_text": error_text.replace("\x00", " ")[:500],
                    "permanent": permanent,
                },
            )
            row = cursor.fetchone()
        if row is None:
            return False
        found = _Reported(*row)
        note_touch(found, provider_id, now)
        _settle_spending(found, report, cost)
    return bool(found.was < report.rank)


def _settle_spending(found: Any, report: states.Report, cost: Decimal | None) -> None:
    """A call that is over frees its line. A day's books are put right once this is committed: whoever holds a day's row may
    wait for nobody, and what a provider reports is applied under many locks."""
    if found.channel == "voice" and report.rank >= CALL_ENDED_RANK:
        spending.hang_up_line(found.id, found.tenant_id)
    if found.estimate is None:
        return
    if report.state == states.CANCELLED:
        transaction.on_commit(lambda: spending.refund(found.id, found.tenant_id))
    elif cost is not None:
        transaction.on_commit(lambda: spending.correct(found.id, found.tenant_id))


def record_outcome(claim: Any, outcome: Receipt | Exception, now: datetime) -> str:
    """Writes down how the attempt behind this claim went; returns the message's new state, "" if the claim was no longer ours.

    A receipt counts even then: a worker that was frozen for an hour still knows that its message went out.
    """
    if isinstance(outcome, Receipt):
        return _accepted(claim, outcome, now)
    if isinstance(outcome, Refused):
        return _stopped_sender(claim, outcome, now) if outcome.pause_sender else _refused(claim, outcome, now)
    if isinstance(outcome, Busy):
        return _again_later(claim, outcome, now)
    text = outcome.text if isinstance(outcome, Uncertain) else f"{type(outcome).__name__} while sending"
    return _ours(claim, state=states.UNKNOWN, state_reason="uncertain", state_at=now, error_text=text[:500])


def _accepted(claim: Any, receipt: Receipt, now: datetime) -> str:
    written = accepted(claim, receipt, now)
    if written is not None and written[1] is not None and receipt.cost is not None:
        spending.correct(claim.id, claim.tenant_id)
    return report_of(claim, receipt).state


def _refused(claim: Any, refused: Refused, now: datetime) -> str:
    with tenant_context(claim.tenant_id):
        state = _ours(
            claim,
            state=states.REJECTED,
            state_reason=refused.failure_type,
            state_at=now,
            failure_type=refused.failure_type,
            error_code=refused.code[:60],
            error_text=refused.text[:500],
            permanent=refused.permanent,
        )
        if not state:
            return ""
        # What the refusal says about the address (opted out, landline, gone) holds for everybody who has it.
        verdict = Verdict(refused.failure_type, permanent=refused.permanent)
        failed(Message.objects.get(pk=claim.id), Failure(verdict, refused.code, refused.text), now)
        spending.refund(claim.id, claim.tenant_id)
    return state


def _again_later(claim: Any, busy: Busy, now: datetime) -> str:
    """Provably not accepted, so the attempt does not count and every guard is asked again."""
    later = now + timedelta(seconds=busy.retry_after)
    with transaction.atomic():
        state = _back(claim, "busy", busy.text, later, now)
        if state:
            spending.refund(claim.id, claim.tenant_id)
    return state


def _stopped_sender(claim: Any, refused: Refused, now: datetime) -> str:
    """The account or the number cannot send at all: it pauses, the tenant hears of it once, its messages wait."""
    until = now + SENDER_PAUSE
    with tenant_context(claim.tenant_id):
        state = _back(claim, "sender_paused", refused.text, until, now)
        sender = Sender.objects.filter(pk=claim.known.sender_id).exclude(paused_until__gt=now)
        already_told = sender.filter(pause_reason=refused.code[:200], paused_until__gt=now - SENDER_PAUSE).exists()
        if state and sender.update(paused_until=until, pause_reason=refused.code[:200]) and not already_told:
            name = Sender.objects.values_list("name", flat=True).get(pk=claim.known.sender_id)
            alarms.sender_stopped(claim.tenant_id, name, refused.text, refused.code)
        if state:
            spending.refund(claim.id, claim.tenant_id)
    return state


def _back(claim: Any, reason: str, text: str, later: datetime, now: datetime) -> str:
    from django.db.models import F

    return _ours(
        claim,
        state=states.DEFERRED,
        state_reason=reason,
        state_at=now,
        error_text=text[:500],
        not_before=later,
        attempt=F("attempt") - 1,
        sending_started_at=None,
        claim_token=None,
    )


def _ours(claim: Any, **changes: Any) -> str:
    """Changes the message only while this claim still holds it on the wire. Returns the state written, or ""."""
    with transaction.atomic():
        changed = (
            Message.objects.all_tenants()
            .filter(
                pk=claim.id,
                tenant_id=claim.tenant_id,
                claim_token=claim.token,
                state__in=(states.SENDING, states.UNKNOWN),
            )
            .update(**changes)
        )
    return str(changes["state"]) if changed else ""


def taken_by_others(provider: str, message_id: int, provider_ids: list[str]) -> set[str]:
    """Which of these ids of a provider belong to messages other than this one, of any tenant."""
    rows = Message.objects.all_tenants().filter(provider=provider, provider_id__in=provider_ids).exclude(pk=message_id)
    return set(rows.values_list("provider_id", flat=True))


def find_by_mark(mark: UUID) -> tuple[int, int] | None:
    """(tenant id, message id) of the message with this mark, or None."""
    return Message.objects.all_tenants().filter(public_id=mark).values_list("tenant_id", "pk").first()
