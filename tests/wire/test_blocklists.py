"""Our list of opt-outs and Postmark's own, each the other's second net, against a real simulator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from contacts.models import Contact
from contacts.permissions import lift, suppress, suppressed
from omnify.tenants.context import tenant_context
from sequences.blocklists import sync
from sequences.models import Sender
from sequences.transports.base import Account, Unreadable
from sequences.transports.suppressions.postmark import add, listed
from tests.wire.wiring import Wire, with_own_accounts

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "pat@people.example"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def postmark(wire: Wire) -> Wire:
    with_own_accounts(wire)
    with tenant_context(wire.tenant_id):
        sender = Sender.objects.get(pk=wire.senders["email"].pk)
        sender.provider = "postmark"
        sender.set_credentials({"server_token": wire.token})
        sender.save()
    return wire


def on_their_list(wire: Wire, *entries: tuple[str, str, str], since: str = "2026-01-01T00:00:00Z") -> None:
    """What Postmark's list holds: (address, reason, origin)."""
    kept = {
        address: {"EmailAddress": address, "SuppressionReason": reason, "Origin": origin, "CreatedAt": since}
        for address, reason, origin in entries
    }
    wire.simulator.configure({"postmark": [{"server_token": wire.token, "suppressions": kept}]})


def theirs(wire: Wire) -> dict[str, str]:
    from sequences.addressing import account_of

    with tenant_context(wire.tenant_id):
        sender = Sender.objects.get(pk=wire.senders["email"].pk)
    return {entry.address: entry.reason for entry in listed(account_of(sender))}


def closed(wire: Wire, address: str = MAIL) -> bool:
    return bool(suppressed(wire.tenant_id, [("email", address)]))


def close(wire: Wire, now: datetime, **changes: Any) -> None:
    given = {"address": MAIL, "channels": ("email",), "reason": "opted_out", "source": "email", "actor": "person"}
    suppress(tenant_id=wire.tenant_id, now=now, **given | changes)


def test_what_is_closed_here_is_put_on_their_list_once(postmark: Wire, now: datetime) -> None:
    for n in range(60):
        close(postmark, now, address=f"p{n}@people.example")
    assert sync(now) == 60
    assert len(theirs(postmark)) == 60
    assert sync(now) == 0


@pytest.mark.parametrize(
    ("reason", "origin", "here"),
    [
        ("ManualSuppression", "Recipient", "opted_out"),
        ("ManualSuppression", "Customer", "opted_out"),
        ("SpamComplaint", "Recipient", "complaint"),
    ],
)
def test_what_the_person_closed_there_is_closed_here(
    postmark: Wire, now: datetime, reason: str, origin: str, here: str
) -> None:
    from contacts.models import Suppression

    contact = postmark.contact(email=MAIL)
    on_their_list(postmark, (MAIL, reason, origin))
    assert sync(now) == 1
    assert closed(postmark)
    with tenant_context(postmark.tenant_id):
        row = Suppression.objects.get()
        assert (row.reason, row.source) == (here, "provider")
        contact.refresh_from_db()
    assert contact.email_valid is None


def test_a_mailbox_that_is_gone_there_is_marked_here_and_closes_nothing(postmark: Wire, now: datetime) -> None:
    contact = postmark.contact(email=MAIL)
    on_their_list(postmark, (MAIL, "HardBounce", "Recipient"))
    assert [sync(now), sync(now)] == [1, 0]
    assert not closed(postmark)
    with tenant_context(postmark.tenant_id):
        assert Contact.objects.get(pk=contact.pk).email_valid is False


def test_whoever_came_back_themselves_is_taken_off_their_list(postmark: Wire, now: datetime) -> None:
    close(postmark, now - timedelta(hours=2))
    sync(now - timedelta(hours=1))
    lift(
        tenant_id=postmark.tenant_id,
        address=MAIL,
        channels=("email",),
        source="preferences",
        now=now + timedelta(hours=1),
    )
    assert sync(now + timedelta(hours=2)) == 1
    assert theirs(postmark) == {}
    assert not closed(postmark)


def test_a_stop_there_after_the_coming_back_counts(postmark: Wire, now: datetime) -> None:
    close(postmark, now - timedelta(hours=3))
    lift(
        tenant_id=postmark.tenant_id,
        address=MAIL,
        channels=("email",),
        source="preferences",
        now=now - timedelta(hours=2),
    )
    on_their_list(postmark, (MAIL, "ManualSuppression", "Recipient"), since=(now - timedelta(hours=1)).isoformat())
    sync(now)
    assert closed(postmark)
    assert MAIL in theirs(postmark)


def test_a_complaint_is_never_taken_off(postmark: Wire, now: datetime) -> None:
    close(postmark, now - timedelta(hours=3))
    lift(tenant_id=postmark.tenant_id, address=MAIL, channels=("email",), source="preferences", now=now)
    on_their_list(postmark, (MAIL, "SpamComplaint", "Recipient"))
    sync(now)
    assert closed(postmark)
    assert theirs(postmark) == {MAIL: "complained"}


def test_what_a_member_takes_off_there_stays_closed_here(postmark: Wire, now: datetime) -> None:
    close(postmark, now)
    sync(now)
    on_their_list(postmark)
    sync(now)
    assert closed(postmark)
    assert MAIL in theirs(postmark)


def test_a_list_that_cannot_be_read_is_left_for_the_next_round(postmark: Wire, now: datetime) -> None:
    close(postmark, now)
    with tenant_context(postmark.tenant_id):
        sender = Sender.objects.get(pk=postmark.senders["email"].pk)
        sender.set_credentials({"server_token": "unknown"})
        sender.save()
    assert sync(now) == 0
    assert closed(postmark)


def test_too_many_at_once_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(ValueError, match="At most 50"):
        add(Account("", {}, {"server_token": "x"}), ["a@people.example"] * 51)


def test_a_provider_that_cannot_be_reached_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **given: Any) -> None:
        raise requests.ConnectionError("no")

    monkeypatch.setattr(requests.Session, "request", refuse)
    with pytest.raises(Unreadable, match="ConnectionError"):
        listed(Account("", {}, {"server_token": "x"}, "http://127.0.0.1:9"))
