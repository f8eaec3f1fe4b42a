"""One sequence: its tabs."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.asking import asked
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature
from sequences import definitions, reading
from sequences.counting import numbers_of, states_of
from sequences.definitions import NameTaken, StaleSettings
from sequences.drafting import draft_of
from sequences.forms import SettingsForm
from sequences.models import Sequence, Step
from sequences.models.enrollment import Decision
from sequences.outline import outline
from sequences.publishing import step_values
from sequences.views.lookups import number, sequence_of


def frame(sequence: Sequence, tab: str, **facts: Any) -> dict[str, Any]:
    """What every tab shows above itself."""
    return {"sequence": sequence, "tab": tab, "draft": draft_of(sequence), **facts}


@member_required(Role.VIEWER)
@require_safe
def overview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence = sequence_of(public_id)
    steps = list(Step.objects.filter(version_id=sequence.published_id).order_by("position", "id"))
    numbers = numbers_of(sequence)
    facts = frame(
        sequence,
        "overview",
        live=True,
        counts=reading.state_counts(numbers.states),
        as_of=numbers.as_of,
        states=reading.STATES,
        upcoming=reading.upcoming(sequence),
        lines=[(line, numbers.steps.get(line.step.key, {})) for line in outline(map(step_values, steps))],
        messages_by_state=numbers.messages,
    )
    return render(request, "sequences/overview.html", facts)


@member_required(Role.VIEWER)
@require_safe
def people(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence = sequence_of(public_id)
    state, search = request.GET.get("state", ""), request.GET.get("q", "").strip()[:100]
    state = state if state in reading.STATES else ""
    by_status, as_of = states_of(sequence)
    facts = frame(
        sequence,
        "people",
        page=reading.people(sequence, now=now(), state=state, search=search, before=number(request, "before")),
        counts=reading.state_counts(by_status),
        as_of=as_of,
        states=reading.STATES,
        state=state,
        search=search,
    )
    return render(request, "sequences/people.html", facts)


@member_required(Role.VIEWER)
@require_safe
def log(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence = sequence_of(public_id)
    decision, channel = request.GET.get("decision", ""), request.GET.get("channel", "")
    decision = decision if decision in Decision.values else ""
    channel = channel if channel in ("sms", "email", "voice") else ""
    search = request.GET.get("q", "").strip()[:100]
    page = reading.log(
        sequence, now=now(), decision=decision, channel=channel, search=search, before=number(request, "before")
    )
    facts = frame(
        sequence, "log", page=page, decision=decision, channel=channel, search=search, decisions=Decision.choices
    )
    return render(request, "sequences/log.html", facts)


@member_required(Role.VIEWER)
@require_safe
def steps(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The steps of the published version, as people in it get them."""
    sequence = sequence_of(public_id)
    rows = Step.objects.filter(version_id=sequence.published_id).order_by("position", "id")
    return render(request, "sequences/steps.html", frame(sequence, "steps", lines=outline(map(step_values, rows))))


@member_required(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence, may = sequence_of(public_id), request.member.may(Role.MANAGER)  # type: ignore[attr-defined]
    if request.method == "POST":
        return save_settings(request, public_id)
    form = SettingsForm(initial={**SettingsForm.values_of(sequence), "seen": definitions.settings_digest(sequence)})
    return render(request, "sequences/settings.html", frame(sequence, "settings", form=form, may_change=may))


@member_required(Role.MANAGER)
def save_settings(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sequence, form = sequence_of(public_id), SettingsForm(request.POST)
    if form.is_valid():
        try:
            definitions.update_settings(
                sequence,
                seen=form.cleaned_data["seen"],
                by=request.member,  # type: ignore[attr-defined]
                now=now(),
                **form.changes(sequence),
            )
            messages.success(request, "The settings are saved.")
            return redirect("sequences:settings", public_id)
        except NeedsSignature as needed:
            return asked(request, needed)
        except NameTaken:
            form.add_error("name", "Another sequence has this name.")
        except StaleSettings:
            seen = definitions.settings_digest(sequence)
            form.data = {**request.POST.dict(), "days": request.POST.getlist("days"), "seen": seen}
            form.add_error(None, "Somebody else changed these settings meanwhile. Save again to keep yours.")
    return render(
        request, "sequences/settings.html", frame(sequence, "settings", form=form, may_change=True), status=422
    )
