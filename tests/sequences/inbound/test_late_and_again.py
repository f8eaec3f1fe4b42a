"""What providers tell late, twice or before its message is known undoes nothing that the person has said since."""

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest

from contacts.models import Contact
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from sequences import preferences
from sequences.models import ProviderEvent
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, call, make_message, report, status, text, told, tracked

pytestmark = pytest.mark.django_db

PHONE, MAILBOX = "+12125550123", "pat@people.example"
MINUTE = timedelta(minutes=1)


def closed(house: House) -> bool:
    return bool(suppressed(house.tenant.pk, [("sms", PHONE)]))


def start(house: House, when: datetime, **fields: str) -> None:
    text(house.sms, when, PHONE, "START", **fields)
    apply_all(when)


def blocked(house: House, now: datetime, sid: str = "SM-nobodys") -> ProviderEvent:
    form = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "21610", "To": PHONE}
    return told(house.sms, now, "status", urlencode(form))


def later(event: ProviderEvent, when: datetime) -> None:
    """It was set aside until now."""
    ProviderEvent.objects.all_tenants().filter(pk=event.pk).update(state="new")
    apply_all(when)
    event.refresh_from_db()
    assert event.state == "done"


def aside(event: ProviderEvent) -> ProviderEvent:
    ProviderEvent.objects.all_tenants().filter(pk=event.pk).update(state="parked")
    return event


def test_a_block_is_believed_once_however_long_its_message_stays_unknown(house: House, now: datetime) -> None:
    event = blocked(house, now)
    apply_all(now)
    assert closed(house)
    start(house, now + MINUTE)
    assert not closed(house)
    apply_all(now + 30 * MINUTE)
    event.refresh_from_db()
    assert (event.state, closed(house)) == ("unmatched", False)


@pytest.mark.parametrize("how", ["stop", "block", "block of a message of ours"])
def test_what_a_provider_said_before_their_start_and_is_applied_after_it_leaves_it_open(
    house: House, now: datetime, how: str
) -> None:
    if how == "stop":
        event = text(house.sms, now, PHONE, "STOP", OptOutType="STOP")
    elif how == "block":
        make_message(house.pat, house.sms, now, provider_id="SM-1")
        event = blocked(house, now, "SM-1")
    else:
        event = status(house.sms, now, make_message(house.pat, house.sms, now), "undelivered", ErrorCode="21610")
    aside(event)
    start(house, now + MINUTE, OptOutType="START")
    later(event, now + 3 * MINUTE)
    assert not closed(house)
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"  # what was begun before the STOP ends all the same


def test_what_a_provider_said_after_their_start_closes(house: House, now: datetime) -> None:
    start(house, now)
    blocked(house, now + MINUTE)
    apply_all(now + MINUTE)
    assert closed(house)


def test_a_mailbox_reopened_on_the_page_stays_open_when_an_older_unsubscription_is_found(
    house: House, now: datetime
) -> None:
    message = make_message(house.pat, house.email, now, state="delivered")
    event = aside(
        tracked(house.email, now, message, "SubscriptionChange", SuppressSending=True, ChangedAt="2026-11-18T16:00:00Z")
    )
    with tenant_context(house.tenant.pk):
        preferences.stop(message, ["email"], now + MINUTE)
        assert preferences.reopen(message, now + 2 * MINUTE)
    later(event, now + 3 * MINUTE)
    assert not suppressed(house.tenant.pk, [("email", MAILBOX)])


@pytest.mark.parametrize("record", ["Bounce", "SpamComplaint"])
def test_a_bounce_that_came_before_its_mails_id_finds_the_mail_later(house: House, now: datetime, record: str) -> None:
    """The mailbox is marked, or the complaint obeyed, at once; neither is done again while the mail is waited for."""
    message = make_message(house.pat, house.email, now, provider="", provider_id="")
    body = {"RecordType": record, "MessageID": "pm-early", "Email": MAILBOX, "Type": "HardBounce", "ID": 5}
    event = told(house.email, now, "mail", json.dumps(body))
    apply_all(now)
    event.refresh_from_db()
    house.pat.refresh_from_db()
    assert event.state == "unmatched"
    assert (house.pat.email_valid is False, bool(suppressed(house.tenant.pk, [("email", MAILBOX)]))) == (
        record == "Bounce",
        record != "Bounce",
    )
    Contact.objects.all_tenants().update(email_valid=True)  # a member has asked them
    apply_all(now + 5 * MINUTE)
    house.pat.refresh_from_db()
    assert house.pat.email_valid is True
    type(message).objects.all_tenants().filter(pk=message.pk).update(provider="postmark", provider_id="pm-early")
    apply_all(now + 20 * MINUTE)
    event.refresh_from_db()
    message.refresh_from_db()
    assert (event.state, message.state) == ("done", "undelivered" if record == "Bounce" else "delivered")


def test_a_call_that_ends_in_the_future_does_not_make_their_start_look_old(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.voice, now)
    ended = (now + timedelta(hours=1)).isoformat()
    report(house.voice, now, message, "customer-ended-call", "do not call me again", endedAt=ended)
    apply_all(now)
    assert suppressed(house.tenant.pk, [("voice", PHONE)])
    start(house, now + MINUTE)
    assert not suppressed(house.tenant.pk, [("voice", PHONE)])


@pytest.mark.parametrize("ended", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_clock_shows_is_none(house: House, now: datetime, ended: str) -> None:
    about = {"id": "c-1", "type": "inboundPhoneCall", "customer": {"number": PHONE}}
    words = [{"role": "user", "message": "please call me back"}]
    event = call(house.voice, now, make_message(house.pat, house.voice, now), "end-of-call-report")
    body = {"message": {"type": "end-of-call-report", "call": about, "messages": words, "endedAt": ended}}
    ProviderEvent.objects.all_tenants().filter(pk=event.pk).update(body=json.dumps(body))
    apply_all(now)
    event.refresh_from_db()
    house.pat.refresh_from_db()
    assert (event.state, house.pat.last_inbound_at) == ("done", now)
