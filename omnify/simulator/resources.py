"""What each provider would answer about a message or a call: rebuilt from the ledger, so a restart forgets nothing."""

from typing import Any

from omnify.simulator.ledger import ACCEPTED, INBOUND, STATUS, Ledger, Record

Resource = dict[str, Any]


class Resources:
    """Messages and calls by provider and id, in order of creation."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._by_provider: dict[str, dict[str, Resource]] = {}
        for record in ledger.records:
            self.apply(record)

    def apply(self, record: Record) -> None:
        if record["record"] in (ACCEPTED, INBOUND) and "resource" in record:
            known = self._by_provider.setdefault(record["provider"], {})
            known[record["provider_id"]] = {
                **record["resource"],
                "id": record["provider_id"],
                "created": record["at"],
                "updated": record["at"],
            }
        elif record["record"] == STATUS:
            resource = self._by_provider.get(record["provider"], {}).get(record["provider_id"])
            if resource is not None:
                resource.update(record["changes"], updated=record["at"])

    def append(self, *entries: dict[str, Any]) -> list[Record]:
        """Write to the ledger and let the change show here."""
        written = self.ledger.append(*entries)
        for record in written:
            self.apply(record)
        return written

    def get(self, provider: str, provider_id: str) -> Resource | None:
        return self._by_provider.get(provider, {}).get(provider_id)

    def newest_first(self, provider: str) -> list[Resource]:
        return list(reversed(self._by_provider.get(provider, {}).values()))
