"""The verbs that change a sequence as a whole. Those of its draft's steps are in sequences.drafting and can be had here too."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, CharField, Q, Value, When

from omnify.lib.gate import close_gate
from omnify.tenants.approvals import require
from omnify.tenants.context import require_tenant_id
from omnify.tenants.loosening import widened
from omnify.tenants.models import Membership, Tenant
from omnify.tenants.models.approval import Approval
from sequences.approving import hours_wanted
from sequences.drafting import (
    By,
    NoSuchStep,
    StaleDraft,
    add_step,
    copy_steps,
    delete_step,
    disable_step,
    draft_of,
    duplicate_step,
    enable_step,
    ensure_draft,
    move_step,
    note,
    restore_step,
    update_step,
)
from sequences.enrollments import wake_sequence
from sequences.models import Sequence, Version
from sequences.models.definition import SequenceStatus

__all__ = [
    "NameTaken",
    "NoSuchStep",
    "StaleDraft",
    "StaleSettings",
    "add_step",
    "archive_sequence",
    "create_sequence",
    "delete_step",
    "disable_step",
    "draft_of",
    "duplicate_sequence",
    "duplicate_step",
    "enable_step",
    "ensure_draft",
    "move_step",
    "pause_sequence",
    "restore_sequence",
    "restore_step",
    "resume_sequence",
    "settings_digest",
    "update_settings",
    "update_step",
]

SETTINGS = ("name", "description", "send_window", "exit_rules", "allow_reentry", "tags")


class NameTaken(Exception):
    """Another sequence that is not archived has this name."""


class StaleSettings(Exception):
    """Somebody else changed the settings since the caller read them."""


def _within_hours(sequence: Sequence, changes: dict[str, Any], approval: Approval | None) -> None:
    """Longer hours of one sequence need a signature as those of the workspace do: else they would be the way around it."""
    if "send_window" not in changes:
        return
    office = _office_hours()
    new = changes["send_window"] or office
    if widened(sequence.send_window or office, new) and widened(office, new):
        before = {name: getattr(sequence, name) for name in changes}
        require(hours_wanted(sequence, before, changes), approval=approval)


def _office_hours() -> dict[str, Any]:
    found: dict[str, Any] = Tenant.objects.values_list("business_hours", flat=True).get(pk=require_tenant_id())
    return found


def create_sequence(*, name: str, by: By, now: datetime, copy_of: Sequence | None = None, **settings: Any) -> Sequence:
    """A new sequence with an empty draft, owned by `by`. `settings`: any of SETTINGS. Raises NameTaken, and ValueError for hours
    that neither the workspace nor `copy_of` has: those are asked for by update_settings.
    """
    own, office = settings.get("send_window"), _office_hours()
    if own and widened(office, own) and (copy_of is None or own != copy_of.send_window):
        raise ValueError("A new sequence keeps the workspace's hours; longer ones need a second signature.")
    try:
        with transaction.atomic():
            sequence = Sequence.objects.create(
                name=name.strip(), owner=by if isinstance(by, Membership) else None, **settings
            )
            Sequence.objects.filter(pk=sequence.pk).update(created_at=now, updated_at=now)
            Version.objects.create(sequence=sequence, number=1)
            note("created", sequence, by=by, now=now)
    except IntegrityError as error:
        raise NameTaken(name) from error
    sequence.refresh_from_db()
    return sequence


def duplicate_sequence(sequence: Sequence, *, by: By, now: datetime) -> Sequence:
    """A new draft with the same settings and steps (the draft's, else the published version's), and nobody in it."""
    source = draft_of(sequence)
    source_id = source.pk if source else sequence.published_id
    with transaction.atomic():
        copy = create_sequence(
            name=_free_name(sequence.name),
            by=by,
            now=now,
            copy_of=sequence,
            **{field: getattr(sequence, field) for field in SETTINGS if field != "name"},
        )
        if source_id:
            copy_steps(source_id, Version.objects.get(sequence=copy), fresh_keys=True)
    return copy


def settings_digest(sequence: Sequence) -> str:
    """A short fingerprint of the settings; a form carries it back so that two people's changes do not overwrite each other."""
    values = json.dumps([getattr(sequence, field) for field in SETTINGS], sort_keys=True, default=str)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def update_settings(
    sequence: Sequence, *, seen: str, by: By, now: datetime, approval: Approval | None = None, **changes: Any
) -> Sequence:
    """Changes any of SETTINGS. `seen`: the settings_digest the caller read. Raises StaleSettings, NameTaken, ValueError, and
    NeedsSignature where the sequence would send at hours that neither it nor the workspace has; `approval`: that request, signed.
    """
    strange = set(changes) - set(SETTINGS)
    if strange:
        raise ValueError(f"A sequence has no setting {', '.join(sorted(strange))}.")
    try:
        with transaction.atomic():
            Sequence.objects.filter(pk=sequence.pk).update(updated_at=now)  # holds the row while it is compared
            sequence.refresh_from_db()
            if settings_digest(sequence) != seen:
                raise StaleSettings
            _within_hours(sequence, changes, approval)
            Sequence.objects.filter(pk=sequence.pk).update(**changes)
            note("settings_changed", sequence, by=by, now=now, fields=sorted(changes))
    except IntegrityError as error:
        raise NameTaken(changes.get("name")) from error
    sequence.refresh_from_db()
    return sequence


