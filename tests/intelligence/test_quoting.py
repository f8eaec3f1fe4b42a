"""Quoted threads and signatures: no word of the person is lost with them, and none of theirs is taken for the person's."""

import pytest

from intelligence.clean import visible_reply

ADDRESS = "<ann@x.example>"


@pytest.mark.parametrize(
    "heading",
    [
        # Gmail, in the languages it speaks
        f"On Mon, 2 Nov 2026 at 09:00, Ann Lee {ADDRESS} wrote:",
        f"El lun, 2 nov 2026 a las 9:00, Ann Lee ({ADDRESS}) escribió:",
        f"Ann Lee {ADDRESS} escreveu (segunda, 2/11/2026 à(s) 09:00):",
        f"man. 2. nov. 2026 kl. 09:00 skrev Ann Lee {ADDRESS}:",
        f"po 2. 11. 2026 o 9:00 Ann Lee {ADDRESS} napísal(a):",
        f"Ann Lee {ADDRESS} ezt írta (időpont: 2026. nov. 2., H, 9:00):",
        f"пн, 2 нояб. 2026 г. в 09:00, Ann Lee {ADDRESS}:",
        f"Ann Lee {ADDRESS}, 2 Kas 2026 Pzt, 09:00 tarihinde şunu yazdı:",
        "\u202bבתאריך יום ב׳, 2 בנוב׳ 2026 ב-9:00 מאת \u202aAnn\u202c\u200f <\u202aann@x.example\u202c\u200f>:\u202c",
        f"في الاثنين، ٢ نوفمبر ٢٠٢٦ في ٩:٠٠ ص تمت كتابة ما يلي بواسطة Ann Lee {ADDRESS}:",
        f"2026年11月2日(月) 9:00 Ann Lee {ADDRESS}:",
        f"Ann Lee {ADDRESS} 于2026年11月2日周一 09:00写道：",
        f"सोम, 2 नव॰ 2026 को 9:00 am बजे को Ann Lee {ADDRESS} ने लिखा:",
        # other programs
        "2. nov. 2026 kl. 09:00 skrev Ann Lee:",
        "Am 02.11.26 um 09:00 schrieb Ann Lee:",
        "Ann Lee kirjoitti 2.11.2026 kello 9.00:",
        f"Ann Lee {ADDRESS} wrote on 11/02/2026 09:00:00 AM:",
        f"---- On Mon, 02 Nov 2026 09:00:00 +0100 Ann Lee {ADDRESS} wrote ----",
        "- Le 2026-11-02 09:00, Ann Lee a écrit :",
        f"Quoting Ann Lee {ADDRESS}:",
        "Ann Lee via Forum wrote:",
        "2026-11-02 09:00 GMT+01:00 Ann Lee",
        f"2026-11-02 9:00 GMT+01:00 Ann Lee <\n{ADDRESS[1:]}:",
        f"Ann Lee <\n{ADDRESS[1:]} schrieb am Montag, 2. November 2026 um 09:00:",
        "-------- Oprindelig besked --------\nFra: Ann\nTil: Bob",
        "*----- Original Message -----*",
        "Forwarded message:\n\n*From:* Ann\n*To:* Bob\n*Date:* 2 Nov",
        "====\n\nMessage du : 02/11/2026 09:00\nDe : Ann\nA : Bob",
        "Date: Mon, 2 Nov 2026 09:00:00 -0600\nTo: bob@x.example",
        "From: Ann Lee <ann@x.example> Sent: Monday, 2 Nov 2026 9:00 AM To: Bob Subject: Roof",
        "От: Ann\n\nОтправлено: 2 ноября 2026 г.\n\nКому: Bob\n\nТема: Roof",
    ],
)  # fmt: skip
def test_what_a_program_puts_above_a_thread_ends_the_reply(heading: str) -> None:
    assert visible_reply(f"Sure, do it.\n\n{heading}\n\nReply STOP to end\n") == "Sure, do it."
    assert visible_reply(f"Sure, do it.\n\n{heading}\n> Reply STOP to end\n") == "Sure, do it."


