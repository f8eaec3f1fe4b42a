"""Where a quoted thread begins in the text of a mail: "On Monday ... wrote:", "-----Original Message-----", From / Sent / To.

Gmail's heading differs in every language, but nearly all of them name an address, a day and a time and end with a colon:
that is enough without knowing the language. The verbs are needed where a program leaves the address or the time out.
"""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

_HEADING_LINES: Final = 4
_HEADING_LENGTH: Final = 400
_SHORT: Final = 120
_FIELD_LINES: Final = 20

_VERB: Final = (
    r"(?:wrote|writes|schrieb(?:en)?(?: sie)?|geschrieben|a écrit|ha escrit|escribi[óo]|escreveu|ha scritto|scrisse|schreef|het volgende geschreven|skrev|"
    r"napsala?(?:\(a\))?|napísala?(?:\(a\))?|napisała?(?:\(a\))?|napisana przez|napisala?(?:\(a\))?|napisa[ol](?:/la)? je|pisze|a scris|написала?(?:\(а\))?|написав|написао/ла|пишет|пише|"
    r"yazdı|kirjoitti|kirjutas|írta|έγραψε|כתבה?|כתב/ה|كتب|نوشت|đã viết|menulis|rašė|rakstīja|さんは書きました|のメッセージ|のメール|写道|寫道|(?:님이 )?작성(?:하였습니다|했습니다)?|เขียนว่า|ने लिखा)"
)
_ENDS_WITH_VERB: Final = re.compile(
    rf"(?<!\w)\b{_VERB}$|(?:写道|寫道|작성(?:하였습니다|했습니다)?|のメッセージ|のメール|さんは書きました|님이 작성)$",
    re.I,
)
# "Am 2. Mai schrieb Ann Lee", "Ann Lee <ann@x> wrote on Monday", "Ann <ann@x> ezt írta (időpont: 2. nov.)"
_VERB_WITHIN: Final = re.compile(rf"\b{_VERB}(?=[\s(])", re.I)
_WEAK_VERB: Final = re.compile(r"\b(?:said|says|sent|nous a dit)$", re.I)
_SPEAKER_IS_HERE: Final = re.compile(r"\b(?:i|we|you|ich|wir|du|je|nous|vous|yo|eu|io)\s+\w+$", re.I)
_QUOTING: Final = re.compile(
    r"^(?:quoting|zitat von|citando (?:a )?|citation de|citaat van|citat från)\b.{2,100}[<(]?\S+@\S+$", re.I
)
_VIA: Final = re.compile(
    r"^\S.{0,80} via \S.{0,80} (?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev):?$"
)

