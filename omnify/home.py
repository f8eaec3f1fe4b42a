"""The first page: what needs a person, what runs, what went out today, and the first steps of an empty workspace.

Every number is bounded: by a partial index and a limit of a hundred, or by the day.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from contacts.models import Contact
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role
from omnify.tenants.notifications import notifications_for
from sequences.models import Enrollment, Message, MessageState, Sequence, Step
from sequences.models.definition import MESSAGE_KINDS, SequenceStatus
from sequences.models.enrollment import OPEN_STATUSES, EnrollmentStatus

LIMIT = 100  # counted no further: the page says 99+
SHOWN = 6

# What became of a message, in five words a glance can tell apart.
OUTCOMES = {
    "waiting": (MessageState.READY, MessageState.DEFERRED, MessageState.CLAIMED, MessageState.SENDING),
    "sent": (MessageState.ACCEPTED, MessageState.SENT),
    "delivered": (MessageState.DELIVERED,),
    "failed": (MessageState.UNDELIVERED, MessageState.REJECTED, MessageState.UNKNOWN, MessageState.HELD),
    "stopped": (MessageState.SUPPRESSED, MessageState.EXPIRED, MessageState.CANCELLED),
}
CHANNELS = ("sms", "email", "voice")


@dataclass(frozen=True)
class Heap:
    """Rows that wait for a person: the newest few, and how many there are (to a hundred)."""

    rows: list[Any]
    count: int


@member_required(Role.VIEWER)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    member: Membership = request.member  # type: ignore[attr-defined]
    facts: dict[str, Any] = {
        "notifications": heap(notifications_for(member).filter(read_at__isnull=True)),
        "waiting": heap(attention().filter(needs_human_intervention=True, status__in=OPEN_STATUSES)),
        "parked": heap(attention().filter(status=EnrollmentStatus.FAILED)),
        "unclear": heap(
            Message.objects.filter(state__in=(MessageState.UNKNOWN, MessageState.HELD)).select_related("contact")
        ),
        "sequences": running_sequences(),
        "today": sends_since(midnight(now(), member.tenant.timezone)),
        "steps": first_steps(),
    }
    facts["quiet"] = not any(facts[name].count for name in ("notifications", "waiting", "parked", "unclear"))
    return render(request, "home.html", facts)


def attention() -> QuerySet[Enrollment]:
    return Enrollment.objects.select_related("contact", "sequence").filter(
        # Repeats the condition of the index enrollment_attention, so that the planner may use it.
        Q(needs_human_intervention=True) | Q(status="failed")
    )


def heap(rows: QuerySet[Any]) -> Heap:
    rows = rows.order_by("-id")
    shown = list(rows[: SHOWN + 1])
    return Heap(shown[:SHOWN], rows[:LIMIT].count() if len(shown) > SHOWN else len(shown))


def running_sequences() -> list[dict[str, Any]]:
    """The active sequences last edited, each with the channels of its published steps in order."""
    sequences = list(Sequence.objects.filter(status=SequenceStatus.ACTIVE).order_by("-updated_at")[:SHOWN])
    steps = Step.objects.filter(
        version_id__in=[each.published_id for each in sequences], kind__in=MESSAGE_KINDS, enabled=True
    )
    channels: dict[int, list[str]] = {}
    for version_id, kind in steps.order_by("position").values_list("version_id", "kind"):
        channels.setdefault(version_id, []).append(kind)
    return [{"sequence": each, "channels": channels.get(each.published_id or 0, [])} for each in sequences]


def midnight(moment: datetime, zone: str) -> datetime:
    """The start of the tenant's day that `moment` is in."""
    return moment.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def sends_since(start: datetime) -> dict[str, Any]:
    """Messages made since `start`, counted by channel and outcome: {"rows": [{channel, outcome: n …, total}], "total": n}."""
    counts = (
        Message.objects.filter(created_at__gte=start).order_by().values_list("channel", "state").annotate(n=Count("id"))
    )
    outcome_of = {state: outcome for outcome, states in OUTCOMES.items() for state in states}
    table = {channel: dict.fromkeys([*OUTCOMES, "total"], 0) for channel in CHANNELS}
    for channel, state, n in counts:
        table[channel][outcome_of[MessageState(state)]] += n
        table[channel]["total"] += n
    rows = [{"channel": channel, **table[channel]} for channel in CHANNELS]
    return {"rows": rows, "total": sum(row["total"] for row in rows)}


def first_steps() -> dict[str, Any]:
    """The way from an empty workspace to the first conversation, each step done or not."""
    done = {
        "contacts": Contact.objects.alive().exists(),
        "sequence": Sequence.objects.filter(published__isnull=False).exists(),
        "enrolled": Enrollment.objects.exists(),
        "sent": Message.objects.exists(),
    }
    return {
        **done,
        "all": all(done.values()),
        "next": next((name for name, is_done in done.items() if not is_done), ""),
    }
