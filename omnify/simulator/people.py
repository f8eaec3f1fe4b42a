"""The people at the other end: who they are, how they behave, and everything they received and said."""

import hashlib
from collections import defaultdict
from typing import Any

from omnify.simulator.accounts import Accounts
from omnify.simulator.ledger import INBOUND, READ, RECEIVED, STATUS, Ledger, Record
from omnify.simulator.temperaments import TEMPERAMENTS, Temperament


def normal(address: str) -> str:
    """One spelling per person: mail addresses in lower case, numbers without blanks."""
    address = address.strip()
    return address.lower() if "@" in address else address.replace(" ", "")


class People:
    """Threads by address, kept up to date record by record; manners from the configuration or by chance of birth."""

    def __init__(self, accounts: Accounts, ledger: Ledger, seed: int) -> None:
        self._accounts = accounts
        self._seed = seed
        self._threads: dict[str, list[Record]] = defaultdict(list)
        self._ended: dict[str, dict[str, Any]] = {}
        self._read: dict[str, int] = defaultdict(int)
        self._stopped: set[tuple[str, str]] = set()  # (person, our number): the provider refuses these
        for record in ledger.records:
            self.hear(record)

    def hear(self, record: Record) -> None:
        """Take note of one ledger record."""
        if record["record"] == RECEIVED:
            self._threads[normal(record["to"])].append(record)
        elif record["record"] == INBOUND:
            address = normal(record["from"])
            self._threads[address].append(record)
            self._read[address] = record["seq"]
            if record.get("opt_out") == "STOP":
                self._stopped.add((address, record["to"]))
            elif record.get("opt_out") == "START":
                self._stopped.discard((address, record["to"]))
        elif record["record"] == READ:
            self._read[normal(record["address"])] = record["seq"]
        elif record["record"] == STATUS and "ended_reason" in record["changes"]:
            self._ended[record["provider_id"]] = record["changes"]

    def is_stopped(self, address: str, ours: str) -> bool:
        """Whether this person's last keyword to that number of ours was STOP."""
        return (normal(address), ours) in self._stopped

    def dice(self, address: str, what: str, sides: int) -> int:
        """A number below `sides` that is always the same for this person, purpose and seed."""
        digest = hashlib.sha256(f"{self._seed}|{normal(address)}|{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % sides

    def temperament_name(self, address: str) -> str:
        """What was set for this person, else what the configured shares give them, else manual."""
        chosen = self._accounts.people.get(normal(address), {}).get("temperament")
        if chosen:
            return str(chosen)
        position = self.dice(address, "temperament", 1_000_000) / 1_000_000
        for name, share in self._accounts.shares.items():
            if position < share:
                return name
            position -= share
        return "manual"

    def temperament(self, address: str) -> Temperament:
        return TEMPERAMENTS[self.temperament_name(address)]

    def set(self, address: str, settings: dict[str, Any]) -> None:
        """Change a person's manners or name for good. Raises ValueError on an unknown temperament."""
        if settings.get("temperament") not in (None, *TEMPERAMENTS):
            raise ValueError(f"unknown temperament; known: {', '.join(TEMPERAMENTS)}")
        self._accounts.people.setdefault(normal(address), {}).update(settings)
        self._accounts.save()

    def set_shares(self, shares: dict[str, float]) -> None:
        """How common each temperament is among people nobody configured, e.g. {"friendly": 0.2}; the rest is manual."""
        if not set(shares) <= set(TEMPERAMENTS) or sum(shares.values()) > 1:
            raise ValueError("shares are of known temperaments and add up to at most 1")
        self._accounts.shares = shares
        self._accounts.save()

    def next_answer(self, address: str, channel: str) -> str:
        """What this person would say to what they have just received; "" for nothing."""
        manners = self.temperament(address)
        choices = manners.texts if channel == "sms" else manners.mails
        answered = sum(1 for r in self._threads[normal(address)] if r["record"] == INBOUND and r["kind"] == channel)
        if not choices or answered >= manners.answers_at_most:
            return ""
        return choices[(self.dice(address, channel, len(choices)) + answered) % len(choices)]

    def last_received(self, address: str, kind: str, mark: str = "") -> Record | None:
        """The newest thing of a kind this person received; with `mark`, the one that carries that mark or id."""
        for record in reversed(self._threads.get(normal(address), [])):
            ids = (record.get("mark"), record.get("message_id"), record["provider_id"])
            if record["record"] == RECEIVED and record["kind"] == kind and (not mark or mark in ids):
                return record
        return None

    def thread(self, address: str) -> dict[str, Any]:
        """Everything one person received and said, oldest first, calls with their transcript once they have ended."""
        address = normal(address)
        entries = [self._entry(record) for record in self._threads.get(address, [])]
        return {**self._summary(address), "entries": entries}

    def all(self) -> list[dict[str, Any]]:
        """Everyone who ever received something or was set up, the most recent first."""
        known = {a for a, thread in self._threads.items() if thread} | set(self._accounts.people)
        people = [self._summary(address) for address in known]
        return sorted(people, key=lambda p: (-(p["last"] or {"seq": 0})["seq"], p["address"]))

    def _summary(self, address: str) -> dict[str, Any]:
        thread = self._threads.get(address, [])
        unread = [r for r in thread if r["record"] == RECEIVED and r["seq"] > self._read.get(address, 0)]
        return {
            "address": address,
            "name": self._accounts.people.get(address, {}).get("name", ""),
            "temperament": self.temperament_name(address),
            "unread": len(unread),
            "last": self._entry(thread[-1]) if thread else None,
        }

    def _entry(self, record: Record) -> dict[str, Any]:
        """A record from the person's point of view."""
        fields = ("seq", "at", "from", "to", "subject", "body", "first_message", "provider_id", "message_id", "mark")
        entry = {name: record[name] for name in fields if name in record}
        entry |= {"direction": "received" if record["record"] == RECEIVED else "sent", "channel": record["kind"]}
        if record["kind"] == "call":
            end = self._ended.get(record["provider_id"], {})
            entry["ended_reason"] = end.get("ended_reason", "")
            entry["transcript"] = end.get("transcript", "")
            entry["turns"] = [
                {"who": "caller" if m["role"] == "bot" else "person", "text": m["message"]}
                for m in end.get("turns", [])
            ]
        return entry
