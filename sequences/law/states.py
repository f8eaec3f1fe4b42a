"""The states' own hours, where they are narrower than the federal ones. Data only; where sources conflict, the stricter.

Sources by letter: D dropcowboy.com/state-compliance (2025-11-01) · C blog.clickpointsoftware.com, calling hours by state (July
2025) · G g2leadstosales and clickpoint's tables · R support.referrizer.com, quiet hours · B bolna.ai calling guardrails and
glama.ai "Call Desk" · M from memory, to be verified.
"""

from datetime import date
from typing import Final

from sequences.law.rows import COUNSEL, PHONE, ClosedRow, HoursRow, Span, hours


def _row(
    state: str,
    weekday: Span | None,
    saturday: Span | None,
    sunday: Span | None,
    *,
    citation: str,
    source: str,
    holidays: str = "",
    holiday: Span | None = None,
    id: str = "",
    channels: tuple[str, ...] = PHONE,
    zone: str = "",
    valid_from: date = date(2000, 1, 1),
    note: str = "",
) -> HoursRow:
    return HoursRow(
        id=id or f"US-{state}-hours",
        jurisdiction=f"US-{state}",
        channels=channels,
        weekday=weekday,
        saturday=saturday,
        sunday=sunday,
        holiday=holiday,
        holidays=holidays,
        zone=zone,
        citation=citation,
        source=source,
        valid_from=valid_from,
        note=f"{note} {COUNSEL}".strip(),
    )


_8_20, _8_21, _9_20, _9_21 = hours("8", "20"), hours("8", "21"), hours("9", "20"), hours("9", "21")

HOURS: Final[tuple[HoursRow, ...]] = (
    _row("AL", _8_20, _8_20, None, holidays="US-AL-holidays", source="D, C",
         citation="Ala. Code tit. 8, ch. 19A (telemarketing; section not verified)"),
    _row("CT", _9_20, _9_20, _9_20, citation="Conn. Gen. Stat. § 42-288a, as amended by P.A. 23-98", source="D: 9–20; C: 9–21",
         note="The sources disagree about the end; the stricter is applied."),
    _row("FL", _8_20, _8_20, _8_20, citation="Fla. Stat. § 501.616(6)(a)", source="D, C"),
    _row("IL", _8_21, _8_21, _8_21, citation="815 ILCS 413/15", source="D"),
    _row("IL", _9_21, _9_21, _9_21, id="US-IL-prerecorded-hours", channels=("voice",), citation="815 ILCS 305/15", source="G",
         note="For prerecorded voices; an artificial one is read as prerecorded."),
    _row("KY", hours("10", "21"), hours("10", "21"), hours("10", "21"), citation="Ky. Rev. Stat. § 367.46955", source="D, C"),
    _row("LA", _8_20, _8_20, None, holidays="US-LA-holidays", source="D, C",
         citation="La. R.S. 45:844.11 et seq. and the Public Service Commission's order (section not verified)"),
    _row("MA", _8_20, _8_20, _8_20, citation="M.G.L. c. 159C, § 3; 201 CMR 12.00", source="D, C"),
    _row("MD", _8_20, _8_20, _8_20, citation="Md. Code, Com. Law § 14-4501 et seq.", source="D, G", valid_from=date(2024, 1, 1)),
    _row("ME", hours("9", "17"), None, None, holidays="US-ME-holidays", citation="10 M.R.S. § 1498", source="legislature.maine.gov, LD 392",
         note="Written for automated calling devices; applied to every text and call Omnify sends."),
    _row("MI", _9_21, _9_21, _9_21, citation="Mich. Comp. Laws § 445.111 et seq. (section not verified)", source="D"),
    _row("MN", _9_21, _9_21, _9_21, citation="Minn. Stat. § 325E.30", source="D"),
    _row("MS", _8_20, _8_20, None, holidays="US-MS-holidays", zone="America/Chicago", source="D",
         citation="Miss. Code § 77-3-701 et seq. (section not verified)",
         note="Central time. Sources conflict about holidays; the stricter is applied."),
    _row("NE", _8_21, _8_21, _8_21, citation="Neb. Rev. Stat. § 86-236 et seq.", source="G"),
    _row("NE", _8_21, _8_21, hours("13", "21"), holidays="US-NE-holidays", holiday=hours("13", "21"), source="G",
         id="US-NE-prerecorded-hours", channels=("voice",), citation="Neb. Rev. Stat. § 86-236 et seq.",
         note="For prerecorded voices; an artificial one is read as prerecorded."),
    _row("NJ", _8_20, _8_20, _8_20, citation="N.J. Stat. § 56:8-119 et seq.", source="R",
         note="One source only; others give 8–21. The stricter is applied."),
    _row("NM", _9_21, _9_21, _9_21, citation="N.M. Stat. § 57-12-22", source="D"),
    _row("NV", _9_20, _9_20, _9_20, citation="Nev. Rev. Stat. § 598.0918", source="D"),
    _row("OK", _8_20, _8_20, _8_20, citation="15 Okla. Stat. § 775C.4", source="D, C", valid_from=date(2022, 11, 1)),
    _row("PA", hours("9", "19"), hours("9", "19"), None, holidays="US-PA-holidays", source="pasenategop.com on SB 992; billtrack50; D: 8–21",
         citation="73 Pa. Stat. § 2241 et seq., as SB 992 of 2025 would amend it",
         note="The enacted text was not seen; the Senate's version, the strictest, is applied from now on."),
    _row("RI", hours("9", "18"), hours("10", "17"), None, holidays="US-RI-holidays", citation="R.I. Gen. Laws § 5-61-3.6",
         source="R, D", note="Sources conflict about Sunday; the stricter is applied."),
    _row("SD", _9_21, _9_21, None, citation="S.D. Codified Laws ch. 37-30A (section not verified)", source="M"),
    _row("TX", _9_21, _9_21, hours("12", "21"), id="US-TX-call-hours", channels=("voice",), valid_from=date(2009, 4, 1),
         citation="Tex. Bus. & Com. Code § 301.051", source="foster.com; glance.com (states Sunday the other way round)"),
    _row("TX", _9_21, _9_21, hours("12", "21"), id="US-TX-text-hours", channels=("sms",), valid_from=date(2025, 9, 1),
         citation="Tex. Bus. & Com. Code § 301.051; ch. 302 as amended by SB 140 (2025)", source="foster.com on SB 140",
         note="Texts are telephone solicitations since SB 140."),
    _row("UT", _8_21, _8_21, None, holidays="US-UT-holidays", citation="Utah Code § 13-25a-103", source="G; Sunday: M",
         note="Sources conflict about Sunday; the stricter is applied."),
    _row("VA", _8_21, _8_21, _8_21, citation="Va. Code § 59.1-511", source="mwcllc.com on SB 1339"),
    _row("WA", _8_20, _8_20, _8_20, citation="Wash. Rev. Code § 80.36.390", source="B", valid_from=date(2022, 6, 9)),
    _row("WY", _8_20, _8_20, _8_20, citation="Wyo. Stat. § 40-12-302", source="B"),
)  # fmt: skip

CLOSED: Final[tuple[ClosedRow, ...]] = (
    ClosedRow(
        id="US-ME-artificial-voice",
        jurisdiction="US-ME",
        channels=("voice",),
        citation="10 M.R.S. § 1498",
        source="legislature.maine.gov, LD 392",
        note="Automated calls to mobile numbers; which numbers are mobile is not certain enough to let any through. "
        + COUNSEL,
    ),
)
