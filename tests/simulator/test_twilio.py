"""The real Twilio SDK against the simulator: messages, errors, lists, callbacks, faults."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from omnify.simulator.running import RunningSimulator
from tests.simulator.conftest import OURS, SID, TOKEN, Hooks, eventually


class LoopbackHttp(TwilioHttpClient):
    """Keeps the host as a path prefix, as Omnify's transport does."""

    def __init__(self, base: str, timeout: float = 5.0) -> None:
        super().__init__(timeout=timeout)
        self.base = base

    def request(self, method, url, *args, **kwargs):
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self.base}/{parts.netloc}{parts.path}{query}", *args, **kwargs)


@pytest.fixture
def connect(sim: RunningSimulator):
    made = []

    def client(token: str = TOKEN, timeout: float = 5.0) -> Client:
        http = LoopbackHttp(sim.base_url + "/twilio", timeout)
        made.append(http)
        return Client(SID, token, http_client=http)

    yield client
    for http in made:
        http.session.close()


@pytest.fixture
def twilio(connect) -> Client:
    return connect()


def test_a_text_arrives_once_and_its_statuses_are_told_in_order_and_signed(sim, hooks: Hooks, twilio, number):
    to, url = number(), hooks.url("/t/secret/m/0198c0de-0000-7000-8000-000000000001?x=1")
    sent = twilio.messages.create(to=to, from_=OURS, body="Hello Ann", status_callback=url)
    assert sent.status == "queued"
    assert sim.client.settled()
    received = sim.client.ledger(to=to, kind="sms")
    assert [(r["body"], r["provider_id"], r["mark"]) for r in received] == [
        ("Hello Ann", sent.sid, "0198c0de-0000-7000-8000-000000000001")
    ]
    assert [hit.form["MessageStatus"] for hit in hooks.hits] == ["sent", "delivered"]
    for hit in hooks.hits:
        assert RequestValidator(TOKEN).validate(url, hit.form, hit.headers["x-twilio-signature"])
        assert not RequestValidator("other").validate(url, hit.form, hit.headers["x-twilio-signature"])
    assert twilio.messages(sent.sid).fetch().status == "delivered"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "12"}, 21211),
        ({"to": "+11115550100"}, 21211),
        ({"body": "   "}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"from_": "+14155559999"}, 21606),
        ({"to": OURS}, 21266),
        ({"status_callback": "http://bad_host.example/x"}, 21609),
        ({"validity_period": 36001}, 20001),
    ],
)
def test_a_bad_request_gets_twilios_code_and_reaches_nobody(sim, twilio, number, changes, code):
    to = number()
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(**{"to": to, "from_": OURS, "body": "Hello", **changes})
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert sim.client.ledger(to=to, record="all") == []


def test_a_wrong_token_is_told_to_authenticate(connect, number):
    with pytest.raises(TwilioRestException) as refused:
        connect(token="wrong").messages.create(to=number(), from_=OURS, body="Hello")
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_a_landline_is_refused_and_lookup_says_why(sim, twilio, number):
    to = number()
    sim.client.set_person(to, temperament="landline")
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to=to, from_=OURS, body="Hello")
    assert refused.value.code == 21614
    found = twilio.lookups.v2.phone_numbers(to).fetch(fields="line_type_intelligence")
    assert found.valid
    assert found.line_type_intelligence["type"] == "landline"
    assert (
        twilio.lookups.v2.phone_numbers(number()).fetch(fields="line_type_intelligence").line_type_intelligence["type"]
        == "mobile"
    )
    assert not twilio.lookups.v2.phone_numbers("+1555").fetch().valid


def test_an_unreachable_handset_gets_nothing_and_the_callback_carries_the_code(sim, hooks, twilio, number):
    to = number()
    sim.client.set_person(to, temperament="unreachable")
    sent = twilio.messages.create(to=to, from_=OURS, body="Hello", status_callback=hooks.url("/status"))
    assert sim.client.settled()
    assert [(h.form["MessageStatus"], h.form.get("ErrorCode")) for h in hooks.hits] == [
        ("sent", None),
        ("undelivered", "30003"),
    ]
    assert sim.client.ledger(to=to) == []
    assert twilio.messages(sent.sid).fetch().error_code == 30003


