"""What needs a second signature on this floor, and what a signature makes happen here (named in omnify.approvable)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.urls import reverse

from omnify.tenants.approvals import NotApplicable
from omnify.tenants.approving import asker_of
from omnify.tenants.context import require_tenant_id
from omnify.tenants.loosening import in_words, raised
from omnify.tenants.models import Tenant
from omnify.tenants.models.approval import Approval
from omnify.tenants.signatures import MOST_RECIPIENTS, Wanted, numbers, ranges
from sequences.models import Sequence

# unsigned_recipients: how many people came into any sequence of the workspace within each span, without a signature. Read
# under a lock of the workspace's own: of two that count at once, the second sees what the first has done. Index: event_enrolled.
RECENT = """
SELECT {sums} FROM tenants_event
WHERE tenant_id = %(tenant)s AND kind = 'sequence.enrolled' AND at > %(longest)s AND NOT data ? 'approval'
"""
LABELS = {"all": "all channels", "sms": "texts", "email": "mails", "voice": "calls"}


def recent_recipients(now: datetime) -> dict[timedelta, int]:
    """People enrolled unsigned within each span of MOST_RECIPIENTS. Takes the workspace's lock until the transaction ends."""
    tenant_id, spans = require_tenant_id(), [span for _, span in MOST_RECIPIENTS]
    sums = ", ".join(
        f"coalesce(sum((data ->> 'enrolled')::bigint) FILTER (WHERE at > %(since{n})s), 0)" for n in range(len(spans))
    )
    values: dict[str, Any] = {"tenant": tenant_id, "longest": now - max(spans)}
    values |= {f"since{n}": now - each for n, each in enumerate(spans)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sequences.enrol'), %s::int)", [tenant_id % 2**31])
        cursor.execute(RECENT.format(sums=sums), values)
        return dict(zip(spans, map(int, cursor.fetchone()), strict=True))


def enrolment_wanted(sequence: Sequence, people: list[int], *, ready: int, force: bool) -> Wanted:
    """These very people, into the sequence as it is published now; `ready` of them would come in."""
    number = f"{ready:,}"
    lines = [
        ("People who would come in", "–", number),
        ("Chosen", "–", f"{len(people):,}"),
        ("Sequence", "–", sequence.name),
    ]
    if force:
        lines.append(("Also who cannot be reached", "–", "yes"))
    return Wanted(
        kind="enrol",
        title=f"Enrol {number} people in “{sequence.name}”",
        change={"people": ranges(people), "force": force},
        state={"version": sequence.published_id},
        subject_type="sequence",
        subject_id=sequence.pk,
        phrase=number,
        url=reverse("sequences:sequence", args=[sequence.public_id]),
        lines=tuple(lines),
    )


def apply_enrolment(row: Approval, now: datetime) -> str:
    """Enrols those who were asked for; each is checked anew, so who opted out meanwhile stays out."""
    from sequences.enrolling import NotEnrollable, enroll

    sequence = Sequence.objects.filter(pk=row.subject_id).first()
    if sequence is None:
        raise NotApplicable("The sequence is gone.")
    people, force = numbers(row.change["people"]), bool(row.change["force"])
    try:
        result = enroll(sequence, people, by=row.asked_by, now=now, force=force, approval=row)
    except NotEnrollable as error:
        raise NotApplicable(str(error)) from error
    left = sum(result.skipped.values())
    return f"{result.enrolled:,} enrolled{f', {left:,} left out' if left else ''}."


def limits_wanted(
    tenant: Tenant, before: Mapping[str, Any], after: Mapping[str, Any], senders: Mapping[int, Mapping[str, list[Any]]],
    names: Mapping[int, str],
) -> Wanted | None:  # fmt: skip
    """`before`, `after`: Tenant.caps; `senders`: sender id -> column -> [before, after], only what moves. None when nothing
    is raised. The whole of one save waits, lowered values included: those can be saved alone, at once."""
    lines = [(name, was, now_) for name, was, now_ in _moves(before, after)]
    lines += [
        (f"{names[pk]}: {column.replace('_', ' ')}", was, now_)
        for pk, moved in senders.items()
        for column, (was, now_) in moved.items()
    ]
    if not any(raised(was, now_) for _, was, now_ in lines):
        return None
    return Wanted(
        kind="limits",
        title=f"Raise limits: {', '.join(name for name, was, now_ in lines if raised(was, now_))}",
        change={"caps": dict(after), "senders": _side(senders, 1)},
        state={"caps": dict(before), "senders": _side(senders, 0)},
        subject_type="tenant",
        subject_id=tenant.pk,
        phrase=tenant.name,
        url=reverse("sequences:limits"),
        lines=tuple((name, in_words("", was), in_words("", now_)) for name, was, now_ in lines),
    )


def apply_limits(row: Approval, now: datetime) -> str:
    """Writes the allowances that were asked for; nothing else of the page is touched."""
    from sequences.allowances import change_limits

    caps = row.change["caps"]
    money = caps.get("money_per_day")
    changed = change_limits(
        Tenant.objects.get(pk=row.tenant_id),
        person=caps.get("person", {}),
        money_per_day=None if money is None else Decimal(money),
        senders={int(pk): columns for pk, columns in row.change["senders"].items()},
        by=asker_of(row),
        now=now,
        approval=row,
    )
    return "The new limits hold." if changed else "They stood so already."


def hours_wanted(sequence: Sequence, before: Mapping[str, Any], changes: Mapping[str, Any]) -> Wanted:
    """`changes` as update_settings takes them, among them a wider send_window; `before`: those settings now."""
    return Wanted(
        kind="hours",
        title=f"Longer hours for “{sequence.name}”",
        change=dict(changes),
        state=dict(before),
        subject_type="sequence",
        subject_id=sequence.pk,
        phrase=sequence.name,
        url=reverse("sequences:sequence", args=[sequence.public_id]),
        lines=tuple(
            (name.replace("_", " ").capitalize(), _own(name, before[name]), _own(name, value))
            for name, value in changes.items()
            if before[name] != value
        ),
    )


def apply_hours(row: Approval, now: datetime) -> str:
    """Writes the sequence's settings that were asked for."""
    from sequences.definitions import NameTaken, settings_digest, update_settings

    sequence = Sequence.objects.filter(pk=row.subject_id).first()
    if sequence is None:
        raise NotApplicable("The sequence is gone.")
    try:
        update_settings(sequence, seen=settings_digest(sequence), by=asker_of(row), now=now, approval=row, **row.change)
    except NameTaken as error:
        raise NotApplicable("Another sequence has that name by now.") from error
    return "The new hours hold from the next decision on."


def _own(name: str, value: Any) -> str:
    return "the workspace's hours" if name == "send_window" and not value else in_words(name, value)


def _side(senders: Mapping[int, Mapping[str, list[Any]]], which: int) -> dict[str, dict[str, Any]]:
    return {str(pk): {name: pair[which] for name, pair in moved.items()} for pk, moved in senders.items()}


def _moves(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each cap that differs, as (what, before, after) with None for no limit; money as Decimal, so that it compares."""
    found: list[tuple[str, Any, Any]] = []
    for scope, label in LABELS.items():
        for period in ("day", "week"):
            was, now_ = (((caps.get("person") or {}).get(scope) or {}).get(period) for caps in (before, after))
            found.append((f"{label.capitalize()} to one person a {period}", was, now_))
    was, now_ = (_money(caps.get("money_per_day")) for caps in (before, after))
    found.append(("Money a day", was, now_))
    return [each for each in found if each[1] != each[2]]


def _money(amount: Any) -> Decimal | None:
    return None if amount is None else Decimal(str(amount))
