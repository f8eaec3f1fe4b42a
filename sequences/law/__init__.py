"""The law as dated rows with citations, and the questions the engine asks of them. Pure: no Django, no clock, no I/O.

Not legal advice; see docs/compliance.md.
"""

from sequences.law.frequency import CAPS, caps

__all__ = ["CAPS", "caps"]
