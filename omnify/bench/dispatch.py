"""Messages a second that one worker process puts on the wire, with a provider that answers after 200 ms and at once.

The floor leases fifty ready messages and acknowledges them together, with no guard, no provider and one tenant: the least an
outbox does. Our claims come by the handful, too, but every guard is asked about each in the transaction that takes it.
"""

import time
from datetime import datetime

from django.db import connection, transaction

from omnify.bench import scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.bench.provider import in_place_of
from omnify.bench.tick import LEAN, daytime, prepare_people
from omnify.lib.clock import now as read_clock
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.models import Message

SLOW, GOAL_SLOW, GOAL_FAST = 0.2, 200, 1_000
LEASE = 50
SHIFT = 3.0  # seconds, a worker's own
TAKE = """
UPDATE floor.message SET state = 'claimed' WHERE id IN (
    SELECT id FROM floor.message WHERE state = 'ready' AND not_before <= %s ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""
ACKNOWLEDGE = "UPDATE floor.message SET state = 'accepted' WHERE id = ANY(%s)"
FILL = """
INSERT INTO floor.message (tenant_id, enrollment_id, step, state, to_address, body, not_before)
SELECT 1, n, 1, 'ready', '+12125550100', 'Hi Pat, it is Omnify. Does Initech have a minute on Thursday?', %s
FROM generate_series(1, %s) AS n
"""


def measure(size: Size) -> list[Measure]:
    """`--people` is how many messages are sent at each of the two paces."""
    people = size.of(size.people, 1_500, 10_000)
    at = daytime(read_clock())
    prepare_people(2 * people, at, days=2)
    floor = people / _floor(people, at)
    found = []
    for latency, goal in ((SLOW, GOAL_SLOW), (0.0, GOAL_FAST)):
        rate = people / _sent(people, latency, at)
        found.append(
            compared(
                f"Messages a second with a provider that takes {latency * 1000:g} ms, one process", rate, floor, "/s",
                goal=f"≥ {goal:,}/s", met=rate >= goal, messages=people,
            )
        )  # fmt: skip
    return found


def _sent(people: int, latency: float, at: datetime) -> float:
    """Seconds until so many messages are accepted; raises when one went out twice or was not written down."""
    if tick(at, people).decided != people:
        raise RuntimeError("Not everybody has a message that is ready.")
    before = Message.objects.all_tenants().filter(state="accepted").count()
    with in_place_of("twilio", latency) as provider:
        began = time.perf_counter()
        while len(provider.sent) < people and time.perf_counter() - began < scratch.LONGEST:
            if not dispatch(["sms"], now=lambda: at, budget_seconds=SHIFT):
                break
        seconds = time.perf_counter() - began
    accepted = Message.objects.all_tenants().filter(state="accepted").count() - before
    if len(set(provider.sent)) != len(provider.sent) or accepted != len(provider.sent) or accepted != people:
        raise RuntimeError(f"Of {people} messages {len(provider.sent)} were sent and {accepted} written down.")
    return seconds


def _floor(people: int, at: datetime) -> float:
    scratch.as_owner(LEAN)
    # The outbox alone: nobody is enrolled here.
    scratch.as_owner("ALTER TABLE floor.message DROP CONSTRAINT message_enrollment_id_tenant_id_fkey")
    scratch.as_owner(
        "GRANT USAGE ON SCHEMA floor TO omnify_system; GRANT ALL ON ALL TABLES IN SCHEMA floor TO omnify_system"
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL, [at, people])
    scratch.as_owner("VACUUM ANALYZE floor.message")
    began, done = time.perf_counter(), 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE, [at, LEASE])
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            break
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ACKNOWLEDGE, [ids])
        done += len(ids)
    if done != people:
        raise RuntimeError(f"The outbox of the floor had {done} of {people} messages.")
    return time.perf_counter() - began
