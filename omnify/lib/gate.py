"""The gate of the wire: claims pass it together, a switch that is turned off waits until those under way have committed.

An advisory lock, shared by every claim until its transaction ends and taken alone by whoever stops sending: no claim then
commits later than the stop. The claim takes it in its first statement, before it reads what the switches say.
"""

from django.db import DatabaseError, connection, transaction

# Negative: advisory locks on positive numbers belong to persons, -1 to the pulse that leads.
GATE = -2
# A worker frozen in the middle of its claim must not keep anybody from stopping: the stop then counts without waiting on,
# and the frozen worker finds it when it wakes, because the request to the provider is asked for once more.
WAIT = "2s"


def close_gate() -> bool:
    """Waits until no claim is under way and lets none begin before the current transaction ends. False: one hangs, go on."""
    if not connection.in_atomic_block:
        raise RuntimeError("The gate is closed for a transaction; there is none.")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        return False
    return True
