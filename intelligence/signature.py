"""Signatures at the end of a mail: the dashes, the farewell with a name, "Sent from my ...", the list's footer.

Only "-- " and a telephone's own line say by themselves that a signature begins. Below anything else (a rule, "Thanks,")
stands a signature only if it looks like one: a STOP or an answer there must be heard.
"""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

from intelligence import gate

_FOOT_LINES: Final = 15
_DELIMITER: Final = re.compile(r"^\s*--\s*$")
_RULE: Final = re.compile(r"^\s*(?:-{3,}|—{1,40}|–{2,40}|_{2,}|[-_—]{5,}|\*{2,}|={5,})\s*$")
_LINK: Final = re.compile(r"\s*[<(\[]{1,2}\s?(?:https?://|mailto:)[^\s<>()]*[>)\]]{0,2}|\s*https?://\S+")
_DEVICE: Final = re.compile(
    r"^[\s<(\[*_\"'•·~-]{0,3}(?:sent (?:wirelessly )?(?:from|via|using|with|by|on the go)|envoyé (?:sans fil |à partir |depuis |de |d['’]|par )|enviad[oa] (?:desde|do|de|da|a partir|via|através)|enviat (?:des|amb)|"
    r"gesendet (?:von|mit|über|aus)|von meinem .{1,40} (?:gesendet|gesandt)|diese (?:nachricht|e-mail|mail) wurde (?:von|mit)|verzonden (?:vanaf|met|van|vanuit|via)|verstuurd (?:vanaf|vanuit|met|via)|"
    r"inviato (?:da|con|dal|tramite)|skickat (?:från|med|via)|från min |sendt (?:fra|med|via)|wysłan[eoy] (?:z|za|przez)|odesl[aá]no (?:z|ze|pomocí)|odoslané (?:z|zo|pomocou)|отправлено (?:с|из|через|от)|"
    r"надіслано (?:з|із|через)|изпратено от|послато |poslano (?:z|s|iz|sa) |lähetetty |saadetud |nosūtīts |išsiųsta |στάλθηκε (?:από|μέσω)|trimis (?:de|din|prin|cu)|elküldve |gửi từ |dikirim dari |ส่งจาก|"
    r"발신: |나의 .{1,20}에서 보냄|내 .{1,20}에서 보냄|.{0,20}から送信|发自|發自|从我的|從我的|来自我的|נשלח מ|\S{0,4}رسلت من|tapatalk|"
    r"\S{3,30}?['’]\S{2,6} gönderildi|\S{1,20} from mobile$|from my (?:iphone|ipad|android|phone|mobile|blackberry|galaxy|samsung|cell)\b)",
    re.I,
)
_APP: Final = re.compile(
    r"^\W{0,3}(?:(?:get|download|télécharge[rz]|obten\w{1,3}|ottieni|scarica|descarga\w*|holen sie sich|laden sie|hent|hämta|skaffa|baixe|baixar|obter|pobierz|hanki|lataa|stáhn\w+|töltse le|скачать|завантажити|获取|取得|下載|下载|installe[rz]?) "
    r"(?:de |o |a |het |l['’]app\w* |aplikację )?(?:\w+ )?(?:outlook|bluemail|yahoo mail|proton ?mail|gmail|spark|typeapp)\b.{0,30}(?:ios|android|iphone|ipad|mobile|mac|windows)|"
    r"outlook (?:für|for|voor|pour|per|para) (?:ios|android)(?: beziehen| herunterladen| downloaden| ?の入手| ?を入手)|(?:获取|取得) ?outlook|yahoo mail: search, organize, conquer)\W*$",
    re.I,
)
_EXCUSE: Final = re.compile(
    r"\b(?:excuse|pardon|forgive|apolog\w+|typo\w*|brevity|autocorrect|tippfehler|entschuldig\w+|kürze|fautes?|errores|beknopt\w*)\b",
    re.I,
)
_NOT_A_DEVICE: Final = re.compile(r"[,;?]|[.!]\s|\b(?:is|was|are|much|because|so|and i)\b", re.I)
_NETWORK: Final = re.compile(r",[^,]{0,40}\b(?:smartphone|device|network|5g|4g|lte)\b", re.I)
_A_SENTENCE: Final = re.compile(r"[;?]|\b(?:is|was|are|because|i)\b", re.I)
_MACHINE: Final = re.compile(
    r"\b(?:i?phone\w*|ipad|ipod|android|blackberry\S*|smartphone|mobile?\w*|handy|tablet|galaxy|samsung|huawei|xiaomi|nokia|htc|windows|outlook|\w*mail|device|terminal|network|5g|4g|lte)\b",
    re.I,
)
_DASHED_NAME: Final = re.compile(
    r"^\s*(?:[-–—~]\s?[A-ZÀ-ÞΑ-ΩА-Я][\w.'’-]*(?: [A-ZÀ-Þ][\w.'’-]*){0,2}|[-–—~/][^\W\d]{2,15})\s*$"
)
_FAREWELL: Final = re.compile(
    r"^\s*(?:(?:many |much |with |kindest |kind |best |warm |warmest |all the |yours |very |my )*(?:thanks|thank you|thx|cheers|regards|best|wishes|sincerely|truly|faithfully|cordially|"
    r"respectfully|appreciated|rgds|br|ty)(?: (?:again|so much|very much|in advance|a lot|and regards|& regards|and best regards|and kind regards|wishes|regards|sincerely|yours))*|sincerely yours|talk soon|take care|"
    r"(?:mit )?(?:freundliche[nrm]?|beste[nr]?|viele[n]?|liebe[nr]?|herzliche[nr]?|schöne[nr]?|vielen) (?:grü(?:ß|ss)e[n]?|gru(?:ß|ss)|dank)|gru(?:ß|ss)|grü(?:ß|ss)e|mfg|lg|vg|"
    r"(?:bien |très )?cordialement|bien à vous|(?:sincères |meilleures |mes )?salutations(?: distinguées)?|merci(?: d['’]avance)?|bonne (?:journée|soirée|réception)|"
    r"(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|cordialmente|gracias|muchas gracias|abrazos?|"
    r"atenciosamente|att|abraços?|obrigad[oa]|(?:com os melhores )?cumprimentos|(?:cordiali|distinti) saluti|saluti|grazie|"
    r"(?:met |hartelijke )?(?:vriendelijke )?groet(?:en|jes)?|mvg|bedankt|mvh|dbh|kh|(?:med |de )?(?:venlig|vänlig|vennlig|bästa|beste|bedste)\w* (?:hilsen|hilsner|hälsning\w*|hilsning\w*)|hilsen|hälsning\w*|"
    r"pozdrawiam(?: serdecznie)?|z powa[żz]aniem|s (?:pozdravem|úctou|pozdravom)|děkuji|ďakujem|üdvözlettel|udvozlettel|üdv|udv|köszönettel|cu stimă|ystävällisin terveisin|terveisin|saygılarımla|teşekkürler|"
    r"με εκτίμηση|ευχαριστώ|с уважением|с наилучшими пожеланиями|спасибо|з повагою|дякую|よろしくお願い.{0,8}|以上|此致|敬礼|谢谢|祝好|감사합니다|בברכה|תודה)[^\w\n]{0,6}$",
    re.I,
)
_CONTACT: Final = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|\+?\d[\d ()./-]{5,}\d")
_SMALL_PRINT: Final = re.compile(
    r"confidential|intended (?:only |solely )?(?:for|recipient)|vertraulich|confidentiel|confidencial|riservat[ei]|vertrouwelijk|fortroli|konfidentiell|virus[- ]free|consider the environment|registered (?:in|office)",
    re.I,
)
_PARTICLES: Final = frozenset(
    "of and for the at in de la le du des del di da do dos van von der den zu und y e et & i og och".split()
)
_UNCASED: Final = re.compile(r"[\u0590-\u06ff\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_ANSWERS: Final = frozenset(
    "yes no yep nope ok okay sure stop end quit both none either neither all maybe never today tomorrow tonight now later morning afternoon evening noon "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december "
    "remove unsubscribe cancel email phone call text sms ja nein oui non si sí não sim nee nej tak nie да нет later please first second third one two three".split()
)
_SPOKEN: Final = re.compile(
    r"\b(?:please|pls|yes|not|don['’]?t|stop|never|nein|nicht|bitte|oui|non|pas|por favor)\b|\b(?:no|call|text)\b(?!\s*[.:#]|\s*\+?[\d(])|\?",
    re.I,
)  # not "Reg. No. 12", "Call: 555"
_POSTSCRIPT: Final = re.compile(r"^\s*p\.? ?p?\.? ?s\b\.?\s*[:.,;–-]?\s*\S", re.I)
_HEARD: Final = frozenset({"opt_out", "complaint", "wrong_number", "hold", "human"})


