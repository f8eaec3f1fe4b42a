"""4-reliability §4 C: who may speak to us for a provider. The proof itself is omnify.promises.forging (G8)."""

from typing import Any

import psycopg
import pytest

from omnify.promises import forging, knocking, ordering
from omnify.promises.forging import prove_forgeries, prove_orders
from sequences.models import Sender
from sequences.webhooks import ingest, mail, storing, twilio, vapi
from tests.making import People, make_senders
from tests.sequences.webhooks.requests import BOUNCE, PERSON, REPORT, events, inbound, knock, postmark, status
from tests.sequences.webhooks.requests import vapi as call

pytestmark = pytest.mark.django_db(transaction=True)


def test_c_no_forgery_is_accepted_and_no_real_request_refused(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forging.FORGED, "quick", 10_000)
    outcome = prove_forgeries("quick", 11)
    assert outcome.failed == 0, outcome.note
    assert outcome.tried >= 11_000


@pytest.mark.parametrize(
    ("module", "name"), [(twilio, "signature_matches"), (vapi, "_signed"), (vapi, "_recent"), (mail, "genuine")]
)
def test_the_proof_sees_a_door_that_checks_too_little(
    people: People, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    monkeypatch.setitem(forging.FORGED, "quick", 600)
    monkeypatch.setitem(forging.GENUINE, "quick", 60)
    monkeypatch.setattr(module, name, lambda *given, **named: True)
    assert prove_forgeries("quick", 3).failed > 0


def test_c_every_order_of_the_same_reports_ends_in_one_state(people: People) -> None:
    outcome = prove_orders("quick", 5)
    assert outcome.failed == 0, outcome.note
    assert outcome.tried > 1_500


def test_the_proof_of_orders_sees_reports_that_count_by_arrival(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sequences.outcome.REPORT",
        __import__("sequences.outcome", fromlist=["REPORT"]).REPORT.replace("old.status_rank < %(rank)s", "true"),
    )
    monkeypatch.setitem(ordering.ORDERS, "quick", 6)
    assert prove_orders("quick", 5).failed > 0


def test_a8_what_one_tenants_provider_signed_says_nothing_at_anothers_address(
    people: People, senders: dict[str, Sender]
) -> None:
    theirs = make_senders(people.charlie.tenant)
    asked = [
        inbound(theirs["sms"], PERSON, "stop") | {"url": f"/hooks/twilio/{senders['sms'].webhook_key}/inbound"},
        call(theirs["voice"], REPORT) | {"url": f"/hooks/vapi/{senders['voice'].webhook_key}"},
        postmark(theirs["email"], BOUNCE) | {"url": f"/hooks/postmark/{senders['email'].webhook_key}"},
    ]
    assert knock(*asked) == [403] * 3
    assert events() == []
    keys = {each.webhook_key for each in (*senders.values(), *theirs.values())}
    assert len(keys) == 6
    assert all(len(key) == 32 for key in keys)  # 128 bits


# C5: what each kind of request is answered, and why.
ANSWERS = [
    ("genuine", 200, "stored"),
    ("an event nobody knows yet", 200, "stored, for somebody to read"),
    ("bad signature", 403, "not from the provider"),
    ("no database", 503, "our own fault: the provider comes again; on 403 Postmark never would"),
    ("a bug of ours", 503, "the same"),
    ("unknown key", 404, "nobody's address"),
    ("not a POST", 405, "nothing changes by looking"),
]


@pytest.mark.parametrize(("kind", "expected", "why"), ANSWERS, ids=[each[0] for each in ANSWERS])
def test_c5_the_answer_says_whose_fault_it_is(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch, kind: str, expected: int, why: str
) -> None:
    request = postmark(senders["email"], BOUNCE)
    if kind == "an event nobody knows yet":
        request = postmark(senders["email"], {"RecordType": "Levitation", "MessageID": "m", "Nested": {"x": [1]}})
    elif kind == "bad signature":
        request = postmark(senders["email"], BOUNCE, secret="user:wrong")
    elif kind == "no database":

        async def down(*given: Any) -> None:
            raise psycopg.OperationalError("gone")

        monkeypatch.setattr(storing.Store, "_insert", down)
    elif kind == "a bug of ours":
        monkeypatch.setattr(mail, "identify", lambda request: 1 / 0)
    elif kind == "unknown key":
        request |= {"url": "/hooks/postmark/" + "0" * 32}
    elif kind == "not a POST":
        request |= {"method": "GET"}
    assert why
    assert knock(request) == [expected]
    assert len(events()) == (expected == 200)


def test_c_no_secret_and_no_body_of_a_refused_request_is_kept_or_logged(
    senders: dict[str, Sender], caplog: pytest.LogCaptureFixture
) -> None:
    forged = status(senders["sms"], "mark", "delivered", Body="canary-body", token="canary-token")
    assert knock(forged) == [403]
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "canary" not in said
    assert events() == []
    assert "authorization" not in ingest.KEPT_HEADERS
    assert {each for each in forging.SECRETS if each in ingest.KEPT_HEADERS} == set()
    assert len(forging.twists()) == 10
    assert knocking.FORM.startswith(twilio.FORM)
