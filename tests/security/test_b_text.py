"""4-reliability §4 B10, B11: no word of anybody's becomes a header of a mail, and none keeps a processor busy."""

# ruff: noqa: E501

import email
import email.policy
import json
import time
from collections.abc import Callable
from contextlib import suppress
from email.errors import MessageError
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from liquid.exceptions import LiquidError

from contacts.addresses import normalised
from intelligence import autoreply, clean, gate, markup, signature
from sequences import bounces, render
from sequences.footer import with_footer
from sequences.transports import mail as mails
from sequences.transports import postmark, smtp
from sequences.transports.base import Outbound, Refused

# --- B10 ---------------------------------------------------------------------------------------------------------

BREAKS = (
    "\r\n",
    "\n",
    "\r",
    "\r\n ",
    "\n\t",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0b",
    "\x0c",
    "\x00\n",
    "%0d%0a",
    "=?utf-8?q?=0d=0a?=",
    "\\r\\n",
    "\r\r\n",
)
INJECTIONS = [f"Pat{each}Bcc: victim@evil.example" for each in BREAKS] + [
    f"Pat{each}X-Owned: yes{each}{each}<script>body</script>" for each in BREAKS
]
# What a mail of ours may carry. Anything else came from somebody's text.
OURS = {
    "content-type", "mime-version", "subject", "from", "to", "date", "message-id", "reply-to", "list-unsubscribe",
    "list-unsubscribe-post", "content-transfer-encoding",
}  # fmt: skip


def outbound(**changes: Any) -> Outbound:
    given: dict[str, Any] = {
        "mark": "0199c0de-0000-7000-8000-00000000000a", "channel": "email", "to": "pat@people.example", "sender": "hello@acme.example",
        "config": {}, "credentials": {"server_token": "token", "password": ""}, "text": "Hello", "callback_base": "", "valid_for": 60,
        "subject": "Hi", "html": "<p>Hello</p>", "headers": {"List-Unsubscribe": "<https://omnify.example/u/x>"},
    }  # fmt: skip
    return Outbound(**given | changes)


PLACES: dict[str, Callable[[str], Outbound]] = {
    "subject": lambda text: outbound(subject=text),
    "from name": lambda text: outbound(config={"from_name": text}),
    "reply-to": lambda text: outbound(config={"reply_to": text}),
    "reply-to address": lambda text: outbound(config={"reply_to": f"a@acme.example{text}"}),
    "from address": lambda text: outbound(sender=f"hello@acme.example{text}"),
    "recipient": lambda text: outbound(to=f"pat@people.example{text}"),
    "body": lambda text: outbound(text=text),
    "html": lambda text: outbound(html=text),
}


def headers_of(raw: bytes) -> tuple[set[str], list[str]]:
    """(header names in lower case, every recipient named in a header) as a mail server would read them."""
    read = email.message_from_bytes(raw, policy=email.policy.SMTP)
    named = [str(value) for name in ("to", "cc", "bcc") for value in read.get_all(name, [])]
    return {name.lower() for name in read.keys()}, named  # noqa: SIM118 (a message is no dict)


def test_b10_there_are_thirty_of_them() -> None:
    assert len(INJECTIONS) == 30


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", INJECTIONS, ids=repr)
def test_b10_no_text_becomes_a_header_of_a_mail(place: str, text: str) -> None:
    """Built as both ways out build it: Django's SMTP backend, and what anymail hands to Postmark."""
    try:
        letter: EmailMessage = mails.compose(PLACES[place](text), None)
        raw = letter.message().as_bytes()
    except (ValueError, MessageError):  # refused before anything is sent: Django's BadHeaderError is one
        return
    names, recipients = headers_of(raw)
    assert names <= OURS, names
    assert not [each for each in recipients if "victim@evil.example" in each and "pat@people.example" not in each]


@pytest.fixture
def server(tmp_path: Any) -> Any:
    """The simulator, with its real SMTP server and its Postmark."""
    from omnify.simulator.running import running_simulator

    with running_simulator(tmp_path / "simulator", seed=1) as simulator:
        yield simulator


