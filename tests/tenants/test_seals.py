"""The chain over the ledger: nothing is left out however late it commits, and whatever is tampered with afterwards is named."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from omnify.tenants import chain, notary
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Seal, SealHead, SealState
from omnify.tenants.notary import seal
from omnify.tenants.proofreading import Verdict, verify
from tests.making import People
from tests.tenants.sealing import as_master, changed, tell

pytestmark = pytest.mark.django_db


def test_every_event_is_under_exactly_one_seal(people: People, chained: list[int], now: datetime) -> None:
    for tenant_id in (people.acme.pk, people.charlie.tenant_id):
        with tenant_context(tenant_id):
            covered = [pk for each in Seal.objects.all() for pk in chain.leaves_in(bytes(each.leaves))]
            assert sorted(covered) == list(Event.objects.order_by("pk").values_list("pk", flat=True))
            assert sum(Seal.objects.values_list("count", flat=True)) == len(covered)
        verdict = verify(tenant_id)
        assert (verdict.fault, verdict.seals, verdict.unsealed) == ("", 3, 0)
        assert verdict.events == len(covered)


def test_nothing_new_makes_no_seal(people: People, chained: list[int], now: datetime) -> None:
    before = Seal.objects.all_tenants().count()
    assert seal(now) == 0
    assert Seal.objects.all_tenants().count() == before
    assert SealState.objects.get().sealed_at == now


def test_what_is_not_sealed_yet_is_counted_as_such(people: People, chained: list[int], now: datetime) -> None:
    tell(people.acme.pk, now, 4)
    assert verify(people.acme.pk).unsealed == 4
    seal(now)
    assert verify(people.acme.pk).unsealed == 0


def test_a_long_backlog_is_sealed_in_steps(people: People, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notary, "STEP", 7)
    tell(people.acme.pk, now, 30)
    assert seal(now) >= 4
    verdict = verify(people.acme.pk)
    assert (verdict.fault, verdict.unsealed) == ("", 0)
    assert verdict.events >= 30


def test_a_root_is_what_sha256sum_makes_of_the_lines(people: People, chained: list[int]) -> None:
    import hashlib

    with tenant_context(people.acme.pk):
        last = Seal.objects.order_by("-number").first()
        rows = Event.objects.filter(pk__gt=last.after, pk__lte=last.upto).order_by("pk").values(*chain.COLUMNS)
        lines = [chain.line_of(row) for row in rows]
    head = json.dumps(
        {
            "after": last.after, "count": 3, "previous": last.previous, "seal": 3, "tenant": people.acme.pk, "upto": last.upto,
        },
        separators=(",", ":"),
    )  # fmt: skip
    assert last.root == hashlib.sha256("".join(f"{line}\n" for line in [head, *lines]).encode()).hexdigest()


Tampering = Callable[[Any, list[int], int], Any]


def _moved(cursor: Any, ids: list[int], tenant: int) -> None:
    cursor.execute("UPDATE tenants_event SET at = at - interval '1 microsecond' WHERE id = %s", [ids[0]])


def _removed(cursor: Any, ids: list[int], tenant: int) -> None:
    cursor.execute("DELETE FROM tenants_event WHERE id = ANY(%s)", [ids[5:7]])


def _inserted(cursor: Any, ids: list[int], tenant: int) -> None:
    cursor.execute("DELETE FROM tenants_event WHERE id = %s - 1 AND tenant_id <> %s", [ids[3], tenant])
    cursor.execute(
        "INSERT INTO tenants_event (id, tenant_id, kind, at, actor, subject_type, data) OVERRIDING SYSTEM VALUE "
        "VALUES (%s, %s, 'forged', now(), 'engine', '', '{}')",
        [ids[3] - 1, tenant],
    )


def _given_away(cursor: Any, ids: list[int], tenant: int) -> None:
    cursor.execute(
        "UPDATE tenants_event SET tenant_id = (SELECT min(id) FROM tenants_tenant WHERE id <> %s) WHERE id = %s",
        [tenant, ids[8]],
    )


@pytest.mark.parametrize(
    ("tamper", "position", "words"),
    [
        (changed, 4, "was changed (seal 2)"),
        (_moved, 0, "was changed (seal 1)"),
        (_removed, 5, "was removed (seal 2)"),
        (_inserted, None, "was inserted afterwards (seal 1)"),
        (_given_away, 8, "was removed (seal 3)"),
    ],
)
def test_the_first_row_that_was_tampered_with_is_named(
    people: People, chained: list[int], tamper: Tampering, position: int | None, words: str
) -> None:
    with as_master() as cursor:
        tamper(cursor, chained, people.acme.pk)
    verdict = verify(people.acme.pk)
    assert verdict.event == (chained[3] - 1 if position is None else chained[position])
    assert words in verdict.fault


SEAL_3 = "tenant_id = %(tenant)s AND number = 3"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"DELETE FROM tenants_seal WHERE {SEAL_3}", "There were 3 seals, and 2 are left"),
        ("DELETE FROM tenants_seal WHERE tenant_id = %(tenant)s AND number > 1", "There were 3 seals, and 1 are left"),
        ("DELETE FROM tenants_seal WHERE tenant_id = %(tenant)s", "There were 3 seals, and 0 are left"),
        ("DELETE FROM tenants_seal WHERE tenant_id = %(tenant)s AND number = 2", "Seal 2 is gone"),
        ("DELETE FROM tenants_sealhead WHERE tenant_id = %(tenant)s", "where the chain ends is gone"),
        (f"UPDATE tenants_seal SET root = repeat('0', 64) WHERE {SEAL_3}", "Seal 3 itself was changed"),
        (f"UPDATE tenants_seal SET leaves = '' WHERE {SEAL_3}", ""),
        (f"UPDATE tenants_seal SET upto = upto - 1 WHERE {SEAL_3}", "Seal 3 itself was changed"),
        (f"UPDATE tenants_seal SET after = after + 1 WHERE {SEAL_3}", "does not follow"),
        (f"UPDATE tenants_seal SET signature = 'x.y' || signature WHERE {SEAL_3}", "old key"),
        (f"UPDATE tenants_seal SET signature = left(signature, -1) || 'z' WHERE {SEAL_3}", "its signature is wrong"),
    ],
)  # fmt: skip
def test_seals_that_were_tampered_with_are_found(
    people: People, chained: list[int], statement: str, words: str
) -> None:
    with as_master() as cursor:
        cursor.execute(statement, {"tenant": people.acme.pk})
    verdict = verify(people.acme.pk)
    if words == "old key":
        assert (verdict.fault, verdict.old_keys) == ("", 1)  # a key that is gone: said, not called a forgery
    else:
        assert words in verdict.fault
        assert bool(verdict.fault) is bool(words)  # leaves only help to name a row: without them the rows still hold


def test_events_and_their_seals_taken_away_together_are_missed(people: People, chained: list[int]) -> None:
    with as_master() as cursor:
        cursor.execute("DELETE FROM tenants_seal WHERE tenant_id = %s AND number = 3", [people.acme.pk])
        cursor.execute("DELETE FROM tenants_event WHERE id = ANY(%s)", [chained[6:]])
    assert "the last ones are gone" in verify(people.acme.pk).fault


def test_a_row_put_after_the_last_seal_into_a_sealed_range_is_found(people: People, now: datetime) -> None:
    tell(people.acme.pk, now)
    (gap,) = tell(people.charlie.tenant_id, now)
    tell(people.charlie.tenant_id, now)
    seal(now)
    with as_master() as cursor:
        cursor.execute("UPDATE tenants_event SET tenant_id = %s WHERE id = %s", [people.acme.pk, gap])
    verdict = verify(people.acme.pk)
    assert verdict.event == gap


def test_a_chain_that_was_rewritten_without_the_key_is_found(people: People, chained: list[int], now: datetime) -> None:
    """Somebody with the whole database, not the environment: changes an event and makes all later seals anew."""
    with as_master() as cursor:
        changed(cursor, chained, people.acme.pk)
        for seal_row in Seal.objects.all_tenants().filter(tenant_id=people.acme.pk, number__gte=2).order_by("number"):
            previous = Seal.objects.all_tenants().get(tenant_id=people.acme.pk, number=seal_row.number - 1).root
            rows = (
                Event.objects.all_tenants()
                .filter(tenant_id=people.acme.pk, pk__gt=seal_row.after, pk__lte=seal_row.upto)
                .order_by("pk")
                .values(*chain.COLUMNS)
            )
            head = chain.header(
                tenant=people.acme.pk,
                number=seal_row.number,
                after=seal_row.after,
                upto=seal_row.upto,
                count=3,
                previous=previous,
            )
            root = chain.root_of(head, [chain.line_of(row) for row in rows])
            cursor.execute(
                "UPDATE tenants_seal SET root = %s, previous = %s WHERE id = %s", [root, previous, seal_row.pk]
            )
        cursor.execute("UPDATE tenants_sealhead SET root = %s WHERE tenant_id = %s", [root, people.acme.pk])
    assert "Seal 2 was not made by Omnify" in verify(people.acme.pk).fault


@pytest.mark.parametrize("table", ["tenants_event", "tenants_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
@pytest.mark.parametrize("role", ["omnify_web", "omnify_system", "NONE"])
def test_nobody_not_even_the_owner_changes_the_ledger_in_passing(
    people: People, chained: list[int], table: str, statement: str, role: str
) -> None:
    from django.db import InternalError, ProgrammingError

    with (
        pytest.raises((ProgrammingError, InternalError), match=r"permission denied|never changed"),
        tenant_context(people.acme.pk),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(statement.format(table))


def test_the_web_role_makes_no_seals(people: People, now: datetime) -> None:
    from django.db import ProgrammingError

    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_context(people.acme.pk),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL ROLE omnify_web")
        SealHead.objects.create(number=1, upto=1, root="")


def test_the_command_says_it_and_fails(people: People, chained: list[int], capsys: Any) -> None:
    call_command("audit", "verify", tenant="acme")
    assert "acme: unchanged (3 seals" in capsys.readouterr().out
    with as_master() as cursor:
        changed(cursor, chained, people.acme.pk)
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("audit", "verify")
    assert f"Event {chained[4]} was changed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no workspace"):
        call_command("audit", "verify", tenant="nobody")


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_waited_for_and_never_left_out(people: People, now: datetime) -> None:
    """A transaction takes an id, a later one commits, a seal is tried; the first commits and is under the next seal."""
    taken, go = threading.Event(), threading.Event()
    late: list[int] = []

    def slow() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE omnify_system")
            with transaction.atomic():
                late.extend(tell(people.acme.pk, now, kind="test.late"))
                taken.set()
                go.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        assert taken.wait(20)
        (early,) = tell(people.acme.pk, now)
        assert late[0] < early
        assert seal(now) == 0
        assert seal(now) == 0
        assert SealState.objects.get().waits_for
        (newer,) = tell(people.acme.pk, now)
    finally:
        go.set()
        thread.join(20)
    seal(now)
    with tenant_context(people.acme.pk):
        covered = {pk for each in Seal.objects.all() for pk in chain.leaves_in(bytes(each.leaves))}
    assert {late[0], early, newer} <= covered
    assert verify(people.acme.pk).fault == ""


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_a_notary_that_never_rests_leave_nothing_out(people: People, now: datetime) -> None:
    def write(n: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE omnify_system")
            for turn in range(25):
                try:
                    with transaction.atomic():
                        tell(people.acme.pk, now, 1 + (turn + n) % 3)
                        if turn % 5 == 4:
                            raise InterruptedError  # an id that nobody will ever see
                except InterruptedError:
                    continue
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seal(now, seconds=0)
    seal(now)
    seal(now)
    verdict: Verdict = verify(people.acme.pk)
    assert (verdict.fault, verdict.unsealed) == ("", 0)
    with tenant_context(people.acme.pk):
        assert verdict.events == Event.objects.count() > 150
