"""The verb that changes how much may leave: a person's caps, the tenant's money, a sender's pace. What was and what is goes
into the ledger."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from omnify.tenants.events import record
from omnify.tenants.models import Membership, Tenant
from sequences.limits import stored
from sequences.models import Sender

OF_A_SENDER = ("per_second", "per_day", "max_concurrent")


def change_limits(
    tenant: Tenant,
    *,
    person: Mapping[str, Mapping[str, int | None]],
    money_per_day: Decimal | None,
    senders: Mapping[int, Mapping[str, Any]],
    by: Membership,
    now: datetime,
) -> bool:
    """Writes these allowances; they hold for the next message that is claimed. None is no limit of ours, 0 lets nothing leave.

    `person`: {"all" or channel: {"day": n, "week": n}}; `senders`: {sender id: {column: value}}. False when nothing changed.
    """
    with transaction.atomic():
        caps = stored(person, money_per_day)
        changes: dict[str, Any] = {}
        before = Tenant.objects.values_list("caps", flat=True).get(pk=tenant.pk)
        if before != caps:
            Tenant.objects.filter(pk=tenant.pk).update(caps=caps)
            changes["caps"] = [before, caps]
        for sender in Sender.objects.filter(pk__in=senders).order_by("pk"):
            wanted = {name: senders[sender.pk][name] for name in OF_A_SENDER if name in senders[sender.pk]}
            moved = {
                name: [getattr(sender, name), value] for name, value in wanted.items() if getattr(sender, name) != value
            }
            if moved:
                Sender.objects.filter(pk=sender.pk).update(**{name: after for name, (_, after) in moved.items()})
                changes[sender.name] = moved
        if changes:
            record(
                "limits.changed", tenant_id=tenant.pk, now=now, actor=f"member:{by.pk}", subject=tenant, changes=changes
            )
    return bool(changes)
