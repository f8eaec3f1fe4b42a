"""The Operations page: is all well, what waits, and the switches. Staff see the machine, managers their workspace."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from omnify.lib.clock import now
from omnify.operations.findings import NOUNS, Finding, age_of, database, duration, judge, worst
from omnify.operations.seeing import look
from omnify.operations.tenant import tenant_part
from omnify.tenants.access import member_required
from omnify.tenants.actions import set_sending
from omnify.tenants.events import record
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role
from sequences.switches import KEYS, switch_off, switch_on, switches

WORDS = {"ok": "All is well", "degraded": "Something is slower or off", "failed": "Something has failed"}
LABELS = {"all": "Everything", **{key: word[:1].upper() + word[1:] for key, word in NOUNS.items()}}


@login_required
@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """For a plain request the whole page; for htmx the part that is renewed every ten seconds."""
    member: Membership | None = request.member  # type: ignore[attr-defined]
    staff = bool(request.user.is_staff)
    manager = member is not None and member.may(Role.MANAGER)
    if not (staff or manager):
        raise PermissionDenied("This needs the role manager.")
    facts: dict[str, Any] = {"staff": staff, "manager": manager, "moment": now()}
    if staff:
        facts |= machine()
    if member is not None and manager:
        facts["part"] = tenant_part(now())
    renewed = request.htmx and not request.htmx.boosted  # type: ignore[attr-defined]
    return render(request, "operations/page.html#vitals" if renewed else "operations/page.html", facts)


def machine() -> dict[str, Any]:
    """All tenants together: the checks in sentences, the queues, the switches."""
    seen = look()
    findings: list[Finding] = [database(True), *judge(seen, send_epoch=settings.SEND_EPOCH, sending=settings.SENDING)]
    told = seen.facts.get("channels") or {}
    queues = [
        {
            "channel": name,
            "ready": (told.get(name) or {}).get("ready", 0),
            "age": _age(age_of(seen, (told.get(name) or {}).get("oldest"))),
        }
        for name in NOUNS
    ]
    state = worst(findings)
    return {
        "findings": sorted(findings, key=lambda each: ("failed", "degraded", "ok").index(each.state)),
        "state": state,
        "state_words": WORDS[state],
        "queues": queues,
        "numbers": seen.facts,
        "switches": [{"row": row, "label": LABELS[row.key]} for row in switches()],
    }


def _age(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Staff turn sending off or on for every tenant, all of it or one channel, and say why."""
    if not request.user.is_staff:
        raise PermissionDenied("Only staff may move this switch.")
    key, wanted, reason = (
        request.POST.get("key", ""),
        request.POST.get("to", ""),
        request.POST.get("reason", "").strip(),
    )
    if key not in KEYS or wanted not in ("off", "on"):
        return HttpResponse("There is no such switch.", status=400, content_type="text/plain")
    if not reason:
        messages.error(request, "Say why, in a few words: everybody who wonders will read it.")
        return redirect("operations:page")
    move = switch_off if wanted == "off" else switch_on
    moved = move(key, by=str(request.user), reason=reason[:200], now=now())
    member: Membership | None = request.member  # type: ignore[attr-defined]
    if moved and member is not None:
        record(
            "switch.moved", tenant_id=member.tenant_id, now=now(), actor=f"member:{member.pk}", key=key, to=wanted, reason=reason[:200],
        )  # fmt: skip
    if moved:
        messages.success(request, f"{LABELS[key]}: sending is {wanted} for everybody.")
    else:
        messages.warning(request, f"{LABELS[key]} was {wanted} already.")
    return redirect("operations:page")


@member_required(Role.MANAGER)
@require_POST
def tenant_switch(request: HttpRequest) -> HttpResponse:
    """A manager turns their own workspace's sending off or on."""
    member: Membership = request.member  # type: ignore[attr-defined]
    enabled = request.POST.get("enabled") == "yes"
    if set_sending(member.tenant, enabled=enabled, by=member, now=now()):
        messages.success(request, "Sending is on again." if enabled else "Sending is off. Nothing more leaves.")
    return redirect("operations:page")
