"""Putting people into a sequence: who of them it could reach, and their places on its first step.

Set-based: any number of people in a constant number of statements. What becomes of an enrolment afterwards is
sequences.enrollments.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from omnify.lib import live
from omnify.tenants.approvals import require
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models.approval import Approval
from omnify.tenants.signatures import crowded
from sequences.approving import enrolment_wanted, recent_recipients
from sequences.models import Sequence, Step

# enroll_people: one statement for any number of people. Somebody who was here before comes back only where the sequence
# allows it, or where their opt-out had cut it short and they took that back (CHECKS); turn and visit go on counting, so that
# no receipt and no message of the first time can be mistaken for a new one.
ENROLL = """
INSERT INTO sequences_enrollment (tenant_id, public_id, sequence_id, version_id, contact_id, step_id, status, status_reason,
                                  next_run_at, turn, visit, waited, enrolled_at, engagement_score, sentiment_trend,
                                  needs_human_intervention, last_emotion, recommended_tone, is_hot_lead, is_at_risk,
                                  conversion_type)
SELECT c.tenant_id, gen_random_uuid(), %(sequence)s, %(version)s, c.id, %(step)s, 'active', '',
       %(now)s, 0, 0, false, %(now)s, c.engagement_score, c.sentiment_trend,
       false, '', '', false, false, ''
FROM contacts_contact AS c
WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s) AND c.deleted_at IS NULL
ON CONFLICT (contact_id, sequence_id) DO UPDATE
SET version_id = EXCLUDED.version_id, step_id = EXCLUDED.step_id, status = 'active', status_reason = '',
    next_run_at = EXCLUDED.next_run_at, waited = false, enrolled_at = EXCLUDED.enrolled_at, finished_at = NULL,
    replied_at = NULL, needs_human_intervention = false
WHERE sequences_enrollment.status IN ('completed', 'exited')
  AND (%(again)s OR sequences_enrollment.status_reason = 'opted_out')
RETURNING id
"""

# enroll_checks: for each person, the first reason why the sequence could not reach them, by the channels it uses. Who left by
# opting out may come back only after their own START: never because a member edited, merged or imported them.
CHECKS = """
SELECT CASE
         WHEN e.id IS NOT NULL AND e.status IN ('active', 'paused', 'failed') THEN 'already_in'
         WHEN e.status_reason = 'opted_out' AND NOT EXISTS (
           SELECT 1 FROM contacts_suppression AS s
           WHERE s.tenant_id = c.tenant_id AND s.lifted_by = 'person' AND s.lifted_at >= e.finished_at
             AND s.address IN (c.phone, c.email, c.alternative_phone, c.alternative_email)
         ) THEN 'opted_out'
         WHEN e.id IS NOT NULL AND e.status_reason <> 'opted_out' AND NOT %(again)s THEN 'been_through'
         WHEN NOT ((%(mail)s AND c.email <> '') OR (%(phone)s AND c.phone <> '') OR NOT (%(mail)s OR %(phone)s)) THEN 'no_address'
         WHEN NOT EXISTS (
           SELECT 1 FROM unnest(%(channels)s::text[]) AS used(channel)
           WHERE CASE WHEN used.channel = 'email' THEN c.email ELSE c.phone END <> '' AND NOT EXISTS (
             SELECT 1 FROM contacts_suppression AS s
             WHERE s.tenant_id = c.tenant_id AND s.channel = used.channel AND s.lifted_at IS NULL
               AND s.address = CASE WHEN used.channel = 'email' THEN c.email ELSE c.phone END)
         ) AND (%(mail)s OR %(phone)s) THEN 'suppressed'
         WHEN NOT EXISTS (
           SELECT 1 FROM unnest(%(channels)s::text[]) AS used(channel)
           WHERE CASE WHEN used.channel = 'email' THEN c.email ELSE c.phone END <> '' AND NOT EXISTS (
             SELECT 1 FROM contacts_suppression AS s
             WHERE s.tenant_id = c.tenant_id AND s.channel = used.channel AND s.lifted_at IS NULL
               AND s.address = CASE WHEN used.channel = 'email' THEN c.email ELSE c.phone END)
           AND (used.channel = 'email' OR EXISTS (
             SELECT 1 FROM contacts_consent AS k
             WHERE k.tenant_id = c.tenant_id AND k.contact_id = c.id AND k.revoked_at IS NULL
               AND k.kind = CASE used.channel WHEN 'sms' THEN 'pewc_text' ELSE 'pewc_artificial_voice' END))
         ) AND (%(mail)s OR %(phone)s) THEN 'no_consent'
         ELSE 'ready'
       END AS verdict, count(*), array_agg(c.id)
