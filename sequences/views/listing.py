"""The list of sequences, and what its rows' menus do."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences import definitions
from sequences.definitions import NameTaken
from sequences.forms import SequenceForm
from sequences.models.definition import SequenceStatus
from sequences.playbooks import start_three_channel_demo
from sequences.reading import listed
from sequences.views.lookups import sequence_of

VERBS = {
    "pause": (definitions.pause_sequence, "“{}” is paused. People stay where they are."),
    "resume": (definitions.resume_sequence, "“{}” goes on."),
    "archive": (definitions.archive_sequence, "“{}” is archived. People in it go on to the end; nobody new comes in."),
    "restore": (definitions.restore_sequence, "“{}” is back."),
}


@member_required(Role.VIEWER)
@require_safe
def list_sequences(request: HttpRequest) -> HttpResponse:
    status, search = request.GET.get("status", ""), request.GET.get("q", "").strip()[:100]
    status = status if status in SequenceStatus.values else ""
    facts = {
        "rows": listed(status=status, search=search),
        "status": status,
        "search": search,
        "statuses": SequenceStatus.choices,
        "filtered": bool(status or search),
    }
    return render(request, "sequences/list.html", facts)


@member_required(Role.AGENT)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = SequenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sequence = definitions.create_sequence(
                name=form.cleaned_data["name"],
                by=request.member,  # type: ignore[attr-defined]
                now=now(),
            )
            return redirect("sequences:edit", sequence.public_id)
        except NameTaken:
            form.add_error("name", "Another sequence has this name.")
    return render(request, "sequences/create.html", {"form": form}, status=422 if form.errors else 200)


@member_required(Role.AGENT)
@require_POST
def demo(request: HttpRequest) -> HttpResponse:
    """A ready-made draft on three channels, opened in the editor."""
    by = {"by": request.member, "now": now()}  # type: ignore[attr-defined]
    for name in ("Three-channel demo", *(f"Three-channel demo {number}" for number in range(2, 50))):
        try:
            sequence = start_three_channel_demo(name=name, **by)
        except NameTaken:
            continue
        return redirect("sequences:edit", sequence.public_id)
    messages.error(request, "There are many demos already. Open or archive one of them.")
    return redirect("sequences:list")


@member_required(Role.AGENT)
@require_POST
def duplicate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    copy = definitions.duplicate_sequence(
        sequence_of(public_id),
        by=request.member,  # type: ignore[attr-defined]
        now=now(),
    )
    messages.success(request, f"“{copy.name}” is a draft of its own now.")
    return redirect("sequences:edit", copy.public_id)


@member_required(Role.MANAGER)
@require_POST
def status(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Pauses, resumes, archives or restores; `next` says where to go back to."""
    sequence = sequence_of(public_id)
    chosen = VERBS.get(request.POST.get("action", ""))
    if chosen is None:
        return HttpResponse("Unknown action.", status=400, content_type="text/plain")
    verb, said = chosen
    try:
        changed = verb(sequence, by=request.member, now=now())  # type: ignore[attr-defined]
        if changed:
            messages.success(request, said.format(sequence.name))
        else:
            messages.info(request, f"“{sequence.name}” was changed meanwhile; nothing was done.")
    except NameTaken:
        messages.error(request, f"Another sequence is called “{sequence.name}” now. Rename that one first.")
    return redirect("sequences:list" if request.POST.get("next") == "list" else sequence)
