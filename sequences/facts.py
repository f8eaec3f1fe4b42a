"""What a batch of decisions rests on, loaded with a number of queries that does not depend on the batch's size."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import psycopg

from contacts.variables import PersonVariables
from sequences import law, windows
from sequences.columns import Bigints, Texts
from sequences.graph import Graph, build
from sequences.limits import CHANNELS, LONGEST, BadLimits, Touch, limits_of
from sequences.plan import PersonFacts, SequenceFacts, Standing
from sequences.touched import OF_PEOPLE

# sequence_facts: what may change at any moment is read in every batch; versions never change and are cached.
SEQUENCES = """
SELECT s.id, s.status, s.exit_rules ->> 'on_reply' = 'exit' AS exit_on_reply, s.send_window::text AS own,
       t.business_hours::text AS office, t.timezone, t.caps::text AS caps,
       t.sending_enabled AND NOT EXISTS (SELECT 1 FROM sequences_switch WHERE off AND key = 'all') AS sending_enabled,
       (SELECT jsonb_object_agg(channel, id) FROM sequences_sender WHERE is_default AND tenant_id = t.id)::text AS senders
FROM sequences_sequence AS s JOIN tenants_tenant AS t ON t.id = s.tenant_id
WHERE s.id = ANY(%b)
"""
SUPPRESSIONS = """
SELECT s.tenant_id, s.address, s.channel, s.reason, s.quote, s.created_at
FROM unnest(%b::bigint[], %b::text[]) AS wanted(tenant_id, address)
JOIN contacts_suppression AS s ON s.tenant_id = wanted.tenant_id AND s.address = wanted.address AND s.lifted_at IS NULL
"""
CONSENTS = """
SELECT contact_id, kind FROM contacts_consent
WHERE contact_id = ANY(%b) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %b)
"""
STEPS = """
SELECT id, key, kind, name, enabled, subject, body, config::text AS config, version_id FROM sequences_step
WHERE version_id = ANY(%b) ORDER BY version_id, position, id
"""
EDGES = "SELECT version_id, source_id, target_id FROM sequences_edge WHERE version_id = ANY(%b) ORDER BY position DESC, id DESC"

Found = TypeVar("Found")
_NOTHING: Mapping[str, Any] = {}
_graphs: "OrderedDict[int, Graph]" = OrderedDict()
GRAPHS_KEPT = 500
_reading = Lock()


class Unreadable(Exception):
    """What is stored about one sequence makes no sense to us: its own people are parked, everybody else goes on."""


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """Everything plan() needs besides the claimed rows."""

    sequences: Mapping[int, SequenceFacts | Unreadable]
    windows_json: Mapping[int, str]
    graphs: Mapping[int, Graph | Unreadable]
    suppressed: Mapping[tuple[int, str], Mapping[str, Mapping[str, Any]]]
    consents: Mapping[int, frozenset[str]]
    touches: Mapping[int, tuple[Touch, ...]]


def load(cursor: Any, rows: Iterable[Any], now: datetime) -> BatchFacts:
    """The facts for these claimed rows: three queries in one round trip, one more where a cap binds
    somebody, two more when a version is met for the first time."""
    rows = list(rows)
    addresses = {(row.tenant_id, address) for row in rows for address in (row.email, row.phone) if address}
    # Three cursors: the answers arrive together.
    with cursor.connection.pipeline():
        sequences, suppressions, consents = (
            psycopg.Cursor(cursor.connection).execute(query, parameters, prepare=True)
            for query, parameters in (
                (SEQUENCES, [list({row.sequence_id for row in rows})]),
                (SUPPRESSIONS, [Bigints(at for at, _ in addresses), Texts(address for _, address in addresses)]),
                (CONSENTS, [Bigints(row.contact_id for row in rows), now]),
            )
        )
    found, windows_json = _sequences(sequences.fetchall())
    return BatchFacts(
        sequences=found,
        windows_json=windows_json,
        graphs=_graphs_of(cursor, {row.version_id for row in rows}),
        suppressed=_suppressed(suppressions.fetchall()),
        consents=_consents(consents.fetchall()),
        touches=_touches(cursor, rows, found, now),
    )


def readable(found: Found | Unreadable) -> Found:
    """The facts themselves; raises the Unreadable that was found in their place."""
    if isinstance(found, Unreadable):
        raise found
    return found


def standing(row: Any) -> Standing:
    return Standing(row.status, row.status_reason, row.step_id, row.visit, row.waited, row.needs_human_intervention)


def person(row: Any, facts: BatchFacts, now: datetime) -> PersonFacts:
    """The person behind one claimed row. A suppressed address counts for every channel that it was forbidden for."""
    suppressed = _NOTHING
    if facts.suppressed:
        by_phone = facts.suppressed.get((row.tenant_id, row.phone), _NOTHING) if row.phone else _NOTHING
        by_email = facts.suppressed.get((row.tenant_id, row.email), _NOTHING) if row.email else _NOTHING
        suppressed = {**by_phone, **by_email}
    return PersonFacts(
        deleted=row.deleted_at is not None,
        email=row.email,
        phone=row.phone,
        email_valid=row.email_valid,
        phone_valid=row.phone_valid,
        phone_type=row.phone_type,
        zones=tuple(row.zones),
        places=tuple(row.places or ()),
        suppressed=suppressed,
        consents=facts.consents.get(row.contact_id, frozenset()),
        variables=partial(_variables, row, now),
        touches=facts.touches.get(row.contact_id, ()),
        lot=row.id,
    )


# Kept beside the contact's columns on a claimed row, or not there at all.
_NOT_ON_ROW = frozenset({"company__name", "objections_history", "key_topics_history"})


def _variables(row: Any, now: datetime) -> Mapping[str, Any]:
    def look(column: str) -> Any:
        return None if column in _NOT_ON_ROW else getattr(row, column)

    return PersonVariables(look, now, json.loads(row.custom_variables) if row.custom_variables else None)


def _sequences(rows: Iterable[Any]) -> tuple[dict[int, SequenceFacts | Unreadable], dict[int, str]]:
    sequences: dict[int, SequenceFacts | Unreadable] = {}
    windows_json: dict[int, str] = {}
    for sequence_id, status, exit_on_reply, own, office, zone_name, caps, enabled, senders in rows:
        window_json = own if own != "{}" else office
        windows_json[sequence_id] = window_json
        try:
            window = windows.Window.from_json(json.loads(window_json))
        except (ValueError, TypeError, AttributeError):
            sequences[sequence_id] = Unreadable("The sending hours cannot be read. Enter them anew in the settings.")
            continue
        try:
            limits = limits_of(caps)
        except BadLimits as error:
            sequences[sequence_id] = Unreadable(
                f"The limits cannot be read ({error}). Enter them anew in the settings."
            )
            continue
        sequences[sequence_id] = SequenceFacts(
            status=status,
            window=window,
            tenant_zone=zone_name,
            sending_enabled=enabled,
            senders=json.loads(senders) if senders else {},
            exit_on_reply=bool(exit_on_reply),
            limits=limits,
        )
    return sequences, windows_json


def _touches(
    cursor: Any, rows: list[Any], sequences: Mapping[int, SequenceFacts | Unreadable], now: datetime
) -> dict[int, tuple[Touch, ...]]:
    """What counts against the caps, of those whom one binds: nobody else's messages are looked at."""
    capped_places: dict[tuple[str, ...], bool] = {}
    capped = []
    for row in rows:
        sequence = sequences.get(row.sequence_id)
        places = tuple(row.places or ())
        if places not in capped_places:
            capped_places[places] = any(law.caps(places, channel, now) for channel in CHANNELS)
        if capped_places[places] or (isinstance(sequence, SequenceFacts) and sequence.limits.person):
            capped.append(row.contact_id)
    if not capped:
        return {}
    found: dict[int, list[Touch]] = {}
    told = cursor.execute(OF_PEOPLE, {"contacts": Bigints(capped), "now": now, "since": now - LONGEST})
    for contact_id, *touch in told.fetchall():
        found.setdefault(contact_id, []).append(Touch(*touch))
    return {contact_id: tuple(touches) for contact_id, touches in found.items()}


