"""The verb that changes how much may leave: a person's caps, the tenant's money, a sender's pace. What was and what is goes
into the ledger."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from omnify.tenants.approvals import require
from omnify.tenants.events import record
from omnify.tenants.loosening import raised
from omnify.tenants.models import Membership, Tenant
from omnify.tenants.models.approval import Approval
from sequences.approving import limits_wanted
from sequences.limits import stored
from sequences.models import Sender
from sequences.spending import count_anew

OF_A_SENDER = ("per_second", "per_day", "max_concurrent")


def change_limits(
    tenant: Tenant,
    *,
    person: Mapping[str, Mapping[str, int | None]],
    money_per_day: Decimal | None,
    senders: Mapping[int, Mapping[str, Any]],
    by: Membership,
    now: datetime,
    approval: Approval | None = None,
) -> bool:
    """Writes these allowances; they hold for the next message that is claimed. None is no limit of ours, 0 lets nothing leave.

    `person`: {"all" or channel: {"day": n, "week": n}}; `senders`: {sender id: {column: value}}. False when nothing changed.
    Raises NeedsSignature, having written nothing, when an allowance grows; `approval` is the request that is being applied.
    """
    with transaction.atomic():
        caps = stored(person, money_per_day)
        # Held while they are compared: what was signed for must be what stands here.
        before = Tenant.objects.select_for_update(no_key=True).values_list("caps", flat=True).get(pk=tenant.pk)
        rows = list(Sender.objects.select_for_update(no_key=True).filter(pk__in=senders).order_by("pk"))
        moves = {row.pk: moved for row in rows if (moved := _moved(row, senders[row.pk]))}
        names = {row.pk: row.name for row in rows}
        if wanted := limits_wanted(tenant, before, caps, moves, names):
            require(wanted, approval=approval)
        changes: dict[str, Any] = {}
        if before != caps:
            Tenant.objects.filter(pk=tenant.pk).update(caps=caps)
            changes["caps"] = [before, caps]
        for pk, moved in moves.items():
            Sender.objects.filter(pk=pk).update(**{name: after for name, (_, after) in moved.items()})
            changes[names[pk]] = moved
        if changes:
            signed = {"approval": str(approval.public_id)} if approval else {}
            record(
                "limits.changed", tenant_id=tenant.pk, now=now, actor=f"member:{by.pk}", subject=tenant, changes=changes,
                **signed,
            )  # fmt: skip
            day = now.astimezone(ZoneInfo(tenant.timezone)).date()
            for pk, moved in sorted(moves.items()):
                if moved.get("per_day", [0])[0] is None:
                    count_anew(tenant.pk, "sender", pk, day)
            if money_per_day is not None and before.get("money_per_day") is None:
                count_anew(tenant.pk, "tenant", tenant.pk, day)
    return bool(changes)


def inherit_limits(sender: Sender) -> list[str]:
    """A sender that becomes its channel's default allows no more than any other of that channel: else a second sender would
    undo every limit.

    Changes the instance, which the caller saves. Returns the columns it lowered; raising them again is change_limits' to do.
    """
    others = list(Sender.objects.filter(channel=sender.channel).exclude(pk=sender.pk))
    lowered = []
    for name in OF_A_SENDER:
        least = min((value for each in others if (value := getattr(each, name)) is not None), default=None)
        if raised(least, getattr(sender, name)):
            setattr(sender, name, least)
            lowered.append(name)
    return lowered


def _moved(row: Sender, given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """column -> [before, after] of what this sender's allowances would change."""
    wanted = {name: given[name] for name in OF_A_SENDER if name in given}
    return {name: [getattr(row, name), value] for name, value in wanted.items() if getattr(row, name) != value}
