"""The clock of everything that sends: the database's, carried on by one that nobody sets and that does not sleep."""

import time
from datetime import timedelta

import pytest

from sequences.timekeeping import database_clock

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no clock that runs on in its sleep")
def test_a_machine_that_slept_for_two_hours_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = database_clock()
    before, really = now(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: really(which) + 7200 * (which == time.CLOCK_BOOTTIME))
    assert timedelta(hours=2) <= now() - before < timedelta(hours=2, minutes=1)
