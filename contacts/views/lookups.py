"""How views find their row: from the tenant's own, or 404."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from contacts.models import Contact, ImportJob


def contact_of(public_id: UUID) -> Contact:
    """The living contact of the current tenant with this id, with company and owner. 404 otherwise."""
    rows = Contact.objects.alive().select_related("company", "owner__user")
    found: Contact = get_object_or_404(rows, public_id=public_id)
    return found


def job_of(public_id: UUID) -> ImportJob:
    """The import of the current tenant with this id. 404 otherwise."""
    found: ImportJob = get_object_or_404(ImportJob.objects.select_related("created_by__user"), public_id=public_id)
    return found


def actor_of(request: HttpRequest) -> str:
    return f"member:{request.member.pk}"  # type: ignore[attr-defined]