def pause_sequence(sequence: Sequence, *, by: By, now: datetime) -> bool:
    """Stops new touches: once this is committed no message of it is claimed; people stay where they are. False when it was
    not active."""
    with transaction.atomic():
        close_gate()
        return _switch(sequence, "paused", Q(status=SequenceStatus.ACTIVE), SequenceStatus.PAUSED, by=by, now=now)


def resume_sequence(sequence: Sequence, *, by: By, now: datetime) -> bool:
    """Goes on where it was paused, with everybody whom the pause had stopped. False when it was not paused."""
    with transaction.atomic():
        paused = Q(status=SequenceStatus.PAUSED)
        changed = _switch(sequence, "resumed", paused, SequenceStatus.ACTIVE, by=by, now=now)
        if changed:
            wake_sequence(sequence, now=now)
    return changed


def archive_sequence(sequence: Sequence, *, by: By, now: datetime) -> bool:
    """Takes nobody in any more; its people finish, also whom a pause had stopped, and its history stays. False when it was
    archived already."""
    with transaction.atomic():
        open_ = ~Q(status=SequenceStatus.ARCHIVED)
        changed = _switch(sequence, "archived", open_, SequenceStatus.ARCHIVED, by=by, now=now)
        if changed:
            wake_sequence(sequence, now=now)
    return changed


def restore_sequence(sequence: Sequence, *, by: By, now: datetime) -> bool:
    """Brings an archived sequence back: paused if it was ever published, else as a draft. Raises NameTaken."""
    status = Case(
        When(published__isnull=True, then=Value(SequenceStatus.DRAFT.value)),
        default=Value(SequenceStatus.PAUSED.value),
        output_field=CharField(),
    )
    try:
        return _switch(sequence, "restored", Q(status=SequenceStatus.ARCHIVED), status, by=by, now=now)
    except IntegrityError as error:
        raise NameTaken(sequence.name) from error


def _switch(sequence: Sequence, what: str, when: Q, status: Any, *, by: By, now: datetime) -> bool:
    with transaction.atomic():
        changed = Sequence.objects.filter(when, pk=sequence.pk).update(status=status, updated_at=now)
        if changed:
            sequence.refresh_from_db()
            note(what, sequence, by=by, now=now)
    return bool(changed)


def _free_name(name: str) -> str:
    """ "Welcome (copy)", or "(copy 2)" … where that one exists."""
    stem = name[:108]
    taken = {
        each.lower()
        for each in Sequence.objects.exclude(status=SequenceStatus.ARCHIVED)
        .filter(name__istartswith=f"{stem} (copy")
        .values_list("name", flat=True)
    }
    candidates = (f"{stem} (copy{f' {n}' if n > 1 else ''})" for n in range(1, len(taken) + 2))
    return next(each for each in candidates if each.lower() not in taken)
