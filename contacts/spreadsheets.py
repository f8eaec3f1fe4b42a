"""CSV going out: RFC 4180, and no cell that a spreadsheet would run as a formula. Pure.

Source: OWASP, CSV injection. A cell that begins with one of the triggers gets an apostrophe in front, phones included (+1…):
a spreadsheet then shows it as the text it is, and our own import takes the apostrophe off again.
"""

import csv
import io
from collections.abc import Iterable, Sequence

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def safe(cell: str) -> str:
    """The cell as text that no spreadsheet runs. NULs go."""
    return ("'" + cell if cell.startswith(TRIGGERS) else cell).replace("\x00", "")


def plain(cell: str) -> str:
    """The other way: the cell without the apostrophe that `safe` put there."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1:].startswith(TRIGGERS) else cell


def lines(rows: Iterable[Sequence[str]]) -> str:
    """These rows as CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()