def test_a_messaging_service_sends_from_one_of_its_numbers(twilio, number):
    sent = twilio.messages.create(to=number(), messaging_service_sid="MG1", body="Hello")
    assert (sent.status, sent.from_, sent.messaging_service_sid) == ("accepted", OURS, "MG1")


def test_a_persons_reply_is_a_signed_webhook_and_can_be_listed(sim, hooks, twilio, number):
    person = number()
    twilio.messages.create(to=person, from_=OURS, body="Shall we talk?")
    assert sim.client.settled()
    assert sim.client.reply(person, "sms", "sounds good, how much?") == 200
    (hit,) = hooks.at("/sms")
    assert (hit.form["From"], hit.form["To"], hit.form["Body"]) == (person, OURS, "sounds good, how much?")
    assert RequestValidator(TOKEN).validate(hooks.url("/sms?tenant=t1"), hit.form, hit.headers["x-twilio-signature"])
    (listed,) = twilio.messages.list(from_=person, to=OURS)
    assert (listed.sid, listed.direction, listed.body) == (hit.form["MessageSid"], "inbound", hit.form["Body"])
    thread = sim.client.thread(person)
    assert [(e["direction"], e["body"]) for e in thread["entries"]] == [
        ("received", "Shall we talk?"),
        ("sent", "sounds good, how much?"),
    ]
    assert thread["unread"] == 0


def test_stop_is_kept_at_the_provider_until_start(sim, hooks, twilio, number):
    person = number()
    twilio.messages.create(to=person, from_=OURS, body="Hello")
    sim.client.reply(person, "sms", " Stop ")
    assert hooks.at("/sms")[0].form["OptOutType"] == "STOP"
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to=person, from_=OURS, body="Are you sure?")
    assert refused.value.code == 21610
    sim.client.reply(person, "sms", "START")
    assert twilio.messages.create(to=person, from_=OURS, body="Welcome back").sid
    sim.client.reply(person, "sms", "please stop texting me")
    assert "OptOutType" not in hooks.at("/sms")[-1].form, "only the bare keyword is the provider's business"


def test_a_twiml_answer_is_texted_back_to_the_person(sim, hooks, number):
    person = number()
    hooks.answers["/sms"] = [(200, "<Response><Message><Body>Noted.</Body></Message><Message>Bye</Message></Response>")]
    assert sim.client.reply(person, "sms", "hi") == 200
    assert [r["body"] for r in sim.client.ledger(to=person)] == ["Noted.", "Bye"]


def test_lists_are_newest_first_and_paged_and_filtered_by_the_sent_date(sim, twilio, number):
    to = number()
    sids = [twilio.messages.create(to=to, from_=OURS, body=f"n {n}").sid for n in range(5)]
    assert sim.client.settled()
    assert [m.sid for m in twilio.messages.list(to=to, from_=OURS, page_size=2)] == sids[::-1]
    soon, before = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - timedelta(minutes=1)
    assert len(twilio.messages.list(to=to, date_sent_after=before, date_sent_before=soon)) == 5
    assert twilio.messages.list(to=to, date_sent_after=soon) == []


def test_a_queued_text_can_be_cancelled_and_a_delivered_one_cannot(sim, twilio, number):
    to = number()
    sim.client.faults([{"match": {"provider": "twilio", "op": "create", "to": to}, "do": {"dwell_s": 0.4}, "times": 1}])
    queued = twilio.messages.create(to=to, from_=OURS, body="late")
    assert sim.client.ledger(to=to) == []
    assert twilio.messages(queued.sid).update(status="canceled").status == "canceled"
    gone = twilio.messages.create(to=to, from_=OURS, body="at once")
    with pytest.raises(TwilioRestException):
        twilio.messages(gone.sid).update(status="canceled")
    assert sim.client.settled()
    assert [r["body"] for r in sim.client.ledger(to=to)] == ["at once"]


def test_a_text_whose_validity_ran_out_at_the_provider_is_never_received(sim, hooks, twilio, number):
    to = number()
    sim.client.faults([{"match": {"to": to}, "do": {"dwell_s": 1.2}}])
    twilio.messages.create(to=to, from_=OURS, body="late", validity_period=1, status_callback=hooks.url("/status"))
    assert sim.client.settled()
    assert [(h.form["MessageStatus"], h.form["ErrorCode"]) for h in hooks.hits] == [("failed", "30036")]
    assert sim.client.ledger(to=to) == []


