"""Due enrolments a second through the whole tick, beside the floor: one SQL statement a batch on the leanest schema.

The floor claims, advances, and inserts a receipt and a message for each row, durably, with no decision at all: the least
work any design with these tables must do.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from omnify.bench import orm, scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.lib.clock import now as read_clock
from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.models import User
from sequences.engine import drain, tick
from sequences.models import Edge, Sender, Sequence, Step, Version

# The lean schema of docs/performance.md: what makes a promise (one receipt a turn, one message a visit, the tenant in the key to
# the enrolment, one enrolment a person) and nothing that repeats one. Ordinary tables: temporary ones write no WAL, which
# would make the floor look faster than it is.
LEAN = """
CREATE SCHEMA IF NOT EXISTS floor;
DROP TABLE IF EXISTS floor.message, floor.execution, floor.enrollment;
CREATE TABLE floor.enrollment (id bigint, tenant_id bigint NOT NULL, sequence_id bigint NOT NULL, contact_id bigint NOT NULL,
    step int NOT NULL, status text NOT NULL, next_run_at timestamptz,
    PRIMARY KEY (id, tenant_id), UNIQUE (contact_id, sequence_id)) WITH (fillfactor = 85);
CREATE INDEX ON floor.enrollment (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE TABLE floor.execution (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, enrollment_id bigint NOT NULL,
    step int NOT NULL, at timestamptz NOT NULL, decision text NOT NULL, reason text NOT NULL, facts jsonb NOT NULL,
    UNIQUE (enrollment_id, step), FOREIGN KEY (enrollment_id, tenant_id) REFERENCES floor.enrollment (id, tenant_id));
CREATE TABLE floor.message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint NOT NULL, enrollment_id bigint NOT NULL,
    step int NOT NULL, state text NOT NULL, to_address text NOT NULL, body text NOT NULL, not_before timestamptz NOT NULL,
    UNIQUE (enrollment_id, step), FOREIGN KEY (enrollment_id, tenant_id) REFERENCES floor.enrollment (id, tenant_id));
