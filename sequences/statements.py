"""Statements of the send path, prepared: the server plans the eight joins of a claim once a connection, not once a message.

psycopg's own cursor on Django's connection: Django's binds its values on the client, and so cannot prepare.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection

from sequences import columns

# Executions before a statement is prepared: a connection that lives for one message does not pay for it.
AFTER = 2


def keep_plans(raw: psycopg.Connection[Any]) -> None:
    """From now on this connection of Django's prepares what it repeats: Django switches that off unless it is told otherwise.
    Not behind a pooler that hands the session to somebody else after each transaction."""
    if raw.prepare_threshold is None and not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        raw.prepare_threshold = AFTER


def run(statement: str, given: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """Executes one statement in the current transaction, or in one of its own; raises Django's database errors.

    The cursor that comes back has read everything. Do not call it with a statement that is made anew each time.
    """
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    keep_plans(raw)
    if not getattr(raw, "_omnify_columns", False):
        columns.register(raw)
        raw._omnify_columns = True  # type: ignore[attr-defined]
    if connection.queries_logged:  # so that a test that counts statements counts these
        connection.queries_log.append({"sql": statement, "time": "0"})
    with connection.wrap_database_errors:
        return psycopg.Cursor(raw).execute(statement, given)
