"""What breaks behind the webhook door is the provider's to repeat, and nobody else's loss."""

import asyncio
from typing import Any

import pytest
from django.db import connection

from sequences.models import Sender
from sequences.webhooks import storing
from sequences.webhooks.link import Link, parameters
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import (
    PERSON,
    REPORT,
    Ask,
    events,
    inbound,
    knock,
    through_the_door,
    vapi,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sender_deleted_in_flight_costs_the_others_nothing(
    people: People, senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in one batch with it: they wait while the one before is written."""
    others = make_senders(people.charlie.tenant)
    held, sizes = asyncio.Event(), []
    real = storing.Store._insert

    async def counted(self: storing.Store, rows: Any, until: float) -> None:
        await held.wait()
        sizes.append(len(rows))
        await real(self, rows, until)

    async def act(ask: Ask) -> list[int]:
        held.set()
        await ask(inbound(senders["sms"], PERSON, "first", sid="SM" + "1" * 32))
        await asyncio.to_thread(delete, senders["sms"])
        held.clear()
        wanted = [inbound(others["sms"], PERSON, "holds the others up", sid="SM" + "3" * 32)]
        wanted += [inbound(senders["sms"], PERSON, "late", sid="SM" + "2" * 32)]
        wanted += [inbound(others["sms"], PERSON, "fine", sid=f"SM{n:032x}") for n in range(5)]
        asked = [asyncio.create_task(ask(each)) for each in wanted]
        await asyncio.sleep(0.3)
        held.set()
        return [reply.status_code for reply in await asyncio.gather(*asked)]

    monkeypatch.setattr(storing.Store, "_insert", counted)
    assert through_the_door(act) == [200, 503, 200, 200, 200, 200, 200]
    assert 6 in sizes
    assert len(events()) == 6


def delete(sender: Sender) -> None:
    from django.db import connections

    from omnify.tenants.context import tenant_context

    with tenant_context(sender.tenant_id):
        Sender.objects.filter(pk=sender.pk).delete()
    connections.close_all()


def test_a_client_that_hangs_up_does_not_stop_the_writer(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    real = storing.Store._insert

    async def slow(self: storing.Store, rows: Any, until: float) -> None:
        await held.wait()
        await real(self, rows, until)

    monkeypatch.setattr(storing.Store, "_insert", slow)

    async def act(ask: Ask) -> int:
        gone = asyncio.create_task(ask(inbound(senders["sms"], PERSON, "bye", sid="SM" + "1" * 32)))
        stays = asyncio.create_task(ask(inbound(senders["sms"], PERSON, "here", sid="SM" + "2" * 32)))
        await asyncio.sleep(0.3)
        gone.cancel()
        held.set()
        return (await stays).status_code

    assert through_the_door(act) == 200
    assert len(events()) == 2


def test_a_database_connection_that_died_is_replaced_within_the_request(senders: dict[str, Sender]) -> None:
    async def act(ask: Ask) -> list[int]:
        first = await ask(inbound(senders["sms"], PERSON, "one", sid="SM" + "1" * 32))
        await asyncio.to_thread(end_other_sessions)
        second = await ask(inbound(senders["sms"], PERSON, "two", sid="SM" + "2" * 32))
        return [first.status_code, second.status_code]

    assert through_the_door(act) == [200, 200]
    assert len(events()) == 2


def end_other_sessions() -> None:
    """Ends the door's sessions, as a restart of the database would."""
    from django.db import connections

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'omnify webhooks'"
        )
        assert cursor.fetchone()[0]
    connections.close_all()


def test_without_a_database_the_answer_is_503_so_that_the_provider_comes_again(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = inbound(senders["sms"], PERSON, "hi")
    monkeypatch.setattr(
        "sequences.webhooks.ingest.parameters", lambda: {"host": "127.0.0.1", "port": 1, "connect_timeout": 2}
    )
    assert knock(wanted) == [503]


def test_a_link_whose_work_is_cancelled_starts_anew(people: People) -> None:
    async def run() -> tuple[int]:
        link = Link(parameters())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), link.transaction() as cursor:
                await cursor.execute("SELECT pg_sleep(30)")
        async with link.transaction() as cursor:
            await cursor.execute("SELECT 1")
            found = await cursor.fetchone()
        await link.close()
        return found

    assert asyncio.run(run()) == (1,)


def test_half_a_surrogate_pair_in_an_id_is_stored_and_costs_nobody_anything(senders: dict[str, Sender]) -> None:
    """JSON may say it, UTF-8 cannot; all in one batch with it."""

    async def act(ask: Ask) -> list[int]:
        wanted = [inbound(senders["sms"], PERSON, "hi", sid=f"SM{n:032x}") for n in range(10)]
        wanted[3:3] = [vapi(senders["voice"], REPORT | {"call": {"id": f"call-{half}"}}) for half in "\ud83d\ud83e"]
        return [reply.status_code for reply in await asyncio.gather(*(ask(each) for each in wanted))]

    assert set(through_the_door(act)) == {200}
    assert len(events()) == 12


def test_a_row_that_cannot_be_written_down_at_all_costs_the_others_nothing(senders: dict[str, Sender]) -> None:
    sender = senders["sms"]

    async def run() -> list[bool]:
        link = Link(parameters())
        store = storing.Store(link)
        given = {"provider": "twilio", "kind": "inbound", "mark": "", "headers": {}, "body": "", "received_at": None}
        wanted = [storing.Row(sender.tenant_id, sender.pk, event_key=f"k-{n}", **given) for n in "12345"]
        wanted[2] = storing.Row(sender.tenant_id, sender.pk, event_key="k-\ud800", **given)
        done = await asyncio.gather(*(store.add(row) for row in wanted), return_exceptions=True)
        await store.close()
        await link.close()
        return [each is None for each in done]

    assert asyncio.run(run()) == [True, True, False, True, True]
    assert len(events()) == 4