@pytest.mark.parametrize("place", ["subject", "from name", "reply-to", "recipient", "body"])
def test_b10_over_a_real_smtp_connection_nobody_else_gets_the_mail(server: Any, place: str) -> None:
    from omnify.simulator.client import SimulatorClient

    sent, refused = 0, list[str]()
    for text in INJECTIONS:
        asked = PLACES[place](text)
        object.__setattr__(asked, "server", ("127.0.0.1", server.smtp_port))
        try:
            smtp.send(asked)
            sent += 1
        except Refused as refusal:
            refused.append(refusal.code)
    assert {code for code in refused if code != "unsendable" and not code.startswith("5")} == set()
    client = SimulatorClient(server.base_url)
    try:
        kept = json.dumps(client.ledger())
    finally:
        client.close()
    rows = [row for row in json.loads(kept) if "victim@evil.example" in str(row.get("to", ""))]
    assert rows == []
    assert sent > 0 or place in ("recipient", "reply-to")
    assert settings.EMAIL_HOST == "127.0.0.1"


def test_b10_postmark_is_told_of_no_other_recipient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaves for Postmark is JSON; each field is one value, whatever stands in it."""
    import requests

    bodies: list[dict[str, Any]] = []

    def caught(self: Any, method: str, url: str, **options: Any) -> Any:
        bodies.append(json.loads(options["data"]))
        raise requests.ConnectionError("caught")

    monkeypatch.setattr(requests.Session, "request", caught)
    for place in ("subject", "from name", "reply-to", "recipient"):
        for text in INJECTIONS:
            with pytest.raises(Exception, match=r"."):
                postmark.send(PLACES[place](text))
    assert len(bodies) > 30
    for body in bodies:
        assert not {"Cc", "Bcc", "X-Owned"} & set(body)
        assert "victim" not in body["To"] or "pat@people.example" in body["To"]
        assert {each["Name"].lower() for each in body.get("Headers", [])} <= OURS | {"x-pm-keepid"}
        for each in body.get("Headers", []):
            assert "\n" not in each["Value"]
            assert "\r" not in each["Value"]


# --- B11 ---------------------------------------------------------------------------------------------------------

LENGTH = 100_000
# These take milliseconds for each kilobyte, and read no more than so much of a text anyway (test below).
SHORTER = {"gate": 16_000, "gate of mail": 16_000, "classify": 16_000}
# A text twice as long may take three times as long, and whatever takes less than this is not measured at all.
GROWTH, NOISE = 3.0, 0.15
HOSTILE = {
    "one letter": "a", "spaces": " ", "blank lines": "\n", "quotes": "> ", "nested quotes": ">", "stop": "stop ", "don't text": "don't text ",
    "please": "please please ", "no": "no no not ", "dashes": "-", "underscores": "_ ", "tags": "<", "closed tags": "<a>", "open tags": "<div ",
    "attributes": "<a b='", "comments": "<!--", "entities": "&amp;", "numbers": "1 ", "phones": "+1 212 555 ", "mail": "a@", "mails": "a@b.c, ",
    "colons": "From: ", "headers": "Subject: x\n", "attributions": "On Mon, 1 Jan 2024 at 10:00, ", "wrote": "wrote:\n", "five": "5.", "codes": "550 5.1.1 ",
    "angles": "<<<>>>", "zero width": "s\u200bt\u200bo\u200bp ", "combining": "e\u0301\u0301\u0301", "emoji": "👩‍👩‍👧‍👦", "right to left": "\u202e\u202d", "leet": "5t0p ",
    "tabs": "\t \t", "carriage returns": "\r", "liquid": "{{ a", "liquid tags": "{% if ", "braces": "{", "pipes": "{{ a | ", "brackets": "[(", "commas": ",", "boundary": "--x\n",
    "encoded words": "=?utf-8?q?=41?= ", "semicolons": ";a=", "json": '{"a":', "arrays": "[", "repeats": "ab" * 7 + "c",
}  # fmt: skip


def liquid(text: str) -> None:
    with suppress(render.TemplateProblem, LiquidError):  # refusing is fine; only the time counts
        render.render_all({"body": render.compile_template(text[:20_000])}, {"a": "x"})


READERS: dict[str, Callable[[str], Any]] = {
    "gate": lambda text: gate.read(text),
    "gate of mail": lambda text: gate.read(text, channel="email", subject=text),
    "visible reply": lambda text: clean.visible_reply(text),
    "visible reply of HTML": lambda text: clean.visible_reply("", html=text),
    "markup": lambda text: markup.text_of_html(text),
    "signature": lambda text: signature.without_signature(text.splitlines()),
    "auto reply": lambda text: autoreply.is_auto_reply({"Subject": text[:1000], "Auto-Submitted": text}, text, text),
    "bounces": lambda text: bounces.parse(text.encode("utf-8", "replace")),
    "bounces in a mail": lambda text: bounces.parse(
        b"Content-Type: text/plain\r\nSubject: failure\r\n\r\n" + text.encode("utf-8", "replace")
    ),
    "classify": lambda text: bounces.classify(text, text, text),
    "address": lambda text: normalised(text),
    "footer": lambda text: with_footer(text, business=text, address=text, unsubscribe="x"),
    "liquid": liquid,
}


def seconds(reader: Callable[[str], Any], text: str) -> float:
    """Processor time of one reading: the machine's other work does not count."""
    began = time.process_time()
    reader(text)
    return time.process_time() - began