def without_signature(lines: list[str]) -> list[str]:
    """The lines without what signs them. A text that would be nothing but a signature is left as it is."""
    lines = _trimmed(lines)
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if len(lines) - first < 2:
        return lines
    postscript: list[str] = []
    if _is_device(lines[first], []):
        lines = lines[first + 1 :]
    for cut in (_foot, _farewell, _dashed_name):
        end = cut(lines)
        if end is not None and any(line.strip() for line in lines[:end]):
            postscript = _postscript(lines[end:]) or postscript
            lines = _trimmed(lines[:end])
    return [*lines, "", *postscript] if postscript else lines


def is_signature(lines: list[str]) -> bool:
    """Whether there is nothing else: the dashes or a telephone's line stand first."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return True
    if len(filled) == 1:
        return _is_device(filled[0], [])
    return bool(_DELIMITER.match(filled[0]) or (_RULE.match(filled[0]) and _looks_signed(filled[1:])))


def is_answer(word: str) -> bool:
    """Whether one word says something: "no", "Tuesday", "unsubscribe"."""
    return word.strip(" .,;!").lower() in _ANSWERS or gate.read(word, channel="email").verdict != "none"


def _trimmed(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _postscript(lines: list[str]) -> list[str]:
    return next((lines[index:] for index, line in enumerate(lines) if _POSTSCRIPT.match(line[:80])), [])


def _foot(lines: list[str]) -> int | None:
    """The first line that begins a foot short enough to be one: only the last filled lines are looked at."""
    filled = [index for index, line in enumerate(lines) if line.strip()][-_FOOT_LINES - 1 :]
    for place, index in enumerate(filled):
        line, rest = lines[index], [lines[below] for below in filled[place + 1 :]]
        if _DELIMITER.match(line[:80]) and rest:
            return index
        if _RULE.match(line[:200]) and rest and _looks_signed(rest):
            return index
        if _is_device(line, rest):
            return index
    return None


def _is_device(line: str, rest: list[str]) -> bool:
    """Whether a program wrote this line by itself: "Sent from my iPhone"."""
    if len(line) > 400 or len(rest) > 8:
        return False
    text = _LINK.sub("", line).replace("[", "").replace("]", "").strip()
    if not text or len(text) > 120:
        return False
    if _APP.match(text):
        return True
    match = _DEVICE.match(text)
    if not match or len(text.split()) > (14 if _MACHINE.search(text) else 10):
        return False
    said = text[match.end() :]
    if _EXCUSE.search(said) or not _NOT_A_DEVICE.search(said):
        return True
    return bool(_NETWORK.search(said) and not _A_SENTENCE.search(said))


def _farewell(lines: list[str]) -> int | None:
    """A farewell followed by a few short lines: a name, a title, a number."""
    for index in range(max(1, len(lines) - 30), len(lines)):
        if len(lines[index]) > 60 or not _FAREWELL.match(lines[index]):
            continue
        rest = [below for below in lines[index + 1 :] if below.strip()]
        if rest and _looks_signed(rest):
            return index
    return None


def _looks_signed(rest: list[str]) -> bool:
    """Names, titles, numbers and addresses, perhaps with small print: no sentence, no answer, nothing the gate would hear."""
    signed: list[str] = []
    for line in rest:
        if _SMALL_PRINT.search(line[:1000]) or _POSTSCRIPT.match(line[:80]):
            break
        signed.append(line)
    if len(signed) > 12 or any(len(line) > 120 for line in signed) or not all(_signs(line, signed) for line in signed):
        return False
    return gate.read("\n".join(signed), channel="email").verdict not in _HEARD


def _signs(line: str, block: list[str]) -> bool:
    """Whether this line may be part of a signature."""
    if _SPOKEN.search(line):
        return False
    text = _CONTACT.sub("", line)
    if _UNCASED.search(text):
        return len(text.strip()) <= 24
    words = [word for word in re.findall(r"[^\W\d_][\w'’.-]*", text) if word.lower() not in _PARTICLES]
    if len(words) == 1 and not _CONTACT.search(line) and is_answer(words[0]):
        return False
    lower = sum(word[0].islower() for word in words)
    if len(words) < 2 or lower * 2 < len(words):
        return True
    return len(words) < 5 and any(_CONTACT.search(other) for other in block)


def _dashed_name(lines: list[str]) -> int | None:
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if len(filled) < 2 or not _DASHED_NAME.match(lines[filled[-1]][:100]):
        return None
    above, name = lines[filled[-2]], lines[filled[-1]].strip(" -–—~/.")
    if above.lstrip().startswith(("-", "–", "—", "*")) or above.rstrip().endswith((":", "?")):
        return None
    if name[0].islower() and not above.rstrip().endswith((".", "!", ",")) and filled[-1] - filled[-2] < 2:
        return None
    return filled[-1] if _looks_signed([name]) else None
