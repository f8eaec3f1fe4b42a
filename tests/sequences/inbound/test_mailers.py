"""What SendGrid and Amazon SES tell, applied: how far a mail came, who may not be written to any more, and topics."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction, Suppression
from contacts.permissions import suppressed
from omnify.lib import outbound
from omnify.simulator.sns import Topics
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification
from sequences import topics
from sequences.inbound import apply_waiting
from sequences.models import Enrollment, Message, ProviderEvent, Sender
from sequences.signals import TopicOffered
from sequences.webhooks import certificates, sendgrid
from sequences.webhooks.base import Request
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import make_message, status, text, told
from tests.sequences.webhooks.mailers import ses_event
from tests.wire.mailers import as_provider

pytestmark = pytest.mark.django_db(transaction=True)
PAT, PHONE = "pat@people.example", "+12125550123"


def grid_event(sender: Sender, now: datetime, message: Message, **event: Any) -> ProviderEvent:
    mark = str(message.public_id)
    body = {"email": PAT, "sg_message_id": "x", "sg_event_id": event["event"], "m": mark} | event
    return told(sender, now, "mail", json.dumps(body), mark=mark)


def amazon_event(sender: Sender, now: datetime, message: Message, name: str, **details: Any) -> ProviderEvent:
    event = ses_event(name, mark=str(message.public_id), **details)
    body = {"Type": "Notification", "MessageId": name, "Message": json.dumps(event)}
    return told(sender, now, "mail", json.dumps(body), mark=message.public_id)


def refreshed(message: Message) -> Message:
    return Message.objects.all_tenants().get(pk=message.pk)


@pytest.mark.parametrize("provider", ["sendgrid", "ses"])
@pytest.mark.parametrize("state", ["unknown", "held"])
def test_an_event_with_our_mark_settles_what_nobody_could_prove(
    house: House, now: datetime, provider: str, state: str
) -> None:
    sender = as_provider(house.email, provider, 1)
    message = make_message(house.pat, sender, now, state=state, status_rank=0, provider_id="", sending_started_at=now)
    if provider == "sendgrid":
        grid_event(sender, now, message, event="processed", sg_message_id="abc.recvd-1-2")
    else:
        amazon_event(sender, now, message, "Send")
    assert apply_waiting(now) == 1
    found = refreshed(message)
    assert (found.state, found.provider_id) == ("accepted", "abc" if provider == "sendgrid" else "ses-1")


STORY = ["processed", "deferred", "delivered", "open"]


@pytest.mark.parametrize("order", [STORY, STORY[::-1], ["delivered", "processed", "open", "deferred"]])
def test_every_order_of_the_same_events_ends_in_the_same_state(house: House, now: datetime, order: list[str]) -> None:
    sender = as_provider(house.email, "sendgrid", 1)
    message = make_message(house.pat, sender, now)
    for word in order:
        grid_event(sender, now, message, event=word)
        apply_waiting(now)
    assert (refreshed(message).state, refreshed(message).status_rank) == ("delivered", 60)


@pytest.mark.parametrize(
    ("event", "state", "closed", "gone"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, "undelivered", False, True),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, "undelivered", False, False),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "undelivered", True, False),
        ({"event": "dropped", "reason": "Bounced Address"}, "undelivered", False, True),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, "undelivered", True, False),
        ({"event": "spamreport"}, "delivered", True, False),
        ({"event": "unsubscribe"}, "accepted", True, False),
        ({"event": "group_unsubscribe"}, "accepted", True, False),
        ({"event": "deferred"}, "accepted", False, False),
    ],
)
def test_what_sendgrid_tells_has_its_effect_on_the_mail_and_the_address(
    house: House, now: datetime, event: dict[str, Any], state: str, closed: bool, gone: bool
) -> None:
    sender = as_provider(house.email, "sendgrid", 1)
    message = make_message(house.pat, sender, now)
    grid_event(sender, now, message, **event)
    apply_waiting(now)
    check(house, message, state, closed, gone)


@pytest.mark.parametrize(
    ("name", "details", "state", "closed", "gone"),
    [
        ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}, "undelivered", False, True),
        (
            "Bounce",
            {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"},
            "undelivered",
            False,
            False,
        ),
        ("Bounce", {"bounceType": "Permanent", "bounceSubType": "UnsubscribedRecipient"}, "undelivered", True, False),
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}, "undelivered", False, False),
        ("Complaint", {"complaintFeedbackType": "abuse"}, "delivered", True, False),
        ("Complaint", {"complaintSubType": "OnAccountSuppressionList"}, "undelivered", True, False),
        ("Complaint", {"complaintFeedbackType": "not-spam"}, "accepted", False, False),
        ("Reject", {"reason": "Bad content"}, "undelivered", False, False),
        ("DeliveryDelay", {}, "accepted", False, False),
        ("Subscription", {"newTopicPreferences": {"unsubscribeAll": True}}, "accepted", True, False),
    ],
)
def test_what_amazon_tells_has_its_effect_on_the_mail_and_the_address(
    house: House, now: datetime, name: str, details: dict[str, Any], state: str, closed: bool, gone: bool
) -> None:
    sender = as_provider(house.email, "ses", 1)
    message = make_message(house.pat, sender, now)
    amazon_event(sender, now, message, name, **details)
    apply_waiting(now)
    check(house, message, state, closed, gone)


def check(house: House, message: Message, state: str, closed: bool, gone: bool) -> None:
    assert refreshed(message).state == state
    assert bool(suppressed(house.tenant.pk, [("email", PAT)])) is closed
    with tenant_context(house.tenant.pk):
        assert (Contact.objects.get(pk=house.pat.pk).email_valid is False) is gone
    assert {event.state for event in ProviderEvent.objects.all_tenants()} == {"done"}


@pytest.mark.parametrize("references", ["mark", "provider_id"])
def test_an_answer_finds_its_mail_also_where_the_provider_gave_it_another_message_id(
    house: House, now: datetime, references: str
) -> None:
    """Pat answers from another mailbox, so only what the answer quotes says who it is."""
    sender = as_provider(house.email, "sendgrid", 1)
    more = {"provider": "ses"} if references == "provider_id" else {}
    message = make_message(
        house.pat, sender, now, **more, provider_id="0100018e5a4b7d3c-8a7b6c5d-1234-4321-abcd-1234567890ab-000000"
    )
    quoted = (
        f"<{message.public_id}@acme.example>"
        if references == "mark"
        else f"<{message.provider_id}@email.amazonses.com>"
    )
    form = {
        sendgrid.OURS: 1,
        "from": "pat.private@elsewhere.example",
        "text": "Sounds good",
        "headers": f"In-Reply-To: {quoted}\n",
    }
    told(sender, now, "inbound", json.dumps(form))
    apply_waiting(now)
    with tenant_context(house.tenant.pk):
        assert Interaction.objects.get(direction="inbound").contact_id == house.pat.pk
        assert Enrollment.objects.get(pk=house.enrollment.pk).status == "paused"


def test_what_a_strangers_header_claims_makes_no_bounce_believable(house: House, now: datetime) -> None:
    sender = as_provider(house.email, "sendgrid", 1)
    make_message(house.pat, sender, now, sending_started_at=now)
    report = f"Final-Recipient: rfc822; {PAT}\nAction: failed\nStatus: 5.1.1\n"
    heads = "Received-SPF: pass helo=people.example\nAuto-Submitted: auto-replied\nReturn-Path: <>\n"
    form = {
        sendgrid.OURS: 1, "from": "mailer-daemon@people.example", "subject": "Undelivered Mail Returned to Sender",
        "text": report, "headers": heads,
    }  # fmt: skip
    told(sender, now, "inbound", json.dumps(form))
    apply_waiting(now)
    with tenant_context(house.tenant.pk):
        assert Contact.objects.get(pk=house.pat.pk).email_valid is not False


# --- topics ---

TOPIC = "arn:aws:sns:eu-central-1:123456789012:omnify-1"
CONFIRM = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"


def offered(house: House, now: datetime, url: str = CONFIRM, *, simulated: bool = False) -> ProviderEvent:
    sender = as_provider(house.email, "ses", 1)
    Sender.objects.all_tenants().filter(pk=sender.pk).update(simulated=simulated)
    body = {"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "SubscribeURL": url, "MessageId": "m"}
    return told(sender, now, "topic", json.dumps(body))


def test_a_worker_confirms_a_topic_through_the_client_for_strangers_addresses(
    house: House, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(url: str, **options: Any) -> outbound.Answer:
        asked.append(url)
        return outbound.Answer(200, {}, b"<ConfirmSubscriptionResponse/>")

    monkeypatch.setattr(outbound, "fetch", fetch)
    queued: list[tuple[Any, ...]] = []
    monkeypatch.setattr("django_q.tasks.async_task", lambda *given: queued.append(given))
    event = offered(house, now)
    apply_waiting(now)
    assert asked == []
    [(name, event_id, tenant_id)] = queued
    assert name == "sequences.tasks.topic_offered"
    from sequences.tasks import topic_offered

    assert topic_offered(event_id, tenant_id) is True
    assert asked == [CONFIRM]
    with tenant_context(house.tenant.pk):
        assert Event.objects.filter(kind=topics.CONFIRMED).count() == 1
    event.refresh_from_db()
    assert event.state == "done"


@pytest.mark.parametrize(
    "url",
    [
        CONFIRM.replace("https", "http"),
        CONFIRM.replace("amazonaws.com", "amazonaws.com.evil.example"),
        CONFIRM.replace("sns.eu", "evil.example/sns.eu"),
        CONFIRM.replace("ConfirmSubscription", "DeleteTopic"),
        CONFIRM.replace("omnify-1", "omnify-2"),
        CONFIRM + "&TopicArn=arn:other",
        "http://169.254.169.254/latest/meta-data/",
        "",
    ],
)
def test_an_address_that_is_not_snss_own_for_this_topic_is_never_fetched(
    house: House, now: datetime, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(certificates, "get", lambda *given, **options: pytest.fail("it was fetched"))
    event = offered(house, now, url)
    assert topics.confirm(house.tenant.pk, event.pk, now) is False
    with tenant_context(house.tenant.pk):
        assert Notification.objects.filter(title__contains="topic is not confirmed").count() == 1


def test_a_real_sender_never_fetches_from_the_simulator_nor_a_simulated_one_from_amazon(settings: Any) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:1"
    offer = json.loads(Topics("http://127.0.0.1:1").offer(TOPIC))["SubscribeURL"]
    for simulated in (True, False):
        sender = Sender(provider="ses", simulated=simulated, config={"topic_arn": TOPIC})
        assert topics.may_be_fetched(TopicOffered(TOPIC, offer), sender) is simulated
        assert topics.may_be_fetched(TopicOffered(TOPIC, CONFIRM), sender) is not simulated


# --- what was said first and heard last ---


@pytest.mark.parametrize(
    ("apart", "closed"), [(timedelta(seconds=1), False), (timedelta(0), True), (timedelta(seconds=-1), True)]
)
def test_a_stop_found_late_yields_to_the_start_that_was_said_after_it_and_to_no_other(
    house: House, now: datetime, apart: timedelta, closed: bool
) -> None:
    """`apart`: how long after the STOP the START was said. Of one moment the STOP wins."""
    stop_at = now - timedelta(minutes=30)
    text(house.sms, stop_at + apart, PHONE, "START")
    apply_waiting(now)
    text(house.sms, stop_at, PHONE, "STOP")  # no webhook brought it; the poller did
    apply_waiting(now)
    assert bool(suppressed(house.tenant.pk, [("sms", PHONE)])) is closed
    assert bool(suppressed(house.tenant.pk, [("voice", PHONE)])) is closed


def test_what_was_begun_after_the_start_goes_on_and_what_was_before_the_stop_ends(house: House, now: datetime) -> None:
    from tests.making import make_enrollment, make_sequence

    stop_at = now - timedelta(minutes=30)
    newer = make_sequence(house.tenant, now, {"kind": "sms"}, name="Newer")
    with tenant_context(house.tenant.pk):
        Enrollment.objects.filter(pk=house.enrollment.pk).update(enrolled_at=stop_at - timedelta(hours=1))
    text(house.sms, stop_at + timedelta(minutes=1), PHONE, "START")
    apply_waiting(now)
    later = make_enrollment(newer, house.pat, now)
    with tenant_context(house.tenant.pk):
        Enrollment.objects.filter(pk=later.pk).update(enrolled_at=now)
    text(house.sms, stop_at, PHONE, "STOP")
    apply_waiting(now)
    with tenant_context(house.tenant.pk):
        reasons = dict(Enrollment.objects.values_list("pk", "status_reason"))
    assert reasons == {house.enrollment.pk: "opted_out", later.pk: "replied"}
    assert not suppressed(house.tenant.pk, [("sms", PHONE)])


def test_a_start_does_not_outlive_a_stop_that_was_said_after_it(house: House, now: datetime) -> None:
    text(house.sms, now - timedelta(minutes=30), PHONE, "START")
    text(house.sms, now - timedelta(minutes=20), PHONE, "STOP")
    text(house.sms, now - timedelta(minutes=40), PHONE, "stop texting me")
    apply_waiting(now)
    assert suppressed(house.tenant.pk, [("sms", PHONE)])
    with tenant_context(house.tenant.pk):
        assert Suppression.objects.filter(reason="started").count() == 1


def test_a_report_on_a_status_is_still_read_the_same(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.sms, now)
    status(house.sms, now, message, "delivered")
    apply_waiting(now)
    assert refreshed(message).state == "delivered"


def test_a_batch_of_nothing_names_nothing() -> None:
    assert sendgrid.identify(Request("", "events", "", {}, b"[]")).kind == "unreadable"
