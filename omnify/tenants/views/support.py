"""Where staff begin to look at a workspace (in the admin), and where they end it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from omnify.lib.clock import now
from omnify.lib.opaque import OpaqueNumber
from omnify.tenants import support, visiting


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    """The admin's page: which workspace, and why. `context`: what the admin's frame shows."""
    code, reason, problem = request.POST.get("code", "").strip(), request.POST.get("reason", ""), ""
    if request.method == "POST":
        try:
            visit = support.begin(number=number_of(code), reason=reason, by=request.user, now=now())  # type: ignore[arg-type]
            return visiting.begin_here(request, visit)
        except support.NotAllowed as refusal:
            problem = str(refusal)
    facts = {
        **context, "title": "Look at a workspace", "code": code, "reason": reason, "problem": problem,
        "least": support.LEAST_REASON, "minutes": int(support.LASTS.total_seconds() // 60),
    }  # fmt: skip
    return render(request, "admin/support.html", facts, status=403 if problem else 200)


def number_of(code: str) -> int:
    """The workspace of a code that its settings show, 0 for any other text: nobody is looked at by counting up."""
    try:
        return OpaqueNumber().to_python(code)
    except ValueError:
        return 0


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The visit itself has been ended by omnify.tenants.visiting, which sees every request of one first."""
    messages.success(request, "You no longer look at that workspace.")
    return redirect("admin:index" if request.user.is_staff else "home")
