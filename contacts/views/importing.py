"""The import wizard: upload, map, review, import; and the list of what was imported."""

from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from contacts import exporting, samples
from contacts.importing import jobs
from contacts.importing.encodings import Unreadable
from contacts.models import ImportJob, ImportProblem
from contacts.models.imports import ImportState
from contacts.uploading import CappedUploadHandler
from contacts.views.lookups import job_of
from contacts.views.mapping import MappingForm
from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.asking import asked
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import NeedsSignature

METHODS = ["GET", "HEAD", "POST"]
HISTORY, SHOWN = 50, 50
# Which page a job's next step is on.
NEXT = {
    ImportState.UPLOADED: "contacts:import_map",
    ImportState.FAILED: "contacts:import_map",
    ImportState.REVIEWING: "contacts:import_review",
    ImportState.REVIEWED: "contacts:import_review",
}


@member_required(Role.AGENT)
@require_safe
def list_imports(request: HttpRequest) -> HttpResponse:
    rows = list(ImportJob.objects.select_related("created_by__user").defer("mapping", "samples", "header")[:HISTORY])
    return render(request, "contacts/imports.html", {"rows": [(row, _next(row)) for row in rows]})


@csrf_exempt  # checked one step later: reading the token reads the body, and the cap must be in place before that
@member_required(Role.AGENT)
@require_http_methods(METHODS)
def new(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [CappedUploadHandler(request)]
    answer: HttpResponse = _new(request)
    return answer


@csrf_protect
def _new(request: HttpRequest) -> HttpResponse:
    facts = {"step": 1, "limit": jobs.SIZE_LIMIT // 2**20}
    if request.method != "POST":
        return render(request, "contacts/import_new.html", facts)
    file, problem = request.FILES.get("file"), "Choose a file first."
    if any(getattr(handler, "too_large", False) for handler in request.upload_handlers):
        problem = f"The file is larger than {facts['limit']} MB. Split it, and import the parts one after the other."
    elif isinstance(file, TemporaryUploadedFile):
        try:
            source = Path(file.temporary_file_path())
            job = jobs.start_upload(source, file_name=file.name or "", by=request.member, now=now())  # type: ignore[attr-defined]
            return redirect("contacts:import_map", job.public_id)
        except Unreadable as error:
            problem = str(error)
    return render(request, "contacts/import_new.html", {**facts, "problem": problem}, status=422)


@member_required(Role.AGENT)
@require_http_methods(METHODS)
def map_columns(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Says which column is what and what these people agreed to; then the review starts."""
    job = job_of(public_id)
    if job.state not in (ImportState.UPLOADED, ImportState.REVIEWED, ImportState.FAILED):
        return redirect(_next(job), public_id)
    form = MappingForm(job, request.POST if request.method == "POST" else None)
    sentences: list[str] = []
    if request.method == "POST":
        member, moment = request.member, now()  # type: ignore[attr-defined]
        try:
            jobs.set_mapping(job, form.mapping, **form.choices, by=member, now=moment)
            jobs.start_review(job, by=member, now=moment)
            return redirect("contacts:import_review", public_id)
        except jobs.Refused as refused:
            sentences = refused.sentences
    facts = {"job": job, "form": form, "step": 2, "sentences": sentences}
    return render(request, "contacts/import_map.html", facts, status=422 if sentences else 200)


@member_required(Role.AGENT)
@require_safe
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What an import would do: its counts and the first problems."""
    job = job_of(public_id)
    if job.state not in (ImportState.REVIEWING, ImportState.REVIEWED):
        return redirect(_next(job), public_id)
    return render(request, "contacts/import_review.html", _facts(job) | {"step": 3})


@member_required(Role.AGENT)
@require_http_methods(METHODS)
def run(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST starts the import; GET shows how far it is, or what it did."""
    job = job_of(public_id)
    if request.method == "POST":
        try:
            begun = jobs.start_import(job, by=request.member, now=now())  # type: ignore[attr-defined]
        except NeedsSignature as needed:
            return asked(request, needed)
        if not begun:
            messages.info(request, "The list was not waiting for that any more.")
        return redirect("contacts:import_run", public_id)
    if job.state in NEXT and job.state != ImportState.FAILED:
        return redirect(_next(job), public_id)
    return render(request, "contacts/import_run.html", _facts(job) | {"step": 4})


@member_required(Role.AGENT)
@require_safe
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The moving part of the review and run pages. Once there is nothing left to move, htmx is told to load the page again."""
    job = job_of(public_id)
    response = render(request, "contacts/import_progress.html", _facts(job))
    if job.state not in (ImportState.REVIEWING, ImportState.IMPORTING):
        response["HX-Refresh"] = "true"
    return response


@member_required(Role.AGENT)
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    done = jobs.cancel(job_of(public_id), by=request.member, now=now())  # type: ignore[attr-defined]
    messages.info(request, "Cancelled. Who was imported before stays." if done else "It had ended already.")
    return redirect("contacts:imports")


@member_required(Role.AGENT)
@require_GET
def errors(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The refused rows as they were, with the reason in front."""
    job = job_of(public_id)
    return exporting.download(request, exporting.error_lines(job), f"{Path(job.file_name).stem[:80]}-refused.csv")


@member_required(Role.VIEWER)
@require_safe
def sample(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(samples.sample_csv(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="sample-contacts.csv"'
    return response


def _next(job: ImportJob) -> str:
    return NEXT.get(ImportState(job.state), "contacts:import_run")


def _facts(job: ImportJob) -> dict[str, object]:
    running = job.state in (ImportState.REVIEWING, ImportState.IMPORTING)
    seconds = (
        ((now() if running else job.finished_at or now()) - job.started_at).total_seconds() if job.started_at else 0
    )
    return {
        "job": job,
        "running": running,
        "rate": round(job.rows_done / seconds) if seconds >= 1 else None,
        "problems": []
        if running
        else list(ImportProblem.objects.filter(job=job).order_by("-fatal", "row", "id")[:SHOWN]),
    }