_OPENING: Final = re.compile(
    r"^(?:on|at|in a message|wiadomość napisana|am|le|el|em|il|op|den|dne|dňa|dnia|w dniu|in data|in message|på|pe|kl|vào|pada|a|la|on|ons|tir|fre|lør|søn|man|tor|в|во|от|на|у|în|στις|v|kuupäev|missatge|"
    r"ב|בתאריך|في|در|在|ในวันที่|from)\b",
    re.I,
)
# "Mon, 2", "2026-11-02", "11:00 AM": the day or the hour stands at the beginning, after one word at most.
_DAY_FIRST: Final = re.compile(r"^(?:[^\W\d]{1,14}[.,]{0,2}\s+)?\d")
_ADDRESS: Final = re.compile(r"[^\s<>()\[\]@:]{1,100}@[^\s<>()\[\]@]{1,150}")
_BRACKETED: Final = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s<>()\[\]@]{1,100}@")
_CLOCK: Final = re.compile(
    r"(?<!\d)\d{1,2}(?:[:.]|\s?h\s?|\s?時\s?|\s?点\s?)\d{2}(?!\d)|(?<!\d)\d{1,2}\s?[ap]\.?m\b", re.I
)
_DAY: Final = re.compile(
    r"(?<!\d)(?=\d)(?:(?:19|20)\d\d(?!\d)|[٠-٩]{4}|[۰-۹]{4}|\d{4}[年년]|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d)|\d{1,2}[.-]?(?:de |d['’])?\s?(?:jan|feb|mar|apr|may|mai|maj|jun|jul|aug|sep|oct|okt|nov|dec|dez|déc))"
    r"|\b(?=[jfmasond])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}\b",
    re.I,
)
_DATED_LINE: Final = re.compile(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}\b.{2,200}<[^<>\s@]{1,100}@[^<>\s@]{1,100}>$")
_OLD_GMAIL: Final = re.compile(r"^\d{4}-\d\d-\d\d \d{1,2}:\d\d GMT[+-]\d\d:\d\d \S.{1,80}[^.!?]$")
# Where a program put the heading behind the last word of the reply: "yes please On Wed, Apr 4, 2012, Bob wrote:"
_OPENING_WITHIN: Final = re.compile(
    r"(?<=[\s\-.!?])(?:On|At|Am|Le|El|Em|Il|Op|Den|Dne|Dnia|W dniu|På)(?=\s[^\d\n]{0,22}\d)"
)
_BIDI: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_ORIGINAL: Final = (
    r"(?:origin|reply|forward|ursprung|ursprüng|weitergel|antwort|transf|réexp|répons|reenv|respuesta|encaminh|resposta|inoltr|risposta|oorspronk|doorgest|oprind|videre|vidare|"
    r"opprinn|původní|pôvodn|přepos|prepos|orygin|przek|исходн|первонач|пересл|пересыл|оригінал|alkuper|välit|eredeti|továbbí|orijinal|iletilen|yönlendir|元の|転送|原始|原文|转发|轉寄|轉發|"
    r"원본|전달|מקורית|הועבר|أصلي|الأصلية|معاد|reply separator)"
)
_MESSAGE: Final = (
    r"(?:message|separator|appointment|by|nachricht|mail|mensaje|mensagem|messaggio|missatge|bericht|meddel|melding|besked|zpráva|správa|wiadomość|сообщение|письмо|повідомлення|viesti|üzenet|"
    r"mesaj|ileti|メッセージ|邮件|郵件|信件|메시지|메일|הודעה|الرسالة|رسالة)"
)
_SEPARATOR: Final = re.compile(
    rf"^[>\s*]*[-_=*–—]{{2,60}}\s*(?=.{{0,60}}{_ORIGINAL})(?=.{{0,60}}{_MESSAGE})[^-_=\n]{{6,100}}[-_=*–—]{{0,60}}\s*[*\s]*$",
    re.I,
)
_BARE_SEPARATOR: Final = re.compile(
    r"^[>\s]*\[?original message processed by .{1,40}$|^[>\s]*(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:transféré|réexpédié)|inicio del mensaje reenviado|inizio messaggio inoltrato|"
    r"início da mensagem (?:reencaminhada|encaminhada)|begin doorgestuurd bericht|vidarebefordrat brev|start på videresendt besked|başlangıç: iletilen ileti|"
    r"начало переадресованного сообщения|początek przekazanej wiadomości|開始轉寄郵件|下面是被转发的邮件|転送されたメッセージ)\s*[:：]\s*$",
    re.I,
)
_FORWARDED: Final = re.compile(r"^[>\s]*(?:forwarded|original) message\s*:?\s*$", re.I)
_RULE: Final = re.compile(r"^[>\s]*(?:[-_*–—]{5,}|[-=]{3,})\s*$")
_FROM: Final = frozenset(
    "from von de da van fra från od lähettäjä feladó kimden expéditeur remitente mittente afzender avsändare nadawca odesílatel "
    "от від 发件人 寄件者 寄件人 差出人 보낸사람 מאת من gönderen από šalje pošiljatelj từ saatja nuo no dari จาก".split()
)
_OTHER_FIELDS: Final = frozenset(
    "sent date to subject cc bcc reply-to gesendet datum an betreff kopie envoyé le à objet sujet copie répondre pour enviado enviada fecha para asunto assunto data inviato inviata a oggetto "
    "verzonden aan onderwerp sendt dato til emne skickat till ämne wysłano do temat odesláno komu předmět predmet отправлено дата кому тема копия копія надіслано "
    "lähetetty vastaanottaja aihe päivämäärä tarih kime konu gönderilme gönderildi 发送时间 发送日期 收件人 抄送 主题 日期 主旨 寄件日期 收件者 副本 送信日時 日時 宛先 件名 "
    "보낸날짜 받는사람 참조 제목 날짜 נשלח אל נושא תאריך destinataire destinatario elküldve címzett tárgy dátum organization importance attachments messagedu trimis către subiect "
    "στάλθηκε προς θέμα إلى تاريخ الإرسال الموضوع изпратено до относно odoslané poslano prima za predmet zadeva ngày đến chủ saadetud adressaat teema išsiųsta kam enviat per assumpte dikirim kepada subjek ส่ง ถึง เรื่อง".split()
)
_FIELD: Final = re.compile(
    r"^[>\s*_]*([^\W\d][\w.\u0e00-\u0e7f-]{0,14}(?: [^\W\d]\w{0,9})?)\s?[*_]*\s?[:：][\s*_]*(.*)$"
)
_FIELDS_IN_ONE_LINE: Final = re.compile(
    r"^[>\s*]*(?:from|von|de|da|van|fra|från|от)\s?:\*?\s.{0,120}@.{0,120}\s\*?(?:sent|date|to|gesendet|datum|an|envoyé|à|enviado|fecha|para|inviato|data|verzonden|aan|sendt|dato|skickat|дата|кому)\s?:\*?\s.{0,200}\d",
    re.I,
)


