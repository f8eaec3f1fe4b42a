"""What sequences ask people to do by hand."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences.models import Task
from sequences.todo import finish_task, reopen_task

MOST = 200


@member_required(Role.VIEWER)
@require_safe
def list_tasks(request: HttpRequest) -> HttpResponse:
    done = request.GET.get("show") == "done"
    rows = Task.objects.filter(done_at__isnull=not done).select_related(
        "contact", "enrollment__sequence", "done_by__user"
    )
    rows = rows.order_by("-done_at" if done else "created_at", "id")[: MOST + 1]
    tasks = list(rows)
    return render(request, "sequences/tasks.html", {"tasks": tasks[:MOST], "more": len(tasks) > MOST, "done": done})


@member_required(Role.AGENT)
@require_POST
def finish(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Marks a task done, or, with done=0, open again."""
    task = get_object_or_404(Task.objects.all(), public_id=public_id)
    verb = reopen_task if request.POST.get("done") == "0" else finish_task
    changed = verb(task, by=request.member, now=now())  # type: ignore[attr-defined]
    if changed:
        messages.success(request, f"“{task.title}” is {'open again' if verb is reopen_task else 'done'}.")
    return redirect("sequences:tasks")
