"""A whole journey with every logger at its loudest: decided, sent, refused, uncertain, asked about, answered, stopped."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from omnify.lib.logs import Json, Plain
from omnify.tenants.context import tenant_context
from sequences import inbound
from sequences.delivery import dispatch
from sequences.engine import tick
from sequences.models import Message, ProviderEvent
from sequences.reconcile import NORMAL, reconcile
from tests.making import make_enrollment, make_sequence
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)

BODY = "Canarybody"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that is logged, in both formats; the levels of settings.LOGGING stay, everything else says all it can."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers = []
    for formatter in (Plain(), Json()):
        handlers.append(logging.StreamHandler(stream))
        handlers[-1].setFormatter(formatter)
        root.addHandler(handlers[-1])
    before = root.level
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)
    for each in handlers:
        root.removeHandler(each)


def test_no_line_holds_a_body_an_address_or_a_secret(
    wire: Wire, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, sender = wire.now, wire.senders["sms"]
    pat = wire.contact(phone="+12125550177", email="canary.person@people.example", first_name=BODY)
    sequence = make_sequence(wire.people.acme, now, {"kind": "sms", "body": f"{BODY} {{{{ first_name }}}}"})
    make_enrollment(sequence, pat, now)
    assert tick(now).decided == 1
    odd = [wire.ready(body=f"{BODY} {n}", contact=wire.contact()) for n in range(3)]
    mail = wire.ready("email", body=BODY, contact=wire.contact(email="canary.other@people.example"))
    wire.simulator.faults(
        [
            {"match": {"to": odd[0].to_address}, "do": {"refuse": 21211}},
            {"match": {"to": odd[1].to_address}, "do": "accept_then_500"},
            {"match": {"to": odd[2].to_address}, "do": "status_500"},
        ]
    )
    dispatch(["sms", "email"], now=wire.at(), budget_seconds=20)
    with tenant_context(wire.tenant_id):
        first = Message.objects.get(contact=pat)
    states = [refreshed(each).state for each in (first, *odd, mail)]
    assert states[0] in ("accepted", "sent", "delivered")
    assert states[1:4] == ["rejected", "unknown", "unknown"]
    # The reconciler meets an error of ours that quotes what it should not.
    monkeypatch.setattr("sequences.reconcile._look_up", lambda *args: 1 / 0)
    reconcile(now + NORMAL.grace + timedelta(seconds=5))
    answered(wire, pat.phone, f"{BODY} please STOP", "SM1")
    answered(wire, pat.phone, "STOP", "SM2")

    def breaks(signal: Any, event: Any, at: Any) -> None:
        raise ValueError(f"cannot store {event.sender.address} and {pat.phone} of {pat.email}")

    with monkeypatch.context() as broken:
        broken.setitem(inbound.HANDLERS, inbound.TextReceived, breaks)
        inbound.apply_waiting(now)
    inbound.apply_waiting(now + timedelta(minutes=1))

    text = written.getvalue()
    assert text.count("could not be applied") >= 2
    assert "could not be settled" in text
    assert "ZeroDivisionError" in text
    addresses = [pat.phone, pat.email, mail.to_address, *(each.to_address for each in odd)]
    for canary in (BODY, sender.credentials["auth_token"], *addresses, *(each.lstrip("+") for each in addresses)):
        assert canary not in text, canary


def answered(wire: Wire, phone: str, body: str, sid: str) -> None:
    with tenant_context(wire.tenant_id):
        ProviderEvent.objects.create(
            sender=wire.senders["sms"], provider="twilio", kind="inbound", event_key=sid, received_at=wire.now,
            body=f"From=%2B{phone.lstrip('+')}&To=%2B15005550006&Body={body.replace(' ', '+')}&MessageSid={sid}",
        )  # fmt: skip
