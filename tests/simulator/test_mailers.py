"""The simulated SendGrid and Amazon SES: what they tell is signed as the real ones sign it, and believed by our own checks."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from omnify.lib.clock import now
from omnify.simulator.running import RunningSimulator
from omnify.simulator.signing import sendgrid_public_key
from sequences.transports import sendgrid as grid
from sequences.transports import ses as amazon
from sequences.transports.base import Account, Outbound
from sequences.transports.suppressions import lists_of
from sequences.webhooks import base, certificates, sendgrid, ses
from tests.simulator.conftest import Hit, Hooks, eventually

TOPIC, MARK = "arn:aws:sns:eu-central-1:1:t", "0199c0de-0000-7000-8000-00000000000a"
SECRETS = {
    "sendgrid": {
        "api_key": "SG.sim",
        "webhook_secret": "hook:secret",
        "event_public_key": sendgrid_public_key("SG.sim"),
    },
    "ses": {"access_key_id": "AKIASIM", "secret_access_key": "s"},
}
BOTH = pytest.mark.parametrize("provider", ["sendgrid", "ses"])


@pytest.fixture(autouse=True)
def _accounts(sim: RunningSimulator, hooks: Hooks, settings: Any) -> None:
    settings.SIMULATOR_URL = sim.base_url
    inbound = hooks.url("/sendgrid/inbound", "hook:secret")
    events = {"events_url": hooks.url("/events")}
    sim.client.configure(
        {
            "sendgrid": [{**SECRETS["sendgrid"], **events, "inbound_url": inbound}],
            "ses": [{**SECRETS["ses"], **events, "topic_arn": TOPIC}],
        }
    )


def config_of(provider: str) -> dict[str, Any]:
    return {"region": "eu-central-1", "topic_arn": TOPIC} if provider == "ses" else {}


def send(sim: RunningSimulator, provider: str, to: str) -> str:
    outbound = Outbound(
        mark=MARK, channel="email", to=to, sender="hello@acme.example", config=config_of(provider),
        credentials=SECRETS[provider], text="Hello", callback_base="", valid_for=60, subject="Hi",
        base_url=f"{sim.base_url}/{provider}",
    )  # fmt: skip
    receipt = (grid if provider == "sendgrid" else amazon).send(outbound)
    assert sim.client.settled()
    return receipt.provider_id


def account(provider: str) -> base.Account:
    return base.Account(1, 1, provider, config_of(provider), SECRETS[provider], simulated=True)


def believed(provider: str, hit: Hit, kind: str = "events") -> bool:
    """Whether our own door would take this, and take nothing else for it."""
    request = base.Request("", kind, "", hit.headers, hit.body)
    if provider == "ses":
        asyncio.run(ses.prepare(request, account(provider)))
        return ses.genuine(request, account(provider), now())
    return sendgrid.genuine(request, account(provider), now())


def words(provider: str, hits: list[Hit]) -> list[str]:
    if provider == "ses":
        return [json.loads(hit.json["Message"])["eventType"] for hit in hits]
    return [event["event"] for hit in hits for event in hit.json]


@BOTH
@pytest.mark.parametrize(
    ("manner", "grid_words", "ses_words"),
    [
        ("opener", ["processed", "delivered", "open"], ["Send", "Delivery", "Open"]),
        ("bounce", ["processed", "bounce"], ["Send", "Bounce"]),
        ("soft_bounce", ["processed", "bounce"], ["Send", "Bounce"]),
        ("complainer", ["processed", "delivered", "spamreport"], ["Send", "Delivery", "Complaint"]),
        ("unsubscriber", ["processed", "delivered", "unsubscribe"], ["Send", "Delivery", "Subscription"]),
    ],
)
def test_a_mails_life_is_told_in_order_and_signed(
    sim: RunningSimulator, hooks: Hooks, provider: str, manner: str, grid_words: list[str], ses_words: list[str]
) -> None:
    person = f"{manner}.{provider}@people.example"
    sim.client.set_person(person, temperament=manner)
    send(sim, provider, person)
    hits = hooks.at("/events")
    assert words(provider, hits) == (grid_words if provider == "sendgrid" else ses_words)
    assert all(believed(provider, hit) for hit in hits)
    module = sendgrid if provider == "sendgrid" else ses
    for hit in hits:
        for request in (
            sendgrid.split(base.Request("", "events", "", hit.headers, hit.body))
            if provider == "sendgrid"
            else [base.Request("", "sns", "", hit.headers, hit.body)]
        ):
            identity = module.identify(request)
            assert identity.mark == MARK
            assert module.parse(identity.kind, request.body.decode(), identity.mark)


@BOTH
def test_a_forged_callback_is_not_believed(sim: RunningSimulator, hooks: Hooks, provider: str) -> None:
    sim.client.faults([{"match": {"provider": provider, "op": "create"}, "do": "forged_callback"}])
    send(sim, provider, f"forged.{provider}@people.example")
    assert sorted(believed(provider, hit) for hit in hooks.at("/events")) == [False, False, True, True]


@BOTH
def test_an_answer_comes_back_as_the_provider_brings_it(sim: RunningSimulator, hooks: Hooks, provider: str) -> None:
    person = f"answers.{provider}@people.example"
    send(sim, provider, person)
    hooks.hits.clear()
    assert sim.client.reply(person, "email", "Sounds good") == 200
    path = "/sendgrid/inbound" if provider == "sendgrid" else "/events"
    [hit] = eventually(lambda: hooks.at(path))
    assert believed(provider, hit, "inbound" if provider == "sendgrid" else "events")
    request = base.Request("", "inbound" if provider == "sendgrid" else "sns", "", hit.headers, hit.body)
    [request] = sendgrid.split(request) if provider == "sendgrid" else [request]
    module: Any = sendgrid if provider == "sendgrid" else ses
    identity = module.identify(request)
    [mail] = module.parse(identity.kind, request.body.decode(), "")
    assert (identity.kind, mail.sender, mail.to) == ("inbound", person, "hello@acme.example")
    assert mail.text.startswith("Sounds good")
    assert mail.header("In-Reply-To")


@BOTH
def test_whoever_complained_or_bounced_gets_nothing_more(sim: RunningSimulator, hooks: Hooks, provider: str) -> None:
    person = f"listed.{provider}@people.example"
    sim.client.set_person(person, temperament="complainer")
    send(sim, provider, person)
    there = lists_of(provider).listed(Account("", config_of(provider), SECRETS[provider], f"{sim.base_url}/{provider}"))
    assert person in {entry.address for entry in there}
    hooks.hits.clear()
    send(sim, provider, person)
    assert words(provider, hooks.at("/events")) == (["dropped"] if provider == "sendgrid" else ["Send", "Bounce"])
    assert len(sim.client.ledger(to=person)) == 1


def test_the_key_that_events_are_checked_with_is_shown_as_sendgrid_shows_it(sim: RunningSimulator) -> None:
    url = f"{sim.base_url}/sendgrid/v3/user/webhooks/event/settings/signed"
    shown = httpx.get(url, headers={"authorization": "Bearer SG.sim"}, trust_env=False).json()
    assert shown == {"public_key": SECRETS["sendgrid"]["event_public_key"]}
    assert httpx.get(url, headers={"authorization": "Bearer other"}, trust_env=False).status_code == 401


def test_an_unknown_certificate_of_the_simulator_is_not_found(sim: RunningSimulator) -> None:
    url = f"{sim.base_url}/ses/sns/SimpleNotificationService-{'0' * 32}.pem"
    with pytest.raises(certificates.Unready):
        asyncio.run(certificates.ready(url, simulated=True))
