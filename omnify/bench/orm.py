"""The tick as it is usually written: one person at a time, by the ORM, a dozen queries each. It stands in for the design of
the product's first document (a queue and 12 queries an enrolment), to know what the fast path is worth.

It writes the same rows to the same tables and decides less: hours and law are left out, and it takes no locks, being alone.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from contacts.models import Company, Consent, Contact, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.models import Edge, Enrollment, Execution, Message, Sender, Sequence, Step
from sequences.render import compile_template


def run(tenant_id: int, now: datetime, limit: int) -> int:
    """Advances up to `limit` due enrolments of the tenant; returns how many."""
    done = 0
    while done < limit:
        with transaction.atomic(), tenant_context(tenant_id):
            enrollment = Enrollment.objects.filter(next_run_at__lte=now).order_by("next_run_at").first()
            if enrollment is None:
                return done
            advance(enrollment, now)
            done += 1
    return done


def advance(enrollment: Enrollment, now: datetime) -> None:
    """One text to one person, and the next moment."""
    tenant = Tenant.objects.get(pk=enrollment.tenant_id)
    sequence = Sequence.objects.get(pk=enrollment.sequence_id)
    contact = Contact.objects.get(pk=enrollment.contact_id)
    step = Step.objects.get(pk=enrollment.step_id)
    if step.kind == "wait":  # it is over: that is why the person is due
        step = Edge.objects.select_related("target").get(source=step).target
    company = Company.objects.filter(pk=contact.company_id).first()
    opted_out = Suppression.objects.filter(address=contact.phone, channel="sms", lifted_at=None).exists()
    in_force = Q(expires_at=None) | Q(expires_at__gt=now)
    agreed = Consent.objects.filter(in_force, contact=contact, channel="sms", revoked_at=None).exists()
    sender = Sender.objects.filter(channel="sms", is_default=True).get()
    if opted_out or not agreed or sequence.status != "active" or not tenant.sending_enabled:
        raise RuntimeError("Everybody of the bench may be written to.")
    body = compile_template(step.body).render(
        {"first_name": contact.first_name, "company": company.name if company else None}
    )
    following = Edge.objects.filter(source=step).first()
    later = now + timedelta(days=1)
    enrollment.turn, enrollment.visit = enrollment.turn + 1, enrollment.visit + 2
    execution = Execution.objects.create(
        enrollment=enrollment, sequence_id=sequence.pk, step_id=step.pk, turn=enrollment.turn, visit=enrollment.visit,
        at=now, decision="send", reason="sent", channel="sms", facts={}, next_run_at=later,
    )  # fmt: skip
    Message.objects.create(
        enrollment=enrollment, contact=contact, execution_id=execution.pk, step_id=step.pk, visit=enrollment.visit,
        channel="sms", sender=sender, to_address=contact.phone, body=body, state_at=now, created_at=now, not_before=now,
        expires_at=now + timedelta(hours=4), send_window=sequence.send_window,
    )  # fmt: skip
    enrollment.step_id = following.target_id if following else None
    enrollment.next_run_at, enrollment.last_step_at = later, now
    enrollment.save()