def _suppressed(rows: Iterable[Any]) -> dict[tuple[int, str], dict[str, dict[str, Any]]]:
    found: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}
    for tenant_id, address, channel, reason, quote, created_at in rows:
        found.setdefault((tenant_id, address), {})[channel] = {
            "why": reason,
            "quote": quote,
            "since": created_at.isoformat(),
        }
    return found


def _consents(rows: Iterable[tuple[int, str]]) -> dict[int, frozenset[str]]:
    kinds: dict[int, list[str]] = {}
    for contact_id, kind in rows:
        kinds.setdefault(contact_id, []).append(kind)
    # Few different sets, many people: each set is made once.
    sets: dict[tuple[str, ...], frozenset[str]] = {}
    return {contact_id: sets.setdefault(tuple(found), frozenset(found)) for contact_id, found in kinds.items()}


def _graphs_of(cursor: Any, version_ids: set[int]) -> dict[int, Graph | Unreadable]:
    """The graphs of these versions, from this process's cache where it has them: a published version never changes."""
    with _reading:
        return _read_graphs(cursor, version_ids)


def _read_graphs(cursor: Any, version_ids: set[int]) -> dict[int, Graph | Unreadable]:
    broken: dict[int, Unreadable] = {}
    absent = [version_id for version_id in version_ids if version_id not in _graphs]
    if absent:
        steps: dict[int, list[dict[str, Any]]] = {version_id: [] for version_id in absent}
        for row in cursor.execute(STEPS, [absent]).fetchall():
            steps[row.version_id].append({**row._asdict(), "config": json.loads(row.config)})
        edges: dict[int, list[tuple[int, int]]] = {version_id: [] for version_id in absent}
        for version_id, source_id, target_id in cursor.execute(EDGES, [absent]).fetchall():
            edges[version_id].append((source_id, target_id))
        for version_id in absent:
            try:
                _graphs[version_id] = build(version_id, steps[version_id], edges[version_id])
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                broken[version_id] = Unreadable(f"A step of the published version cannot be read ({error}).")
    wanted: dict[int, Graph | Unreadable] = {**broken}
    for version_id in version_ids - set(broken):
        wanted[version_id] = _graphs[version_id]
        _graphs.move_to_end(version_id)
    while len(_graphs) > GRAPHS_KEPT:
        _graphs.popitem(last=False)
    return wanted


def forget() -> None:
    """Lets go of the versions read so far: for a process that goes on to another database."""
    _graphs.clear()
