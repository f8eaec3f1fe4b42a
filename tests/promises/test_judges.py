"""The judges of the proofs can say no: each of them is shown a promise that is broken."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from omnify.lib import clock
from omnify.promises import clocks, night, walls
from omnify.promises.rows import MOMENT
from sequences import tasks
from sequences.windows import EVERY_DAY, Window

NIGHT = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)  # three in the morning in New York


def test_a_send_at_night_is_outside_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window(EVERY_DAY, MOMENT.time().min, MOMENT.time().max)
    way = night.Way(("America/New_York",), ("US-NY",), "sms", window, NIGHT, NIGHT + timedelta(hours=1))
    monkeypatch.setattr(night, "sends", lambda chance: iter([way] * 3))
    monkeypatch.setitem(night.SENDS, "quick", 3)
    assert night.prove_hours("quick", 1).failed == 3


def test_an_arrival_after_hours_is_outside_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    window = Window(EVERY_DAY, MOMENT.time().min, MOMENT.time().max)
    way = night.Way(("America/New_York",), ("US-NY",), "sms", window, noon, noon + timedelta(hours=11))
    monkeypatch.setattr(night, "sends", lambda chance: iter([way]))
    monkeypatch.setitem(night.SENDS, "quick", 1)
    assert night.prove_hours("quick", 1).failed == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_go_by_their_own_clocks_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "database_clock", lambda: clock.now)
    monkeypatch.setattr(clocks.World, "lying", lambda world: world.true + timedelta(hours=3))
    monkeypatch.setattr(clocks, "START", datetime(2026, 11, 18, 11, 0, tzinfo=UTC))  # six in the morning in New York
    monkeypatch.setitem(clocks.SIZES, "quick", (8, 25))
    assert clocks.prove_jumps("quick", 1).failed > 0


@pytest.mark.django_db
def test_a_table_without_its_policies_is_found_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute('ALTER TABLE "contacts_company" DISABLE ROW LEVEL SECURITY')
        cursor.execute("SET ROLE omnify_system")
    found = walls.prove_walls("quick", 1)
    assert found.failed > 0
    assert "Company" in found.note


@pytest.mark.django_db
def test_all_tables_have_their_policies() -> None:
    found: Any = walls.prove_walls("quick", 1)
    assert (found.failed, found.tried > 300) == (0, True)
