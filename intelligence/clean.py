"""What a person wrote in a mail: without the quoted thread, the signature and the footers.

Read line by line in linear time. The headings of a quoted thread ("On Monday ... wrote:") come from the vocabulary below
and from mail-parser-reply, whose expressions know more languages but need minutes on hostile text: they see only
short stretches that already look like a heading.
"""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mailparser_reply import EmailReplyParser
from mailparser_reply.constants import MAIL_LANGUAGES

from intelligence.autoreply import AutoReply, is_auto_reply
from intelligence.markup import text_of_html
from intelligence.signature import without_signature

TEXT_LIMIT: Final = 200_000  # characters of a mail that are read
_HEADING_LINES: Final = 4
_HEADING_LENGTH: Final = 400
_LIBRARY_TRIES: Final = 20

_WROTE: Final = (
    r"(?:wrote|writes|schrieb\w*(?: am .{0,80})?|a écrit|écrit|escribi[óo]|escreveu|ha scritto|scrisse|schreef|geschreven|skrev|napsala?(?:\(a\))?|"
    r"napísala?|napisała?(?:\(a\))?|napisal|pisze|a scris|написала?|написав|пишет|пише|yazdı|kirjoitti|írta|έγραψε|כתב|כתבה|כתב/ה|"
    r"كتب|đã viết|menulis|rašė|rakstīja|さんは書きました|のメッセージ|写道|寫道|작성|님이 작성)"
)
_ATTRIBUTION: Final = re.compile(rf"^[>\s]*(?P<said>.{{6,{_HEADING_LENGTH}}}?){_WROTE}\s*[:：]\s*$", re.I)
_ATTRIBUTION_BARE: Final = re.compile(r"^[>\s]*On .{6,300}@.{1,100}> wrote$")
_DATED_ADDRESS: Final = re.compile(
    r"^[>\s]*(?=.{0,80}\d)[^\n]{6,300}<[^<>\s]{3,100}@[^<>\s]{3,100}>(?:</?\w+>)?\s*[:：]$"
)
_OPENING: Final = re.compile(
    r"^[>\s]*(?:on|am|le|el|em|il|op|den|dne|dňa|dnia|w dniu|på|pe|kl|vào|a|on|ons|tir|fre|lør|søn|man|tor|в|от|ב|בתאריך|\d{1,4}[-./年 ])",
    re.I,
)
_SEPARATOR: Final = re.compile(
    r"^[>\s]*(?:[-_=*]{2,}\s*(?:original message|original appointment|reply message|reply separator|forwarded (?:message|by).{0,80}|ursprüngliche nachricht|originalnachricht|"
    r"weitergeleitete nachricht|message d['’]origine|message original|message transféré|mensaje original|mensaje reenviado|mensagem original|"
    r"mensagem encaminhada|messaggio originale|messaggio inoltrato|oorspronkelijk bericht|doorgestuurd bericht|oprindelig meddelelse|videresendt meddelelse|"
    r"ursprungligt meddelande|vidarebefordrat meddelande|opprinnelig melding|původní zpráva|oryginalna wiadomość|wiadomość oryginalna|"
    r"исходное сообщение|пересылаемое сообщение|alkuperäinen viesti|eredeti üzenet|mesaj original|orijinal mesaj|元のメッセージ|原始邮件|原始郵件|转发邮件|원본 메시지|"
    r"הודעה מקורית|הודעה שהועברה|الرسالة الأصلية)\s*[-_=*]{0,40}|begin forwarded message:|anfang der weitergeleiteten nachricht:|début du message (?:transféré|réexpédié)\s*:|"
    r"inicio del mensaje reenviado:|inizio messaggio inoltrato:)\s*$",
    re.I,
)
_REPLY_ABOVE: Final = re.compile(
    r"^.{0,40}(?:(?:reply|respond|write|type|enter|add)\b.{0,40}\babove this line|above this line.{0,20}\b(?:reply|respond)|répondre au[- ]dessus de cette ligne|"
    r"(?:antworten?|schreiben).{0,30}über dieser (?:linie|zeile)|(?:responda|escriba).{0,30}encima de esta línea)",
    re.I,
)
_RULE: Final = re.compile(r"^\s*[-_*=]{5,}\s*$")
_FROM: Final = frozenset(
    "from von de da van fra från od lähettäjä feladó kimden expéditeur remitente mittente afzender avsändare nadawca odesílatel "
    "от від 发件人 寄件者 寄件人 差出人 보낸사람 מאת من gönderen".split()
)
_OTHER_FIELDS: Final = frozenset(
    "sent date to subject cc reply-to gesendet datum an betreff kopie envoyé à objet enviado fecha para asunto assunto data inviato a oggetto "
    "verzonden aan onderwerp sendt dato til emne skickat till ämne wysłano do temat odesláno komu předmět отправлено дата кому тема "
    "lähetetty vastaanottaja aihe tarih kime konu gönderilme 发送时间 发送日期 收件人 主题 日期 主旨 寄件日期 送信日時 日時 宛先 件名 "
    "보낸날짜 받는사람 제목 날짜 נשלח אל נושא תאריך destinataire destinatario elküldve címzett tárgy organization to.".split()
)
_FIELD: Final = re.compile(r"^[>\s*_]*([^\W\d][\w.-]{0,14}(?: [^\W\d]\w{0,9})?)\s?[*_]*\s?[:：][\s*_]*(.*)$")


