"""The gate on how people really write: each wish beside the neighbour that only looks like it."""

import time

import pytest

from intelligence.gate import ALL, EMAIL, PHONE, VOICE, read

WISHES = """
Stop, thanks | no stop | nope stop | pls no more txts | please stp | pleaze stop | STOP 48210 | text stop | reply stop | STOP TXT
stopstopstop | stoppppp it | stop period | stop ma'am | stop for good | Cancel. Thank you | end this | quit it | knock it off
stop texing me | stop textng me | pls stp txtng me | stop textin me | stop harrassing me | quit blowing me up | f*** off | f**k you
stop with the texts | stop your bullshit texts | stop reminders | cancel text alerts | turn off texts | shut these texts off
enough of this | no more of this please | I'm sick of your texts | not interested in these texts | never send me another text
would you mind not texting me? | can you not text me | I'd be glad if you stopped texting me | I want these texts to stop
you do not have my permission to text me | you are not allowed to contact me | consent withdrawn | Not interested remove
can my number be removed? | my number needs to be taken off | have me removed please | where did you get my number, delete it
don't use this number again | stop using my number | suppress my number | don't put me on your list | lose this number
don't text me at work again | this is my work phone, don't text it | please stop sending him messages | hop off my phone
I kindly ask you to remove me from the texting list | leave me alone you creeps | no soliciting please | blocking you
stop trying to contact me | Spam. Enough. Stop. | bye, please stop
""".replace("\n", "|").split("|")

ORDINARY = """
why did you stop? | why did the messages stop | I never said stop | You stopped texting me | the sign said STOP | "Stop" says my kid
Don't call before 9am please | don't contact the landlord, contact me | don't call my office | don't call me Bob, it's Robert
don't call me sir | don't call me, I'll call you | you never call me back | if you don't call me by 5 I'll hire someone else
do not text me the password | don't reply all | do not disturb the tenants | quit bugging your sister | we need to stop texting our clients
our team has to stop emailing spreadsheets | stop texting is not needed here | I told the other agency to leave me alone
drop me a line | drop me a text when you are here | drop me from the Tuesday class | take me off autopay | take me off guard | take off the tax
remove my name from the voicemail | remove me as a co-signer | remove my old number and use this one | my number was removed by mistake
don't lose my number! | I got unsubscribed somehow | if it is bad can I unsubscribe later? | our unsubscribe rate is 2% | is there an opt out fee
no contact yet from the installer | I have had no contact from you | no more appointments this week | screw off the cap first?
enough messages to fill a book | let me be clear | I want it to stop | please stop them from digging
""".replace("\n", "|").split("|")

ABROAD = """
es: no me hablen más | ya les dije que no me escriban | detengan los mensajes | quiero que me borren de su lista | no molesten | no me llamen, solo mensajes
fr: ne plus recevoir de messages | va te faire foutre | je révoque mon consentement | j'ai dit stop | arrêtez ça | pas de sms svp | cessez tout contact
de: Sie sollen aufhören | bitte von der Liste nehmen | ich widerspreche der Werbung | jetzt reicht's | nie wieder anrufen | nicht anrufen
de: bitte nicht mehr melden | stopp, keine Nachrichten mehr
pt: já pedi pra parar | quero sair | me erra | como faço pra sair? | não me procurem mais | não autorizo mensagens
it: smettetela | niente più messaggi | ho detto basta | vorrei essere rimosso dalla lista | non disturbatemi più
nl: niet meer bellen | haal mijn nummer weg, verwijder mijn nummer | hoe meld ik me af | ik trek mijn toestemming in | stop ermee
pl: przestań | proszę do mnie nie pisać | dość tego | proszę o usunięcie numeru | cofam zgodę na kontakt | odczepcie się
da: jeg ønsker ikke at blive kontaktet | fjern mig fra listen | stop med at ringe
ru: исключите меня из списка | никаких сообщений больше | не звоните больше | отстаньте от меня
he: מספיק | אל תתקשרו אליי | תעזבו אותי
ar: لا ترسل لي رسائل | وقفوا الرسائل | ابعدوا عني
zh: 别再给我发消息了 | 不要再联系我
"""

