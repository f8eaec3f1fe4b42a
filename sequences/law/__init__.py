"""The law as dated rows with citations, and the questions the engine asks of them. Pure: no Django, no clock, no I/O.

Not legal advice; see docs/compliance.md. `allowed` (hours and places), `caps` (how often), `lacking` (consent).
"""

from sequences.law.book import BY_ID, NO_RULE, ROWS, faults, lacking, shows_address
from sequences.law.frequency import CAPS, caps
from sequences.law.gate import ANY_HOUR, MARKETING, Objection, Person, Verdict, allowed, judged

__all__ = [
    "ANY_HOUR",
    "BY_ID",
    "CAPS",
    "MARKETING",
    "NO_RULE",
    "ROWS",
    "Objection",
    "Person",
    "Verdict",
    "allowed",
    "caps",
    "faults",
    "judged",
    "lacking",
    "shows_address",
]
