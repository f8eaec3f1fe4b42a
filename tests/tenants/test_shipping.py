"""Sealed events leave the host in order, at least once, signed; and what left tells whether the ledger was rewritten."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from omnify.lib import outbound
from omnify.tenants import shipping
from omnify.tenants.models import SealState
from omnify.tenants.notary import seal
from omnify.tenants.proofreading import compare, verify
from omnify.tenants.shipping import ship
from tests.making import People
from tests.tenants.sealing import as_master, changed, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    settings.AUDIT_SINK = str(path)
    return path


def test_nothing_is_shipped_unless_configured(people: People, chained: list[int], settings: Any, now: datetime) -> None:
    assert settings.AUDIT_SINK == ""
    assert ship(now) == 0
    assert SealState.objects.get().shipped_at is None


def test_events_and_seals_leave_in_order_once(people: People, chained: list[int], sink: Path, now: datetime) -> None:
    assert ship(now) == 6
    assert ship(now) == 0
    told = [json.loads(line) for line in sink.read_text().splitlines()]
    mine = [each for each in told if each.get("tenant_id") == people.acme.pk]
    assert [each["id"] for each in mine if each["kind"] == "test.happened"] == chained
    seals = [each for each in told if each.get("tenant") == people.acme.pk]
    assert [each["seal"] for each in seals] == [1, 2, 3]
    assert list(compare(sink.read_text().splitlines())) == []
    state = SealState.objects.get()
    assert (state.shipped, state.shipped_at, state.ship_problem) == (state.last_made, now, "")
    tell(people.acme.pk, now)
    seal(now)
    assert ship(now) == 1


def test_a_crash_between_writing_and_the_cursor_ships_twice_and_loses_nothing(
    people: People, chained: list[int], sink: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, given = shipping.give, []

    def dying(chunk: bytes, at: datetime) -> None:
        given.append(chunk)
        real(chunk[: len(chunk) // 2], at)
        raise KeyboardInterrupt

    monkeypatch.setattr(shipping, "give", dying)
    with pytest.raises(KeyboardInterrupt):
        ship(now)
    assert not sink.read_text().endswith("\n")
    monkeypatch.setattr(shipping, "give", real)
    assert ship(now) == 6
    assert list(compare(sink.read_text().splitlines())) == []
    assert all(line.encode() in sink.read_bytes() for line in given[0].decode().splitlines())


def test_a_sink_that_fails_keeps_the_cursor_and_says_why(
    people: People, chained: list[int], settings: Any, tmp_path: Path, now: datetime
) -> None:
    settings.AUDIT_SINK = str(tmp_path / "no such folder" / "audit.jsonl")
    assert ship(now) == 0
    state = SealState.objects.get()
    assert state.shipped == 0
    assert "FileNotFoundError" in state.ship_problem
    settings.AUDIT_SINK = str(tmp_path / "audit.jsonl")
    assert ship(now) == 6
    assert SealState.objects.get().ship_problem == ""


def test_an_https_sink_is_asked_by_the_checked_client_and_gets_signed_lines(
    people: People, chained: list[int], settings: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_SINK, settings.AUDIT_SECRET = "https://logs.example/omnify", "s" * 32
    status, asked = [500], []

    def fetch(url: str, *, method: str, body: bytes, headers: dict[str, str]) -> outbound.Answer:
        asked.append((url, method, body, headers))
        return outbound.Answer(status[0], {}, b"")

    monkeypatch.setattr(outbound, "fetch", fetch)
    assert ship(now) == 0
    assert SealState.objects.get().ship_problem == "The sink answered 500."
    status[0] = 202
    assert ship(now) == 6
    url, method, body, headers = asked[-1]
    assert (url, method) == ("https://logs.example/omnify", "POST")
    assert outbound.signature_holds(headers["x-omnify-signature"], "s" * 32, body, now=now)
    assert list(compare(body.decode().splitlines())) == []


def test_an_inner_address_is_no_sink(people: People, chained: list[int], settings: Any, now: datetime) -> None:
    settings.AUDIT_SINK = "https://127.0.0.1/logs"
    assert ship(now) == 0
    assert "not on the public Internet" in SealState.objects.get().ship_problem


def test_a_rewritten_chain_is_not_what_was_shipped(
    people: People, chained: list[int], sink: Path, now: datetime, capsys: Any
) -> None:
    """Even where the keys were known: everything of Acme is made anew, consistently."""
    ship(now)
    with as_master() as cursor:
        changed(cursor, chained, people.acme.pk)
        cursor.execute("DELETE FROM tenants_seal WHERE tenant_id = %s", [people.acme.pk])
        cursor.execute("DELETE FROM tenants_sealhead WHERE tenant_id = %s", [people.acme.pk])
        cursor.execute("UPDATE tenants_sealstate SET sealed_upto = 0, horizon = NULL")
        cursor.execute("DELETE FROM tenants_seal")
        cursor.execute("DELETE FROM tenants_sealhead")
    seal(now)
    assert verify(people.acme.pk).fault == ""
    with pytest.raises(CommandError, match="differ"):
        call_command("audit", "compare", str(sink))
    said = capsys.readouterr().out
    assert f"Workspace {people.acme.pk}: seal 1 is not the one that was shipped." in said
    assert f"Workspace {people.acme.pk}: seal 3 was shipped and is gone here." in said


def test_a_file_that_was_tampered_with_off_host_is_found_too(
    people: People, chained: list[int], sink: Path, now: datetime
) -> None:
    ship(now)
    lines = [line.replace('"number":1', '"number":7') for line in sink.read_text().splitlines()]
    assert any("is not what it sealed" in fault for fault in compare(lines))
