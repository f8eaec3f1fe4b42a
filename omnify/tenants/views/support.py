"""Where staff begin to look at a workspace (in the admin), and where they end it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from omnify.lib.clock import now
from omnify.tenants import support, visiting


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    """The admin's page: which workspace, and why. `context`: what the admin's frame shows."""
    number, reason, problem = request.POST.get("number", ""), request.POST.get("reason", ""), ""
    if request.method == "POST":
        known = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
        try:
            visit = support.begin(number=known, reason=reason, by=request.user, now=now())  # type: ignore[arg-type]
            return visiting.begin_here(request, visit)
        except support.NotAllowed as refusal:
            problem = str(refusal)
    facts = {
        **context, "title": "Look at a workspace", "number": number, "reason": reason, "problem": problem,
        "least": support.LEAST_REASON, "minutes": int(support.LASTS.total_seconds() // 60),
    }  # fmt: skip
    return render(request, "admin/support.html", facts, status=403 if problem else 200)


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The visit itself has been ended by omnify.tenants.visiting, which sees every request of one first."""
    messages.success(request, "You no longer look at that workspace.")
    return redirect("admin:index" if request.user.is_staff else "home")
