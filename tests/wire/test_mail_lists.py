"""What SendGrid, Amazon SES and Postmark hold, read again and kept alike with ours, against the simulator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Suppression
from contacts.permissions import lift, suppress, suppressed
from omnify.promises.restoring import back_up, restore
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.addressing import account_of
from sequences.blocklists import sync
from sequences.delivery import deliver
from sequences.inbound import apply_waiting
from sequences.models import Message, Polling, ProviderEvent, Sender
from sequences.polling import poll
from sequences.rereading import read_again
from sequences.thawing import CannotThaw, thaw
from sequences.transports.base import Unreadable
from sequences.transports.listing import reader_for
from sequences.transports.suppressions import lists_of
from tests.wire.mailers import use
from tests.wire.wiring import Wire, refreshed, with_own_accounts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]
MAIL, MINUTE, HOUR = "pat@people.example", timedelta(minutes=1), timedelta(hours=1)
BOTH = pytest.mark.parametrize("provider", ["sendgrid", "ses"])


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def wire(wire: Wire) -> Wire:
    """The poller reads every account of the workspace, also those of texts and calls."""
    return with_own_accounts(wire)


def on_their_list(provider: str, reason: str, at: datetime, address: str = MAIL) -> dict[str, Any]:
    """An account's list that holds this address."""
    if provider == "sendgrid":
        name = {"gone": "bounces", "complained": "spam_reports", "opted_out": "unsubscribes"}[reason]
        return {
            "lists": {name: {address: {"email": address, "created": int(at.timestamp()), "reason": "no", "status": ""}}}
        }
    word = {"gone": "BOUNCE", "complained": "COMPLAINT"}[reason]
    return {"suppressed": {address: {"EmailAddress": address, "Reason": word, "LastUpdateTime": at.timestamp()}}}


def theirs(sender: Sender) -> dict[str, str]:
    return {each.address: each.reason for each in lists_of(sender.provider).listed(account_of(sender))}


def closed(wire: Wire, address: str = MAIL) -> bool:
    return bool(suppressed(wire.tenant_id, [("email", address)]))


def close(wire: Wire, now: datetime, address: str = MAIL) -> None:
    suppress(
        tenant_id=wire.tenant_id, address=address, channels=("email",), reason="opted_out", source="email", now=now, actor="person"
    )  # fmt: skip


@BOTH
def test_what_is_closed_here_is_put_on_their_list_once_and_comes_off_with_the_person_only(
    wire: Wire, provider: str, now: datetime
) -> None:
    sender = use(wire, provider)
    for n in range(55):
        close(wire, now - HOUR, f"p{n}@people.example")
    assert (sync(now), len(theirs(sender))) == (55, 55)
    assert sync(now) == 0
    back = {"tenant_id": wire.tenant_id, "channels": ("email",), "source": "preferences"}
    lift(address="p3@people.example", now=now + HOUR, **back)
    assert (sync(now + HOUR), len(theirs(sender))) == (1, 54)
    assert not closed(wire, "p3@people.example")
    assert closed(wire, "p4@people.example")


@pytest.mark.parametrize(
    ("provider", "reason", "here"),
    [
        ("sendgrid", "opted_out", "opted_out"),
        ("sendgrid", "complained", "complaint"),
        ("sendgrid", "gone", ""),
        ("ses", "complained", "complaint"),
        ("ses", "gone", ""),
    ],
)
def test_what_is_closed_there_is_closed_here(wire: Wire, provider: str, reason: str, here: str, now: datetime) -> None:
    contact = wire.contact(email=MAIL)
    use(wire, provider, account=on_their_list(provider, reason, now - HOUR))
    assert [sync(now), sync(now)] == [1, 0]
    with tenant_context(wire.tenant_id):
        assert [row.reason for row in Suppression.objects.all()] == ([here] if here else [])
        assert Contact.objects.get(pk=contact.pk).email_valid is (None if here else False)


@BOTH
@pytest.mark.parametrize("fault", ["status_500", "reset", "rate_limit_429"])
def test_a_list_that_cannot_be_read_changes_nothing(wire: Wire, provider: str, fault: str, now: datetime) -> None:
    use(wire, provider, account=on_their_list(provider, "complained", now - HOUR))
    wire.simulator.faults([{"match": {"provider": provider, "op": "list"}, "do": fault}])
    assert sync(now) == 0
    assert not closed(wire)


@BOTH
def test_a_workspace_that_only_rehearses_compares_no_real_list(
    wire: Wire, provider: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = use(wire, provider)
    Sender.objects.all_tenants().filter(pk=sender.pk).update(simulated=False)
    Tenant.objects.filter(pk=wire.tenant_id).update(sending_mode="simulated")
    monkeypatch.setattr("sequences.blocklists.sync_one", lambda *given: pytest.fail("it was asked"))
    assert sync(now) == 0


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        ("sendgrid", "opted_out"),
        ("sendgrid", "complained"),
        ("sendgrid", "gone"),
        ("ses", "complained"),
        ("ses", "gone"),
    ],
)
def test_the_poller_finds_what_no_webhook_brought_and_finds_it_once(
    wire: Wire, provider: str, reason: str, now: datetime
) -> None:
    contact = wire.contact(email=MAIL)
    use(wire, provider, account=on_their_list(provider, reason, now - HOUR))
    Polling.objects.all_tenants().all().delete()
    first = poll(now)
    assert first.found == 1
    assert apply_waiting(now) == 1
    with tenant_context(wire.tenant_id):
        gone = Contact.objects.get(pk=contact.pk).email_valid is False
    assert (closed(wire), gone) == (reason != "gone", reason == "gone")
    assert poll(now + HOUR, every_one=True).found == 0
    assert [event.state for event in ProviderEvent.objects.all_tenants()] == ["done"]


