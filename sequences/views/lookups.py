"""How a view finds what its URL names: always among the member's own tenant's rows, else 404."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from contacts.models import Contact
from omnify.lib.clock import now
from sequences.drafting import draft_of, ensure_draft
from sequences.models import Sequence, Step, Version


def sequence_of(public_id: UUID) -> Sequence:
    found: Sequence = get_object_or_404(
        Sequence.objects.select_related("owner__user", "published"), public_id=public_id
    )
    return found


def contact_of(public_id: UUID) -> Contact:
    found: Contact = get_object_or_404(Contact.objects.alive(), public_id=public_id)
    return found


def draft_for_editing(request: HttpRequest, public_id: UUID) -> Version:
    """The draft behind a POST of the editor, made if the sequence has none. Its `sequence` is loaded."""
    sequence = sequence_of(public_id)
    draft = ensure_draft(sequence, by=request.member, now=now())  # type: ignore[attr-defined]
    draft.sequence = sequence
    return draft


def draft_for_reading(public_id: UUID) -> Version:
    """The draft, else the published version; 404 where there is neither. Changes nothing."""
    sequence = sequence_of(public_id)
    draft = draft_of(sequence) or sequence.published
    if draft is None:
        raise Http404("This sequence has no steps yet.")
    draft.sequence = sequence
    return draft


def step_of(draft: Version, key: str) -> Step:
    found: Step = get_object_or_404(Step.objects.filter(version=draft), key=key)
    return found


def number(request: HttpRequest, name: str) -> int | None:
    """A whole positive number from the query; None where there is none, or nonsense."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
