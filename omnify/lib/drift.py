"""How far this machine's clock is from the database's. Watched, because pages and log lines go by it."""

from datetime import datetime, timedelta

from django.db import connection

from omnify.lib import clock

# Beyond it somebody must look at the machine. What decides and sends goes by the database's clock (sequences.timekeeping), so
# nothing leaves early meanwhile; what a person is shown, and what providers are asked for, would be wrong by as much.
MOST = timedelta(seconds=2)


def drift() -> timedelta:
    """This clock minus the database's, to about half a round trip; positive: it is ahead. The offset of a demo does not count."""
    before = clock.machine()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    after = clock.machine()
    return before + (after - before) / 2 - theirs