def heading(lines: list[str], index: int) -> tuple[int, str]:
    """(how many lines from here are the heading of a quoted thread, the person's words before it in its first line); 0 when none."""
    line = lines[index]
    if not line.strip():
        return 0, ""
    if _SEPARATOR.match(line[:_HEADING_LENGTH]) or _BARE_SEPARATOR.match(line[:120]):
        return 1 + _fields(lines, index + 1), ""
    if _FORWARDED.match(line[:60]) and ((fields := _fields(lines, index + 1)) or quoted_next(lines, index + 1)):
        return 1 + fields, ""
    if _RULE.match(line) and (fields := _fields(lines, index + 1) or _lone_sender(lines, index + 1)):
        return 1 + fields, ""
    if fields := _fields(lines, index):
        return fields, ""
    return _attribution(lines, index)


def is_quoted(line: str) -> bool:
    stripped = line.lstrip()
    return stripped.startswith(">") and not stripped.endswith("<")


def quoted_next(lines: list[str], index: int) -> bool:
    return is_quoted(_next_filled(lines, index))


def _next_filled(lines: list[str], index: int) -> str:
    return next((line for line in lines[index : index + 8] if line.strip()), "")


def _attribution(lines: list[str], index: int) -> tuple[int, str]:
    first = _plain(lines[index])
    if not _may_begin(first):
        return 0, ""
    joined = ""
    for count, part in enumerate(lines[index : index + _HEADING_LINES], 1):
        if count > 1 and not part.strip():
            break
        joined = f"{joined} {_plain(part)}".strip() if joined else first
        if len(joined) > _HEADING_LENGTH:
            break
        if count == 1 and (_OLD_GMAIL.match(joined) or (_DATED_LINE.match(joined) and quoted_next(lines, index + 1))):
            return 1, ""
        if not _may_end(joined):
            continue
        before, said = _divided(joined)
        found = said is not None and len(before) < len(first)
        if not found and _OPENING.match(joined) and _WEAK_VERB.search(joined.rstrip(": ")):
            found = _dated(joined) and quoted_next(lines, index + count)
        if not found and joined.endswith((":", "：")):
            break
        if not found:
            continue
        if (
            count > 1
            and not before
            and not first.endswith("<")
            and _dated(_divided(" ".join(_plain(line) for line in lines[index + 1 : index + count]))[1])
        ):
            break  # the heading begins further down; what stands here is the person's
        return count, before
    return 0, ""


def _may_begin(text: str) -> bool:
    return bool(
        text.endswith((":", "：", "--"))
        or "@" in text
        or "<" in text
        or _OPENING.match(text)
        or _DAY_FIRST.match(text)
        or _OPENING_WITHIN.search(text[:_HEADING_LENGTH])
    )


def _may_end(text: str) -> bool:
    return text.endswith((":", "：", "--", "*")) or ("@" in text and _ENDS_WITH_VERB.search(text[-30:]) is not None)


