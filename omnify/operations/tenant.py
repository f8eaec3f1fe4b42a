"""One tenant's part of the Operations page: read under row-level security, by the tenant's own indexes, counted to a limit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from omnify.operations.findings import CHANNELS
from omnify.tenants.context import require_tenant_id
from sequences.models import Polling, ProviderEvent, Sender
from sequences.models.message import EventState

LIMIT = 10_000
MOST_ROWS = 50

# tenant_queues: message_by_tenant for what waits, message_attention for what needs a look.
QUEUES = """
SELECT c,
  (SELECT count(*) FROM (SELECT 1 FROM sequences_message WHERE tenant_id = %(tenant)s AND channel = c
      AND state IN ('ready', 'deferred') AND not_before <= %(now)s LIMIT %(limit)s) AS due),
  (SELECT min(not_before) FROM sequences_message WHERE tenant_id = %(tenant)s AND channel = c
      AND state IN ('ready', 'deferred') AND not_before <= %(now)s),
  (SELECT count(*) FROM (SELECT 1 FROM sequences_message WHERE tenant_id = %(tenant)s AND channel = c
      AND state IN ('ready', 'deferred') AND not_before > %(now)s LIMIT %(limit)s) AS later)
FROM unnest(%(channels)s::text[]) AS c
"""
UNCLEAR = """
SELECT count(*) FILTER (WHERE state = 'unknown'), min(state_at) FILTER (WHERE state = 'unknown'),
       count(*) FILTER (WHERE state = 'held')
FROM (SELECT state, state_at FROM sequences_message
      WHERE tenant_id = %(tenant)s AND state IN ('unknown', 'held') ORDER BY id DESC LIMIT %(limit)s) AS open
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """What one channel has to send: due now, since when, and put off until later."""

    channel: str
    due: int
    oldest: datetime | None
    later: int


@dataclass(frozen=True, slots=True)
class Part:
    """One tenant's numbers."""

    queues: list[Queue]
    unknown: int
    oldest_unknown: datetime | None
    held: int
    parked: int
    senders: list[Sender]
    pollings: list[Polling]


def tenant_part(now: datetime) -> Part:
    """The current tenant's part, in five queries."""
    values: dict[str, Any] = {
        "tenant": require_tenant_id(), "now": now, "limit": LIMIT, "channels": list(CHANNELS),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(QUEUES, values)
        queues = [Queue(*row) for row in cursor.fetchall()]
        cursor.execute(UNCLEAR, values)
        unknown, oldest_unknown, held = cursor.fetchone()
    return Part(
        queues=queues,
        unknown=unknown,
        oldest_unknown=oldest_unknown,
        held=held,
        parked=ProviderEvent.objects.filter(state=EventState.PARKED).order_by()[:LIMIT].count(),
        senders=list(Sender.objects.filter(paused_until__gt=now).order_by("name")[:MOST_ROWS]),
        pollings=list(Polling.objects.select_related("sender").order_by("sender__name", "kind")[:MOST_ROWS]),
    )
