"""Whole mails as strangers' programs write them: whoever wrote is told right, and no header can lose what was written."""

import time

import pytest

from sequences.charsets import text_in
from sequences.models import Sender
from sequences.signals import MailReceived
from sequences.webhooks import sendgrid
from sequences.webhooks.mime import person_of, received
from tests.sequences.webhooks.mailers import parsed_mail
from tests.sequences.webhooks.requests import events, knock

HANS = "hans@people.example"


@pytest.mark.parametrize(
    ("line", "person"),
    [
        (f"Hans <{HANS}>", (HANS, "Hans")),
        (HANS.upper(), (HANS, "")),
        (f'"Doe, Hans" <{HANS}>', (HANS, "Doe, Hans")),
        (f"=?utf-8?Q?M=C3=BCller=2C_Hans?= <{HANS}>", (HANS, "Müller, Hans")),
        (f"=?utf-8?Q?Hans_=28at_work=29?= <{HANS}>", (HANS, "Hans (at work)")),
        # A name that is somebody else's address stays a name.
        (f"=?utf-8?Q?boss=40people.example?= <{HANS}>", (HANS, "boss@people.example")),
        (f"=?utf-8?Q?Boss_=3Cboss=40people.example=3E?= <{HANS}>", (HANS, "Boss <boss@people.example>")),
        (f'"boss@people.example" <{HANS}>', (HANS, "boss@people.example")),
        # Decoded by a server before us, without the quotes that the name then needs.
        (f"Müller, Hans <{HANS}>", (HANS, "Müller, Hans")),
        # A program that encodes the whole line.
        ("=?utf-8?Q?Hans_=3Chans=40people.example=3E?=", (HANS, "Hans")),
        ("undisclosed", ("undisclosed", "")),
    ],
)
def test_who_wrote_a_mail(line: str, person: tuple[str, str]) -> None:
    assert person_of(line) == person
    mail = received(f"From: {line}\r\nSubject: hi\r\n\r\nhello".encode(), provider_id="m")
    assert mail.sender == person[0]


@pytest.mark.parametrize(
    "charset",
    ["undefined", "idna", "punycode", "unicode_escape", '"utf\x008"', "rot13", "hex", "klingon", "utf-8; x*", ""],
)
@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "klingon"])
def test_no_charset_and_no_odd_header_loses_the_words(charset: str, encoding: str) -> None:
    head = (
        f"From: {HANS}\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
    )
    mail = received(head.encode() + b"STOP \xff\xfe please", provider_id="m")
    assert mail.sender == HANS
    assert mail.text.startswith("STOP ")
    assert mail.text.endswith(" please")


def test_a_mail_nested_beyond_reason_is_kept_as_the_text_it_is() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000))
    began = time.monotonic()
    mail = received(f"From: {HANS}\r\n".encode() + nested + b"\r\nSTOP", provider_id="m")
    assert (mail.sender, mail.text[-4:]) == (HANS, "STOP")
    assert time.monotonic() - began < 30


def test_a_charset_is_read_by_its_name_and_broken_bytes_are_marked() -> None:
    assert text_in("Grüße".encode("latin-1"), "ISO-8859-1", otherwise="utf-8") == "Grüße"
    assert text_in(b"a\xff", "utf-8", otherwise="latin-1") == "a\ufffd"
    assert text_in(b"a\xff", "klingon", otherwise="latin-1") == "aÿ"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["undefined", "idna", "utf\x008", "klingon"])
def test_a_form_whose_charset_is_none_is_stored_with_its_words(grid: Sender, charset: str) -> None:
    """The charset is the one that the mail's writer named."""
    assert knock(parsed_mail(grid, text="STOP", charsets=f'{{"text": "{charset}"}}'.replace("\x00", "\\u0000"))) == [
        200
    ]
    [event] = events()
    [mail] = sendgrid.parse(event.kind, event.body, "")
    assert isinstance(mail, MailReceived)
    assert mail.text == "STOP"
