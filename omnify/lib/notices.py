"""Waiting for a NOTIFY without waking up: psycopg's own waiting looks up ten times a second, which is what an idle process costs."""

import select
from typing import Any

import psycopg


def notices(connection: "psycopg.Connection[Any]", seconds: float) -> list[psycopg.Notify]:
    """The notifications that have come, or come first within `seconds`; [] for none. The connection must LISTEN, and be in no
    transaction. Raises psycopg.OperationalError when it is lost."""
    # What arrived together with the answer to a query is in psycopg's hands already, and not on the line any more.
    found = list(connection.notifies(timeout=0))
    if not found and select.select([connection.fileno()], [], [], seconds)[0]:
        found = list(connection.notifies(timeout=0))
    return found
