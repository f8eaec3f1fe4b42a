"""What has been configured: accounts at each provider, people's manners. A JSON file, so that restarts keep it.

Accounts, as `PUT /config/accounts` takes them (lists, by provider; webhook URLs absolute or paths on --public-base):

- twilio: account_sid, auth_token, numbers [{number, sms_url, sms_fallback_url?}], messaging_services? {sid: [number]},
  handles_opt_out? (true: a bare STOP is confirmed and kept by the provider, further texts get 21610)
- vapi: api_key, server_url?, server_secret?, hmac_secret?, phone_number_ids?
- postmark: server_token, tracking_url?, inbound_url? (with user:password@), senders? (addresses or @domains)
- sendgrid: api_key, events_url?, inbound_url? (with user:password@), email_activity? (true: the add-on that lists what was sent)
- ses: access_key_id, topic_arn?, events_url? (what SNS delivers to)
- smtp: inbound_url, tracking_url?, senders? (whose mail these webhooks hear of)
- openai: api_key, answers? [{contains, content}]
"""

import json
import os
from pathlib import Path
from typing import Any

Account = dict[str, Any]

# The field that names an account at each provider; a second PUT with the same value replaces the account.
KEYS = {
    "twilio": "account_sid",
    "vapi": "api_key",
    "postmark": "server_token",
    "sendgrid": "api_key",
    "ses": "access_key_id",
    "smtp": "inbound_url",
    "openai": "api_key",
}


class Accounts:
    """The configuration file at `path`; created at the first change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        saved = json.loads(path.read_text()) if path.exists() else {}
        self.accounts: dict[str, dict[str, Account]] = {kind: saved.get("accounts", {}).get(kind, {}) for kind in KEYS}
        self.people: dict[str, dict[str, Any]] = saved.get("people", {})
        self.shares: dict[str, float] = saved.get("shares", {})

    def register(self, given: dict[str, list[Account]]) -> None:
        """Add or replace accounts, by provider. Raises ValueError on an unknown provider or a missing key field."""
        if not isinstance(given, dict):
            raise ValueError("accounts come as an object: provider -> list of accounts")
        for provider, accounts in given.items():
            if provider not in KEYS:
                raise ValueError(f"unknown provider {provider!r}; known: {', '.join(KEYS)}")
            for account in accounts if isinstance(accounts, list) else [accounts]:
                if not isinstance(account, dict) or not account.get(KEYS[provider]):
                    raise ValueError(f"a {provider} account needs {KEYS[provider]!r}")
                if provider == "smtp":
                    self._forget_mailboxes(account.get("senders", []))
                self.accounts[provider][account[KEYS[provider]]] = account
        self.save()

    def _forget_mailboxes(self, senders: list[str]) -> None:
        """An SMTP account is named by its webhook, which moves with Omnify's port: the newest word on a mailbox holds."""
        known = self.accounts["smtp"]
        for name in [name for name, account in known.items() if set(account.get("senders", [])) & set(senders)]:
            del known[name]

    def get(self, provider: str, key: str) -> Account | None:
        return self.accounts[provider].get(key)

    def all(self, provider: str) -> list[Account]:
        return list(self.accounts[provider].values())

    def twilio_number(self, number: str, account_sid: str = "") -> tuple[Account, dict[str, Any]] | None:
        """The account that owns a number, and the number's own settings (sms_url, sms_fallback_url).

        Two simulated accounts may claim one number: `account_sid` says which is meant.
        """
        owners = [
            (account, owned)
            for account in self.all("twilio")
            for owned in account.get("numbers", [])
            if owned.get("number") == number
        ]
        return next((pair for pair in owners if pair[0]["account_sid"] == account_sid), next(iter(owners), None))

    def mailbox(self, provider: str, sender: str) -> Account | None:
        """The account whose webhooks hear of mail from `sender`: named in `senders` (or its @domain), else the first.

        Mail sent over SMTP falls back to the Postmark accounts, for a set-up that configures only one of the two.
        """
        domain = "@" + sender.rpartition("@")[2]
        candidates = self.all(provider) + (self.all("postmark") if provider == "smtp" else [])
        named = [a for a in candidates if {sender.lower(), domain.lower()} & {s.lower() for s in a.get("senders", [])}]
        return next(iter(named + [a for a in candidates if not a.get("senders")]), None)

    def save(self) -> None:
        """Replace the file in one step: a kill leaves the old or the new configuration, never half of one."""
        fresh = self.path.with_suffix(".new")
        state = {"accounts": self.accounts, "people": self.people, "shares": self.shares}
        with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
