"""What no webhook could bring is read again from the provider, exactly once, whichever way it came first.

Nothing listens at PUBLIC_URL in these tests: the web process is dead, and the simulator's callbacks are lost.
"""

import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from contacts.models import Interaction
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Notification
from sequences import polling, rereading
from sequences.delivery import deliver
from sequences.inbound import apply_waiting
from sequences.models import Polling, ProviderEvent, Sender
from sequences.polling import begins, poll
from sequences.transports.base import TooMany, Unreadable
from sequences.webhooks import base, ingest, storing
from tests.wire.wiring import Wire, refreshed, with_own_accounts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("always_open")]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """The simulator dates what happens by the real clock: these tests live in the present."""
    return datetime.now(UTC)


@pytest.fixture
def wire(wire: Wire) -> Wire:
    return with_own_accounts(wire)


def later() -> datetime:
    """A moment after everything that has happened so far."""
    return datetime.now(UTC) + timedelta(seconds=6)


def heard(wire: Wire, **filters: Any) -> list[str]:
    rows = Interaction.objects.all_tenants().filter(tenant_id=wire.tenant_id, direction="inbound", **filters)
    return sorted(rows.values_list("content_body", flat=True))


def events(wire: Wire, **filters: Any) -> list[ProviderEvent]:
    return list(ProviderEvent.objects.all_tenants().filter(tenant_id=wire.tenant_id, **filters))


def use_postmark(wire: Wire) -> Sender:
    sender: Sender = Sender.objects.all_tenants().get(pk=wire.senders["email"].pk)
    sender.provider = "postmark"
    sender.set_credentials({"server_token": wire.token})
    sender.save()
    return sender


def by_webhook(sender: Sender, kind: str, body: bytes, content_type: str) -> None:
    """The same event through the door, without its network."""
    account = base.Account(sender.pk, sender.tenant_id, sender.provider, sender.config, {})
    request = base.Request("", kind, "", {"content-type": content_type}, body)
    storing.store_now([ingest.row_now(ingest.DOORS[sender.provider], account, request)])


def test_every_text_that_reached_a_dead_web_process_is_taken_exactly_once_stop_included(wire: Wire) -> None:
    people = [wire.contact() for _ in range(30)]
    words = {person.phone: f"answer {n}" for n, person in enumerate(people)}
    words[people[7].phone] = "please stop texting me"
    words[people[8].phone] = "STOP"
    for phone, said in words.items():
        assert wire.simulator.reply(phone, "sms", said, to=wire.senders["sms"].address) == 0  # nobody took it
    assert heard(wire) == []
    reading = poll(later())
    assert (reading.found, reading.problems) == (30, ())
    assert apply_waiting(later(), budget_seconds=60) == 30
    assert heard(wire) == sorted(words.values())
    with tenant_context(wire.tenant_id):
        stopped = suppressed(wire.tenant_id, [("sms", phone) for phone in words])
    assert {phone for _, phone in stopped} == {people[7].phone, people[8].phone}
    assert poll(later() + 6 * MINUTE).found == 0
    assert (apply_waiting(later()), len(heard(wire))) == (0, 30)


def test_a_webhook_after_the_poll_is_the_same_event(wire: Wire) -> None:
    person, sender = wire.contact(), wire.senders["sms"]
    wire.simulator.reply(person.phone, "sms", "hello there", to=sender.address)
    poll(later())
    (event,) = events(wire, kind="inbound")
    by_webhook(sender, "inbound", event.body.encode(), "application/x-www-form-urlencoded")
    assert len(events(wire, kind="inbound")) == 1


def test_a_poll_after_the_webhook_stores_nothing_and_only_what_is_missing_is_stored(wire: Wire) -> None:
    sender = wire.senders["sms"]
    for n in range(4):
        wire.simulator.reply(wire.contact().phone, "sms", f"words {n}", to=sender.address)
    sids = [each["provider_id"] for each in wire.simulator.ledger(record="inbound") if each["to"] == sender.address]
    for sid in sids[:3]:
        form = {
            "MessageSid": sid,
            "From": "+12125550100",
            "To": sender.address,
            "Body": "words",
            "SmsStatus": "received",
        }
        by_webhook(sender, "inbound", urlencode(form).encode(), "application/x-www-form-urlencoded")
    assert poll(later()).found == 1
    assert sorted(event.event_key for event in events(wire)) == sorted(f"inbound:{sid}" for sid in sids)


