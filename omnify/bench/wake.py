"""How long it takes from a commit that makes a message ready until a worker begins with it: NOTIFY, cluster, worker.

The pulse and the dispatch cluster are the real processes. The messages have expired, so that nothing is sent. The floor is a
NOTIFY heard by a session that listens: what PostgreSQL itself needs.
"""

import statistics
import threading
import time
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import psycopg
from django.db import connection, transaction

from omnify.bench import living
from omnify.bench.measured import Measure, Size, compared
from omnify.bench.tick import prepare_people
from omnify.lib.clock import now
from omnify.tenants.context import tenant_context
from sequences.models import Enrollment, Message, Wakeup

GOAL = 10.0
PAUSE = 0.15
# Messages before the measurement, so that each worker has begun once: what is loaded once is loaded.
WARM = 12
READY_SECONDS, ANSWER_SECONDS = 90.0, 10.0


def measure(size: Size) -> list[Measure]:
    """`--people` is the number of messages."""
    count = size.of(size.people, 250, 500)
    prepare_people(WARM + count, now() + timedelta(days=1), days=1)
    floor = statistics.median(_heard() for _ in range(50))
    with living.omnify(["pulse", "dispatch"]):
        living.until(lambda: living.canaries_answered("dispatch"), READY_SECONDS, "The start of pulse and cluster")
        enrolments = list(Enrollment.objects.all_tenants().order_by("id")[: WARM + count])
        taken = sorted([_waited(enrolment) for enrolment in enrolments][WARM:])
    middle, slowest = statistics.median(taken), taken[ceil(len(taken) * 0.99) - 1]
    return [
        compared(
            "From commit to a worker that has begun, 99 of 100 within", slowest, floor, "ms",
            goal=f"≤ {GOAL:g} ms", met=slowest <= GOAL, p50_ms=round(middle, 1), messages=len(taken),
        )
    ]  # fmt: skip


def _waited(enrolment: Enrollment) -> float:
    """Milliseconds from the commit of one ready message until the dispatcher's task has begun."""
    time.sleep(PAUSE)
    with tenant_context(enrolment.tenant_id), transaction.atomic():
        moment = now()
        message = Message.objects.create(
            contact_id=enrolment.contact_id, enrollment=enrolment, visit=1, channel="sms", to_address="+12125550100", body="-",
            state_at=moment, created_at=moment, not_before=moment, expires_at=moment - timedelta(minutes=1),
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('omnify_wake', 'dispatch-sms')")
        committed = now()
    began: list[datetime] = []

    def begun() -> bool:
        row: Any = Wakeup.objects.filter(kind="dispatch-sms", started_at__gte=committed).first()
        began.extend([row.started_at] if row else [])
        return bool(began)

    living.until(begun, ANSWER_SECONDS, "A worker's beginning")
    living.until(
        lambda: not Message.objects.all_tenants().filter(pk=message.pk, state="ready").exists(),
        ANSWER_SECONDS,
        "A claim",
    )
    return (began[0] - committed).total_seconds() * 1000


def _heard() -> float:
    """Milliseconds from a commit with NOTIFY until another session hears it."""
    parameters = connection.get_connection_params()
    for name in ("pool", "cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    heard: list[float] = []
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute("LISTEN bench_wake")

        def listen() -> None:
            for _ in listener.notifies(timeout=ANSWER_SECONDS, stop_after=1):
                heard.append(time.perf_counter())

        thread = threading.Thread(target=listen)
        thread.start()
        with connection.cursor() as cursor:
            began = time.perf_counter()
            cursor.execute("SELECT pg_notify('bench_wake', '')")
        thread.join(ANSWER_SECONDS)
    if not heard:
        raise RuntimeError("PostgreSQL's NOTIFY was not heard.")
    return (heard[0] - began) * 1000
