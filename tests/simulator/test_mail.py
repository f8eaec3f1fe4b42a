"""django-anymail's Postmark backend and Django's SMTP backend against the simulator."""

import base64
import json
import smtplib
import socket

import pytest
import requests
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError
from anymail.webhooks.postmark import PostmarkInboundWebhookView, PostmarkTrackingWebhookView
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import RequestFactory

from omnify.simulator.running import RunningSimulator
from tests.simulator.conftest import POSTMARK_TOKEN, Hooks, eventually

TRACKING = PostmarkTrackingWebhookView(webhook_secret="hook:secret")
INBOUND = PostmarkInboundWebhookView(webhook_secret="hook:secret")


@pytest.fixture
def postmark(sim: RunningSimulator):
    return get_connection(
        "anymail.backends.postmark.EmailBackend", server_token=POSTMARK_TOKEN, api_url=sim.base_url + "/postmark/"
    )


@pytest.fixture
def smtp(sim: RunningSimulator):
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=sim.smtp_port, timeout=1
    )


def mail(to: str, connection, domain: str = "acme.example", **headers: str) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        "Your roof",
        "Hello Ann,\nsee http://x.test/a",
        f"Sam <sam@{domain}>",
        [to],
        connection=connection,
        headers=headers,
    )
    message.attach_alternative("<p>Hello <a href='http://x.test/a'>Ann</a></p>", "text/html")
    return message


def events(hooks: Hooks, view=TRACKING, path: str = "/postmark/tracking") -> list:
    """What anymail makes of the webhooks, password check included."""
    found = []
    for hit in hooks.at(path):
        request = RequestFactory().post(
            "/", hit.body, content_type="application/json", HTTP_AUTHORIZATION=hit.headers.get("authorization", "")
        )
        view.run_validators(request)
        found += view.parse_events(request)
    return found


def test_a_mail_over_postmark_arrives_and_its_delivery_is_told(sim, hooks, postmark):
    message = mail("ann@one.example", postmark, **{"List-Unsubscribe": "<http://x.test/u>"})
    message.metadata = {"m": "mark-1"}
    assert message.send() == 1
    message_id = message.anymail_status.message_id
    assert sim.client.settled()
    (received,) = sim.client.ledger(to="Ann@One.example", kind="email")
    assert (received["subject"], received["mark"], received["provider_id"]) == ("Your roof", "mark-1", message_id)
    assert "<p>Hello" in received["html"]
    assert received["list_unsubscribe"] == "<http://x.test/u>"
    (event,) = events(hooks)
    assert (event.event_type, event.message_id, event.metadata) == ("delivered", message_id, {"m": "mark-1"})


@pytest.mark.parametrize(
    ("temperament", "expected"),
    [
        ("opener", ["delivered", "opened"]),
        ("clicker", ["delivered", "opened", "clicked"]),
        ("complainer", ["delivered", "complained"]),
        ("unsubscriber", ["delivered", "unsubscribed"]),
        ("bounce", ["bounced"]),
        ("soft_bounce", ["bounced"]),
    ],
)
def test_what_a_mailbox_does_comes_back_as_events_anymail_understands(sim, hooks, postmark, temperament, expected):
    person = f"{temperament}@two.example"
    sim.client.set_person(person, temperament=temperament)
    mail(person, postmark).send()
    assert sim.client.settled()
    found = events(hooks)
    assert [event.event_type for event in found] == expected
    assert all(event.recipient == person for event in found)
    assert len(sim.client.ledger(to=person)) == (0 if "bounce" in temperament else 1)
    assert not [e for e in found if e.event_type == "clicked" and e.click_url != "http://x.test/a"]


def test_after_a_hard_bounce_postmark_calls_the_address_inactive(sim, postmark):
    sim.client.set_person("gone@three.example", temperament="bounce")
    mail("gone@three.example", postmark).send()
    assert sim.client.settled()
    message = mail("gone@three.example", postmark)
    with pytest.raises(AnymailRecipientsRefused):
        message.send()
    assert message.anymail_status.recipients["gone@three.example"].status == "rejected"


def test_a_batch_is_answered_message_by_message(sim, postmark):
    message = EmailMultiAlternatives(
        "Hi", "Hello", "sam@acme.example", ["a@b.example", "b@b.example"], connection=postmark
    )
    message.merge_metadata = {"a@b.example": {"m": "1"}, "b@b.example": {"m": "2"}}
    message.send()
    statuses = message.anymail_status.recipients
    assert {a: s.status for a, s in statuses.items()} == {"a@b.example": "sent", "b@b.example": "sent"}
    assert [r["mark"] for r in sim.client.ledger(to="b@b.example")] == ["2"]


