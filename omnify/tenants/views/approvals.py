"""What waits for a second signature, and what became of it."""

from uuid import UUID

from django.conf import settings as house
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from omnify.lib.clock import now
from omnify.tenants import approvals as verbs
from omnify.tenants.access import member_required
from omnify.tenants.auditing import names_of
from omnify.tenants.entitlement import request_of, signer_of
from omnify.tenants.models import Membership
from omnify.tenants.models.approval import Approval, Decision
from omnify.tenants.models.people import Role
from omnify.tenants.signatures import SIGNERS, closed, is_alone, why_not_sign

SHOWN = 50
DONE = {"sign": "Signed: it is done.", "refuse": "Turned down.", "withdraw": "Taken back."}


@member_required(Role.VIEWER)
@require_safe
def list_approvals(request: HttpRequest) -> HttpResponse:
    """Waiting for this member, asked by them, waiting for others, and what was decided lately."""
    member, moment = request.member, now()  # type: ignore[attr-defined]
    open_ = list(Approval.objects.filter(decision=Decision.WAITING, expires_at__gt=moment)[: SHOWN + 1])
    may_sign = member.role in SIGNERS
    mine = [row for row in open_ if row.asked_user == member.user_id]
    others = [row for row in open_ if row.asked_user != member.user_id]
    old = Approval.objects.exclude(decision=Decision.WAITING) | Approval.objects.filter(expires_at__lte=moment)
    decided = list(old[:SHOWN])
    facts = {
        "groups": [
            ("yours", "Waiting for your signature" if may_sign else "Waiting for a manager or owner", others),
            ("asked", "Asked for by you", mine),
        ],
        "decided": decided,
        "names": names_of([each for row in (*open_, *decided) for each in (row.asked_by, row.decided_by)]),
        "more": len(open_) > SHOWN,
        "moment": moment,
    }
    return render(request, "tenants/approvals.html", facts)


@member_required(Role.VIEWER)
@require_safe
def approval(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One request: what would be done, to what, and who may sign it."""
    row = get_object_or_404(Approval.objects.all(), public_id=public_id)
    return render(request, "tenants/approval.html", facts_of(row, request.member))  # type: ignore[attr-defined]


def facts_of(row: Approval, member: Membership) -> dict[str, object]:
    moment = now()
    asked, signer = request_of(row, moment), signer_of(member, row, moment, typed=row.phrase)
    return {
        "row": row,
        "names": names_of([row.asked_by, row.decided_by]),
        "over": closed(asked, moment),
        "why_not": why_not_sign(asked, signer, mfa=house.REQUIRE_MFA, now=moment),
        "alone": is_alone(asked, signer),
        "mine": row.asked_user == member.user_id,
        "may_refuse": member.role in SIGNERS,
        "moment": moment,
    }


@member_required(Role.AGENT)
@require_POST
def decide(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """`decision` is sign (alone: with the `phrase`), refuse (with a `note`) or withdraw."""
    row = get_object_or_404(Approval.objects.all(), public_id=public_id)
    member, moment, wanted = request.member, now(), request.POST.get("decision", "")  # type: ignore[attr-defined]
    try:
        if wanted == "sign":
            verbs.sign(row, by=member, typed=request.POST.get("phrase", "")[:200], now=moment)
        elif wanted == "refuse":
            verbs.turn_down(row, by=member, note=request.POST.get("note", ""), now=moment)
        elif wanted != "withdraw":
            return HttpResponse("One signs, refuses or withdraws.", status=400, content_type="text/plain")
        elif not verbs.withdraw(row, by=member, now=moment):
            raise verbs.Refused("It is not yours to take back, or was decided already.")
        messages.success(request, DONE[wanted])
    except verbs.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("tenants:approval", public_id)