@pytest.mark.parametrize(
    ("mail", "visible"),
    [
        # in the line of the heading, or in the line above
        (f"STOP On Wed, Apr 4, 2026 at 3:59 PM, Ann {ADDRESS} wrote:\n> in?", "STOP"),
        (f"Stop--- Am 12.03.2026 um 10:00 schrieb Ann {ADDRESS}:\n> da?", "Stop"),
        (f"On Tuesday I am free\nOn Mon, 2 Nov 2026 at 9:00, Ann {ADDRESS} wrote:\n> in?", "On Tuesday I am free"),
        # below a quotation, below a signature, below the line of a telephone
        (f"Hi\n\nSent from my iPhone\n\nOn Mon, 2 Nov 2026 at 9:00, Ann {ADDRESS} wrote:\n> in?\n\nno, stop", "Hi\n\nno, stop"),
        ("Sent from my iPhone\n\nSTOP", "STOP"),
        ("Sure.\n\nRegards,\nBob Roe\n\nPS: no calls please", "Sure.\n\nPS: no calls please"),
        ("> Would Monday suit you for the inspection of the whole roof and the gutter?\nstop\n> Ann", "stop"),
        # what only looks like a heading
        ("Hi Ann,\n\nOn 12 May you wrote:\nwe come.\n\nPlease stop.", "Hi Ann,\n\nOn 12 May you wrote:\nwe come.\n\nPlease stop."),
        ("Hi,\n\nthe answers to the 12 points you wrote:\n1. stop", "Hi,\n\nthe answers to the 12 points you wrote:\n1. stop"),
        ("Hi,\n\nwrite to Bob <bob@x.example> by 5 May 2026 10:00:\nstop", "Hi,\n\nwrite to Bob <bob@x.example> by 5 May 2026 10:00:\nstop"),
        ("Lists:\nFrom: the start\nTo: stop", "Lists:\nFrom: the start\nTo: stop"),
        ("My page: <https://x.example/a\n> and no more", "My page: <https://x.example/a\n> and no more"),
        # what only looks like a signature
        ("Hi,\nThanks,\nplease stop emailing me", "Hi,\nThanks,\nplease stop emailing me"),
        ("Ok\nThanks\nSTOP EMAILING ME", "Ok\nThanks\nSTOP EMAILING ME"),
        ("Yes.\n\n---\n\nBut stop writing to my wife.", "Yes.\n\n---\n\nBut stop writing to my wife."),
        ("First part.\n\n__________\n\nThe second part of what I say.", "First part.\n\n__________\n\nThe second part of what I say."),
        ("Hello!\n- Unsubscribe", "Hello!\n- Unsubscribe"),
        ("Which day?\n- Tuesday", "Which day?\n- Tuesday"),
        ("Yes.\nGet Outlook for my father", "Yes.\nGet Outlook for my father"),
        ("```\n// Sent from the mailer\n```\nThat is the code.", "```\n// Sent from the mailer\n```\nThat is the code."),
    ],
)  # fmt: skip
def test_no_word_of_the_person_is_lost(mail: str, visible: str) -> None:
    assert "\n\n".join(part.strip("\n") for part in visible_reply(mail).split("\n\n") if part.strip()) == visible


@pytest.mark.parametrize(
    "signature",
    [
        "Download Outlook for Android<https://aka.example/x>",
        "Télécharger Outlook pour iOS<https://aka.example/x>",
        "Outlook für iOS beziehen<https://aka.example/x>",
        "Sent from TypeApp<https://x.example/r?b=1>",
        "[Sent from Yahoo Mail on Android](https://x.example)",
        "Sent from my iPhone. Please excuse any typos.",
        "Sent via the Samsung Galaxy S21, an AT&T 5G smartphone",
        "Sent wirelessly from my BlackBerry device on the Bell network.\nEnvoyé sans fil par mon terminal mobile BlackBerry sur le réseau de Bell.",
        "Надіслано з iPhone",
        "أُرسلت من الـ iPhone",
        "發自我的 iPhone",
        "iPhone'umdan gönderildi",
        "-Lev.\n\nSent from my HTC smartphone!",
        "/John",
        "Udv\nAnna",
        "---\nBob Roe\nRoofs Ltd",
        "—————\nBob Roe\nbob@x.example",
        "Kind regards\nBob Roe\nHead of Sales\nCall: 555 010 0100",
        "Regards\nBob\n\nThis e-mail is confidential and intended only for the person it is addressed to; if that is not you, tell us.",
    ],
)  # fmt: skip
def test_a_signature_goes(signature: str) -> None:
    assert visible_reply(f"Yes, please come.\n\n{signature}\n") == "Yes, please come."


WROTE = "On Mon, Nov 2, 2026 at 9:00 AM Ann &lt;ann@x.example&gt; wrote:"


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        (f"<p>Hi</p><div>{WROTE}</div><blockquote type='cite'>Reply STOP</blockquote><p>no, stop</p>", "Hi no, stop"),
        ("<p>Hi</p><blockquote type='cite'>Reply STOP</blockquote><p>no</p><blockquote type='cite'>when?</blockquote>noon", "Hi no noon"),
        ("<p id='reply-intro'>On 2026-11-02 Ann wrote:</p><blockquote type='cite'>STOP</blockquote><p>at noon</p>", "at noon"),
        ("<p>Hi</p><blockquote style='border-left: 1px solid #ccc'>STOP</blockquote><p>ok</p>", "Hi ok"),
        ("<div>ok</div><hr id='zwchr'><div><b>From: </b>Ann</div>STOP", "ok"),
        ("<div>ok</div><hr id='stopSpelling'>Date: today<br>STOP", "ok"),
        ("<div>ok</div><div id='ydp1ayahoo_quoted_12'>STOP</div>", "ok"),
        ("<div>ok</div><div id='x_divRplyFwdMsg'>From: Ann</div>STOP", "ok"),
        ("<div>ok</div><div name='quote' style='border-left: 2px solid'>STOP</div>", "ok"),
        ("<div>ok</div><div name='messageReplySection'>STOP</div>", "ok"),
        ("<p>ok</p><p><b>From:</b> Ann</p><p><b>Sent:</b> Monday</p><p><b>To:</b> Bob</p><p>STOP</p>", "ok"),
        ("<p>She said:</p><blockquote>at noon</blockquote><p>Fine?</p><blockquote>old</blockquote>", "She said: at noon Fine?"),
    ],
)  # fmt: skip
def test_html_is_quoted_as_its_program_says(html: str, visible: str) -> None:
    assert " ".join(visible_reply("", html=html).split()) == visible
