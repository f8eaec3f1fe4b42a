"""One row of every tenant-owned model, so that a test can ask of each whether a stranger sees it or a request changed it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from contacts.models import Company, Consent, Contact, Forgotten, ImportJob, ImportProblem, Interaction, Suppression
from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import (
    ApiKey,
    Approval,
    Event,
    Membership,
    Notification,
    RetentionMark,
    Seal,
    SealHead,
    SupportVisit,
    Tenant,
    User,
)
from omnify.tenants.models.base import TenantModel
from sequences.models import (
    Edge,
    Enrollment,
    Execution,
    Message,
    Pace,
    Polling,
    ProviderEvent,
    Sender,
    Sequence,
    SequenceNumbers,
    Spending,
    Step,
    Task,
    Version,
    VoiceSlot,
)
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

TENANT_MODELS = sorted(
    (model for model in apps.get_models() if issubclass(model, TenantModel)), key=lambda model: model._meta.label
)
Rows = dict[type[Model], Any]


def make_everything(member: Membership, now: datetime, word: str) -> Rows:
    """A row of each model of the member's tenant; every text in it that a page may show contains `word`."""
    tenant, rows = member.tenant, {}
    rows[Tenant], rows[User], rows[Membership] = tenant, member.user, member
    with tenant_context(tenant.pk):
        rows[Company] = Company.objects.create(name=f"{word} Ltd")
        contact = make_contact(
            tenant, now, first_name=word, company=rows[Company], owner=member, email=f"{word.lower()}@people.example"
        )
        sequence = make_sequence(
            tenant, now, {"kind": "sms", "body": f"{word} body", "name": word}, {"kind": "exit"}, name=word
        )
        draft = Version.objects.create(sequence=sequence, number=2)
        Step.objects.create(version=draft, position=0, kind="sms", body=f"{word} draft")
        sender = make_senders(tenant)["sms"]
        Sender.objects.filter(pk=sender.pk).update(name=f"{word} sender")
        enrollment = make_enrollment(sequence, contact, now, turn=1, visit=1)
        rows |= {
            Contact: contact, Sequence: sequence, Sender: sender, Enrollment: enrollment, Version: draft,
            Step: Step.objects.filter(version_id=sequence.published_id).first(),
            Edge: Edge.objects.filter(version_id=sequence.published_id).first(),
            Consent: Consent.objects.filter(contact=contact).first(),
            Suppression: Suppression.objects.create(channel="sms", address="+12125550000", reason=word, source="member", created_at=now),
            Forgotten: Forgotten.objects.create(digest=word, channel="sms", reason=word, source="sms", created_at=now),
            Interaction: Interaction.objects.create(
                contact=contact, channel="sms", direction="inbound", at=now, content_subject=word, content_body=word
            ),
            ImportJob: ImportJob.objects.create(
                file_name=f"{word}.csv", file_path=f"{word}.csv", file_size=1, header=["email"], state="reviewed", created_by=member
            ),
            ApiKey: create_api_key(name=word, role="agent", by=member, now=now)[0],
            Event: Event.objects.create(kind="test.made", at=now, actor=f"member:{member.pk}", data={"word": word}),
            Notification: Notification.objects.create(type="reply", title=word),
            SupportVisit: SupportVisit.objects.create(
                staff_user=0, staff_name=word, reason=word, began_at=now, until=now, ended_at=now
            ),
            Approval: Approval.objects.create(
                kind="settings", title=word, subject_type="tenant", subject_id=tenant.pk, change={"name": word}, state={"name": word},
                lines=[[word, word, word]], digest=word, phrase=word, asked_by=f"member:{member.pk}", asked_user=member.user_id,
                asked_at=now, expires_at=now + timedelta(days=365),
            ),
        }  # fmt: skip
        with as_worker():
            rows[Seal] = Seal.objects.create(
                number=1, after=0, upto=1, count=0, root=word, leaves=b"", signature="", made_at=now
            )
            rows[RetentionMark] = RetentionMark.objects.create(kind=word[:24], upto=now)
            rows[SealHead] = SealHead.objects.create(number=1, upto=1, root=word)
        rows[ImportProblem] = ImportProblem.objects.create(job=rows[ImportJob], row=2, value=word, message=word)
        rows[Execution] = Execution.objects.create(
            enrollment=enrollment,
            sequence_id=sequence.pk,
            step_id=rows[Step].pk,
            turn=1,
            visit=1,
            at=now,
            decision="send",
            reason=word,
        )
        rows[Task] = Task.objects.create(enrollment=enrollment, contact=contact, title=word, created_at=now)
        rows[Message] = Message.objects.create(
            enrollment=enrollment, contact=contact, execution_id=rows[Execution].pk, visit=1, channel="email", sender=sender,
            to_address=contact.email, body=word, state="held", state_at=now, created_at=now, not_before=now,
            expires_at=now + timedelta(days=1),
        )  # fmt: skip
        rows[ProviderEvent] = ProviderEvent.objects.create(
            sender=sender, provider="twilio", kind="inbound", event_key=word, body=word, received_at=now, state="done"
        )
        rows[Spending] = Spending.objects.create(scope="sender", scope_id=sender.pk, day=now.date(), used=1)
        rows[Pace] = Pace.objects.create(sender=sender, tokens=1.0, at=now)
        rows[Polling] = Polling.objects.create(sender=sender, kind="inbound", problem=word)
        rows[SequenceNumbers] = SequenceNumbers.objects.create(
            sequence=sequence, counted_at=now, took_ms=1, people=1, states={}, steps={}, messages={word: 1}
        )
        rows[VoiceSlot] = VoiceSlot.objects.create(
            sender=sender, message_id=rows[Message].pk, taken_at=now, expires_at=now + timedelta(hours=1)
        )
    return rows


@contextmanager
def as_worker() -> Iterator[None]:
    """For rows that only workers may write, whatever role the test has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        role = cursor.fetchone()[0]
        cursor.execute("SET LOCAL ROLE omnify_system")
        yield
        cursor.execute(f'SET LOCAL ROLE "{role}"')


PRINT = """SELECT '{table}', count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY id)), '')
FROM "{table}" AS t WHERE {column} = %(tenant)s"""
PRINTS = " UNION ALL ".join(
    [PRINT.format(table=model._meta.db_table, column="tenant_id") for model in TENANT_MODELS]
    + [PRINT.format(table=Tenant._meta.db_table, column="id")]
)


def fingerprint(tenant_ids: list[int]) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every tenant-owned table for each of these tenants, and of the tenant's own row. One query each."""
    found: dict[str, tuple[int, str]] = {}
    for tenant_id in tenant_ids:
        with tenant_context(tenant_id), connection.cursor() as cursor:
            cursor.execute(PRINTS, {"tenant": tenant_id})
            found |= {f"{table}:{tenant_id}": (rows, checksum) for table, rows, checksum in cursor.fetchall()}
    return found