def test_statuses_that_got_lost_are_found_while_a_message_is_unsettled_and_not_asked_for_afterwards(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = wire.ready()
    assert deliver(wire.claim(), wire.at()) == "accepted"
    assert wire.simulator.settled()
    poll(later())
    apply_waiting(later())
    assert refreshed(message).state == "delivered"
    assert [event.event_key for event in events(wire, kind="status")] == [
        f"status:{refreshed(message).provider_id}:delivered"
    ]
    asked = []
    monkeypatch.setattr(polling, "read_again", lambda sender, kind, *_: asked.append(kind) or 0)
    poll(later(), every_one=True)
    assert "status" not in asked


def test_the_end_of_a_call_that_nobody_heard_of_is_found_with_its_words(wire: Wire) -> None:
    person = wire.contact()
    wire.simulator.set_person(person.phone, temperament="stopper")
    message = wire.ready("voice", person)
    deliver(wire.claim("voice"), wire.at())
    assert wire.simulator.settled()
    assert poll(later()).found == 1
    apply_waiting(later())
    assert refreshed(message).state == "delivered"
    touch = Interaction.objects.all_tenants().get(message_id=message.pk)
    assert "Take me off your list" in touch.content_body
    with tenant_context(wire.tenant_id):
        assert suppressed(wire.tenant_id, [("voice", person.phone)])
    # The report itself comes late, too: one event.
    (event,) = events(wire, kind="call")
    by_webhook(wire.senders["voice"], "call", event.body.encode(), "application/json")
    assert len(events(wire, kind="call")) == 1


def test_a_call_that_a_person_made_to_us_is_heard_and_its_stop_obeyed(wire: Wire) -> None:
    person = wire.contact()
    wire.simulator.call(person.phone, wire.senders["voice"].address, "Hi, this is Pat.", "Please don't call me again.")
    assert poll(later()).found == 1
    apply_waiting(later())
    touch = Interaction.objects.all_tenants().get(contact_id=person.pk, direction="inbound")
    assert (touch.channel, touch.call_disposition) == ("voice", "answered")
    assert "Please don't call me again." in touch.content_body
    assert touch.content_summary.startswith("The customer said")
    with tenant_context(wire.tenant_id):
        assert suppressed(wire.tenant_id, [("voice", person.phone)])
    person.refresh_from_db()
    assert person.inbound_count == 1


def test_a_call_that_another_system_placed_through_our_number_is_none_of_our_business(wire: Wire) -> None:
    import httpx

    voice = wire.senders["voice"]
    body = {"assistantId": "a", "phoneNumberId": voice.address, "customer": {"number": wire.contact().phone}}
    placed = httpx.post(
        f"{wire.simulator.base_url}/vapi/call",
        json=body,
        headers={"authorization": f"Bearer {voice.credentials['api_key']}"},
        trust_env=False,
    )
    assert placed.status_code == 201
    assert wire.simulator.settled()
    reading = poll(later())
    assert (reading.found, reading.problems) == (0, ())


def test_a_list_of_calls_longer_than_one_page_is_read_to_its_end(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sequences.transports.listing.vapi.LISTED_AT_MOST", 3)
    for n in range(8):
        wire.simulator.call(wire.contact().phone, wire.senders["voice"].address, f"word {n}")
    assert poll(later()).found == 8
    apply_waiting(later(), budget_seconds=30)
    assert len(heard(wire, channel="voice")) == 8


def test_mail_that_reached_a_dead_web_process_is_fetched_whole_and_bounces_are_found(wire: Wire) -> None:
    use_postmark(wire)
    writer, gone = wire.contact(), wire.contact()
    wire.simulator.set_person(gone.email, temperament="late_bounce")
    written = wire.ready("email", writer)
    returned = wire.ready("email", gone)
    for _ in range(2):
        assert deliver(wire.claim("email"), wire.at()) == "accepted"
    assert wire.simulator.settled(20)
    wire.simulator.reply(writer.email, "email", "Please take me off your list.")
    reading = poll(later())
    assert (reading.found, reading.problems) == (3, ())  # the words, the bounce, and that the other mail arrived
    apply_waiting(later())
    assert heard(wire, channel="email") == ["Please take me off your list."]
    with tenant_context(wire.tenant_id):
        assert suppressed(wire.tenant_id, [("email", writer.email)])
    assert refreshed(returned).state == "undelivered"
    assert refreshed(written).state == "delivered"
    assert poll(later() + 6 * MINUTE).found == 0


def test_who_unsubscribed_at_the_provider_while_nobody_listened_gets_no_more_mail(wire: Wire) -> None:
    use_postmark(wire)
    person, complainer = wire.contact(), wire.contact()
    wire.simulator.set_person(person.email, temperament="unsubscriber")
    wire.simulator.set_person(complainer.email, temperament="complainer")
    for each in (person, complainer):
        wire.ready("email", each)
        assert deliver(wire.claim("email"), wire.at()) == "accepted"
    assert wire.simulator.settled(20)
    assert poll(later()).found == 4  # and that both had arrived
    apply_waiting(later())
    with tenant_context(wire.tenant_id):
        closed = suppressed(wire.tenant_id, [("email", person.email), ("email", complainer.email)])
    assert closed == {("email", person.email), ("email", complainer.email)}
    assert poll(later(), every_one=True).found == 0


def test_a_reading_that_dies_half_way_is_done_again(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "BATCH", 5)
    for n in range(12):
        wire.simulator.reply(wire.contact().phone, "sms", f"words {n}", to=wire.senders["sms"].address)
    real, calls = storing.store_now, []

    def killed(rows: Any) -> int:
        calls.append(len(rows))
        if len(calls) == 2:
            raise SystemExit
        return real(rows)

    monkeypatch.setattr(storing, "store_now", killed)
    with pytest.raises(SystemExit):
        poll(later())
    row = Polling.objects.all_tenants().get(sender=wire.senders["sms"], kind="inbound")
    assert (row.read_until, len(events(wire))) == (None, 5)
    assert poll(later() + 6 * MINUTE).found == 7
    assert len(events(wire)) == 12


def test_a_list_not_read_to_its_end_does_not_count_and_is_told_of_once(wire: Wire) -> None:
    wire.simulator.faults([{"match": {"provider": "twilio", "op": "list"}, "do": "status_500"}])
    moment = later()
    told = []
    for minutes in (0, 6, 12, 40, 46, 52):
        assert poll(moment + minutes * MINUTE).problems
        told.append(Notification.objects.all_tenants().filter(tenant_id=wire.tenant_id).count())
    assert told == [0, 0, 0, 1, 1, 1]
    row = Polling.objects.all_tenants().get(sender=wire.senders["sms"], kind="inbound")
    assert row.read_until is None
    assert "500" in row.problem
    wire.simulator.clear()
    assert poll(moment + 60 * MINUTE).problems == ()
    row.refresh_from_db()
    assert (row.read_until, row.problem) == (moment + 60 * MINUTE, "")


def test_a_list_that_is_too_long_is_read_in_shorter_stretches(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(9):
        wire.simulator.reply(wire.contact().phone, "sms", f"words {n}", to=wire.senders["sms"].address)
    monkeypatch.setattr("sequences.transports.listing.twilio.PAGE", 5)
    monkeypatch.setattr("sequences.transports.listing.twilio.MOST_PAGES", 1)
    moment = later()
    reading = poll(moment)
    # All nine came within one minute, which no shorter stretch can hold: what was listed is kept, the list not called read.
    assert reading.problems
    assert Polling.objects.all_tenants().get(sender=wire.senders["sms"], kind="inbound").read_until is None
    monkeypatch.setattr("sequences.transports.listing.twilio.MOST_PAGES", 2)
    assert poll(moment + 6 * MINUTE).problems == ()
    assert len(events(wire)) == 9


def test_halves_of_a_stretch_cover_it_without_a_gap(wire: Wire, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[datetime, datetime]] = []

    class Narrow:
        kinds = ("inbound",)

        @staticmethod
        def events(account: Any, kind: str, since: datetime, until: datetime) -> Any:
            if until - since > timedelta(hours=5):
                raise TooMany("too long")
            seen.append((since, until))
            return iter(())

    monkeypatch.setattr(rereading, "reader_for", lambda provider: Narrow)
    rereading.read_again(wire.senders["sms"], "inbound", now - timedelta(hours=48), now, now)
    assert (seen[0][0], seen[-1][1]) == (now - timedelta(hours=48), now)
    assert all(one[1] == two[0] for one, two in itertools.pairwise(seen))


def test_two_workers_read_one_list_once(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = later()
    poll(moment)
    due = polling._due(moment + 6 * MINUTE, every_one=False)
    assert {row.kind for row in due} == {"inbound", "call"}
    assert [polling._taken(row, moment + 6 * MINUTE) for row in due] == [True] * len(due)
    assert [polling._taken(row, moment + 6 * MINUTE) for row in due] == [False] * len(due)


def test_a_mail_server_has_nothing_to_read(wire: Wire, now: datetime) -> None:
    poll(later())
    assert not Polling.objects.all_tenants().filter(sender=wire.senders["email"]).exists()
    with pytest.raises(Unreadable) as refused:
        rereading.read_again(wire.senders["email"], "inbound", now, now, now)
    assert refused.value.final


def test_one_account_of_two_senders_is_heard_once(wire: Wire) -> None:
    """Two rows for one number: both lists hold the text, and the person said it once."""
    twin = Sender.objects.all_tenants().get(pk=wire.senders["sms"].pk)
    twin.pk, twin.is_default = None, False
    twin.public_id, twin.webhook_key = uuid.uuid4(), "f" * 32
    with tenant_context(wire.tenant_id):
        twin.save(force_insert=True)
    wire.simulator.reply(wire.contact().phone, "sms", "only once", to=wire.senders["sms"].address)
    assert poll(later()).found == 1
    event = events(wire)[0]
    other = twin if event.sender_id != twin.pk else wire.senders["sms"]
    by_webhook(other, "inbound", event.body.encode(), "application/x-www-form-urlencoded")
    apply_waiting(later())
    assert heard(wire) == ["only once"]
    assert sorted(each.problem for each in events(wire)) == [
        "",
        "It was heard before, through another of our accounts.",
    ]


def test_a_late_stop_is_obeyed_without_a_confirmation_that_comes_hours_late(wire: Wire) -> None:
    from sequences.models import Message

    person = wire.contact()
    wire.simulator.reply(person.phone, "sms", "please stop texting me", to=wire.senders["sms"].address)
    moment = later() + 10 * MINUTE
    poll(moment)
    apply_waiting(moment)
    with tenant_context(wire.tenant_id):
        assert suppressed(wire.tenant_id, [("sms", person.phone)])
    assert not Message.objects.all_tenants().filter(purpose="confirmation").exists()


@pytest.mark.parametrize(
    ("read_until", "begin"),
    [
        (None, timedelta(hours=-48)),
        (timedelta(minutes=-5), timedelta(hours=-1, minutes=-5)),
        (timedelta(hours=-1), timedelta(hours=-48)),
        (timedelta(days=-5), timedelta(days=-5, hours=-1)),
    ],
)
def test_where_a_reading_begins(read_until: timedelta | None, begin: timedelta) -> None:
    now = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)
    assert begins(now + read_until if read_until is not None else None, now) == now + begin


def test_the_body_that_is_stored_is_what_the_webhook_would_have_said(wire: Wire) -> None:
    person = wire.contact()
    wire.simulator.reply(person.phone, "sms", "Grüße 👋 & more", to=wire.senders["sms"].address)
    poll(later())
    (event,) = events(wire)
    (signal,) = ingest.DOORS["twilio"].module.parse(event.kind, event.body, event.mark)
    assert (signal.sender, signal.body, signal.to) == (person.phone, "Grüße 👋 & more", wire.senders["sms"].address)
    assert json.loads(json.dumps(event.headers))["user-agent"] == "omnify re-reading"
