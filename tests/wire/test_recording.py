"""Outcomes are written down together, and one that cannot be written keeps no other waiting."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from omnify.promises.pretending import Provider, in_place_of_all
from sequences.delivery import mark_sending
from sequences.recording import Recorder
from sequences.transports.base import Receipt
from tests.making import People, make_senders
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wire(people: People, now: Any) -> Any:
    nobody: Any = None
    with in_place_of_all(Provider(now=lambda: now)):
        yield Wire(people, make_senders(people.acme), nobody, now)


@pytest.mark.parametrize("odd", [{"provider_id": "SM\ud800"}, {"segments": 2**40}])
def test_a_receipt_that_no_column_can_hold_costs_no_other_outcome(wire: Wire, odd: dict[str, Any]) -> None:
    messages = [wire.ready() for _ in range(2)]
    claims = [wire.claim() for _ in messages]
    for claim in claims:
        mark_sending(claim, wire.now)
    recorder = Recorder()
    receipts = [replace(Receipt("SM-1", "queued"), **odd), Receipt("SM-2", "queued")]
    told: list[str] = []

    def write(claim: Any, receipt: Receipt) -> None:
        try:
            told.append(recorder.write(claim, receipt, wire.now))
        except Exception as error:  # noqa: BLE001
            told.append(type(error).__name__)

    for claim, receipt in zip(claims, receipts, strict=True):
        thread = threading.Thread(target=write, args=(claim, receipt), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    recorder.finish()
    assert (refreshed(messages[0]).state, refreshed(messages[1]).state) == ("sending", "accepted")
    assert told[1] == "accepted"