def _plain(line: str) -> str:
    return _BIDI.sub("", line).strip().lstrip("> ")


def _divided(text: str) -> tuple[str, str | None]:
    """(the words before a heading, the heading); None when the text does not end with one."""
    for match in reversed(list(_OPENING_WITHIN.finditer(text)) if _dated(text) else []):
        if _dated(said := text[match.start() :]) and _is_attribution(said):
            return text[: match.start()].rstrip(" -"), said
    return "", text if _is_attribution(text) else None


def _dated(said: str | None) -> bool:
    return bool(said and _DAY.search(said) and (_ADDRESS.search(said) or _CLOCK.search(said)))


def _is_attribution(line: str) -> bool:
    text = line.strip("-* ")
    dashed = line.endswith("--") or line.endswith("-:")
    ended = text.endswith((":", "："))
    text = text.rstrip(":： ").rstrip("*_ ")
    if len(text) < 8:
        return False
    day = _DAY.search(text)
    if not ended and not dashed and not (day and _OPENING.match(text)):
        return False
    place, clock, verb = _ADDRESS.search(text), _CLOCK.search(text), _ENDS_WITH_VERB.search(text[-40:])
    if not ended and not dashed:
        return bool(verb and place)
    if _VIA.match(text) or _QUOTING.match(text):
        return True
    if place and day and clock and _names_sender(text):
        return True
    if verb:
        opened = bool(_OPENING.match(text) or _DAY_FIRST.match(text))
        if _SPEAKER_IS_HERE.search(text):
            return bool(opened and day and clock)
        return bool(place or (opened and (day or clock)) or (day and clock and len(text) < _SHORT))
    if within := _VERB_WITHIN.search(text):
        told = _DAY.search(text, within.end()) and _CLOCK.search(text, within.end())
        return bool(
            (day or clock)
            and (
                place
                or (_OPENING.match(text) and day)
                or (day and clock and _DAY_FIRST.match(text))
                or (told and len(text) < _SHORT)
            )
        )
    return bool(_WEAK_VERB.search(text) and place and day)


def _names_sender(text: str) -> bool:
    """Whether a heading in any language may read so: it begins with the day, or with a name and its address."""
    address = _BRACKETED.search(text)
    if not address:
        return False
    if _OPENING.match(text) or _DAY_FIRST.match(text):
        return True
    return not any(word[0].islower() for word in text[: address.start()].split())


def _lone_sender(lines: list[str], index: int) -> int:
    """1 when only "From: ann@x.example" stands there, as below a rule."""
    match = _FIELD.match(lines[index][:300]) if index < len(lines) else None
    return int(bool(match and match[1].lower() in _FROM and "@" in match[2]))


def _fields(lines: list[str], index: int) -> int:
    """How many lines from here are a block such as From / Sent / To / Subject; 0 unless two fields and a sender."""
    seen: dict[str, str] = {}
    last = at = index
    blanks = 0
    while at < len(lines) and at < index + _FIELD_LINES:
        line = lines[at]
        at += 1
        if not line.strip():
            blanks += 1
            if blanks > 2:
                break
            continue
        if blanks and seen and not _field_name(line):
            break
        blanks = 0
        if not seen and _FIELDS_IN_ONE_LINE.match(line[:600]):
            return at - index
        if name := _field_name(line):
            seen[name] = line[:300]
            last = at
        elif not seen or at - last > 2:
            break
    if len(seen) > 2 or any("@" in value or _DAY.search(value) for value in seen.values()):
        return last - index if len(seen) > 1 and ("from" in seen or _is_dated_block(seen)) else 0
    return 0


def _field_name(line: str) -> str:
    match = _FIELD.match(line[:300])
    if not match:
        return ""
    name = match[1].lower()
    for tried in (name.replace(" ", ""), name.split()[0]):
        if tried in _FROM:
            return "from"
        if tried in _OTHER_FIELDS:
            return tried
    return ""


def _is_dated_block(seen: dict[str, str]) -> bool:
    """Without a sender: a day with an hour, and somebody's address."""
    values = list(seen.values())
    return any(_CLOCK.search(value) and _DAY.search(value) for value in values) and any(
        "@" in value for value in values
    )