FROM contacts_contact AS c
LEFT JOIN sequences_enrollment AS e ON e.contact_id = c.id AND e.tenant_id = c.tenant_id AND e.sequence_id = %(sequence)s
WHERE c.tenant_id = %(tenant)s AND c.id = ANY(%(contacts)s) AND c.deleted_at IS NULL
GROUP BY verdict
"""


class NotEnrollable(Exception):
    """The sequence takes nobody now; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EnrollResult:
    """How many were enrolled, and how many were left out for which reason (already_in, been_through,
    opted_out, no_address, suppressed, no_consent)."""

    enrolled: int
    skipped: Mapping[str, int]


def enrollment_checks(sequence: Sequence, contact_ids: Iterable[int]) -> dict[str, list[int]]:
    """Contact ids by verdict: "ready", or the reason why this sequence would not reach them. One query."""
    ids = list(contact_ids)
    channels = list(
        Step.objects.filter(version_id=sequence.published_id, enabled=True, kind__in=("sms", "email", "voice"))
        .values_list("kind", flat=True)
        .distinct()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            CHECKS,
            {
                "tenant": sequence.tenant_id,
                "sequence": sequence.pk,
                "contacts": ids,
                "again": sequence.allow_reentry,
                "channels": channels,
                "mail": "email" in channels,
                "phone": bool({"sms", "voice"} & set(channels)),
            },
        )
        return {verdict: list(found) for verdict, _, found in cursor.fetchall()}


def enroll(
    sequence: Sequence,
    contact_ids: Iterable[int],
    *,
    by: str,
    now: datetime,
    force: bool = False,
    approval: Approval | None = None,
) -> EnrollResult:
    """Puts people on the first step of the published version, due at once. Set-based: any number in a constant number of queries.

    `by` is the actor ("member:3"). People the sequence could reach on no channel are left out; `force` enrols them too
    (each step will then say on its receipt why nothing went out). Raises NotEnrollable for a draft or an archived sequence,
    and NeedsSignature where these, with who came in lately, are more than may come in unsigned (omnify.tenants.signatures);
    `approval` is the signed request that is being applied.
    """
    with tenant_context(sequence.tenant_id):
        # Locked, so that publishing a new version and enrolling cannot pass each other.
        sequence = Sequence.objects.select_for_update(of=("self",)).get(pk=sequence.pk)
        if sequence.published_id is None:
            raise NotEnrollable(f"“{sequence}” has no published version yet. Publish it, then enrol people.")
        if sequence.status == "archived":
            raise NotEnrollable(f"“{sequence}” is archived and takes nobody new. Duplicate it or bring it back.")
        first = Step.objects.filter(version_id=sequence.published_id).order_by("position", "id").first()
        asked = list(contact_ids)
        verdicts = enrollment_checks(sequence, asked)
        wanted = verdicts.pop("ready", [])
        if force:
            for reason in ("no_address", "suppressed", "no_consent"):
                wanted += verdicts.pop(reason, [])
        if crowded(recent_recipients(now), len(wanted)):
            # The request names whom the caller named: that is what is signed, and checked anew when it is.
            require(enrolment_wanted(sequence, asked, ready=len(wanted), force=force), approval=approval)
        with connection.cursor() as cursor:
            cursor.execute(
                ENROLL,
                {
                    "tenant": sequence.tenant_id,
                    "sequence": sequence.pk,
                    "version": sequence.published_id,
                    "step": first.pk if first else None,
                    "contacts": wanted,
                    "now": now,
                    "again": sequence.allow_reentry,
                },
            )
            enrolled = len(cursor.fetchall())
            cursor.execute("SELECT pg_notify('omnify_wake', 'tick')")
        skipped = {reason: len(found) for reason, found in verdicts.items()}
        if lost := len(wanted) - enrolled:
            skipped["already_in"] = skipped.get("already_in", 0) + lost
        record(
            "sequence.enrolled",
            tenant_id=sequence.tenant_id,
            now=now,
            actor=by,
            subject=sequence,
            enrolled=enrolled,
            skipped=skipped,
            **({"approval": str(approval.public_id)} if approval else {}),
        )
        live.hint(sequence.tenant_id, "sequences", str(sequence.public_id))
    return EnrollResult(enrolled, skipped)