CREATE INDEX ON floor.message (not_before) WHERE state = 'ready';
"""
FLOOR = """
WITH due AS MATERIALIZED (
    SELECT id FROM floor.enrollment WHERE next_run_at <= %(now)s ORDER BY next_run_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), advanced AS (
    UPDATE floor.enrollment AS e SET step = e.step + 1, next_run_at = %(next)s FROM due WHERE e.id = due.id
    RETURNING e.id, e.tenant_id, e.step
), receipts AS (
    INSERT INTO floor.execution (tenant_id, enrollment_id, step, at, decision, reason, facts)
    SELECT tenant_id, id, step, %(now)s, 'send', 'sent', '{}' FROM advanced
), messages AS (
    INSERT INTO floor.message (tenant_id, enrollment_id, step, state, to_address, body, not_before)
    SELECT tenant_id, id, step, 'ready', '+12125550100',
           'Hi Pat1, it is Omnify. Does Initech have a minute on Thursday? Reply STOP to opt out.', %(now)s FROM advanced
)
SELECT count(*) FROM advanced
"""
BODY = "Hi {{ first_name | default: 'there' }}, it is Omnify. Does {{ company }} have a minute on Thursday? Reply STOP to opt out."


GOAL, LEAST = 0.5, 0.35
# How much faster the tick is to be than the same work done by the ORM, query by query.
TIMES_ORM = 40


def measure(size: Size) -> list[Measure]:
    """Runs floor and tick alternately, some rounds each, with one process and with two; the medians count. Then the same work
    as the ORM would do it."""
    people, rounds = size.of(size.people, 20_000, 100_000), size.rounds or 3
    crews = (size.processes,) if size.processes else (1, 2)
    at = daytime(read_clock())
    _prepare_floor(people, at)
    tenant_id = prepare_people(people, at, days=rounds * len(crews) + 1)
    floors: dict[int, list[float]] = {crew: [] for crew in crews}
    values: dict[int, list[float]] = {crew: [] for crew in crews}
    moment = at
    for _ in range(rounds):
        for crew in crews:
            floors[crew].append(people / _timed(crew, partial(_run_floor, moment, size.batch), people))
            values[crew].append(people / _timed(crew, partial(_run_tick, moment, size.batch), people))
            moment += timedelta(days=1)
    sample = min(people // 2, 300)
    by_orm = sample / _timed(1, partial(orm.run, tenant_id, moment, sample), sample)
    statements = _statements(moment, size.batch)
    alone = statistics.median(values[crews[0]])
    return [
        *(_beside_the_floor(crew, values[crew], floors[crew], people, size.batch, statements) for crew in crews),
        compared(
            "The tick beside the ORM doing the same, a dozen queries a person", alone, by_orm, "/s",
            goal=f"≥ {TIMES_ORM} times", met=alone / by_orm >= TIMES_ORM,
        ),
    ]  # fmt: skip


def _beside_the_floor(
    crew: int, values: list[float], floors: list[float], people: int, batch: int, statements: int
) -> Measure:
    """The tick in so many processes, beside the floor in as many."""
    value, floor = statistics.median(values), statistics.median(floors)
    return compared(
        f"Due enrolments through the whole tick, {crew} {'process' if crew == 1 else 'processes'}", value, floor, "/s",
        goal=f"≥ {GOAL} of the floor (least {LEAST})", met=value / floor >= GOAL,
        people=people, batch=batch, processes=crew, statements_per_tick=statements,
        values=[round(each) for each in values], floors=[round(each) for each in floors],
    )  # fmt: skip


def _timed(processes: int, work: Callable[[], int], expected: int) -> float:
    """Seconds until all rows are worked through; raises when there were fewer or more."""
    seconds, done = scratch.together(processes, work)
    if done != expected:
        raise RuntimeError(f"The bench expected {expected} rows and saw {done}: the numbers would mean nothing.")
    return seconds


def daytime(now: datetime) -> datetime:
    """A moment at which everybody of the bench may be written to."""
    return now.replace(hour=17, minute=0, second=0, microsecond=0)


def _run_floor(moment: datetime, batch: int) -> int:
    done = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, {"now": moment, "limit": batch, "next": moment + timedelta(days=1)})
            advanced = cursor.fetchone()[0]
        if not advanced:
            return done
        done += advanced


def _run_tick(moment: datetime, batch: int) -> int:
    return drain(lambda: moment, seconds=scratch.LONGEST, monotonic=time.monotonic, limit=batch)


def _prepare_floor(people: int, at: datetime) -> None:
    scratch.as_owner(LEAN)
    scratch.as_owner(
        "GRANT USAGE ON SCHEMA floor TO omnify_system; GRANT ALL ON ALL TABLES IN SCHEMA floor TO omnify_system"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO floor.enrollment SELECT n, 1, 1, n, 0, 'active', %s FROM generate_series(1, %s) AS n",
            [at, people],
        )
    scratch.as_owner("VACUUM ANALYZE floor.enrollment")


def prepare_people(people: int, at: datetime, *, days: int) -> int:
    """A tenant with a sequence of so many daily texts, and people with consent, a company and a number, all due at `at`.

    Returns the tenant's id.
    """
    owner = User.objects.create_user("bench@omnify.example")
    tenant = create_tenant(name="Bench", slug="bench", owner=owner, now=at, timezone="America/New_York")
    with tenant_context(tenant.pk):
        Sender.objects.create(name="Bench", channel="sms", provider="twilio", address="+15005550006", simulated=True)
        sequence = Sequence.objects.create(
            name="Daily", status="active", send_window={"start": "08:00", "end": "21:00"}
        )
        version = Version.objects.create(sequence=sequence, number=1, published_at=at)
        steps = []
        for position in range(2 * (days + 1)):
            wait = position % 2 == 1
            steps.append(
                Step.objects.create(
                    version=version, position=position, kind="wait" if wait else "sms",
                    body="" if wait else BODY, config={"days": 1} if wait else {},
                )
            )  # fmt: skip
        for source, target in itertools.pairwise(steps):
            Edge.objects.create(version=version, source=source, target=target)
        Sequence.objects.filter(pk=sequence.pk).update(published=version)
        with connection.cursor() as cursor:
            cursor.execute(PEOPLE, {"tenant": tenant.pk, "people": people, "now": at})
            cursor.execute(
                ENROLLED,
                {"tenant": tenant.pk, "sequence": sequence.pk, "version": version.pk, "step": steps[0].pk, "now": at},
            )
    for table in ("contacts_contact", "contacts_consent", "sequences_enrollment"):
        scratch.as_owner(f"VACUUM ANALYZE {table}")
    return int(tenant.pk)


PEOPLE = """
WITH company AS (
    INSERT INTO contacts_company (tenant_id, public_id, name, domain, industry, created_at)
    VALUES (%(tenant)s, gen_random_uuid(), 'Initech', '', '', %(now)s) RETURNING id
), person AS (
    INSERT INTO contacts_contact (tenant_id, public_id, first_name, last_name, title, email, phone, alternative_email,
        alternative_phone, phone_type, timezone, zones, address_line, city, state, postal_code, country, language,
        custom_fields, tags, places, source, engagement_score, sentiment_trend, conversation_summary, interaction_count,
        inbound_count, last_interaction_summary, last_call_summary, last_sms_reply, created_at, updated_at, company_id)
    SELECT %(tenant)s, gen_random_uuid(), 'Pat' || n, 'Doe', '', 'pat' || n || '@bench.example', '+1212' || (2000000 + n), '',
        '', 'mobile', '', ARRAY['America/New_York'], '', '', 'NY', '', 'US', '', '{}', '{}', ARRAY['US-NY'], 'bench', 50, '', '', 0,
        0, '', '', '', %(now)s, %(now)s, (SELECT id FROM company)
    FROM generate_series(1, %(people)s) AS n RETURNING id, phone
)
INSERT INTO contacts_consent (tenant_id, contact_id, address, channel, kind, seller, text_shown, source, source_url, given_at, evidence_hash)
SELECT %(tenant)s, id, phone, 'sms', 'pewc_text', '', '', 'bench', '', %(now)s, '' FROM person
"""
ENROLLED = """
INSERT INTO sequences_enrollment (tenant_id, public_id, sequence_id, version_id, contact_id, step_id, status, status_reason,
    next_run_at, turn, visit, waited, enrolled_at, engagement_score, sentiment_trend, needs_human_intervention, last_emotion,
    recommended_tone, is_hot_lead, is_at_risk, conversion_type)
SELECT %(tenant)s, gen_random_uuid(), %(sequence)s, %(version)s, id, %(step)s, 'active', '', %(now)s, 0, 0, false, %(now)s,
    50, '', false, '', '', false, false, ''
FROM contacts_contact WHERE tenant_id = %(tenant)s
"""


def _statements(moment: datetime, batch: int) -> int:
    """Statements of one full tick, counted at psycopg, whichever cursor sent them."""
    from psycopg import Cursor

    tick(moment, 1)  # the version is read once a process
    sent: list[Any] = []
    original = Cursor.execute

    def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(query)
        return original(self, query, *args, **kwargs)

    Cursor.execute = counting  # type: ignore[method-assign]
    try:
        tick(moment, batch)
    finally:
        Cursor.execute = original  # type: ignore[method-assign]
    return len(sent)
