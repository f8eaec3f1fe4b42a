"""CSV files as they come: their delimiter and header found, their rows one by one, with flat memory however long a line is."""

import csv
import io
import itertools
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from contacts.importing.encodings import Unreadable, detect

DELIMITERS = (",", ";", "\t", "|")
LINE_LIMIT = 1_000_000  # characters; a list of people has no such line
BLOCK = 1 << 16
COLUMN_LIMIT = 500
SAMPLE_ROWS = 5
_TRIAL_ROWS = 60

_PERSON = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+?[\d ().\-]{9,}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file is: how to read it, its column names, its first rows, and about how many rows it has."""

    encoding: str
    delimiter: str
    header: list[str]
    samples: list[list[str]]
    rows_estimate: int


def inspect(path: Path) -> Sheet:
    """Looks at a file's beginning. Raises Unreadable with a sentence."""
    encoding = detect(path)
    delimiter = _delimiter(path, encoding)
    records = (record for record in _records(path, encoding, delimiter) if any(cell.strip() for cell in record))
    header = [" ".join(_clean(cell).split())[:200] for cell in next(records, [])]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise Unreadable("The file is empty.")
    if len(header) > COLUMN_LIMIT:
        raise Unreadable(f"The file has {len(header)} columns; at most {COLUMN_LIMIT} can be read.")
    if any(_PERSON.fullmatch(name) for name in header):
        raise Unreadable("The first row is a person already. Add a row above it that names the columns.")
    samples = [[_clean(cell)[:200] for cell in record] for record in itertools.islice(records, SAMPLE_ROWS)]
    if not samples:
        raise Unreadable("There are no rows below the column names.")
    header = [name or f"Column {place}" for place, name in enumerate(header, 1)]
    return Sheet(encoding, delimiter, header, samples, _estimate(path, encoding, delimiter))


def rows(path: Path, encoding: str, delimiter: str) -> Generator[tuple[int, list[str]], None, None]:
    """(row number as a spreadsheet counts, cells) of every row below the header that is not blank.

    NULs are dropped. Raises Unreadable where the file stops being a list: a line or a quoted cell without an end.
    """
    header_seen = False
    for number, record in enumerate(_records(path, encoding, delimiter), 1):
        if not record or not (record[0].strip() or any(cell.strip() for cell in record)):
            continue
        if header_seen:
            yield number, record
        header_seen = True


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as text:
        lines = itertools.chain.from_iterable(_lines(text))
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        number = 0
        try:
            for number, record in enumerate(reader, 1):  # noqa: B007 (which row it was that could not be read)
                yield record
        except csv.Error as error:
            raise Unreadable(
                f"Row {number + 1} cannot be read: a quotation mark is opened and never closed, or a cell is longer "
                f"than {csv.field_size_limit():,} characters."
            ) from error


def _lines(text: io.TextIOWrapper) -> Iterator[list[str]]:
    """The lines, those of a block at a time; a file of one endless line is refused after its first megabyte."""
    rest, first = "", True
    while block := text.read(BLOCK):
        lines = io.StringIO(rest + block, newline="").readlines()
        # The last one goes on in the next block; after a return there may come its line feed.
        rest = lines.pop()
        if len(rest) > LINE_LIMIT or (lines and len(lines[0]) > LINE_LIMIT):
            raise Unreadable(f"A line is longer than {LINE_LIMIT:,} characters. This is not a list of people.")
        if lines:
            yield _readable(lines, first)
            first = False
    if rest:
        yield _readable([rest], first)


def _readable(lines: list[str], first: bool) -> list[str]:
    if first and re.fullmatch(r"sep=.\s*", lines[0]):
        lines[0] = "\n"  # Excel's hint; the row stays, so that row numbers match
    return [line.replace("\x00", "") if "\x00" in line else line for line in lines]


def _clean(cell: str) -> str:
    return cell.strip().strip("\ufeff")


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter under which the first rows have the same number of columns, and more than one. A comma when none does."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            records = [
                record for record in itertools.islice(_records(path, encoding, delimiter), _TRIAL_ROWS) if any(record)
            ]
        except Unreadable:
            if delimiter == DELIMITERS[-1] and best_score == (0.0, 0):
                raise
            continue
        if not records or len(records[0]) < 2:
            continue
        alike = sum(len(record) == len(records[0]) for record in records) / len(records)
        if (score := (round(alike, 1), len(records[0]))) > best_score:
            best, best_score = delimiter, score
    return best


def _estimate(path: Path, encoding: str, delimiter: str) -> int:
    """About how many rows: the file's size over the mean size of its first thousand rows."""
    size, characters, count = path.stat().st_size, 0, 0
    for record in itertools.islice(_records(path, encoding, delimiter), 1001):
        characters += sum(map(len, record)) + len(record)
        count += 1
    if count <= 1000:
        return count - 1
    width = 2 if encoding.startswith("utf-16") else 4 if encoding.startswith("utf-32") else 1
    return max(int(size / width / (characters / count)), count - 1)
