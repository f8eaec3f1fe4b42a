"""The append-only record of what people received, answered, and what the providers had accepted.

One JSON object per line. A line is in the kernel's hands before `append` returns, so a kill -9 of the simulator loses
nothing; `durable` adds an fsync (shared by everyone who waits at that moment) for the loss of the whole machine.
"""

import asyncio
import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omnify.lib.clock import now

Record = dict[str, Any]

RECEIVED = "received"  # a person's device got it: a text, a mail, a ringing phone
INBOUND = "inbound"  # a person answered
ACCEPTED = "accepted"  # a provider said yes to an API request
STATUS = "status"  # a provider's view of a message or call changed
READ = "read"  # a human at the Phone page has seen the thread up to here


class LedgerBusy(RuntimeError):
    """Another simulator is writing this file."""


class Ledger:
    """The file `path` and its content in memory. Raises `LedgerBusy` if another process holds it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(self._file)
            raise LedgerBusy(f"{path} is in use by another simulator") from taken
        self.records: list[Record] = self._load()
        self._synced = self.last_seq
        self._sync = asyncio.Lock()

    @property
    def last_seq(self) -> int:
        return self.records[-1]["seq"] if self.records else 0

    def _load(self) -> list[Record]:
        """Every whole line; a torn last line (power loss in the middle of a write) is cut off, never guessed."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._file, whole)
        return [json.loads(line) for line in content[:whole].splitlines()]

    def append(self, *entries: Mapping[str, Any]) -> list[Record]:
        """Number, date and write the entries together: after a kill either all or a prefix of them is there."""
        at = now().isoformat()
        written = [{"seq": self.last_seq + n, "at": at, **entry} for n, entry in enumerate(entries, start=1)]
        remaining = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in written).encode(
            "utf-8", "surrogatepass"
        )
        while remaining:
            remaining = remaining[os.write(self._file, remaining) :]
        self.records.extend(written)
        return written

    async def durable(self) -> None:
        """Return once everything appended so far is on the disk."""
        wanted = self.last_seq
        async with self._sync:
            if self._synced >= wanted:
                return
            reached = self.last_seq
            await asyncio.to_thread(os.fsync, self._file)
            self._synced = reached

    def find(self, *, after: int = 0, **equal: str) -> list[Record]:
        """Records with `seq` > after whose fields equal the given non-empty values, oldest first."""
        wanted = {field: value for field, value in equal.items() if value}
        return [
            record
            for record in self.records
            if record["seq"] > after and all(record.get(field) == value for field, value in wanted.items())
        ]

    def duplicates(self, by: str = "mark") -> list[list[Record]]:
        """Groups of two or more things one person received with the same mark (or, by="body", the same words).

        A thing without a mark of ours is compared by its words: it must not hide from the judge.
        """
        groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for record in self.find(record=RECEIVED):
            words = (record.get("subject") or "", record.get("body") or record.get("first_message") or "")
            mark = record.get("mark") if by == "mark" else ""
            identity = ("mark", str(mark)) if mark else ("words", *words)
            groups[record["kind"], record["to"], *identity].append(record)
        return [group for group in groups.values() if len(group) > 1]

    def close(self) -> None:
        os.fsync(self._file)
        os.close(self._file)
