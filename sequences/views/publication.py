"""Review and publish: a page that says what would change and for whom, and the button under it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences import publishing
from sequences.definitions import StaleDraft, draft_of
from sequences.models import Sequence
from sequences.publishing import NotPublishable
from sequences.review import review
from sequences.views.drafts import revision_of
from sequences.views.lookups import sequence_of


@member_required(Role.AGENT)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET: the review. POST: publishes the very revision that was reviewed (managers and owners)."""
    sequence = sequence_of(public_id)
    if request.method == "POST":
        return do_publish(request, public_id)
    return review_page(request, sequence)


@member_required(Role.MANAGER)
def do_publish(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence = sequence_of(public_id)
    try:
        version = publishing.publish(
            sequence,
            by=request.member,  # type: ignore[attr-defined]
            now=now(),
            revision=revision_of(request),
        )
    except NotPublishable:
        return review_page(request, sequence, status=422)
    except StaleDraft:
        messages.warning(request, "The draft was changed after you reviewed it. This is how it is now.")
        return review_page(request, sequence, status=409)
    messages.success(request, f"Version {version.number} is published.")
    return redirect(sequence)


def review_page(request: HttpRequest, sequence: Sequence, status: int = 200) -> HttpResponse:
    draft = draft_of(sequence)
    if draft is None:
        return render(request, "sequences/no_draft.html", {"sequence": sequence}, status=status)
    may = request.member.may(Role.MANAGER)  # type: ignore[attr-defined]
    facts = {"sequence": sequence, "draft": draft, "review": review(sequence, draft), "may_publish": may}
    return render(request, "sequences/publish.html", facts, status=status)