ORDINARY_ABROAD = """
es: no me llamó nadie | ¿por qué no me llaman? | estoy de baja médica | me di de baja por error | no molesta | no me mande el verde | no me llames, te llamo yo
fr: je veux plus de détails | je ne veux pas me désabonner | ne m'appelez pas avant midi | le lien de désabonnement est cassé | n'appelez pas mon voisin
de: hör auf deine Frau | ich bekomme keine Nachrichten mehr | ich kann nicht mehr anrufen | nehmen Sie mich von 3 auf 4 Uhr | der Regen hört nicht auf
pt: não me ligaram | por que não me ligam? | não me tire da lista | me tira uma dúvida | quero sair às 10h | não pare de me mandar ofertas
it: perché non mi chiamate? | non ricevo più messaggi | non voglio disiscrivermi | non disturba | toglimi una curiosità
nl: bel me niet voor 9 uur | ik wil me niet afmelden | ik krijg geen berichten meer | haal me op bij het station
pl: nie chcę czekać | dlaczego nie dzwonicie | nikt nie dzwonił | nie dzwońcie przed 9 | proszę wypisać fakturę | dość drogo
da: lad mig vide | ring ikke før kl 9 | jeg får ikke flere beskeder
ru: не звоните до 9 | почему вы не звоните | я не хочу отписаться | не беспокойтесь | не пишите код здесь
ar: لا ترسل البضاعة قبل الغد | أوقفوا الطلب
zh: 先别发货 | 别发错颜色
"""


def _texts(table: list[str]) -> list[str]:
    return [text.strip() for text in table if text.strip()]


def _by_language(table: str) -> list[tuple[str, str]]:
    lines = (line.split(": ", 1) for line in table.strip().split("\n"))
    return [(language, text.strip()) for language, texts in lines for text in texts.split("|")]


@pytest.mark.parametrize("text", _texts(WISHES))
def test_it_hears_a_wish_however_it_is_put(text: str) -> None:
    gate = read(text)
    assert gate.verdict == "opt_out", gate
    assert gate.quote in text


@pytest.mark.parametrize("text", _texts(ORDINARY))
def test_it_closes_nothing_for_words_that_only_resemble_a_wish(text: str) -> None:
    gate = read(text)
    assert gate.verdict in ("none", "hold"), gate
    assert gate.scope == frozenset()


@pytest.mark.parametrize(("language", "text"), _by_language(ABROAD))
def test_it_hears_the_wish_in_other_languages(language: str, text: str) -> None:
    assert read(text).verdict == "opt_out", read(text)


@pytest.mark.parametrize(("language", "text"), _by_language(ORDINARY_ABROAD))
def test_a_report_a_time_or_another_thing_is_no_wish_in_any_language(language: str, text: str) -> None:
    gate = read(text)
    assert gate.verdict in ("none", "hold"), gate


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("don't call me, text is fine", VOICE),
        ("stop calling but you can text me", VOICE),
        ("no calls please, text only", VOICE),
        ("Niet bellen, appen mag wel", VOICE),
        ("nie dzwoń do mnie", VOICE),
        ("не звоните мне", VOICE),
        ("no texts please, email me instead", PHONE),
        ("don't email me, text me", EMAIL),
        ("please no more calls or emails", ALL),
    ],
)
def test_what_is_said_to_be_welcome_stays_open(text: str, scope: frozenset[str]) -> None:
    gate = read(text)
    assert (gate.verdict, gate.scope) == ("opt_out", scope), gate


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("u have the wrong #", "wrong_number"),
        ("there is no John at this number", "wrong_number"),
        ("this number no longer belongs to him", "wrong_number"),
        ("zły numer", "wrong_number"),
        ("sorry I gave you the wrong number", "none"),
        ("the wrong person signed the form", "hold"),
        ("You have the wrong address, it's 12 Elm", "none"),
        ("This is not Maria", "hold"),
        ("this is not urgent", "none"),
        ("You'll be hearing from my attorney", "complaint"),
        ("my lawyer friend recommended you", "hold"),
        ("do you know a good lawyer", "hold"),
        ("is this FCC certified", "hold"),
        ("this violates GDPR", "complaint"),
        ("I'm reporting this number", "complaint"),
        ("I reported it to the landlord", "none"),
        ("please report this to the office", "none"),
        ("I want to file a lawsuit against my landlord", "hold"),
        ("should I call the police about the break-in", "hold"),
        ("text again and I call the police", "complaint"),
        ("ik doe aangifte", "complaint"),
        ("esto es spam", "hold"),
        ("Spam!", "hold"),
        ("don't text me again, just kidding", "hold"),
        ("enough", "hold"),
        ("es reicht", "hold"),
    ],
)
def test_a_stranger_a_threat_and_a_doubt_are_told_apart(text: str, verdict: str) -> None:
    assert read(text).verdict == verdict, read(text)


@pytest.mark.parametrize(
    "piece",
    ["no me quiero que ", "stop your a ", "want them to stop ", "appreciate a b you ", "my number a b ", "f**", "# ", "wrong ",
     "nie chce a b ", "mochte a b nicht ", "can you not ", "tired of all your ", "cancel my a subscription to ", "me pueden quit ",
     "lawyer ", "hor auf ", "не ", "不要再", "stop text a b c ", "plseaz", "stooop"],
)  # fmt: skip
def test_it_reads_a_hostile_text_quickly(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        read(text)
        taken.append(time.perf_counter() - started)
    assert min(taken) < 0.25
