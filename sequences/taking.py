"""Taking up what is longest due: the rows of a tenant's queue and their persons' rows, locked together, and which may go together."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sequences.columns import Bigints, Texts
from sequences.statements import run
from sequences.wirefacts import rows_of

# Channels whose address several contacts may share, as a household does.
SHARED = frozenset({"sms", "voice"})

# message_take: the tenant's messages longest due. A person somebody else holds just now is passed over, not waited for, so
# this can be part of no deadlock. NO KEY UPDATE: the conversation may go on being written about a locked person. `free`:
# nobody is just forbidding this address, nor many of the tenant's at once (the keys of contacts.locks.lock_addresses);
# whoever wants to now waits for this claim. `gate`: whoever stops sending waits for it too (omnify.lib.gate), and a claim
# that comes later reads what was switched. `skip`: senders of which nothing may leave just now; 0 is the default one.
# `lazy`: a claim that a crash forgets never happened, for nothing was sent; and the commit of `sending`, which waits for the
# disk before the socket opens, brings everything before it to the disk too.
TAKE = """
SELECT m.id, m.tenant_id, m.public_id, m.enrollment_id, m.contact_id, m.step_id, m.channel, m.purpose, m.sender_id,
       m.to_address, m.subject, m.body, m.expires_at, m.send_window::text, m.attempt, m.crashes,
       m.estimate, m.permit::text, pg_advisory_xact_lock_shared(-2) AS gate,
       set_config('synchronous_commit', 'off', true) AS lazy,
       pg_try_advisory_xact_lock_shared(7301, hashtext(m.tenant_id::text))
       AND pg_try_advisory_xact_lock_shared(7301, hashtext(m.tenant_id || ':' || lower(m.to_address))) AS free
FROM sequences_message AS m
JOIN contacts_contact AS c ON c.id = m.contact_id AND c.tenant_id = m.tenant_id
WHERE m.channel = %(channel)s AND m.tenant_id = %(tenant)s AND m.state IN ('ready', 'deferred') AND m.not_before <= %(now)s
  AND coalesce(m.sender_id, 0) <> ALL(%(skip)s::bigint[])
ORDER BY m.not_before
LIMIT %(most)s
FOR NO KEY UPDATE OF m, c SKIP LOCKED
"""

# message_numbers: one claim at a time of what goes to a number, whoever the contacts are that have it; another's is passed
# over, as locked rows are. For chosen rows only, and before FACTS begins: what the other had claimed is then seen.
NUMBERS = """
SELECT g.id, pg_try_advisory_xact_lock(7303, hashtext(%(tenant)s::bigint || ':' || g.number)) AS alone
FROM unnest(%(ids)b, %(numbers)b) AS g (id, number)
"""


def take(channel: str, tenant_id: int, now: datetime, skip: Collection[int], most: int) -> list[Any]:
    """At most `most` rows of TAKE, locked until the transaction ends. What is locked elsewhere is passed over."""
    given = {"channel": channel, "tenant": tenant_id, "now": now, "skip": list(skip), "most": most}
    return rows_of(TAKE, run(TAKE, given))


def chosen(rows: Sequence[Any]) -> list[Any]:
    """Which of these rows are taken together, in their order. Pure; the others stay in their places.

    One a person, and one a number: the next waits until nothing to them is on its way. Nobody whose address is being forbidden
    just now. And whatever was taken up before and has crashed a worker, or was paid for, is taken alone: should it kill this
    worker too, nobody else counts a crash, and what it gives back is the last thing of its transaction.
    """
    found: list[Any] = []
    persons: set[int] = set()
    numbers: set[str] = set()
    for row in rows:
        if not row.free or row.contact_id in persons or row.to_address in numbers:
            continue
        if row.crashes or row.estimate is not None:
            if not found:
                return [row]
            continue
        persons.add(row.contact_id)
        numbers.add(row.to_address)
        found.append(row)
    return found


def alone(rows: Sequence[Any], tenant_id: int) -> list[Any]:
    """Those of these rows whose number no other claim under way is for. A mailbox is one contact's; a number may be several's."""
    numbered = [row for row in rows if row.channel in SHARED]
    if not numbered:
        return list(rows)
    given = {
        "tenant": tenant_id,
        "ids": Bigints(row.id for row in numbered),
        "numbers": Texts(row.to_address for row in numbered),
    }
    taken_elsewhere = {row.id for row in rows_of(NUMBERS, run(NUMBERS, given)) if not row.alone}
    return [row for row in rows if row.id not in taken_elsewhere]
