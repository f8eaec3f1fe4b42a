"""Senders at SendGrid and Amazon SES for tests, each with an account of its own at the simulator, and what those two sign."""

import itertools
from typing import Any

from omnify.simulator.signing import sendgrid_public_key
from omnify.tenants.context import tenant_context
from sequences.models import Sender
from tests.wire.wiring import Wire

TOPIC = "arn:aws:sns:eu-central-1:123456789012:omnify-{}"
_count = itertools.count(1)


def secrets_of(provider: str, n: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """(config, secrets) of a sender's account at this provider."""
    if provider == "sendgrid":
        key = f"SG.key-{n}"
        return {}, {"api_key": key, "event_public_key": sendgrid_public_key(key), "webhook_secret": f"parse:secret-{n}"}
    if provider == "ses":
        config = {"region": "eu-central-1", "configuration_set": "omnify", "topic_arn": TOPIC.format(n)}
        return config, {"access_key_id": f"AKIA{n:012d}", "secret_access_key": f"secret-{n}"}
    return {}, {"server_token": f"postmark-{n}", "webhook_secret": f"user:secret-{n}"}


def as_provider(sender: Sender, provider: str, n: int = 0, **config: Any) -> Sender:
    """The sender with an account at this provider instead."""
    given, secrets = secrets_of(provider, n)
    with tenant_context(sender.tenant_id):
        row: Sender = Sender.objects.get(pk=sender.pk)
        row.provider, row.config = provider, {"from_name": "Acme", **given, **config}
        row.set_credentials(secrets)
        row.save()
    return row


def use(wire: Wire, provider: str, *, account: dict[str, Any] | None = None, **config: Any) -> Sender:
    """The wire's mail sender, with an account of its own that the simulator knows. `account`: more about it there."""
    row = as_provider(wire.senders["email"], provider, next(_count), **config)
    known: dict[str, Any] = {**row.credentials, **row.config, **(account or {})}
    wire.simulator.configure({provider: [known]})
    wire.senders["email"] = row
    return row
