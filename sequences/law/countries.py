"""Countries besides the United States whose rules Omnify has rows for. A country without a row here is closed. Data only."""

from datetime import date
from typing import Final

from sequences.law.rows import COUNSEL, PHONE, ConsentRow, HoursRow, hours

HOURS: Final[tuple[HoursRow, ...]] = (
    HoursRow(
        id="CA-hours",
        jurisdiction="CA",
        channels=PHONE,
        weekday=hours("9:00", "21:30"),
        saturday=hours("10:00", "18:00"),
        sunday=hours("10:00", "18:00"),
        citation="CRTC Unsolicited Telecommunications Rules, Part III s. 23 and Part IV s. 4",
        source="crtc.gc.ca, key unsolicited telecommunications rules",
        valid_from=date(2008, 9, 30),
        note="Written for calls; applied to texts as well. A province may be stricter. " + COUNSEL,
    ),
    HoursRow(
        id="AU-hours",
        jurisdiction="AU",
        channels=PHONE,
        weekday=hours("9:00", "20:00"),
        saturday=hours("9:00", "17:00"),
        sunday=None,
        holiday=None,
        holidays="AU-holidays",
        citation="Telecommunications (Telemarketing and Research Calls) Industry Standard 2017",
        source="donotcall.gov.au, industry standards",
        valid_from=date(2017, 4, 1),
        note="Written for calls; applied to texts as well. " + COUNSEL,
    ),
    HoursRow(
        id="GB-hours",
        jurisdiction="GB",
        channels=PHONE,
        weekday=hours("8:00", "21:00"),
        saturday=hours("9:00", "21:00"),
        sunday=None,
        holiday=None,
        holidays="GB-holidays",
        citation="SI 2003/2426 (PECR) regs 19, 21, 22; UK GDPR art. 5(1)(a)",
        source="callcentresoftware.co.uk, 2017: the DMA's guide; the ICO speaks of antisocial hours only",
        valid_from=date(2003, 12, 11),
        note="The Regulations set no hours; these are the Direct Marketing Association's. " + COUNSEL,
    ),
)

_TEXT: Final = frozenset({"pewc_text"})
_VOICE: Final = frozenset({"pewc_artificial_voice"})
_MAIL: Final = frozenset({"email_optin"})


def _consents(
    country: str, *, text: str, voice: str, mail: str, source: str, since: date, note: str = ""
) -> tuple[ConsentRow, ...]:
    """The three channels of one country whose law asks for consent on each; citations by channel."""
    note = f"{note} {COUNSEL}".strip()
    return tuple(
        ConsentRow(
            id=f"{country}-{name}",
            jurisdiction=country,
            channels=(channel,),
            needed=needed,
            postal_address=channel == "email",
            citation=citation,
            source=source,
            valid_from=since,
            note=note,
        )
        for name, channel, needed, citation in (
            ("text-consent", "sms", _TEXT, text),
            ("artificial-voice-consent", "voice", _VOICE, voice),
            ("email-consent", "email", _MAIL, mail),
        )
    )


CONSENTS: Final[tuple[ConsentRow, ...]] = (
    *_consents(
        "CA",
        text="S.C. 2010, c. 23 (CASL) s. 6",
        voice="CRTC Unsolicited Telecommunications Rules, Part IV s. 2",
        mail="S.C. 2010, c. 23 (CASL) s. 6",
        source="crtc.gc.ca; CASL's text, from general knowledge",
        since=date(2014, 7, 1),
        note="CASL knows implied consent, too; Omnify asks for express consent.",
    ),
    *_consents(
        "AU",
        text="Spam Act 2003 s. 16",
        voice="Do Not Call Register Act 2006 s. 11; Industry Standard 2017",
        mail="Spam Act 2003 s. 16",
        source="donotcall.gov.au; the Acts' texts, from general knowledge",
        since=date(2007, 5, 31),
        note="The Spam Act knows inferred consent, too; Omnify asks for express consent.",
    ),
    *_consents(
        "GB",
        text="SI 2003/2426 (PECR) reg. 22",
        voice="SI 2003/2426 (PECR) reg. 19",
        mail="SI 2003/2426 (PECR) reg. 22",
        source="caps-ltd.co.uk and dpnetwork.org.uk on PECR; the Regulations' text, from general knowledge",
        since=date(2003, 12, 11),
        note="Companies may be written to without consent; Omnify cannot tell them from people.",
    ),
)
