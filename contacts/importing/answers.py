"""What a row answers about permission: who agreed, who declined, who opted out. Pure.

Most rows of a list answer alike, so the answer to each combination of cells is worked out once and remembered.
"""

from dataclasses import dataclass

from contacts.importing.fields import CONSENT_FIELDS
from contacts.importing.words import is_no, is_nothing, yes_or_no

CHANNELS = ("sms", "email", "voice")
QUOTE_LIMIT = 300  # characters of the words a suppression rests on
REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Said:
    """The channels of each kind; `declined_email`: the words of a clear "no" to e-mail, "" without one; `unclear`: (field,
    value, what is made of it) of every cell that is neither yes nor no."""

    agreed: list[str]
    refused: list[str]
    opted_out: list[str]
    declined_email: str
    unclear: list[tuple[str, str, str]]


class Answers:
    """Reads the columns about permission. `index`: field -> column; `stated`: the channels everybody in the file agreed to, as
    the importer states it."""

    def __init__(self, index: dict[str, int], stated: tuple[str, ...]) -> None:
        self.stated = stated
        self.columns = {
            key: column
            for key, column in index.items()
            if key.startswith(("consent_", "opt_out")) and key not in ("consent_at", "consent_source")
        }
        self.asked = bool(self.columns or stated)
        self.known: dict[tuple[object, ...], Said] = {}

    def of(self, row: list[str], mailbox: bool, phone: bool) -> Said:
        """What this row answers; `mailbox`, `phone`: whether it has such an address that can be used. Not to be changed."""
        cells = [row[column] for column in self.columns.values()]
        said = self.known.get(key := (mailbox, phone, *cells))
        if said is None:
            said = self._said(cells, mailbox, phone)
            if len(self.known) < REMEMBERED and sum(map(len, cells)) < QUOTE_LIMIT:
                self.known[key] = said
        return said

    def quote(self, header: list[str], words: str) -> str:
        """The column and the words that a closed mailbox rests on."""
        return f"{header[self.columns['consent_email']]}: {words}"[:QUOTE_LIMIT]

    def _said(self, cells: list[str], mailbox: bool, phone: bool) -> Said:
        filled = {key: _filled(cell) for key, cell in zip(self.columns, cells, strict=True)}
        said = Said([], [], [], "", [])
        heard = {key: _yes_or_no(key, cell, said.unclear) for key, cell in filled.items()}
        for channel in CHANNELS:
            column = heard.get(CONSENT_FIELDS[channel])
            out = heard.get("opt_out") or heard.get(f"opt_out_{channel}")
            if out:
                said.opted_out.append(channel)
            if out or column is False:
                said.refused.append(channel)
            elif (column or (column is None and channel in self.stated)) and (mailbox if channel == "email" else phone):
                said.agreed.append(channel)
        if heard.get("consent_email") is False and "email" not in said.opted_out and is_no(filled["consent_email"]):
            return Said(said.agreed, said.refused, said.opted_out, filled["consent_email"], said.unclear)
        return said


def _filled(cell: str) -> str:
    text = cell.strip()
    return "" if is_nothing(text) else text


def _yes_or_no(key: str, cell: str, unclear: list[tuple[str, str, str]]) -> bool | None:
    try:
        return yes_or_no(cell)
    except ValueError:
        # The careful reading of an unclear cell: no consent, and no opt-out to be lifted by nobody.
        side = "an opt-out" if key.startswith("opt_out") else "no consent"
        unclear.append((key, cell, f"This is neither yes nor no: it counts as {side}."))
        return key.startswith("opt_out")
