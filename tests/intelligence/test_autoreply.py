"""What machines write is told from what people write who say that they are away."""

import time

import pytest

from intelligence.autoreply import is_auto_reply

ANN = {"From": "Ann <ann@x.example>"}


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"X-Apple-Action": "VACATION"}, "away"),
        ({"X-Auto-Response-Suppress": "All", "X-MS-Exchange-Inbox-Rules-Loop": "ann@x.example"}, "away"),
        ({"X-POST-MessageClass": "9; Autoresponder"}, "away"),
        ({"X-MessageClass": "IPM.Note.Rules.OofTemplate.Microsoft"}, "away"),
        ({"Delivered-To": "Autoresponder"}, "away"),
        ({"X-Mailer": "vacation 1.2"}, "away"),
        ({"X-Mailer": "Microsoft Outlook 16.0"}, None),
        ({"X-Zarafa-Vacation": "yes"}, "machine"),
        ({"X-Autoreply": "false"}, None),
        ({"X-Auto-Reply": "no"}, None),
        ({"Return-Path": " "}, "bounce"),
        ({"Content-Type": "multipart/alternative; boundary=report"}, None),
    ],
)
def test_headers(headers: dict[str, str], kind: str | None) -> None:
    seen = is_auto_reply(headers, "Roof", "hello")
    assert (seen.kind if seen else None) == kind


@pytest.mark.parametrize("name", "alerts daemon automated listserv nobody owner-list list-request no-reply".split())
def test_programs_write_from_names_of_their_own(name: str) -> None:
    assert is_auto_reply({"From": f"<{name}@x.example>"})


@pytest.mark.parametrize("name", "info support webmaster autumn danielle autobody rooter.paul bounceball".split())
def test_people_have_names_that_begin_alike(name: str) -> None:
    assert is_auto_reply({"From": f"<{name}@x.example>"}) is None


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("I'm away from the office until 3 May", "away"),
        ("OOF: roof", "away"),
        ("[Auto-Reply] roof", "away"),
        ("Respuesta automatica: tejado", "away"),
        ("Resposta automàtica: teulada", "away"),
        ("Automatická odpoveď: strecha", "away"),
        ("Αυτόματη απάντηση: στέγη", "away"),
        ("Автоматичен отговор: покрив", "away"),
        ("Automatski odgovor: krov", "away"),
        ("Trả lời tự động: mái nhà", "away"),
        ("Nicht im Büro bis 3.5.", "away"),
        ("Urlaub bis 3.5.", "away"),
        ("On vacation until 3 May", "away"),
        ("Undeliverable: roof", "bounce"),
        ("Undelivered Mail Returned to Sender", "bounce"),
        ("Unzustellbar: Dach", "bounce"),
        ("Urlaub an der See", None),
        ("Férias no Algarve", None),
        ("On vacation rentals", None),
        ("Automatic gate for the drive", None),
        ("[Automotive] a quote", None),
        ("Delivery failure of the tiles", None),
        ("Undeliverable parcel at your door", None),
        ("Takeaway from our call", None),
        ("不在時の連絡先について", None),
    ],
)
def test_subjects(subject: str, kind: str | None) -> None:
    seen = is_auto_reply(ANN, subject, "x")
    assert (seen.kind if seen else None) == kind


@pytest.mark.parametrize(
    "body",
    [
        "I'm on annual leave until 4 May with limited access to email.",
        "I will be travelling for work on 1-3 May. I will have intermittent access to email.",
        "Our office is closed for the holidays and opens again on 2 January.",
        "I am out of office this week. Sorry for any inconvenience. Should you need anything, contact Bob.",
        "I'm out of the office until Monday. If it is urgent, call me on 555 0100.",
        "This message was generated automatically.",
        "We have received your request and will get back to you within two days.",
        "Ich bin bis zum 20. nicht im Büro. In dringenden Fällen rufen Sie mich an.",
        "Je suis absente jusqu'au 5. En cas d'urgence, appelez-moi.",
        "Estaré de vacaciones hasta el 3.",
        "Olen lomalla maanantaihin asti.",
        "Jsem na dovolené do pondělí.",
        "Szabadságon vagyok hétfőig.",
        "Pazartesiye kadar izindeyim.",
        "Я у відпустці до понеділка.",
        "ただいま夏季休暇中です。",
    ],
)
def test_notices_are_recognised_by_what_they_begin_with(body: str) -> None:
    assert is_auto_reply(ANN, "", body)


@pytest.mark.parametrize(
    "body",
    [
        "I am out of office on Friday, call me Monday",
        "I'm away until the 5th - ring me then",
        "I'm away next week but let's talk after that.",
        "Sorry for the late reply, I was out of the office last week.",
        "I was on vacation until yesterday, so only now: yes.",
        "Sounds good. I am travelling until Thursday, Friday works.",
        "Not interested, and please stop. I'm on leave until June.",
        "I'm unavailable from 2 to 4 tomorrow, any other time works.",
        "My wife is on vacation until Sunday, I decide with her then.",
        "We are currently out of budget.",
        "That model is currently unavailable, we took another one.",
        "This is an automatic gate, we want a manual one.",
        "Can you send the automatic reply settings too",
        "Ich bin bis Freitag im Urlaub, rufen Sie mich am Montag an.",
        "Je suis en vacances jusqu'à lundi, rappelez-moi mardi.",
        "Estoy de vacaciones hasta el lunes, llámame el martes.",
        "Sono in ferie fino a lunedì, chiamami martedì.",
        "Ik ben op vakantie tot maandag, bel me dinsdag.",
        "Estou de férias até segunda, me liga na terça.",
        "来週休暇を取りますので、その後に電話してください。",
    ],
)
def test_a_person_may_say_that_they_are_away_and_when_to_call(body: str) -> None:
    assert is_auto_reply(ANN, "", body) is None
    assert is_auto_reply(ANN, "AW: Dach", body) is None


@pytest.mark.parametrize(
    ("body", "automatic"),
    [
        ("I am on leave until Monday.", False),
        ("Thank you for your message. I am on leave until Monday.", True),
        ("Thank you for your message. I am on leave until Monday, let's talk then.", False),
        ("This is an automated response.", True),
    ],
)
def test_below_re_a_notice_must_begin_as_notices_do(body: str, automatic: bool) -> None:
    for subject in ("Re: roof", "AW: Dach", "RE[2]: roof", "回复: 屋顶"):
        assert (is_auto_reply(ANN, subject, body) is not None) == automatic


@pytest.mark.parametrize(
    "piece", ["auto ", "I am out ", "this is an ", "ich bin a ", "a" * 40 + "@", "owner-", "re:", "no "]
)
def test_a_hostile_mail_costs_little(piece: str) -> None:
    text = piece * 50_000
    started = time.perf_counter()
    is_auto_reply({"From": text, "X-Mailer": text, "Subject": text, "Content-Type": text}, text, text)
    assert time.perf_counter() - started < 1
