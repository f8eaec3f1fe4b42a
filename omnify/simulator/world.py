"""Everything the simulator knows, in one value that each provider's part is given."""

import re
from dataclasses import dataclass, field
from typing import Any

from omnify.simulator.accounts import Accounts
from omnify.simulator.callbacks import Courier
from omnify.simulator.faults import FaultBook
from omnify.simulator.ledger import Ledger, Record
from omnify.simulator.people import People
from omnify.simulator.resources import Resources
from omnify.simulator.sns import Topics

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class World:
    """`pace` stretches every delay; 0 means at once."""

    ledger: Ledger
    accounts: Accounts
    resources: Resources
    people: People
    faults: FaultBook
    courier: Courier
    pace: float = 1.0
    topics: Topics = field(default_factory=Topics)

    def record(self, *entries: dict[str, Any]) -> list[Record]:
        """Write to the ledger; resources and threads show it at once."""
        written = self.resources.append(*entries)
        for record in written:
            self.people.hear(record)
        return written

    def change(self, provider: str, provider_id: str, **changes: Any) -> dict[str, Any]:
        """Change fields of a message or call, on the record. Returns it as it is now."""
        self.record({"record": "status", "provider": provider, "provider_id": provider_id, "changes": changes})
        resource = self.resources.get(provider, provider_id)
        assert resource is not None, f"{provider} {provider_id} was never accepted"
        return resource


def mark_in(url: str) -> str:
    """Our own id inside a callback URL: the last UUID in it, else its last path segment, else ""."""
    path = url.partition("://")[2].partition("/")[2].partition("#")[0]
    uuids = _UUID.findall(path)
    if uuids:
        return str(uuids[-1])
    segments = [segment for segment in path.partition("?")[0].split("/") if segment]
    return segments[-1] if segments else ""
