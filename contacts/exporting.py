"""Contacts as a CSV file, streamed page by page: memory stays flat and no transaction is long, however many there are."""

from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest, StreamingHttpResponse

from contacts.finding import Filters, page
from contacts.importing.problems import error_rows
from contacts.models import Contact, ImportJob
from contacts.spreadsheets import lines
from omnify.lib.streaming import attachment
from omnify.tenants.context import tenant_context

COLUMNS = (
    "first_name", "last_name", "title", "email", "phone", "alternative_email", "alternative_phone", "address_line", "city", "state",
    "postal_code", "country", "timezone", "language", "source", "lead_score",
)  # fmt: skip
CHUNK = 1_000
# Excel reads a file without this mark in the machine's own encoding.
MARK = "\ufeff"


def contact_lines(tenant_id: int, filters: Filters, *, now: datetime) -> Iterator[str]:
    """The filtered contacts as pieces of CSV text. Each piece is read in a transaction of its own."""
    yield MARK + lines(
        [[*(name.replace("_", " ").capitalize() for name in COLUMNS), "Company", "Owner", "Tags", "Created"]]
    )
    after: str | Contact | None = ""
    while after is not None:
        with tenant_context(tenant_id):
            chunk = page(filters, after, now=now, size=CHUNK)
            text = lines(_cells(contact) for contact in chunk.rows)
        yield text
        # The row itself: who is changed or deleted meanwhile stands elsewhere in the order, or nowhere.
        after = chunk.rows[-1] if chunk.after else None


def _cells(contact: Contact) -> list[str]:
    plain = ["" if (value := getattr(contact, name)) is None else str(value) for name in COLUMNS]
    company = contact.company.name if contact.company else ""
    owner = str(contact.owner.user) if contact.owner else ""
    return [*plain, company, owner, "; ".join(contact.tags), contact.created_at.isoformat(timespec="seconds")]


def error_lines(job: ImportJob) -> Iterator[str]:
    """The refused rows of an import as pieces of CSV text."""
    yield MARK
    after: int | None = 0
    while after is not None:
        with tenant_context(job.tenant_id):
            rows, after = error_rows(job, after)
        yield lines(rows)


def download(request: HttpRequest, pieces: Iterator[str], file_name: str) -> StreamingHttpResponse:
    """Pieces of CSV text as a file to keep."""
    return attachment(request, pieces, file_name, "text/csv; charset=utf-8")
