"""What the editor's pages share: the revision a request was made with, the answer to a stale one, and the page's facts."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from sequences.definitions import NoSuchStep, StaleDraft
from sequences.forms import step_form
from sequences.models import Step, Version
from sequences.outline import outline
from sequences.problems import problems
from sequences.publishing import draft_values, known_variables
from sequences.views.previewing import preview_facts


def revision_of(request: HttpRequest) -> int:
    """The revision the form was made from; -1, which is stale everywhere, where it is missing."""
    value = request.POST.get("revision", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1


def stale_guard(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turns StaleDraft into 409: for htmx the present revision as an event, for a plain form a page that offers both ways out.

    Also lets a PATCH carry its fields like a POST, and turns a step that is gone into 404.
    """

    @wraps(view)
    def guarded(request: HttpRequest, public_id: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "PATCH":
            request.POST = QueryDict(request.body, encoding="utf-8")
        try:
            return view(request, public_id, *args, **kwargs)
        except NoSuchStep as error:
            raise Http404("This step is gone.") from error
        except StaleDraft as stale:
            kept = [(name, value) for name, values in request.POST.lists() for value in values]
            facts = {
                "revision": stale.revision,
                "fields": [pair for pair in kept if pair[0] not in ("revision", "csrfmiddlewaretoken")],
                "editor": reverse("sequences:edit", args=[public_id]),
            }
            response = render(request, "sequences/stale.html", facts, status=409)
            response["HX-Trigger"] = json.dumps({"stale": {"revision": stale.revision}})
            return response

    return guarded


def editor_facts(request: HttpRequest, draft: Version, *, key: str | None = None, form: Any = None) -> dict[str, Any]:
    """Everything the editor shows, in a number of queries that does not depend on the steps."""
    key = request.GET.get("step", "") if key is None else key
    values, known = draft_values(draft), known_variables()
    found = problems(values, known)
    row = Step.objects.filter(version=draft, key=key).first() if key else None
    facts = {
        "sequence": draft.sequence,
        "draft": draft,
        "lines": outline(values.steps, found),
        "general": [problem for problem in found if not problem.step_key],
        "problems": found,
        "blocked": any(not problem.warning for problem in found),
        "open_key": row.key if row else "",
        "known": known,
        "as": request.GET.get("as") or request.POST.get("as") or "",
    }
    if row is not None:
        facts |= {"step": row, "form": form or step_form(row), **preview_facts(request, row, known)}
    return facts
