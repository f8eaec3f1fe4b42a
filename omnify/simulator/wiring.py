"""Between Omnify's senders and the simulator: which accounts the simulated providers must know, and where their webhooks go."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from omnify.lib.sealing import CannotOpen
from omnify.simulator.accounts import Accounts
from omnify.simulator.client import SimulatorClient
from sequences.models import Sender

Known = dict[str, list[dict[str, Any]]]

logger = logging.getLogger(__name__)


def simulated_accounts() -> Known:
    """The accounts of every tenant's simulated senders, as PUT /config/accounts takes them. Run as the system role."""
    known: Known = {}
    for sender in Sender.objects.all_tenants().filter(simulated=True).order_by("pk"):
        try:
            provider, account = account_of(sender)
        except (KeyError, CannotOpen) as missing:
            logger.warning("Sender %s cannot speak to the simulator: %r is missing or unreadable.", sender.pk, missing)
            continue
        same = next((each for each in known.setdefault(provider, []) if shares_account(provider, each, account)), None)
        if same is None:
            known[provider].append(account)
        else:  # two numbers of one account
            for name in ("numbers", "phone_number_ids"):
                same[name] = [*same.get(name, []), *account.get(name, [])]
    return known


def register_accounts(client: SimulatorClient) -> int:
    """Tells a running simulator; returns how many accounts it was told. Raises httpx.HTTPError when it does not answer."""
    known = simulated_accounts()
    client.configure(known)
    return sum(map(len, known.values()))


def keep_accounts(path: Path) -> int:
    """Writes them where a simulator that is not running yet will read them when it starts; returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = simulated_accounts()
    Accounts(path).register(known)
    return sum(map(len, known.values()))


def shares_account(provider: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    key = {"twilio": "account_sid", "vapi": "api_key"}.get(provider)
    return key is not None and one[key] == other[key]


def account_of(sender: Sender) -> tuple[str, dict[str, Any]]:
    """(provider, account) of one sender, with its webhooks at PUBLIC_URL."""
    secrets, config = sender.credentials, sender.config
    hooks = f"{settings.PUBLIC_URL}/hooks"
    match sender.provider:
        case "twilio":
            account = {
                "account_sid": config["account_sid"],
                "auth_token": secrets["auth_token"],
                "numbers": [{"number": sender.address, "sms_url": f"{hooks}/twilio/{sender.webhook_key}/inbound"}],
            }
            if service := config.get("messaging_service_sid"):
                account["messaging_services"] = {service: [sender.address]}
            return "twilio", account
        case "vapi":
            return "vapi", {
                "api_key": secrets["api_key"],
                "server_url": f"{hooks}/vapi/{sender.webhook_key}",
                "server_secret": secrets.get("webhook_secret", ""),
                "phone_number_ids": [config.get("phone_number_id") or sender.address],
            }
        case "sendgrid":
            inbound = with_userinfo(f"{hooks}/sendgrid/{sender.webhook_key}/inbound", secrets.get("webhook_secret", ""))
            return "sendgrid", {
                "api_key": secrets["api_key"],
                "events_url": f"{hooks}/sendgrid/{sender.webhook_key}/events",
                "inbound_url": inbound,
                "email_activity": config.get("email_activity") is True,
            }
        case "ses":
            return "ses", {
                "access_key_id": secrets["access_key_id"],
                "topic_arn": config["topic_arn"],
                "events_url": f"{hooks}/ses/{sender.webhook_key}",
            }
    url = with_userinfo(f"{hooks}/postmark/{sender.webhook_key}", secrets.get("webhook_secret", ""))
    account = {"tracking_url": url, "inbound_url": url, "senders": [sender.address]}
    if sender.provider == "postmark":
        account["server_token"] = secrets["server_token"]
    return sender.provider, account


def with_userinfo(url: str, secret: str) -> str:
    """The address with "user:password" in it, as Postmark is told about basic authentication."""
    user, _, password = secret.partition(":")
    parts = urlsplit(url)
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()
