"""The linear editor. Every change is a POST with the draft's revision; htmx gets a fragment back, a plain form a redirect."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from omnify.tenants.toasts import toast
from sequences import definitions
from sequences.forms import step_form
from sequences.models import Step, StepKind, Version
from sequences.views.drafts import editor_facts, revision_of, stale_guard
from sequences.views.lookups import draft_for_editing, sequence_of, step_of

UNDO = "deleted_step"


@member_required(Role.AGENT)
@require_safe
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The draft, one step of it open (?step=key), previewed as a contact (?as=public id, or worst)."""
    sequence = sequence_of(public_id)
    draft = definitions.draft_of(sequence)
    if draft is None:
        return render(request, "sequences/no_draft.html", {"sequence": sequence})
    draft.sequence = sequence
    htmx = request.htmx  # type: ignore[attr-defined]
    part = htmx and not htmx.history_restore_request
    template = "sequences/parts/editor.html" if part else "sequences/edit.html"
    return render(request, template, editor_facts(request, draft))


@member_required(Role.AGENT)
@require_POST
def start(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Begins a draft of the published version."""
    draft_for_editing(request, public_id)
    return redirect("sequences:edit", public_id)


@member_required(Role.AGENT)
@require_http_methods(["GET", "HEAD", "POST", "PATCH"])
@stale_guard
def step(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """GET: the editor with this step open. POST: saves it; an unchanged step changes nothing and counts no revision."""
    if request.method in ("GET", "HEAD"):
        return redirect(f"{reverse('sequences:edit', args=[public_id])}?step={key}")
    draft = draft_for_editing(request, public_id)
    row = step_of(draft, key)
    form = step_form(row, request.POST)
    if not form.is_valid():
        return answer(request, draft, key, saved=False, form=form, status=422)
    changes = form.changes(row)
    if changes:
        definitions.update_step(draft, key, revision=revision_of(request), by=request.member, now=now(), **changes)  # type: ignore[attr-defined]
    return answer(request, draft, key, saved=True)


@member_required(Role.AGENT)
@require_POST
@stale_guard
def step_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    draft = draft_for_editing(request, public_id)
    kind = request.POST.get("kind", "")
    if kind not in StepKind.values:
        return HttpResponse("There is no such kind of step.", status=400, content_type="text/plain")
    made = definitions.add_step(
        draft,
        kind=kind,
        after=request.POST.get("after") or None,
        revision=revision_of(request),
        by=request.member,  # type: ignore[attr-defined]
        now=now(),
    )
    return whole(request, draft, made.key)


@member_required(Role.AGENT)
@require_POST
@stale_guard
def step_move(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """Moves a step: `to` is up, down, or its new place in the list, from 0."""
    draft, to = draft_for_editing(request, public_id), request.POST.get("to", "")
    if to not in ("up", "down") and not (to.isascii() and to.isdigit() and len(to) < 6):
        return HttpResponse("A step moves up, down or to a number.", status=400, content_type="text/plain")
    place = to if to in ("up", "down") else int(to)
    definitions.move_step(draft, key, place, revision=revision_of(request), by=request.member, now=now())  # type: ignore[attr-defined]
    return whole(request, draft, request.POST.get("open", ""))


@member_required(Role.AGENT)
@require_POST
@stale_guard
def step_duplicate(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    draft = draft_for_editing(request, public_id)
    made = definitions.duplicate_step(draft, key, revision=revision_of(request), by=request.member, now=now())  # type: ignore[attr-defined]
    return whole(request, draft, made.key)


@member_required(Role.AGENT)
@require_POST
@stale_guard
def step_switch(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """Switches a step on or off: `enabled` is 1 or 0."""
    draft = draft_for_editing(request, public_id)
    verb = definitions.enable_step if request.POST.get("enabled") == "1" else definitions.disable_step
    verb(draft, key, revision=revision_of(request), by=request.member, now=now())  # type: ignore[attr-defined]
    return whole(request, draft, request.POST.get("open", ""))


@member_required(Role.AGENT)
@require_POST
@stale_guard
def step_delete(request: HttpRequest, public_id: UUID, key: str) -> HttpResponse:
    """Takes a step out; the session keeps it for an undo."""
    draft = draft_for_editing(request, public_id)
    kept = definitions.delete_step(draft, key, revision=revision_of(request), by=request.member, now=now())  # type: ignore[attr-defined]
    request.session[UNDO] = {"draft": draft.pk, "step": kept}
    response = whole(request, draft, "")
    return toast(response, "The step is gone.", kind="info", undo=reverse("sequences:step_undo", args=[public_id]))


@member_required(Role.AGENT)
@require_POST
def step_undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Puts back the step that this member deleted last, at the draft's present revision."""
    draft = draft_for_editing(request, public_id)
    kept: dict[str, Any] | None = request.session.get(UNDO)
    key = ""
    if kept and kept["draft"] == draft.pk and not Step.objects.filter(version=draft, key=kept["step"]["key"]).exists():
        by = request.member  # type: ignore[attr-defined]
        key = definitions.restore_step(draft, kept["step"], revision=draft.revision, by=by, now=now()).key
        del request.session[UNDO]
    return redirect(f"{reverse('sequences:edit', args=[public_id])}{f'?step={key}' if key else ''}")


def whole(request: HttpRequest, draft: Version, key: str) -> HttpResponse:
    """After a change of the list: the whole editor again, with `key` open."""
    address = f"{reverse('sequences:edit', args=[draft.sequence.public_id])}{f'?step={key}' if key else ''}"
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(address)
    draft.refresh_from_db(fields=["revision"])
    response = render(request, "sequences/parts/editor.html", editor_facts(request, draft, key=key))
    response["HX-Push-Url"] = address
    return trigger_client_event(response, "draft", {"revision": draft.revision, "saved": True})


def answer(
    request: HttpRequest, draft: Version, key: str, *, saved: bool, form: Any = None, status: int = 200
) -> HttpResponse:
    """After a change inside a step: only what stands around its fields, so that nobody's cursor jumps."""
    if not request.htmx and saved:  # type: ignore[attr-defined]
        return redirect(f"{reverse('sequences:edit', args=[draft.sequence.public_id])}?step={key}")
    draft.refresh_from_db(fields=["revision"])
    facts = editor_facts(request, draft, key=key, form=form)
    template = "sequences/parts/saved.html" if request.htmx else "sequences/edit.html"  # type: ignore[attr-defined]
    response = render(request, template, facts, status=status)
    errors = json.loads(form.errors.as_json()) if form is not None else {}
    return trigger_client_event(response, "draft", {"revision": draft.revision, "saved": saved, "errors": list(errors)})
