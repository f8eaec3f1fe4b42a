"""Is the ledger still what was sealed? Recomputes every seal from the rows, and names the first row that is not as it was."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omnify.lib.sealing import vouched
from omnify.tenants import chain
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Seal, SealHead, SealState
from omnify.tenants.notary import PURPOSE


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one tenant. `fault`: what is wrong first, in words, "" when nothing is; `event`: the id of the row it is about.
    `unsealed`: events newer than the last seal, of which nothing can be said yet. `old_keys`: seals whose key we no longer have."""

    tenant: int
    seals: int
    events: int
    unsealed: int
    fault: str = ""
    event: int | None = None
    old_keys: int = 0


class Fault(Exception):
    """What is wrong, and about which event."""

    def __init__(self, sentence: str, event: int | None = None) -> None:
        super().__init__(sentence)
        self.event = event


def verify(tenant_id: int) -> Verdict:
    """Recomputes the whole chain of a tenant. Reads every event once; holds one seal's rows at a time."""
    with tenant_context(tenant_id):
        # Before the seals: what is sealed meanwhile must not look as if its seal were missing.
        state = SealState.objects.filter(pk=1).first()
        sealed_upto = state.sealed_upto if state is not None else 0
        count = events = old = 0
        root, upto = "", 0
        try:
            for seal in Seal.objects.order_by("number").iterator(chunk_size=20):
                _follows(seal, count + 1, upto, root)
                _covers(seal)
                genuine = vouched(seal.root, seal.signature, purpose=PURPOSE)
                if genuine is False:
                    raise Fault(f"Seal {seal.number} was not made by Omnify: its signature is wrong.")
                old += genuine is None
                count, events, root, upto = seal.number, events + seal.count, seal.root, seal.upto
            _ends(count, upto, root, sealed_upto)
        except Fault as fault:
            return Verdict(tenant_id, count, events, 0, str(fault), fault.event, old)
        return Verdict(
            tenant_id, count, events, Event.objects.filter(pk__gt=max(upto, sealed_upto)).count(), old_keys=old
        )


def _follows(seal: Seal, number: int, upto: int, root: str) -> None:
    if seal.number != number:
        gone = f"Seal {number} is" if seal.number == number + 1 else f"Seals {number} to {seal.number - 1} are"
        raise Fault(f"{gone} gone.")
    if (seal.previous, seal.after) != (root, upto):
        raise Fault(f"Seal {number} does not follow from the one before it: one of the two was changed.")


def _covers(seal: Seal) -> None:
    rows = Event.objects.filter(pk__gt=seal.after, pk__lte=seal.upto).order_by("pk").values(*chain.COLUMNS)
    lines = {row["id"]: chain.line_of(row) for row in rows.iterator(chunk_size=2000)}
    if chain.root_of(_header(seal, len(lines)), lines.values()) == seal.root and len(lines) == seal.count:
        return
    found = {event_id: chain.leaf(event_id, line)[8:] for event_id, line in lines.items()}
    differs = chain.difference(chain.leaves_in(bytes(seal.leaves)), found)
    if differs is None:
        raise Fault(f"Seal {seal.number} itself was changed.")
    raise Fault(f"Event {differs[0]} was {differs[1]} (seal {seal.number}).", differs[0])


def _header(seal: Seal, count: int) -> str:
    return chain.header(
        tenant=seal.tenant_id, number=seal.number, after=seal.after, upto=seal.upto, count=count, previous=seal.previous
    )


def _ends(count: int, upto: int, root: str, sealed_upto: int) -> None:
    head = SealHead.objects.first()
    if head is None and count:
        raise Fault("What says where the chain ends is gone.")
    if head is not None and (head.number, head.root) != (count, root):
        raise Fault(f"There were {head.number} seals, and {count} are left: the last ones are gone.")
    late = Event.objects.filter(pk__gt=upto, pk__lte=sealed_upto).order_by("pk").values_list("pk", flat=True).first()
    if late is not None:
        raise Fault(f"Event {late} was inserted afterwards (no seal covers it).", late)


def compare(lines: Iterable[str]) -> Iterator[str]:
    """What was shipped against what is here: every fault in words. `lines` are a sink's, in any order, some of them twice.

    Shipped seals are recomputed from the shipped lines alone, then held against the table's: so a chain that somebody with
    the whole database rewrote, keys and all, is found too.
    """
    events: dict[int, dict[int, str]] = {}
    seals: dict[tuple[int, int], dict[str, Any]] = {}
    for text in lines:
        try:
            told = json.loads(text)
        except ValueError:
            continue  # a line cut short by a crash; it was shipped again
        if isinstance(told, dict) and "root" in told:
            key = (told["tenant"], told["seal"])
            if key in seals and seals[key]["root"] != told["root"]:
                yield f"Workspace {key[0]}: seal {key[1]} was shipped twice, and not the same."
            seals.setdefault(key, told)
        elif isinstance(told, dict) and "tenant_id" in told:
            events.setdefault(told["tenant_id"], {}).setdefault(told["id"], text.rstrip("\n"))
    for (tenant_id, number), told in sorted(seals.items()):
        mine = [line for pk, line in sorted(events.get(tenant_id, {}).items()) if told["after"] < pk <= told["upto"]]
        named = {name: told[name] for name in ("tenant", "after", "upto", "count", "previous")}
        if chain.root_of(chain.header(number=number, **named), mine) != told["root"]:
            yield f"Workspace {tenant_id}: what was shipped under seal {number} is not what it sealed."
        with tenant_context(tenant_id):
            here = Seal.objects.filter(number=number).values_list("root", flat=True).first()
        if here is None:
            yield f"Workspace {tenant_id}: seal {number} was shipped and is gone here."
        elif here != told["root"]:
            yield f"Workspace {tenant_id}: seal {number} is not the one that was shipped."


def receipt(seal: Seal) -> dict[str, Any]:
    """A seal as it is shipped, without its leaves: they only repeat the lines."""
    made: datetime = seal.made_at
    return {
        "tenant": seal.tenant_id, "seal": seal.number, "after": seal.after, "upto": seal.upto, "count": seal.count,
        "previous": seal.previous, "root": seal.root, "signature": seal.signature, "made_at": made.isoformat(),
    }  # fmt: skip
