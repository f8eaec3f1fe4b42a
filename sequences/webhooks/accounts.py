"""Whose webhook is it? The sender behind a webhook key, remembered for a minute."""

import asyncio
import re
import time
from collections import OrderedDict
from dataclasses import dataclass

from psycopg import OperationalError

from omnify.lib import sealing
from sequences.webhooks.base import Account
from sequences.webhooks.link import Link

KEEP_SECONDS = 60.0
KEEP_UNKNOWN_SECONDS = 5.0
KEEP_AT_MOST = 10_000
# With the time to store an event still less than the 15 s a provider waits.
READ_SECONDS = 4.0
# A request that fails its check may do so because the secret was just changed: then the row is read again, but not for every forgery.
REREAD_AFTER_SECONDS = 2.0
_KEY = re.compile(r"[0-9a-f]{32}")

# sender_by_key: row-level security shows the web role exactly the sender whose key the transaction names.
SENDER_BY_KEY = (
    "SELECT id, tenant_id, provider, config, sealed_credentials, simulated FROM sequences_sender WHERE webhook_key = %s"
)


@dataclass(frozen=True, slots=True)
class Remembered:
    account: Account | None
    read_at: float


class Accounts:
    """Senders by webhook key. Bounded: a flood of invented keys pushes old ones out instead of filling memory."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: OrderedDict[str, Remembered] = OrderedDict()

    async def find(self, key: str, *, fresh: bool = False) -> Account | None:
        """The sender's account, or None for a key nobody has. `fresh` reads it again unless that was done a moment ago."""
        if not _KEY.fullmatch(key):
            return None
        known = self._known.get(key)
        age = time.monotonic() - known.read_at if known else 0.0
        if known and age < (REREAD_AFTER_SECONDS if fresh else self._kept_for(known)):
            return known.account
        until = asyncio.get_running_loop().time() + READ_SECONDS
        try:
            account = await self._read(key, until)
        except OperationalError:  # (a connection that the server closed while idle: VAPI, for one, asks only once)
            account = await self._read(key, until)
        self._known[key] = Remembered(account, time.monotonic())
        self._known.move_to_end(key)
        while len(self._known) > KEEP_AT_MOST:
            self._known.popitem(last=False)
        return account

    def _kept_for(self, known: Remembered) -> float:
        return KEEP_SECONDS if known.account else KEEP_UNKNOWN_SECONDS

    async def _read(self, key: str, until: float) -> Account | None:
        async with self._link.transaction(until) as cursor:
            await cursor.execute("SELECT set_config('app.webhook_key', %s, true)", [key])
            await cursor.execute(SENDER_BY_KEY, [key])
            row = await cursor.fetchone()
        if row is None:
            return None
        sender_id, tenant_id, provider, config, sealed, simulated = row
        secrets = sealing.open_sealed(sealed, context=f"sender:{tenant_id}") if sealed else {}
        return Account(sender_id, tenant_id, provider, config or {}, secrets, simulated)
