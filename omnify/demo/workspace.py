"""The demo's tenant, the two who work there, and its simulated accounts at the providers."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.members import add_member
from omnify.tenants.models import Membership, Tenant, User
from omnify.tenants.models.people import Role
from sequences.models import Sender

SLUG = "demo"
OWNER, AGENT = "demo@omnify.example", "robin@omnify.example"
MAILBOX = "hello@northwind.example"
HOURS = {"days": [0, 1, 2, 3, 4, 5, 6], "start": "08:00", "end": "21:00"}
ABOUT: dict[str, Any] = {
    "industry": "Solar energy",
    "timezone": "America/New_York",
    "business_hours": HOURS,
    "postal_address": "12 Harbor Road, Portland, ME 04101",
    "support_contact": "hello@northwind.example",
    "brand_profile": {"tone": "warm and plain", "we_are": "a family company that plans and installs solar roofs"},
    "approved_facts": [
        "A consultation takes 20 minutes and is free.",
        "An installation takes two days on the roof.",
        "The warranty is 15 years.",
    ],
}


def kept_login(state_dir: Path) -> dict[str, str]:
    """The log-in of the demo's owner, from the state folder; a new random password the first time."""
    path = state_dir / "demo.json"
    try:
        kept: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        kept = {"email": OWNER, "password": secrets.token_urlsafe(12)}
        aside = path.with_name(f"demo.json.{os.getpid()}")
        with open(aside, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(kept, file)
        aside.replace(path)
    return kept


def demo_owner(login: dict[str, str]) -> User:
    """The user who owns the demo and may open the admin. Their password is the kept one, also where the file was lost."""
    user = User.objects.filter(email=login["email"]).first()
    if user is None:
        return User.objects.create_superuser(login["email"], login["password"], first_name="Dana", last_name="Demo")
    if not user.check_password(login["password"]):
        user.set_password(login["password"])
        user.save(update_fields=["password"])
    return user


def demo_tenant(owner: User, *, now: datetime) -> Tenant:
    """Northwind Solar, with its owner and an agent."""
    tenant = Tenant.objects.filter(slug=SLUG).first()
    if tenant is None:
        tenant = create_tenant(name="Northwind Solar", slug=SLUG, owner=owner, now=now, **ABOUT)
    with tenant_context(tenant.pk):
        member = Membership.objects.filter(user=owner).first()
        if member is None:
            member = Membership.objects.create(user=owner, role=Role.OWNER)
        agent = add_member(email=AGENT, role=Role.AGENT, by=member, now=now)
        if agent is not None:
            User.objects.filter(pk=agent.user_id, first_name="").update(first_name="Robin", last_name="Reyes")
    return tenant


def demo_senders(tenant: Tenant) -> dict[str, Sender]:
    """One simulated account a channel; a sender that stands there already is left as it is. Run in the tenant's context."""
    made = {}
    for channel, provider, address, config, kept in accounts():
        sender = Sender.objects.filter(channel=channel, is_default=True).first()
        if sender is None:
            sender = Sender(
                tenant=tenant, name=f"{tenant.name} {channel}", channel=channel, provider=provider, address=address,
                config=config, simulated=True,
            )  # fmt: skip
            sender.set_credentials(kept)
            sender.save()
        made[channel] = sender
    return made


def accounts() -> list[tuple[str, str, str, dict[str, Any], dict[str, str]]]:
    """(channel, provider, address, what is no secret, what is), with fresh random secrets."""
    return [
        (
            "sms",
            "twilio",
            "+12075550100",
            {"account_sid": "AC" + secrets.token_hex(16)},
            {"auth_token": secrets.token_hex(16)},
        ),
        (
            "voice",
            "vapi",
            f"number-{secrets.token_hex(6)}",
            {"assistant_id": f"assistant-{secrets.token_hex(6)}"},
            {"api_key": secrets.token_hex(16), "webhook_secret": secrets.token_hex(16)},
        ),
        (
            "email",
            "smtp",
            MAILBOX,
            {"from_name": "Northwind Solar"},
            {"webhook_secret": f"hook:{secrets.token_hex(16)}"},
        ),
    ]
