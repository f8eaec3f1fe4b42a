"""A database that has gone silent, or that went and came back, costs a provider a 503 in time and nobody a word."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from sequences.models import Sender
from sequences.webhooks import accounts, storing
from sequences.webhooks.link import parameters
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import PERSON, Ask, events, inbound, through_the_door
from tests.sequences.webhooks.test_ingest_faults import end_other_sessions

pytestmark = pytest.mark.django_db(transaction=True)


class Between:
    """Stands between the door and the database; `silent`: takes everything and passes on nothing."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port, self.silent = host, port, False
        self._lines: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for line in self._lines:
                line.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.host, self.port)
        self._lines |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if not self.silent:
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


def test_a_silent_database_is_answered_for_in_time_and_spoken_to_again_when_it_is_back(
    people: People, senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = make_senders(people.charlie.tenant)
    for place, name, seconds in (
        (storing, "TRY_SECONDS", 1.0), (storing, "ANSWER_SECONDS", 1.5), (accounts, "READ_SECONDS", 1.0),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, seconds)
    given: dict[str, Any] = dict(parameters())
    between = Between(given["host"], int(given["port"]))
    monkeypatch.setattr("sequences.webhooks.ingest.parameters", lambda: given)

    def said(sender: Sender, n: int) -> dict[str, Any]:
        return inbound(sender, PERSON, "hi", sid=f"SM{n:032x}")

    async def act(ask: Ask) -> None:
        async with between.listening() as port:
            given.update(host="127.0.0.1", port=port)
            assert (await ask(said(senders["sms"], 1))).status_code == 200
            between.silent = True
            began = time.monotonic()
            # One whose sender is known already, one whose is not, and one that must wait behind them.
            wanted = [asyncio.create_task(ask(said(each, n))) for n, each in ((2, senders["sms"]), (3, others["sms"]))]
            await asyncio.sleep(0.8)
            wanted.append(asyncio.create_task(ask(said(senders["sms"], 4))))
            assert {reply.status_code for reply in await asyncio.gather(*wanted)} == {503}
            assert time.monotonic() - began < 5
            between.silent = False
            assert [(await ask(said(each, 5))).status_code for each in (senders["sms"], others["sms"])] == [200, 200]

    through_the_door(act)
    assert len(events()) == 3


def test_a_sender_is_looked_up_over_a_new_connection_when_the_old_one_is_gone(
    people: People, senders: dict[str, Sender]
) -> None:
    others = make_senders(people.charlie.tenant)

    async def act(ask: Ask) -> list[int]:
        first = await ask(inbound(senders["sms"], PERSON, "one"))
        await asyncio.to_thread(end_other_sessions)
        second = await ask(inbound(others["sms"], PERSON, "two"))
        return [first.status_code, second.status_code]

    assert through_the_door(act) == [200, 200]


def test_what_waited_for_the_database_together_keeps_the_order_in_which_it_came(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A STOP and a START of one batch: the ids that it is sorted by say nothing about which was said last."""
    held, real = asyncio.Event(), storing.Store._insert

    async def slow(self: storing.Store, *args: Any) -> None:
        await held.wait()
        await real(self, *args)

    monkeypatch.setattr(storing.Store, "_insert", slow)
    sids = [f"SM{n:032x}" for n in (0, 9, 5, 7, 3)]

    async def act(ask: Ask) -> None:
        asked = []
        for sid in sids:
            asked.append(asyncio.create_task(ask(inbound(senders["sms"], PERSON, "hi", sid=sid))))
            await asyncio.sleep(0.1)
        held.set()
        assert {reply.status_code for reply in await asyncio.gather(*asked)} == {200}

    through_the_door(act)
    stored = sorted(events(), key=lambda event: event.received_at)
    assert [event.event_key.removeprefix("inbound:") for event in stored] == sids
    assert all((b.received_at - a.received_at).total_seconds() > 0.05 for a, b in pairwise(stored))
