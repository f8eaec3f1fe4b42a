"""What the simulated providers are told about Omnify's senders."""

from pathlib import Path
from typing import Any

import pytest

from omnify.simulator.accounts import Accounts
from omnify.simulator.running import RunningSimulator
from omnify.simulator.wiring import keep_accounts, register_accounts, simulated_accounts
from omnify.tenants.context import tenant_context
from sequences.models import Sender
from tests.making import People, make_senders

pytestmark = pytest.mark.django_db


def test_every_simulated_sender_of_every_tenant_is_known_with_its_webhooks(people: People, settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:4711"
    ours, theirs = make_senders(people.acme), make_senders(people.charlie.tenant)
    known = simulated_accounts()
    assert {provider: len(accounts) for provider, accounts in known.items()} == {"twilio": 2, "vapi": 2, "smtp": 2}
    assert known["twilio"][0]["numbers"] == [
        {
            "number": "+15005550006",
            "sms_url": f"http://127.0.0.1:4711/hooks/twilio/{ours['sms'].webhook_key}/inbound",
        }
    ]
    assert known["vapi"][0]["server_url"].endswith(f"/hooks/vapi/{ours['voice'].webhook_key}")
    assert known["vapi"][0]["server_secret"] == "hook-acme"
    assert known["smtp"][1]["inbound_url"] == (
        f"http://user:mail-stranger@127.0.0.1:4711/hooks/postmark/{theirs['email'].webhook_key}"
    )


def test_a_real_sender_is_never_told_to_the_simulator(people: People) -> None:
    make_senders(people.acme)
    with tenant_context(people.acme.pk):
        Sender.objects.update(simulated=False)
    assert simulated_accounts() == {}


def test_a_sender_without_its_secrets_does_not_keep_the_others_from_being_known(people: People) -> None:
    make_senders(people.acme)
    with tenant_context(people.acme.pk):
        Sender.objects.filter(channel="voice").update(sealed_credentials="")
    assert sorted(provider for provider, accounts in simulated_accounts().items() if accounts) == ["smtp", "twilio"]


def test_two_numbers_of_one_account_are_one_account(people: People) -> None:
    first = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        second = Sender(
            tenant=people.acme, name="Second", channel="sms", provider="twilio", address="+15005550007",
            config=first.config, simulated=True, is_default=False,
        )  # fmt: skip
        second.set_credentials({"auth_token": "token-acme"})
        second.save()
    (account,) = simulated_accounts()["twilio"]
    assert [number["number"] for number in account["numbers"]] == ["+15005550006", "+15005550007"]


def test_when_omnifys_port_changes_mail_goes_to_the_new_one(people: People, settings: Any, tmp_path: Path) -> None:
    make_senders(people.acme)
    path = tmp_path / "simulator" / "ledger.config.json"
    for port in (8000, 8001):
        settings.PUBLIC_URL = f"http://127.0.0.1:{port}"
        assert keep_accounts(path) == 3
    found = Accounts(path).mailbox("smtp", "hello@acme.example")
    assert found is not None
    assert ":8001/hooks/" in found["inbound_url"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_running_simulator_takes_the_accounts(people: People, sim: RunningSimulator) -> None:
    make_senders(people.acme)
    assert register_accounts(sim.client) == 3
