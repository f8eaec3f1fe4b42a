"""Signatures at the end of a mail: the dashes, the farewell with a name, "Sent from my ...", the list's footer."""

# ruff: noqa: E501 (a vocabulary is one line)

from __future__ import annotations

import re
from typing import Final

_FOOT_LINES: Final = 15
_DELIMITER: Final = re.compile(r"^\s*(?:--|---|—|––|__+|-- ?$|\*{2,})\s*$")
_RULE: Final = re.compile(r"^\s*[_-]{5,}\s*$")
_SENT_FROM: Final = re.compile(
    r"^\s*(?:\W{0,3})(?:sent (?:from|via|using|with)|get outlook for|envoyé (?:de|depuis|à partir)|enviad[oa] (?:desde|do|de|a partir|via)|gesendet (?:von|mit|über)|"
    r"von meinem .{1,30} gesendet|diese nachricht wurde von|verzonden (?:vanaf|met|van)|verstuurd vanaf|inviato (?:da|con)|skickat från|sendt fra|wysłan[eo] z|odesláno z|"
    r"отправлено (?:с|из)|lähetetty|iphoneから送信|.{0,12}から送信|发自我的|從我的|나의 .{1,12}에서 보냄|נשלח מה|أرسلت من|trimis de pe|tapatalk)",
    re.I,
)
_NOT_A_DEVICE: Final = re.compile(r"[,;!?]|\.\s|\b(?:is|was|are|much|because|so|and i)\b", re.I)
_DASHED_NAME: Final = re.compile(r"^\s*[-–—~]\s?[A-ZÀ-ÞΑ-ΩА-Я][\w.'’-]*(?: [A-ZÀ-Þ][\w.'’-]*){0,2}\s*$")
_FAREWELL: Final = re.compile(
    r"^\s*(?:(?:many |much |with |kindest |kind |best |warm |warmest |all the |yours )*(?:thanks|thank you|thx|cheers|regards|best|wishes|sincerely|truly|faithfully|"
    r"respectfully|appreciated|rgds|br|ty)(?: (?:again|so much|very much|in advance|a lot|and regards|wishes|regards|sincerely))*|sincerely yours|talk soon|take care|"
    r"(?:mit )?(?:freundliche[nr]?|beste[n]?|viele|liebe|herzliche|schöne) (?:grüße[n]?|grüssen?|gruß|gruss)|gruß|grüße|mfg|lg|vg|"
    r"cordialement|bien cordialement|bien à vous|salutations(?: distinguées)?|sincères salutations|merci(?: d['’]avance)?|"
    r"(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|gracias|muchas gracias|abrazos?|"
    r"atenciosamente|att|abraços?|obrigad[oa]|cumprimentos|cordiali saluti|distinti saluti|saluti|grazie|"
    r"(?:met )?(?:vriendelijke )?groet(?:en|jes)?|mvh|(?:med )?(?:venlig|vänlig|vennlig|bästa|beste)\w* (?:hilsen|hälsning\w*|hilsning\w*)|hilsen|"
    r"pozdrawiam(?: serdecznie)?|s pozdravem|с уважением|спасибо|よろしくお願い.{0,8}|以上)\s*[,!.。-]*\s*$",
    re.I,
)


def without_signature(lines: list[str]) -> list[str]:
    """The lines without what signs them. A text that would be nothing but a signature is left as it is."""
    lines = _trimmed(lines)
    for cut in (_foot, _farewell, _dashed_name):
        end = cut(lines)
        if end is not None and any(line.strip() for line in lines[:end]):
            lines = _trimmed(lines[:end])
    return lines


def _trimmed(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]


def _foot(lines: list[str]) -> int | None:
    """The first line that begins a foot short enough to be one: only the last filled lines are looked at."""
    filled = [index for index, line in enumerate(lines) if line.strip()][-_FOOT_LINES - 1 :]
    for place, index in enumerate(filled):
        line, rest = lines[index], [lines[below] for below in filled[place + 1 :]]
        if _DELIMITER.match(line[:80]) and rest:
            return index
        if _RULE.match(line[:200]) and sum(len(below) for below in rest) < 600:
            return index
        device = _SENT_FROM.match(line) if len(line) < 120 and len(line.split()) <= 10 and len(rest) <= 8 else None
        if device and not _NOT_A_DEVICE.search(line[device.end() :]):
            return index
    return None


def _farewell(lines: list[str]) -> int | None:
    """A farewell followed by a few short lines: a name, a title, a number."""
    for index in range(max(1, len(lines) - 12), len(lines)):
        if len(lines[index]) > 60 or not _FAREWELL.match(lines[index]):
            continue
        rest = [below for below in lines[index + 1 :] if below.strip()]
        if 1 <= len(rest) <= 8 and all(len(below) <= 80 and "?" not in below for below in rest):
            return index
    return None


def _dashed_name(lines: list[str]) -> int | None:
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if len(filled) < 2 or not _DASHED_NAME.match(lines[filled[-1]][:100]):
        return None
    return None if lines[filled[-2]].lstrip().startswith(("-", "–", "—", "*")) else filled[-1]