def visible_reply(text: str, *, html: str | None = None, signatures: bool = True) -> str:
    """The text a person added to a mail, also between and below quoted lines.

    `html` is read when the plain text is empty. With `signatures` a signature, "Sent from my ..." and list footers go too.
    """
    if not text.strip() and html:
        text = text_of_html(html[: 4 * TEXT_LIMIT])
    lines = (
        text[:TEXT_LIMIT]
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u200b", "")
        .replace("\ufeff", "")
        .split("\n")
    )
    kept = _without_quotes([line.rstrip() for line in lines])
    if signatures:
        kept = without_signature(kept)
    return "\n".join(kept).strip()


def _without_quotes(lines: list[str]) -> list[str]:
    kept: list[str] = []
    said = False
    index = 0
    tries = _LIBRARY_TRIES
    while index < len(lines):
        line = lines[index]
        if _REPLY_ABOVE.search(line[:200]):
            return kept
        heading, tries = _heading(lines, index, tries)
        if heading:
            after = index + heading
            if _quoted_next(lines, after) or not said:
                index = after  # what stands unquoted below is the person's own
                continue
            return kept
        if _is_quoted(line):
            index += 1
            if index + 1 < len(lines) and _is_torn(line, lines[index]) and _is_quoted(lines[index + 1]):
                index += 1
            continue
        kept.append(line)
        said = said or bool(line.strip())
        index += 1
    return kept


def _is_quoted(line: str) -> bool:
    stripped = line.lstrip()
    return stripped.startswith(">") and not stripped.endswith("<")


def _is_torn(above: str, line: str) -> bool:
    """A long link of the quoted text, broken by a mail program, whose second half lost its mark."""
    return bool(line.strip()) and " " not in line.strip() and ("http" in above or len(above) > 70)


def _quoted_next(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index : index + 8] if line.strip()), "")
    return _is_quoted(following)


def _heading(lines: list[str], index: int, tries: int) -> tuple[int, int]:
    """(how many lines from here are the heading of a quoted thread, tries left for the library); 0 lines when none."""
    line = lines[index]
    if not line.strip():
        return 0, tries
    if _SEPARATOR.match(line[:_HEADING_LENGTH]):
        return 1 + _fields(lines, index + 1), tries
    if _RULE.match(line) and (fields := _fields(lines, index + 1)):
        return 1 + fields, tries
    if fields := _fields(lines, index):
        return fields, tries
    if len(line) > _HEADING_LENGTH or not _OPENING.match(line):
        return (1 if _is_attribution(line) else 0), tries
    joined = ""
    for count, part in enumerate(lines[index : index + _HEADING_LINES], 1):
        if count > 1 and not part.strip():
            break
        joined = f"{joined} {part.strip().lstrip('> ')}".strip()
        if len(joined) > _HEADING_LENGTH:
            break
        if _is_attribution(joined):
            return count, tries
        if tries and joined.endswith((":", "：")) and _has_place_and_time(joined):
            tries -= 1
            if _library_heading().match(joined):
                return count, tries
    return 0, tries


def _is_attribution(line: str) -> bool:
    if len(line) > _HEADING_LENGTH + 40:
        return False
    if match := _ATTRIBUTION.match(line):
        return _has_place_and_time(match["said"])
    return bool(_ATTRIBUTION_BARE.match(line) or (line.endswith((":", "：")) and _DATED_ADDRESS.match(line)))


def _has_place_and_time(text: str) -> bool:
    return "@" in text or sum(char.isdigit() for char in text) >= 2


def _fields(lines: list[str], index: int) -> int:
    """How many lines from here are a block such as From / Sent / To / Subject; 0 unless two fields and a sender."""
    seen: set[str] = set()
    last = at = index
    blanks = 0
    while at < len(lines) and at < index + 14:
        line = lines[at]
        at += 1
        if not line.strip():
            blanks += 1
            if (blanks > 2 and not seen) or seen:
                break
            continue
        match = _FIELD.match(line[:300])
        name = match[1].lower().replace(" ", "") if match else ""
        if name in _FROM or name in _OTHER_FIELDS:
            seen.add("from" if name in _FROM else name)
            last = at
        elif not seen or at - last > 2:
            break
    return last - index if "from" in seen and len(seen) > 1 else 0


@lru_cache(maxsize=1)
def _library_heading() -> re.Pattern[str]:
    return EmailReplyParser(languages=list(MAIL_LANGUAGES)).read("").HEADER_REGEX


__all__ = ["AutoReply", "is_auto_reply", "visible_reply"]
