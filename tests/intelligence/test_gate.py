"""The gate: whoever asks to be left alone is, whoever merely writes the word "stop" is not."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.gate import ALL, EMAIL, PHONE, VOICE, read
from intelligence.gate.words import distance

DATA = Path(__file__).parents[3] / "shared" / "data" / "opt_out"

KEYWORDS = """
STOP | stop. | Stop!!! | "stop" | STOPALL | Stop all | END | quit | Cancel | UNSUBSCRIBE | revoke | OPT OUT | opt-out | OptOut
remove | ARRET | arrêt | TD | ALTO | parar | No más | cancelar | BAJA | sair | PARE | stopp | Arrêtez | abmelden
please stop | STOP please | stop now | Stop it | stop, thanks | STOP STOP STOP | ok stop | pls unsubscribe | unsubscribe me
🛑 | ✋ | stop 🛑 | ＳＴＯＰ | s t o p | S.T.O.P. | S-T-O-P | st0p | $top | stoppp | STOOOOP | st\u200bop | s\u0442op | sto\u0440
stpo | sotp | sttop | stip | dtop | cancle | cansel | unsuscribe | unsubscibe | unsubsribe | qiut | remvoe | edn | стоп | 退订 | توقف | הסר
""".replace("\n", "|").split("|")

REVOCATIONS = """
don't text me | Don’t text me anymore | do not contact me again | please stop texting me | Stop sending me these
take me off your list | take me off this damn list | remove me from your contacts | get me off your call list please
lose my number | leave me alone | Leave me the hell alone | no more messages | no more texts please | remove my number
delete my number | I want to unsubscribe | I revoke my consent | I withdraw consent to be contacted | how do I unsubscribe?
never contact me again | I don't want to hear from you | i dont want any more of your emails | quit calling me
can you please stop calling | you need to stop | I said stop | I already texted STOP twice | I asked you to stop
cease all contact | stop bothering me | stop emailing | opt me out of this | I'd like to opt out | I am opting out
please remove me | Remove me please | go away | get lost | I'm blocking you | do not ever call this number again
I no longer wish to receive texts | We do not wish to be contacted | I would rather not be contacted | no thanks, stop texting
thanks but please take me off the list | not interested, please remove me | Not interested. Stop. | wtf stop messaging me
STOP I already bought a car | Stop texting my phone | please don't message this number | delete all my data
enough with the texts | I asked you three times to stop | I'd prefer not to receive these messages | stahp | stay out of my inbox
leave me tf alone | stop pls n thanks
not interested whatsoever | make these texts stop | st0p texting me | do not send me anything else | No. Stop! I am at work
""".replace("\n", "|").split("|")

ABROAD = [
    ("no me escriban más", "es"),
    ("Por favor dejen de llamarme", "es"),
    ("ya no quiero recibir mensajes", "es"),
    ("Quiero darme de baja", "es"),
    ("quítenme de su lista", "es"),
    ("déjenme en paz", "es"),
    ("Ne me contactez plus", "fr"),
    ("arrêtez de m'envoyer des sms", "fr"),
    ("je ne veux plus recevoir vos messages", "fr"),
    ("Laissez-moi tranquille", "fr"),
    ("supprimez mon numéro svp", "fr"),
    ("Bitte keine Nachrichten mehr", "de"),
    ("Rufen Sie mich nicht mehr an", "de"),
    ("lassen Sie mich in Ruhe", "de"),
    ("Löschen Sie meine Nummer", "de"),
    ("não me mande mais mensagens", "pt"),
    ("parem de me ligar", "pt"),
    ("me tira da lista", "pt"),
    ("não quero receber mais nada", "pt"),
    ("quero sair dessa lista", "pt"),
    ("não entrem em contato comigo", "pt"),
    ("cancelem meu cadastro por favor", "pt"),
    ("revogo o meu consentimento", "pt"),
    ("quiero cancelar la suscripción a sus mensajes", "es"),
    ("revoco mi consentimiento", "es"),
    ("arrêtez s'il vous plaît", "fr"),
    ("unterlassen Sie bitte weitere Anrufe", "de"),
    ("melden Sie mich bitte ab", "de"),
    ("ritiro il mio consenso", "it"),
    ("Non scrivetemi più", "it"),
    ("не пишите мне больше", "ru"),
]

HARMLESS = """
Stop by tomorrow? | can you stop by at 3? | I can't stop thinking about it | I'll stop at your office | the bus stop is fine
when does the offer end? | at the end of the week | we could not stop laughing | I quit my job last month | yes remove the old invoice
the rain will stop soon | don't forget to call me | please don't hesitate to call me | Call me at the end of the day
my husband never texts me back | He needs to stop calling his ex | she quit | I never got your message | is there a cancellation fee?
what time do you open? | sounds good, how much? | yes | no | YES please | the end | sent | send | shop | top | step | and | quite | quiet
does the price include removal? | I'd like more info on pricing | can you start on monday? | let's start tomorrow | I need help with my order
you have no more texts left in your plan? | why don't you call me tomorrow | I don't text while driving, call me | removed the old roof myself
I have no more questions | it never ends lol | non stop flights? | stop and shop is next door | do you take american express
I'll stop at the store on my way | please don't stop sending the offers | did you stop selling it? | why did you stop the promotion
n'oubliez pas de me rappeler | não esqueça de me ligar amanhã | I'd prefer not to wait
""".replace("\n", "|").split("|")

DOUBTFUL = """
cancel my appointment and rebook for friday | don't call me before noon | take me off the waitlist for now | this is spam
please don't text while I'm at work | how did you get my number? | I never signed up for this | STOP! haha you're killing me
don't call, email me instead | quit sending the invoice to my old office | Cancel that
don't bother, I'll pick it up myself | ¿puedo dar de baja una línea de mi contrato? | no me manden el azul, mejor el verde
""".replace("\n", "|").split("|")


def _texts(table: list[str]) -> list[str]:
    return [text.strip() for text in table if text.strip()]


@pytest.mark.parametrize("text", _texts(KEYWORDS))
def test_a_keyword_however_typed_is_a_stop(text: str) -> None:
    gate = read(text)
    assert gate.verdict == "opt_out"
    assert gate.quote in text
    assert gate.scope >= PHONE


@pytest.mark.parametrize("text", _texts(REVOCATIONS))
def test_consent_taken_back_in_plain_words_is_a_stop(text: str) -> None:
    gate = read(text)
    assert (gate.verdict, gate.quote in text and bool(gate.quote)) == ("opt_out", True), gate


@pytest.mark.parametrize(("text", "language"), ABROAD)
def test_consent_can_be_taken_back_in_other_languages(text: str, language: str) -> None:
    gate = read(text)
    assert (gate.verdict, gate.language) == ("opt_out", language)


@pytest.mark.parametrize("text", _texts(HARMLESS))
def test_a_word_that_looks_like_a_stop_does_not_silence_a_conversation(text: str) -> None:
    gate = read(text)
    assert gate.verdict in ("none", "help"), gate


@pytest.mark.parametrize("text", _texts(DOUBTFUL))
def test_on_doubt_a_person_looks_first(text: str) -> None:
    gate = read(text)
    assert (gate.verdict, gate.scope) == ("hold", frozenset()), gate


@pytest.mark.parametrize(
    ("text", "channel", "scope"),
    [
        ("STOP", "sms", PHONE),
        ("stop", "voice", PHONE),
        ("unsubscribe", "email", EMAIL),
        ("Stop calling me", "sms", VOICE),
        ("don't call me again", "voice", VOICE),
        ("quit ringing us", "email", VOICE),
        ("dejen de llamarme", "sms", VOICE),
        ("rufen Sie mich nicht mehr an", "voice", VOICE),
        ("stop calling and texting me", "sms", PHONE),
        ("stop calling this number", "sms", PHONE),
        ("stop calling my phone", "voice", PHONE),
        ("stop texting me", "sms", PHONE),
        ("stop emailing me", "sms", EMAIL),
        ("please stop texting me", "email", PHONE),
        ("don't call or email me again", "sms", ALL),
        ("stop contacting me", "sms", ALL),
        ("never contact me again", "email", ALL),
        ("remove me from everything", "sms", ALL),
        ("STOPALL", "sms", ALL),
        ("take me off your list", "email", EMAIL),
        ("I revoke my consent", "sms", ALL),
    ],
)
def test_the_words_decide_which_channels_are_closed(text: str, channel: str, scope: frozenset[str]) -> None:
    gate = read(text, channel=channel)  # type: ignore[arg-type]
    assert (gate.verdict, gate.scope) == ("opt_out", scope), gate


@pytest.mark.parametrize(
    ("text", "verdict", "rule"),
    [
        ("You'll hear from my lawyer", "complaint", "lawyer"),
        ("I will report you to the FCC", "complaint", "legal threat"),
        ("This is harassment", "complaint", "harassment"),
        ("That violates the TCPA", "complaint", "law"),
        ("I want my money back", "complaint", "refund"),
        ("You have the wrong number", "wrong_number", "wrong number"),
        ("numero equivocado", "wrong_number", "wrong number"),
        ("She passed away in March", "wrong_number", "deceased"),
        ("my mother passed away, can we talk next week", "hold", "deceased"),
        ("im 13", "hold", "minor"),
        ("Can I talk to a real person", "human", "a human please"),
        ("are you a bot?", "human", "asked whether we are a machine"),
    ],
)
def test_what_a_person_must_see_is_named(text: str, verdict: str, rule: str) -> None:
    gate = read(text)
    assert (gate.verdict, gate.rule) == (verdict, rule), gate


def test_a_threat_closes_every_channel_and_a_refund_closes_none() -> None:
    assert read("my attorney will contact you").scope == ALL
    assert read("I want a refund").scope == frozenset()


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("START", "opt_in"),
        ("unstop", "opt_in"),
        ("Subscribe", "opt_in"),
        ("start please", "opt_in"),
        ("YES", "none"),
        ("start tomorrow?", "none"),
        ("strat", "none"),
        ("when can we start", "none"),
        ("HELP", "help"),
        ("info", "help"),
        ("ayuda", "help"),
        ("can you help my wife too", "none"),
    ],
)
def test_only_the_whole_message_opens_again_or_asks_for_help(text: str, verdict: str) -> None:
    assert read(text).verdict == verdict


@pytest.mark.parametrize(
    "text", ["not interested", "No thank you", "we already have someone", "no me interesa", "kein Interesse"]
)
def test_a_polite_no_closes_nothing_and_is_marked(text: str) -> None:
    gate = read(text)
    assert (gate.verdict, gate.not_interested) == ("none", True)


@pytest.mark.parametrize(
    "text",
    [
        "Sale ends Sunday! Reply STOP to opt out",
        "To unsubscribe, text STOP to 12345. What is this about?",
        "Great offer. Txt STOP 2 end. Msg&data rates may apply",
        "You can unsubscribe at any time by clicking the link below",
        "Sounds good!\n> Reply STOP to unsubscribe",
    ],
)
def test_an_instruction_quoted_from_a_campaign_is_nobodys_wish(text: str) -> None:
    assert read(text).verdict != "opt_out"
    assert read(text, channel="email").verdict != "opt_out"


def test_an_instruction_does_not_hide_the_persons_own_words() -> None:
    assert read("Reply STOP to opt out. lol I did. stop texting me").verdict == "opt_out"
    assert read("Below your quote: please take me off your list\n> Reply STOP", channel="email").verdict == "opt_out"
    assert read("> Reply STOP to opt out\n\nunsubscribe me please", channel="email").verdict == "opt_out"


def test_the_subject_of_a_mail_counts_when_it_is_the_keyword() -> None:
    assert read("", channel="email", subject="Unsubscribe").verdict == "opt_out"
    assert read("thanks!", channel="email", subject="Re: how to stop churn").verdict == "none"


def test_a_wish_at_either_end_of_a_very_long_mail_is_found() -> None:
    filler = "We talked about the weather and the roof. " * 2_000
    for text in (f"Please stop contacting me. {filler}", f"{filler} Take me off your list."):
        gate = read(text, channel="email")
        assert gate.verdict == "opt_out"
        assert gate.quote in text


@pytest.mark.parametrize(
    "piece",
    ["stop ", "dont you ever please keep ", "a", "remove my ", "no me nos ", "reply stop ", "to stop a b ", " ", "\u200b", "é", "🛑", "nie ",
     "take me off the ", "stop all the damn ", "i said you with to the ", "if you a b c ", "click a b c d ", "text text stop "],
)  # fmt: skip
def test_a_hostile_text_costs_little(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    read(text)
    started = time.perf_counter()
    gate = read(text)
    assert time.perf_counter() - started < 0.25
    assert gate.quote in text


@given(st.text(max_size=80))
def test_any_text_gives_a_verdict_and_an_honest_quote(text: str) -> None:
    gate = read(text)
    assert gate.quote in text
    assert gate.scope <= ALL


def test_distance_counts_a_swap_as_one() -> None:
    assert [
        distance(a, b) for a, b in (("stop", "stop"), ("stpo", "stop"), ("sop", "stop"), ("shop", "stop"), ("ab", "cd"))
    ] == [0, 1, 1, 1, 2]


@pytest.mark.conformance
@pytest.mark.skipif(not DATA.exists(), reason="the shared cases are not on this machine")
def test_the_published_phrases_are_read_as_labelled() -> None:
    cases = json.loads((DATA / "phrases_dev.json").read_text())["cases"]
    wanted = {"opt_out": "opt_out", "not_opt_out": "none", "not_interested": "none", "opt_in": "opt_in", "help": "help",
              "complaint": "complaint", "wrong_number": "wrong_number"}  # fmt: skip
    read_as = [(case, read(case["text"], channel=case["channel"])) for case in cases]
    false_stops = [
        case["text"] for case, gate in read_as if case["label"].startswith("not_") and gate.verdict == "opt_out"
    ]
    stops = [gate.verdict == "opt_out" for case, gate in read_as if case["label"] == "opt_out"]
    others = [gate.verdict == wanted[case["label"]] for case, gate in read_as if case["label"] in wanted]
    print(f"gate: recall {sum(stops)}/{len(stops)}, as labelled {sum(others)}/{len(others)}")
    assert false_stops == []
    assert sum(stops) >= 0.97 * len(stops)
    assert sum(others) >= 0.97 * len(others)


@pytest.mark.conformance
@pytest.mark.skipif(not DATA.exists(), reason="the shared cases are not on this machine")
def test_no_marketing_text_that_carries_a_stop_line_is_an_opt_out() -> None:
    texts = json.loads((DATA / "marketing_sms_with_stop.json").read_text())["texts"]
    assert texts
    assert [text for text in texts if read(text).verdict == "opt_out"] == []
    assert [text for text in texts if read(f"Sounds good\n\n> {text}", channel="email").verdict != "none"] == []


@pytest.mark.conformance
@pytest.mark.skipif(not DATA.exists(), reason="the shared cases are not on this machine")
def test_every_keyword_of_the_carriers_and_the_law_is_known() -> None:
    lists = json.loads((DATA / "keyword_lists.json").read_text())
    for name, listed in lists.items():
        assert [word for word in listed["keywords"] if read(word).verdict != "opt_out"] == [], name
        assert [word for word in listed.get("help", []) if read(word).verdict != "help"] == [], name
        assert [word for word in listed.get("opt_in", []) if word != "YES" and read(word).verdict != "opt_in"] == [], (
            name
        )
