"""SendGrid through its HTTP API and Amazon SES through boto3, against the simulator: what leaves, and what each fault means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sequences import reconcile as reconciling
from sequences.delivery import deliver, dispatch
from sequences.models import Message
from sequences.reconcile import reconcile
from sequences.unsubscribe import token_for
from tests.wire.mailers import use
from tests.wire.wiring import Wire, refreshed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BOTH = pytest.mark.parametrize("provider", ["sendgrid", "ses"])


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def accepted(wire: Wire, message: Message) -> dict[str, Any]:
    [record] = wire.simulator.ledger(record="accepted", mark=str(message.public_id))
    return {**record["resource"], "id": record["provider_id"]}


def sent(wire: Wire, fault: Any, **fields: Any) -> tuple[Message, str]:
    message = wire.ready("email", **fields)
    wire.simulator.faults([{"match": {"to": message.to_address, "op": "create"}, "do": fault}])
    state = deliver(wire.claim("email"), wire.at())
    wire.simulator.clear()
    return refreshed(message), state


@BOTH
def test_a_mail_carries_our_mark_one_click_unsubscribe_and_the_footer(wire: Wire, provider: str) -> None:
    use(wire, provider)
    message = wire.ready("email", subject="Grüße\nBcc: everybody@example.com", body="Schöne Grüße & <b>more</b>")
    assert deliver(wire.claim("email"), wire.at()) == "accepted"
    [mail] = wire.received(message)
    link = f"http://127.0.0.1:9/u/{token_for(message)}"
    assert mail["list_unsubscribe"].strip() == f"<{link}>"
    assert mail["subject"] == "Grüße Bcc: everybody@example.com"
    for part in ("body", "html"):
        assert "1 Main St, Springfield" in mail[part]
        assert link in mail[part]
        assert "Schöne Grüße" in mail[part]
    assert "<b>more" not in mail["html"]
    there = accepted(wire, message)
    headers = {name.lower(): value for name, value in there["headers"].items()}
    assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert (there["metadata"], there["id"]) == ({"m": str(message.public_id)}, refreshed(message).provider_id)
    assert refreshed(message).provider == provider
    if provider == "ses":
        assert (there["configuration_set"], headers["from"]) == ("omnify", "Acme <hello@acme.example>")
    else:
        assert there["message_id"] == f"<{message.public_id}@acme.example>"


# What the provider, or the way to it, did: the state that is left, and whether the person got it.
FAULTS: list[tuple[Any, str, int]] = [
    ("accept_then_reset", "unknown", 1),
    ("accept_then_500", "unknown", 1),
    ({"accept_then_timeout": 5}, "unknown", 1),
    ("reset", "unknown", 0),
    ({"timeout": 5}, "unknown", 0),
    ("status_500", "unknown", 0),
    ("status_503", "unknown", 0),
    ("rate_limit_429", "deferred", 0),
]


@BOTH
@pytest.mark.parametrize(("fault", "state", "got"), FAULTS)
def test_only_an_answer_of_the_provider_says_that_nothing_left(
    wire: Wire, provider: str, fault: Any, state: str, got: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sequences.transports import sendgrid, ses

    for module in (sendgrid, ses):
        monkeypatch.setattr(module, "READ_TIMEOUT", 1.0)
    ses.hang_up()
    use(wire, provider)
    message, left = sent(wire, fault)
    ses.hang_up()
    assert (left, message.state) == (state, state)
    assert len(wire.received(message)) == got
    requests = wire.simulator.ledger(record="accepted", mark=str(message.public_id))
    assert len(requests) == got  # and no SDK tried again


def test_an_answer_of_ses_that_is_cut_off_proves_nothing(wire: Wire) -> None:
    use(wire, "ses")
    message, state = sent(wire, "accept_then_truncate")
    assert (state, len(wire.received(message))) == ("unknown", 1)


REFUSALS = [
    ("sendgrid", "400:personalizations.0.to.0.email", "rejected", "email_bounced", True),
    ("sendgrid", "400:content", "rejected", "email_failed", False),
    ("sendgrid", "413", "rejected", "email_failed", False),
    ("sendgrid", "401", "deferred", "", None),
    ("sendgrid", "403:from", "deferred", "", None),
    ("sendgrid", "429", "deferred", "", None),
    ("ses", "MessageRejected", "rejected", "email_failed", False),
    ("ses", "BadRequestException", "rejected", "email_failed", False),
    ("ses", "TooManyRequestsException", "deferred", "", None),
    ("ses", "LimitExceededException", "deferred", "", None),
    ("ses", "AccountSuspendedException", "deferred", "", None),
    ("ses", "MailFromDomainNotVerifiedException", "deferred", "", None),
    ("ses", "UnrecognizedClientException", "deferred", "", None),
    ("ses", "NotFoundException", "deferred", "", None),
]


@pytest.mark.parametrize(("provider", "code", "state", "failure", "permanent"), REFUSALS)
def test_a_refusal_with_the_providers_own_code_is_an_answer(
    wire: Wire, provider: str, code: str, state: str, failure: str, permanent: bool | None
) -> None:
    use(wire, provider)
    message, left = sent(wire, {"refuse": code})
    assert left == state
    assert (message.failure_type, message.permanent) == (failure, permanent)
    stops = code[:3] in ("401", "403") or code in {row[1] for row in REFUSALS[10:]}
    assert (message.state_reason == "sender_paused") is stops
    assert wire.received(message) == []


@BOTH
def test_an_address_no_mail_can_carry_is_refused_before_anything_is_asked(wire: Wire, provider: str) -> None:
    use(wire, provider)
    for n, address in enumerate(
        ["pat@people.example\r\nBcc: all@example.com", "pat", "a@b@c.example", "a b@c.example"]
    ):
        message = wire.ready("email", to_address=address)
        assert deliver(wire.claim("email"), wire.at()) == "rejected", n
        assert refreshed(message).error_code == "unsendable"


@BOTH
def test_a_provider_nobody_can_reach_has_not_taken_the_mail(wire: Wire, provider: str, settings: Any) -> None:
    use(wire, provider)
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    message = wire.ready("email")
    assert deliver(wire.claim("email"), wire.at()) == "deferred"
    assert refreshed(message).state_reason == "busy"


@pytest.mark.parametrize("region", ["", "eu", "eu-central-1.evil.example/", "127.0.0.1#-1", "eu-central-1\n"])
def test_a_region_that_is_none_asks_no_host_of_that_name(wire: Wire, region: str) -> None:
    use(wire, "ses", region=region)
    message = wire.ready("email")
    assert deliver(wire.claim("email"), wire.at()) == "deferred"
    assert refreshed(message).state_reason == "sender_paused"


@BOTH
def test_without_a_list_an_unknown_mail_waits_a_day_for_the_providers_word_and_then_for_a_person(
    wire: Wire, provider: str
) -> None:
    use(wire, provider)
    message = wire.ready("email", expires_at=wire.now + timedelta(days=3))
    wire.simulator.faults([{"match": {"to": message.to_address, "op": "create"}, "do": "accept_then_500"}])
    assert deliver(wire.claim("email"), wire.at()) == "unknown"
    for later in (3 * MINUTE, 16 * MINUTE, HOUR, 23 * HOUR):
        assert reconcile(wire.now + later) == 0
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 0)
    assert reconcile(wire.now + 24 * HOUR) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("held", "no_proof")
    assert dispatch(["email"], now=wire.at(wire.now + 25 * HOUR), budget_seconds=30) == 0
    assert len(wire.received(message)) == 1


def test_with_email_activity_what_was_taken_is_found_by_its_mark(wire: Wire) -> None:
    use(wire, "sendgrid", email_activity=True)
    message, _ = sent(wire, "accept_then_reset")
    assert reconcile(wire.now + 3 * MINUTE) == 1
    found = refreshed(message)
    assert (found.state_reason, found.provider) == ("found_at_provider", "sendgrid")
    assert found.provider_id == accepted(wire, message)["id"]


def test_with_email_activity_two_clean_searches_are_proof_and_not_before_it_can_have_caught_up(wire: Wire) -> None:
    use(wire, "sendgrid", email_activity=True)
    message, _ = sent(wire, "status_500")
    for later in (3, 9, 20, 29):
        assert reconcile(wire.now + later * MINUTE) == 0
        assert refreshed(message).lookups == 0
    assert reconcile(wire.now + 36 * MINUTE) == 0
    assert refreshed(message).lookups == 1
    assert reconcile(wire.now + 40 * MINUTE) == 0  # (not five minutes later)
    assert reconcile(wire.now + 41 * MINUTE) == 1
    assert (refreshed(message).state, refreshed(message).state_reason) == ("ready", "not_sent")
    later = wire.now + 42 * MINUTE
    assert dispatch(["email"], now=wire.at(later), budget_seconds=30) == 1
    assert (len(wire.received(message)), refreshed(message).attempt) == (1, 2)


def test_a_search_that_fails_proves_nothing(wire: Wire) -> None:
    use(wire, "sendgrid", email_activity=True)
    message, _ = sent(wire, "status_500")
    for n, fault in enumerate(("status_500", "reset", "rate_limit_429", {"refuse": "403"})):
        wire.simulator.faults([{"match": {"op": "list"}, "do": fault}])
        assert reconcile(wire.now + (40 + 6 * n) * MINUTE) == 0
        wire.simulator.clear()
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 0)


def test_another_mails_entry_is_never_taken_for_ours(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    from sequences.transports import sendgrid

    use(wire, "sendgrid", email_activity=True)
    contact = wire.contact()
    wire.ready("email", contact, body="The same words")
    deliver(wire.claim("email"), wire.at())
    message, _ = sent(wire, "status_500", contact=wire.contact(), body="The same words")
    real = sendgrid.ask

    def anything(holder: Any, path: str, query: dict[str, str]) -> Any:
        return real(holder, path, {name: value for name, value in query.items() if name != "query"})

    monkeypatch.setattr(sendgrid, "ask", anything)  # a search that ignores what is asked
    assert reconcile(wire.now + 40 * MINUTE) == 0
    assert (refreshed(message).state, refreshed(message).lookups) == ("unknown", 1)


def test_a_workspace_that_only_rehearses_asks_no_real_provider(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was live when the mail got lost, and is simulated now (4-reliability, G17)."""
    from omnify.tenants.models import Tenant
    from sequences.models import Sender

    sender = use(wire, "sendgrid", email_activity=True)
    message, _ = sent(wire, "accept_then_reset")
    Sender.objects.all_tenants().filter(pk=sender.pk).update(simulated=False)
    Message.objects.all_tenants().filter(pk=message.pk).update(account="")
    Tenant.objects.filter(pk=wire.tenant_id).update(sending_mode="simulated")
    asked: list[str] = []
    real = reconciling.transport_for("sendgrid")
    told = replace(real, find=lambda outbound, *rest: asked.append(outbound.mark))
    monkeypatch.setattr(reconciling, "transport_for", lambda provider: told)
    assert reconcile(wire.now + 3 * MINUTE) == 0
    assert (asked, refreshed(message).lookups) == ([], 0)
