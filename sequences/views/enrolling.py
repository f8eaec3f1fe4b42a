"""Enrolling people, with the checks shown first; and pausing, resuming or taking out those who are in."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.asking import asked
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature
from sequences import audience, enrolling, enrollments
from sequences.closedplaces import closed_to
from sequences.drafting import actor_of
from sequences.enrolling import NotEnrollable
from sequences.models import Enrollment
from sequences.views.lookups import sequence_of

# What enrollment_checks says about those it would leave out, in words.
LEFT_OUT = {
    "already_in": "in this sequence already",
    "been_through": "have been through it, and its settings do not allow a second time",
    "opted_out": "left it by opting out; they may come back once they write START themselves",
    "no_address": "no address for any of its channels",
    "suppressed": "opted out of every channel it uses",
    "no_consent": "no consent for any channel it uses",
}
DONE = {"pause": "paused", "resume": "resumed", "exit": "taken out"}
MOST = 1_000


def chosen(values: QueryDict) -> audience.Audience:
    ids = [each for value in values.getlist("ids") for each in value.split(",") if each]
    return audience.read(values.get("who", ""), values.get("tag", ""), values.get("q", ""), ids)


@member_required(Role.AGENT)
@require_http_methods(["GET", "HEAD", "POST"])
def enroll(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET: choose people and see who would be left out, and why. POST: enrol those the checks let through."""
    sequence = sequence_of(public_id)
    whom = chosen(request.POST if request.method == "POST" else request.GET)
    ids = audience.contact_ids(whom, now())
    if request.method == "POST" and whom.complete:
        try:
            result = enrolling.enroll(sequence, ids, by=actor_of(request.member), now=now())  # type: ignore[attr-defined]
            left = sum(result.skipped.values())
            messages.success(request, f"{result.enrolled:,} enrolled{f', {left:,} left out' if left else ''}.")
            return redirect("sequences:people", public_id)
        except NeedsSignature as needed:
            return asked(request, needed)
        except NotEnrollable as error:
            messages.error(request, str(error))
    checks = enrolling.enrollment_checks(sequence, ids) if ids and sequence.published_id else {}
    facts = {
        "sequence": sequence,
        "whom": whom,
        "tags": audience.tags(),
        "total": len(ids),
        "ready": len(checks.get("ready", ())),
        "closed": closed_to(sequence, checks.get("ready", ()), now()),
        "left_out": [(words, len(checks[name])) for name, words in LEFT_OUT.items() if checks.get(name)],
    }
    return render(request, "sequences/enroll.html", facts)


@member_required(Role.AGENT)
@require_POST
def enrollment_action(request: HttpRequest) -> HttpResponse:
    """Pauses, resumes or takes out the enrolments named by `enrollment`; goes back to `next`."""
    verb = {
        "pause": enrollments.pause_enrollment,
        "resume": enrollments.resume_enrollment,
        "exit": enrollments.exit_enrollment,
    }.get(request.POST.get("action", ""))
    if verb is None:
        return HttpResponse("Unknown action.", status=400, content_type="text/plain")
    ids = audience.read("selected", "", "", request.POST.getlist("enrollment")[:MOST]).selected
    rows = list(Enrollment.objects.filter(public_id__in=ids))
    by, moment = actor_of(request.member), now()  # type: ignore[attr-defined]
    changed = sum(verb(row, by=by, now=moment) for row in rows)
    what = DONE[request.POST["action"]]
    people = "1 person" if changed == 1 else f"{changed} people"
    if changed:
        messages.success(request, f"{people} {what}.")
    else:
        messages.info(request, f"Nobody was {what}: choose people whose state allows it.")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("sequences:list"))
