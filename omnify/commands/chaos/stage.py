"""Before and after: people and a sequence to be sent, and what our own tables say at the end.

Run as `python -m omnify.commands.chaos.stage prepare <people> <seconds>` or `… settle`; the answer is one line of JSON.
"""

import itertools
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

STEPS = (
    {"kind": "sms", "body": "Hello {{ first_name }}, this is step one."},
    {"kind": "email", "subject": "Step two", "body": "Hello {{ first_name }}, this is step two."},
    {"kind": "voice", "subject": "Hi {{ first_name }}, this is step three.", "body": "Ask how they are."},
)
# A state that has hours of its own neither for Sundays nor for holidays: this runs on any day.
OPEN_EVERY_DAY = "US-CA"
ALL_DAY = {"days": [0, 1, 2, 3, 4, 5, 6], "start": "08:00", "end": "21:00"}


def main() -> None:
    import django

    django.setup()
    if sys.argv[1] == "prepare":
        print(json.dumps(prepare(int(sys.argv[2]), float(sys.argv[3]))))
    else:
        print(json.dumps(settle()))


def prepare(people: int, seconds: float) -> dict[str, Any]:
    """A tenant, its simulated senders, a published sequence, and so many people enrolled, due within so many seconds."""
    from contacts.models import Consent, Contact
    from omnify.lib.clock import now as clock
    from omnify.simulator.wiring import simulated_accounts
    from omnify.tenants.actions import create_tenant
    from omnify.tenants.context import tenant_context
    from omnify.tenants.models import User
    from sequences.models import Edge, Enrollment, Sender, Sequence, Step, Version

    now = clock()
    owner = User.objects.create_user("chaos@example.com")
    tenant = create_tenant(
        name="Chaos", slug="chaos", owner=owner, now=now, postal_address="1 Main St", business_hours=ALL_DAY
    )
    zone = noon_zone(now)
    consents = (("sms", "pewc_text"), ("voice", "pewc_artificial_voice"), ("email", "email_optin"))
    with tenant_context(tenant.pk):
        _senders(Sender, tenant)
        sequence = Sequence.objects.create(name="Chaos", status="active", send_window=ALL_DAY)
        version = Version.objects.create(sequence=sequence, number=1, published_at=now)
        steps = [Step.objects.create(version=version, position=n, **step) for n, step in enumerate(STEPS)]
        for source, target in itertools.pairwise(steps):
            Edge.objects.create(version=version, source=source, target=target)
        Sequence.objects.filter(pk=sequence.pk).update(published=version)
        for n in range(people):
            contact = Contact.objects.create(
                first_name=f"Pat{n}",
                email=f"pat{n}@people.example",
                phone=f"+1212{2_000_000 + n}",
                zones=[zone],
                places=["US-NY"],
            )
            for channel, kind in consents:
                address = contact.address_for(channel)
                Consent.objects.create(contact=contact, channel=channel, kind=kind, given_at=now, address=address)
            Enrollment.objects.create(
                sequence=sequence,
                version=version,
                contact=contact,
                step=steps[0],
                enrolled_at=now,
                next_run_at=now + timedelta(seconds=seconds * n / people),
            )
    return {"accounts": simulated_accounts(), "expected": people * len(STEPS)}


def _senders(model: Any, tenant: Any) -> None:
    secrets = {
        "sms": ("twilio", "+15005550006", {"auth_token": "chaos-token"}, {"account_sid": "AC" + "c" * 32}),
        "email": ("smtp", "hello@chaos.example", {"webhook_secret": "hooks:chaos"}, {}),
        "voice": (
            "vapi",
            "phone-1",
            {"api_key": "chaos-key", "webhook_secret": "chaos-hook"},
            {"assistant_id": "assistant-1"},
        ),
    }
    for channel, (provider, address, credentials, config) in secrets.items():
        sender = model(
            tenant=tenant,
            name=channel,
            channel=channel,
            provider=provider,
            address=address,
            config=config,
            simulated=True,
        )
        sender.set_credentials(credentials)
        sender.save()


def noon_zone(now: datetime) -> str:
    """A zone in which it is about noon, so that the law's hours are open whenever this runs."""
    hours = now.astimezone(UTC).hour - 12
    return "Etc/GMT" if hours == 0 else f"Etc/GMT{hours:+d}"  # POSIX signs: Etc/GMT+5 is five hours behind


def settle() -> dict[str, Any]:
    """What our tables say at the end, as plain values: see omnify.commands.chaos.verdict.Ours."""
    from contacts.models import Interaction
    from omnify.tenants.models import Notification
    from sequences.models import Enrollment, Message, ProviderEvent

    columns = ("public_id", "state", "state_reason", "channel", "attempt", "purpose", "contact_id")
    names = ("mark", "state", "reason", "channel", "attempt", "purpose", "person")
    messages = Message.objects.all_tenants().values_list(*columns)
    enrolled = Enrollment.objects.all_tenants().order_by("pk")
    people = enrolled.values_list("contact_id", "contact__phone", "contact__email", "status", "status_reason")
    heard = Interaction.objects.all_tenants().filter(direction="inbound")
    return {
        "messages": [dict(zip(names, (str(mark), *rest), strict=True)) for mark, *rest in messages],
        "people": [dict(zip(("person", "phone", "email", "status", "reason"), row, strict=True)) for row in people],
        "heard": list(heard.values_list("provider_id", flat=True)),
        "parked": list(ProviderEvent.objects.all_tenants().filter(state="parked").values_list("event_key", flat=True)),
        "notified": Notification.objects.all_tenants().count(),
    }


if __name__ == "__main__":
    main()