def test_a_wrong_token_and_a_stranger_as_sender_are_refused(sim, postmark):
    stranger = get_connection(
        "anymail.backends.postmark.EmailBackend", server_token="wrong", api_url=sim.base_url + "/postmark/"
    )
    for connection, domain, code in ((stranger, "acme.example", 10), (postmark, "other.example", 400)):
        with pytest.raises(AnymailRequestsAPIError) as refused:
            mail("ann@four.example", connection, domain).send()
        assert json.loads(refused.value.response.text)["ErrorCode"] == code
    assert sim.client.ledger(to="ann@four.example", record="all") == []


@pytest.mark.parametrize(
    ("fault", "seen", "arrives"),
    [
        ("accept_then_reset", requests.ConnectionError, 1),
        ("reset", requests.ConnectionError, 0),
        ("status_500", AnymailRequestsAPIError, 0),
        ("rate_limit_429", AnymailRequestsAPIError, 0),
        ({"refuse": 405}, AnymailRequestsAPIError, 0),
    ],
)
def test_postmark_faults(sim, postmark, fault, seen, arrives):
    person = f"p{json.dumps(fault)!s}".encode().hex() + "@five.example"
    sim.client.faults([{"match": {"provider": "postmark", "op": "create"}, "do": fault, "times": 1}])
    with pytest.raises((seen, AnymailRequestsAPIError)):
        mail(person, postmark).send()
    assert len(sim.client.ledger(to=person)) == arrives


def test_sent_mail_is_found_by_recipient_and_metadata(sim, postmark):
    for mark in ("x1", "x2"):
        message = mail("find@six.example", postmark)
        message.metadata = {"m": mark}
        message.send()

    def search(**query: str) -> list[str]:
        answer = requests.get(
            sim.base_url + "/postmark/messages/outbound",
            params={"count": 10, "offset": 0, **query},
            headers={"X-Postmark-Server-Token": POSTMARK_TOKEN},
            timeout=5,
        )
        return [found["Metadata"]["m"] for found in answer.json()["Messages"]]

    assert search(recipient="find@six.example") == ["x2", "x1"]
    assert search(recipient="find@six.example", metadata_m="x1") == ["x1"]
    sim.client.faults([{"match": {"provider": "postmark", "op": "list"}, "do": {"listing_lag_s": 30}}])
    assert search(recipient="find@six.example") == []


def test_an_answer_to_a_postmark_mail_quotes_it_and_names_it(sim, hooks, postmark):
    mail("kim@seven.example", postmark, **{"Reply-To": "sam+t1@acme.example"}).send()
    sim.client.set_person("kim@seven.example", name="Kim")
    assert sim.client.reply("kim@seven.example", "email", "How much is it?") == 200
    (event,) = events(hooks, INBOUND, "/postmark/inbound")
    (received,) = sim.client.ledger(to="kim@seven.example")
    assert event.message["In-Reply-To"] == event.message["References"] == received["message_id"]
    assert event.message.from_email.display_name == "Kim"
    assert (event.message["Subject"], event.message.envelope_recipient) == ("Re: Your roof", "sam+t1@acme.example")
    assert event.message.stripped_text == "How much is it?"
    assert event.message.text.startswith("How much is it?\n\nOn ")
    assert "\n> Hello Ann," in event.message.text


def test_an_absence_notice_says_it_is_one(sim, hooks, postmark):
    sim.client.set_person("away@eight.example", temperament="auto_reply")
    mail("away@eight.example", postmark).send()
    assert sim.client.settled()
    (event,) = events(hooks, INBOUND, "/postmark/inbound")
    assert event.message["Auto-Submitted"] == "auto-replied"