@pytest.mark.parametrize(
    ("fault", "seen", "arrives"),
    [
        ("accept_then_reset", requests.ConnectionError, True),
        ({"accept_then_timeout": 30}, requests.Timeout, True),
        ("accept_then_truncate", ValueError, True),
        ("accept_then_500", TwilioRestException, True),
        ("reset", requests.ConnectionError, False),
        ("timeout", requests.Timeout, False),
        ("status_500", TwilioRestException, False),
        ("status_503", TwilioRestException, False),
        ("rate_limit_429", TwilioRestException, False),
        ({"refuse": {"code": 21610}}, TwilioRestException, False),
    ],
)
def test_each_fault_looks_to_the_sdk_as_it_does_in_the_field(sim, connect, number, fault, seen, arrives):
    to = number()
    sim.client.faults([{"match": {"provider": "twilio", "op": "create", "to": to}, "do": fault, "times": 1}])
    with pytest.raises(seen) as problem:
        connect(timeout=0.5).messages.create(to=to, from_=OURS, body="Hello")
    expected = {"status_503": 503, "rate_limit_429": 429, "status_500": 500, "accept_then_500": 500}
    if isinstance(problem.value, TwilioRestException):
        assert problem.value.status == (expected[fault] if isinstance(fault, str) else 400)
    assert len(sim.client.ledger(to=to)) == (1 if arrives else 0)
    again = connect().messages.create(to=to, from_=OURS, body="Hello again")
    assert again.sid, "the fault happened once"


def test_latency_delays_the_answer_and_nothing_else(sim, twilio, number):
    to = number()
    sim.client.faults([{"match": {"provider": "twilio"}, "do": {"latency_ms": 300}, "times": 1}])
    started = datetime.now(UTC)
    twilio.messages.create(to=to, from_=OURS, body="Hello")
    assert datetime.now(UTC) - started >= timedelta(milliseconds=300)
    assert len(sim.client.ledger(to=to)) == 1


def test_a_listing_lags_behind_what_was_accepted(sim, twilio, number):
    to = number()
    sim.client.faults([{"match": {"provider": "twilio", "op": "create"}, "do": {"listing_lag_s": 0.6}, "times": 1}])
    sent = twilio.messages.create(to=to, from_=OURS, body="Hello")
    assert twilio.messages.list(to=to) == []
    assert twilio.messages(sent.sid).fetch().sid == sent.sid
    assert [m.sid for m in eventually(lambda: twilio.messages.list(to=to))] == [sent.sid]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"duplicate_callbacks": 2}, ["sent"] * 3 + ["delivered"] * 3),
        ("reorder_callbacks", ["delivered", "sent"]),
        ("drop_callbacks", []),
    ],
)
def test_callbacks_come_twice_or_shuffled_or_never(sim, hooks, twilio, number, fault, statuses):
    sim.client.faults([{"match": {"provider": "twilio", "op": "create"}, "do": fault, "times": 1}])
    sent = twilio.messages.create(to=number(), from_=OURS, body="Hello", status_callback=hooks.url("/status"))
    assert sim.client.settled()
    assert [hit.form["MessageStatus"] for hit in hooks.hits] == statuses
    assert twilio.messages(sent.sid).fetch().status == "delivered"


def test_a_forged_callback_does_not_carry_a_valid_signature(sim, hooks, twilio, number):
    url = hooks.url("/status")
    hooks.answers["/status"] = [(403, "")]
    sim.client.faults([{"match": {"op": "create"}, "do": "forged_callback", "times": 1}])
    sent = twilio.messages.create(to=number(), from_=OURS, body="Hello", status_callback=url)
    assert sim.client.settled()
    valid = [RequestValidator(TOKEN).validate(url, h.form, h.headers["x-twilio-signature"]) for h in hooks.hits]
    assert valid == [False, True, False, True]
    forged = [c for c in sim.client.callbacks(about=sent.sid) if c["forged"]]
    assert [c["status"] for c in forged] == [403, 200]


def test_a_friendly_person_answers_by_themselves_and_a_manual_one_never(sim, hooks, twilio, number):
    friend, quiet = number(), number()
    sim.client.set_person(friend, temperament="friendly", name="Fay")
    for to in (friend, quiet):
        twilio.messages.create(to=to, from_=OURS, body="Hello")
    assert sim.client.settled()
    assert {hit.form["From"] for hit in hooks.at("/sms")} == {friend}
    assert sim.client.thread(friend)["name"] == "Fay"