@pytest.mark.parametrize("name", READERS)
def test_b11_a_hostile_text_twice_as_long_takes_no_more_than_three_times_as_long(name: str) -> None:
    reader, slow = READERS[name], []
    for kind, piece in HOSTILE.items():
        longest = SHORTER.get(name, LENGTH)
        half, whole = (piece * (length // len(piece) + 1) for length in (longest // 2, longest))
        reader(half[:1000])  # what is compiled once is not this text's fault
        takes = seconds(reader, whole)
        if takes < NOISE:
            continue
        # The quicker of two: a collector's pause is not growth.
        before = min(seconds(reader, half) for _ in range(2))
        takes = min(takes, seconds(reader, whole))
        if takes > NOISE and takes > GROWTH * max(before, NOISE / GROWTH):
            slow.append(f"{kind}: {before:.3f} s, twice as long {takes:.3f} s")
    assert not slow


@pytest.mark.parametrize("kind", ["don't text", "blank lines", "emoji"])
def test_b11_what_reads_every_text_that_comes_in_takes_no_longer_for_a_book(kind: str) -> None:
    piece = HOSTILE[kind]
    page, book = (seconds(gate.read, piece * (length // len(piece))) for length in (16_000, 160_000))
    assert book < GROWTH * max(page, NOISE)


@pytest.mark.parametrize(
    "source",
    [
        "{{ settings.SECRET_KEY }}",
        "{{ settings }}",
        "{{ request.user.password }}",
        "{{ contact._meta }}",
        "{{ ''.__class__ }}",
        "{{ self }}",
        "{{ first_name.__init__.__globals__ }}",
    ],
)
def test_b11_a_template_sees_nothing_but_the_variables(source: str) -> None:
    try:
        text = render.render_all({"body": render.compile_template(source)}, {"first_name": "Pat"})["body"]
    except Exception as problem:  # noqa: BLE001 - refusing is the better answer
        text = str(problem)
    assert settings.SECRET_KEY not in text
    assert "object at" not in text
    assert "<class" not in text


def test_the_clock_of_these_tests_sees_a_slow_reader() -> None:
    def quadratic(text: str) -> int:
        return sum(1 for n in range(0, len(text), 40) for _ in range(0, n, 40))

    before, after = seconds(quadratic, "a" * 50_000), seconds(quadratic, "a" * 100_000)
    assert after > GROWTH * before
