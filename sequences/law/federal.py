"""What binds in all of the United States, and what holds where nobody knows the place. Data only."""

from datetime import date
from typing import Final

from sequences.law.rows import COUNSEL, PHONE, ConsentRow, HoursRow, hours

_DAY: Final = hours("8:00", "21:00")
_STRICTEST: Final = hours("10:00", "17:00")

HOURS: Final[tuple[HoursRow, ...]] = (
    HoursRow(
        id="US-hours",
        jurisdiction="US",
        channels=PHONE,
        weekday=_DAY,
        saturday=_DAY,
        sunday=_DAY,
        citation="47 CFR 64.1200(c)(1)",
        source="the rule's text as quoted by fedsoc.org and leadgen-economy.com",
        valid_from=date(1992, 12, 20),
        note="Applied to texts as to calls, with or without written consent, until the FCC decides otherwise. "
        + COUNSEL,
    ),
    HoursRow(
        id="US-unknown-state-hours",
        jurisdiction="US-unknown",
        channels=PHONE,
        weekday=_STRICTEST,
        saturday=_STRICTEST,
        sunday=None,
        holiday=None,
        holidays="any",
        citation="47 CFR 64.1200(c)(1) and every state's rule at once",
        source="Omnify's own choice: hours that are open in all states on all their working days",
        note="Holds for somebody of whom only the country is known. " + COUNSEL,
    ),
    HoursRow(
        id="unknown-place-hours",
        jurisdiction="unknown",
        channels=PHONE,
        weekday=_STRICTEST,
        saturday=_STRICTEST,
        sunday=None,
        holiday=None,
        holidays="any",
        citation="47 CFR 64.1200(c)(1) and every state's rule at once",
        source="Omnify's own choice: hours that are open in all states on all their working days",
        note="Read on the clocks of all four zones of the continental United States. " + COUNSEL,
    ),
)

CONSENTS: Final[tuple[ConsentRow, ...]] = (
    ConsentRow(
        id="US-text-consent",
        jurisdiction="US",
        channels=("sms",),
        needed=frozenset({"pewc_text"}),
        citation="47 CFR 64.1200(a)(2), (f)(9)",
        source="kelleydrye.com and natlawreview.com on prior express written consent",
        valid_from=date(2013, 10, 16),
    ),
    ConsentRow(
        id="US-artificial-voice-consent",
        jurisdiction="US",
        channels=("voice",),
        needed=frozenset({"pewc_artificial_voice"}),
        citation="47 CFR 64.1200(a)(2)–(3), (f)(9); FCC 24-17 (8 February 2024)",
        source="plainstamp and natlawreview.com on FCC 24-17",
        valid_from=date(2013, 10, 16),
    ),
    ConsentRow(
        id="US-email",
        jurisdiction="US",
        channels=("email",),
        postal_address=True,
        citation="15 USC 7704(a) (CAN-SPAM)",
        source="ftcdefenselawyer and thelegaldirection on CAN-SPAM's duties",
        valid_from=date(2004, 1, 1),
        note="Needs no consent: nobody who opted out, true headers, a postal address, a working opt-out. " + COUNSEL,
    ),
)
