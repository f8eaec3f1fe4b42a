"""What the rest of Omnify and its tests say to a running simulator."""

import time
from typing import Any
from urllib.parse import quote

import httpx

Json = dict[str, Any]


class SimulatorClient:
    """Synchronous calls to the control API at `base_url`. Raises httpx.HTTPError when it does not answer or refuses."""

    def __init__(self, base_url: str, timeout: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        # One connection per call: a long-lived client would trip over a simulator that was killed and started again.
        self._http = httpx.Client(
            base_url=self.base_url, timeout=timeout, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def _ask(self, method: str, path: str, **options: Any) -> Json:
        answer = self._http.request(method, path, **options)
        if answer.status_code == 400:
            raise ValueError(answer.json()["error"])
        answer.raise_for_status()
        result: Json = answer.json()
        return result

    def healthy(self) -> bool:
        try:
            return bool(self._ask("GET", "/health", timeout=2.0)["ok"])
        except httpx.HTTPError:
            return False

    def ledger(
        self, *, to: str = "", kind: str = "", mark: str = "", after: int = 0, record: str = "received"
    ) -> list[Json]:
        """Ledger lines, oldest first; by default what people received."""
        query = {"to": to, "kind": kind, "mark": mark, "after": after, "record": record}
        records: list[Json] = self._ask("GET", "/ledger", params=query)["records"]
        return records

    def duplicates(self, by: str = "mark") -> list[list[Json]]:
        groups: list[list[Json]] = self._ask("GET", "/ledger/duplicates", params={"by": by})["duplicates"]
        return groups

    def people(self) -> list[Json]:
        everyone: list[Json] = self._ask("GET", "/people")["people"]
        return everyone

    def thread(self, address: str) -> Json:
        return self._ask("GET", f"/people/{quote(address)}")

    def mark_read(self, address: str) -> Json:
        return self._ask("POST", f"/people/{quote(address)}/read")

    def reply(self, address: str, channel: str, body: str, *, in_reply_to: str = "", to: str = "") -> int:
        """Answer as this person. Returns the HTTP status of Omnify's webhook, 0 if nobody took it.

        Raises ValueError when the simulator cannot (no such mail, nobody owns the number).
        """
        given = {"channel": channel, "body": body, "in_reply_to": in_reply_to, "to": to}
        return int(self._ask("POST", f"/people/{quote(address)}/reply", json=given)["webhook_status"])

    def call(self, address: str, to: str, *lines: str) -> str:
        """This person calls our number `to` (a VAPI phone number id) and says these lines. Returns the call's id."""
        return str(self._ask("POST", f"/people/{quote(address)}/call", json={"to": to, "lines": lines})["call"])

    def set_person(self, address: str, **settings: Any) -> Json:
        """temperament=…, name=…; see temperaments.py."""
        return self._ask("PUT", f"/people/{quote(address)}", json=settings)

    def set_shares(self, **shares: float) -> Json:
        """How common each temperament is among people nobody set up, e.g. friendly=0.2."""
        return self._ask("PUT", "/config/shares", json=shares)

    def configure(self, accounts: dict[str, list[Json]]) -> Json:
        """Register accounts by provider; see accounts.py for the key of each."""
        return self._ask("PUT", "/config/accounts", json=accounts)

    def faults(self, rules: list[Json]) -> list[Json]:
        """Add scripted faults; see faults.py. Returns all rules in force."""
        in_force: list[Json] = self._ask("POST", "/faults", json=rules)["faults"]
        return in_force

    def clear(self) -> None:
        """Forget all scripted faults."""
        self._ask("DELETE", "/faults")

    def callbacks(self, **equal: str) -> list[Json]:
        """How the latest webhook deliveries went; filter by provider, event, about (the provider's id)."""
        deliveries: list[Json] = self._ask("GET", "/callbacks", params=equal)["callbacks"]
        return deliveries

    def settled(self, timeout: float = 10.0) -> bool:
        """Wait until every consequence of what was accepted has happened; False after `timeout` seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._ask("GET", "/health")["pending"] == 0:
                return True
            time.sleep(0.02)
        return False

    def close(self) -> None:
        self._http.close()