def test_a_mail_over_smtp_arrives_with_our_message_id(sim, hooks, smtp):
    message = mail(
        "ann@nine.example", smtp, "smtp.example", **{"Message-ID": "<u-1@smtp.example>", "X-PM-Metadata-m": "u-1"}
    )
    assert message.send() == 1
    assert sim.client.settled()
    (received,) = sim.client.ledger(to="ann@nine.example")
    assert (received["message_id"], received["mark"], received["from"]) == (
        "<u-1@smtp.example>",
        "u-1",
        "sam@smtp.example",
    )
    assert received["body"].startswith("Hello Ann,")
    assert "<p>Hello" in received["html"]
    (event,) = events(hooks, path="/smtp/tracking")
    assert (event.event_type, event.message_id, event.metadata) == ("delivered", "u-1@smtp.example", {"m": "u-1"})
    assert sim.client.reply("ann@nine.example", "email", "Thanks!") == 200
    (answer,) = events(hooks, INBOUND, "/smtp/inbound")
    assert answer.message["In-Reply-To"] == "<u-1@smtp.example>"


def test_a_mailbox_that_does_not_exist_is_refused_at_the_door(sim, smtp):
    sim.client.set_person("nobody@ten.example", temperament="bounce")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        mail("nobody@ten.example", smtp, "smtp.example").send()
    assert refused.value.recipients["nobody@ten.example"][0] == 550
    assert sim.client.ledger(to="nobody@ten.example", record="all") == []


def test_a_late_bounce_comes_back_as_a_mail_from_the_daemon(sim, hooks, smtp):
    sim.client.set_person("late@ten.example", temperament="late_bounce")
    mail("late@ten.example", smtp, "smtp.example", **{"Message-ID": "<u-9@smtp.example>"}).send()
    assert sim.client.settled()
    (event,) = events(hooks, INBOUND, "/smtp/inbound")
    assert event.message.envelope_sender == ""
    assert event.message["In-Reply-To"] == "<u-9@smtp.example>"
    assert "Status: 5.1.1" in event.message.text


@pytest.mark.parametrize(
    ("fault", "seen", "arrives"),
    [
        ("accept_then_reset", (smtplib.SMTPServerDisconnected, ConnectionError), 1),
        ({"accept_then_timeout": 20}, smtplib.SMTPServerDisconnected, 1),
        ("reset", (smtplib.SMTPServerDisconnected, ConnectionError), 0),
        ({"timeout": 20}, smtplib.SMTPServerDisconnected, 0),
        ("status_500", smtplib.SMTPRecipientsRefused, 0),
        ({"refuse": "554 5.7.1 Rejected by policy"}, smtplib.SMTPRecipientsRefused, 0),
    ],
)
def test_a_mail_server_that_dies_before_or_after_the_final_dot(sim, smtp, fault, seen, arrives):
    person = f"s{json.dumps(fault)}".encode().hex()[:50] + "@eleven.example"
    sim.client.faults([{"match": {"provider": "smtp", "op": "create", "to": person}, "do": fault, "times": 1}])
    with pytest.raises(seen):
        mail(person, smtp, "smtp.example").send()
    smtp.close()
    assert len(sim.client.ledger(to=person)) == arrives
    assert mail(person, smtp, "smtp.example").send() == 1


def test_the_webhook_password_is_that_of_the_url_and_a_forger_does_not_know_it(sim, hooks, postmark):
    sim.client.faults([{"match": {"op": "create"}, "do": "forged_callback", "times": 1}])
    mail("ann@twelve.example", postmark).send()
    assert sim.client.settled()
    told = [base64.b64decode(h.headers["authorization"].split()[1]).decode() for h in hooks.at("/postmark/tracking")]
    assert told == ["stranger:guess", "hook:secret"]


def test_a_mail_whose_final_dot_has_come_is_kept_though_nobody_waits_for_the_answer(sim):
    """RFC 5321 §6.1: with the end of the data the mail is the server's."""
    sim.client.faults(
        [{"match": {"provider": "smtp", "op": "create", "to": "eve@dot.example"}, "do": {"latency_ms": 300}}]
    )
    with socket.create_connection(("127.0.0.1", sim.smtp_port), timeout=5) as line, line.makefile("rb") as said:
        for word in ("", "HELO us", "MAIL FROM:<sam@smtp.example>", "RCPT TO:<eve@dot.example>", "DATA"):
            if word:
                line.sendall(f"{word}\r\n".encode())
            assert said.readline()[:1] in (b"2", b"3")
        line.sendall(b"Message-ID: <dot-1@smtp.example>\r\nSubject: Roof\r\n\r\nHello\r\n.\r\n")
    (received,) = eventually(lambda: sim.client.ledger(to="eve@dot.example"))
    assert received["message_id"] == "<dot-1@smtp.example>"
