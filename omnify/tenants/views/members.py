"""The people who work for a tenant."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_q.tasks import async_task

from omnify.lib.clock import now
from omnify.tenants import members as verbs
from omnify.tenants.access import member_required
from omnify.tenants.forms import MemberForm, RoleForm
from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role
from omnify.tenants.rates import INVITATIONS, within

TOO_MANY = "Too many invitations within an hour. Try again later."


def may_invite(tenant_id: int) -> bool:
    """Counts one invitation of this tenant. Each is a mail to an address that somebody typed."""
    return within("invitation", str(tenant_id), most=INVITATIONS[0], seconds=INVITATIONS[1])


def page(request: HttpRequest, form: MemberForm, status: int = 200) -> HttpResponse:
    rows = Membership.objects.select_related("user").order_by("user__first_name", "user__email")
    may_change = request.member.may(Role.OWNER)  # type: ignore[attr-defined]
    facts = {"rows": rows, "form": form, "may_change": may_change, "roles": Role.choices, "part": "members"}
    return render(request, "tenants/members.html", facts, status=status)


@member_required(Role.VIEWER)
@require_GET
def list_members(request: HttpRequest) -> HttpResponse:
    return page(request, MemberForm())


@member_required(Role.OWNER)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Adds somebody by e-mail address and sends them a link to get in."""
    me = request.member  # type: ignore[attr-defined]
    form = MemberForm(request.POST)
    if not form.is_valid():
        return page(request, form, 422)
    if not may_invite(me.tenant_id):
        form.add_error(None, TOO_MANY)
        return page(request, form, 429)
    member = verbs.add_member(email=form.cleaned_data["email"], role=form.cleaned_data["role"], by=me, now=now())
    if member is None:
        form.add_error("email", "This person is a member already.")
        return page(request, form, 422)
    async_task("omnify.tenants.tasks.send_invitation", member.pk, me.tenant_id)
    messages.success(request, f"{member.user.email} is a member now; an invitation is on its way.")
    return redirect("tenants:members")


@member_required(Role.OWNER)
@require_POST
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends the invitation again."""
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    if not may_invite(member.tenant_id):
        messages.error(request, TOO_MANY)
        return redirect("tenants:members")
    async_task("omnify.tenants.tasks.send_invitation", member.pk, member.tenant_id)
    messages.success(request, f"An invitation to {member.user.email} is on its way.")
    return redirect("tenants:members")


@member_required(Role.OWNER)
@require_POST
def role(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("tenants:members")
    wanted = form.cleaned_data["role"]
    try:
        if verbs.change_role(member, role=wanted, by=request.member, now=now()):  # type: ignore[attr-defined]
            messages.success(request, f"{member.user} is now {Role(wanted).label.lower()}.")
    except verbs.LastOwner as refusal:
        messages.error(request, str(refusal))
    return redirect("tenants:members")


@member_required(Role.OWNER)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    try:
        verbs.remove_member(member, by=request.member, now=now())  # type: ignore[attr-defined]
        messages.success(request, f"{member.user} is no longer a member.")
    except verbs.LastOwner as refusal:
        messages.error(request, str(refusal))
    return redirect("tenants:members")