def test_with_email_activity_a_delivery_that_no_webhook_brought_is_found(wire: Wire, now: datetime) -> None:
    sender = use(wire, "sendgrid", email_activity=True)
    message = wire.ready("email")
    assert deliver(wire.claim("email"), wire.at()) == "accepted"
    assert wire.simulator.settled()
    later = datetime.now(UTC) + 2 * timedelta(seconds=1)
    assert read_again(sender, "status", now - HOUR, later, later) == 1
    assert apply_waiting(later) == 1
    assert refreshed(message).state == "delivered"
    assert read_again(sender, "status", now - HOUR, later, later) == 0


def test_postmarks_deliveries_that_no_webhook_brought_are_found(wire: Wire, now: datetime) -> None:
    sender = use(wire, "postmark")
    waiting, known = wire.ready("email"), wire.ready("email")
    for _ in (waiting, known):
        assert deliver(wire.claim("email"), wire.at()) == "accepted"
    assert wire.simulator.settled()
    Message.objects.all_tenants().filter(pk=known.pk).update(state="delivered", status_rank=50)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert read_again(sender, "status", now - HOUR, later, later) == 1
    [event] = ProviderEvent.objects.all_tenants()
    assert (event.provider, event.mark) == ("postmark", str(waiting.public_id))
    assert event.event_key.startswith(f"Delivery:{refreshed(waiting).provider_id}:{waiting.to_address}:20")
    assert "omnify-head" not in event.body
    apply_waiting(later)
    assert refreshed(waiting).state == "delivered"
    assert read_again(sender, "status", now - HOUR, later, later) == 0


def test_a_mail_that_has_not_arrived_yet_is_no_delivery(wire: Wire, now: datetime) -> None:
    sender = use(wire, "postmark")
    contact = wire.contact()
    wire.simulator.set_person(contact.email, temperament="bounce")
    message = wire.ready("email", contact)
    deliver(wire.claim("email"), wire.at())
    assert wire.simulator.settled()
    later = datetime.now(UTC) + timedelta(seconds=1)
    read_again(sender, "status", now - HOUR, later, later)
    apply_waiting(later)
    assert refreshed(message).state == "undelivered"


@pytest.mark.parametrize(("provider", "config"), [("ses", {}), ("sendgrid", {})])
def test_what_left_cannot_be_read_and_that_is_said(
    wire: Wire, provider: str, config: dict[str, Any], now: datetime
) -> None:
    sender = use(wire, provider, **config)
    reader = reader_for(provider)
    assert reader is not None
    with pytest.raises(Unreadable) as why:
        list(reader.sent(account_of(sender), now - HOUR, now))
    assert why.value.final


@pytest.mark.parametrize("provider", ["ses", "sendgrid"])
def test_a_restored_database_thaws_only_when_the_operator_names_a_sender_without_a_log(
    wire: Wire, provider: str, settings: Any, now: datetime
) -> None:
    for each in ("sms", "voice"):
        with tenant_context(wire.tenant_id):
            Sender.objects.filter(pk=wire.senders[each].pk).delete()
    sender = use(wire, provider, account=on_their_list(provider, "complained", now - MINUTE))
    settings.SEND_EPOCH = 2
    given = {"since": now - HOUR, "by": "alice", "now": lambda: datetime.now(UTC)}
    with pytest.raises(CannotThaw, match=sender.name):
        thaw(**given)
    told = thaw(**given, without=[sender.name])
    # Who may not be written to is read all the same.
    assert (told.heard, closed(wire)) == (1, True)


def test_with_email_activity_what_left_after_the_backup_is_found_and_not_sent_again(
    wire: Wire, settings: Any, now: datetime
) -> None:
    sender = use(wire, "sendgrid", email_activity=True)
    for each in ("sms", "voice"):
        with tenant_context(wire.tenant_id):
            Sender.objects.filter(pk=wire.senders[each].pk).delete()
    known = wire.ready("email")
    copy, backup_at = back_up(), datetime.now(UTC)
    lost = wire.ready("email")
    for _ in range(2):
        assert deliver(wire.claim("email"), wire.at()) == "accepted"
    restore(copy)
    settings.SEND_EPOCH = 2
    assert wire.simulator.settled()
    told = thaw(since=backup_at, by="alice", now=lambda: datetime.now(UTC) + timedelta(seconds=2))
    assert (told.found["matched"], told.found["added"]) == (1, 1)
    again = Message.objects.all_tenants().get(public_id=lost.public_id)
    assert (again.to_address, again.account != "") == (lost.to_address, True)
    assert refreshed(known).provider_id
    assert len(wire.received(known)) == len(wire.received(lost)) == 1
    assert sender.provider == again.provider
