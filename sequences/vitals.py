"""How the machine does: counted by the leading pulse every few seconds, kept in one row that pages without tenant data read.

Every number is the first entry of a partial index, or counted to LIMIT along one; the oldest message asks one index entry a
tenant and channel. What is measured is a few plain numbers and moments; what they mean is said elsewhere (omnify.operations).
"""

import json
import logging
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from omnify.lib.drift import drift

# Counted no further: more is told as "at least".
LIMIT = 10_000
TIMEOUT = "3s"

MEASURE = """
SELECT
  (SELECT json_object_agg(c, json_build_object(
      'ready', (SELECT count(*) FROM (SELECT 1 FROM sequences_message
                WHERE channel = c AND state IN ('ready', 'deferred') AND not_before <= %(now)s LIMIT %(limit)s) AS due),
      -- Of tenants that send: what somebody has switched off does not grow old.
      'oldest', (SELECT min(first.not_before) FROM tenants_tenant AS t CROSS JOIN LATERAL (
                     SELECT not_before FROM sequences_message AS m
                     WHERE m.channel = c AND m.tenant_id = t.id AND m.state IN ('ready', 'deferred')
                     ORDER BY not_before LIMIT 1) AS first
                 WHERE t.sending_enabled AND first.not_before <= %(now)s)))
   FROM unnest(ARRAY['sms', 'email', 'voice']) AS c) AS channels,
  (SELECT count(*) FROM (SELECT 1 FROM sequences_enrollment WHERE next_run_at <= %(now)s LIMIT %(limit)s) AS due) AS due,
  (SELECT min(next_run_at) FROM sequences_enrollment WHERE next_run_at <= %(now)s) AS oldest_due,
  (SELECT count(*) FROM (SELECT 1 FROM sequences_message WHERE state IN ('claimed', 'sending', 'unknown')
                         AND state = 'unknown' LIMIT %(limit)s) AS open) AS unknown,
  (SELECT min(state_at) FROM sequences_message
   WHERE state IN ('claimed', 'sending', 'unknown') AND state = 'unknown') AS oldest_unknown,
  (SELECT count(*) FROM (SELECT 1 FROM sequences_message WHERE state = 'held' LIMIT %(limit)s) AS waits) AS held,
  (SELECT json_build_object('new', count(*) FILTER (WHERE state = 'new'), 'unmatched', count(*) FILTER (WHERE state = 'unmatched'),
                            'oldest', min(received_at) FILTER (WHERE state = 'new'))
   FROM (SELECT state, received_at FROM sequences_providerevent WHERE state IN ('new', 'unmatched')
         ORDER BY state, id LIMIT %(limit)s) AS waiting) AS events,
  (SELECT count(*) FROM (SELECT 1 FROM sequences_providerevent WHERE state = 'parked' LIMIT %(limit)s) AS set_aside) AS parked,
  (SELECT json_object_agg(substr(kind, 8), json_build_object('asked', asked_at, 'begun', started_at))
   FROM sequences_wakeup WHERE kind LIKE 'canary-%%') AS clusters,
  (SELECT json_build_object('asked', min(asked_at), 'failing', count(*) FILTER (WHERE problem <> ''), 'all', count(*))
   FROM (SELECT asked_at, problem FROM sequences_polling LIMIT %(limit)s) AS readers) AS pollers
"""

# vitals_write: the heart beats also when the facts could not be read. Nobody waits for the disk: the next beat follows.
WRITE = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS set)
INSERT INTO sequences_vitals AS v (id, beat_at, measured_at, facts)
SELECT 1, clock_timestamp(), CASE WHEN %(facts)s::jsonb IS NOT NULL THEN clock_timestamp() END, coalesce(%(facts)s::jsonb, '{}')
FROM quick WHERE quick.set = 'off'
ON CONFLICT (id) DO UPDATE SET beat_at = EXCLUDED.beat_at, measured_at = coalesce(EXCLUDED.measured_at, v.measured_at),
    facts = CASE WHEN EXCLUDED.measured_at IS NULL THEN v.facts ELSE EXCLUDED.facts END
"""

logger = logging.getLogger(__name__)


def measure(now: datetime) -> dict[str, Any]:
    """The facts, of all tenants together. Moments are ISO 8601; None: there is none. `at` is `now`, which ages count from."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, {"now": now, "limit": LIMIT})
        names = [column.name for column in cursor.description]
        facts = dict(zip(names, cursor.fetchone(), strict=True))
    for name in ("oldest_due", "oldest_unknown"):
        facts[name] = facts[name].isoformat() if facts[name] else None
    return {**facts, "at": now.isoformat(), "drift": round(drift().total_seconds(), 3)}


def write(now: datetime) -> bool:
    """Measures and keeps the facts, and that the pulse is alive. False when they could not be read in three seconds."""
    facts = None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT])
            facts = json.dumps(measure(now))
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        logger.warning("The vitals could not be read (%s).", type(error).__name__)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {"facts": facts})
    return facts is not None
