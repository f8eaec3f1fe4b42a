"""What became of a message: twice, late, in any order, and before our own note of it, always the same end."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction
from contacts.permissions import suppressed
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Notification
from sequences import failures, inbound
from sequences.models import Message, ProviderEvent
from tests.making import People, make_contact, make_enrollment, make_senders
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, call, mail, make_message, report, status, text, told, tracked

pytestmark = pytest.mark.django_db


def end_of(message: Message) -> tuple[str, int, str]:
    message.refresh_from_db()
    return message.state, message.status_rank, message.failure_type


@pytest.mark.parametrize(
    "words",
    [
        ("queued", "sending", "sent", "delivered"),
        ("sent", "undelivered", "delivered"),
        ("queued", "sent", "failed"),
        ("sent", "canceled", "delivered", "sent"),
        ("accepted", "queued", "sending", "sent", "delivered", "read"),
    ],
)
def test_all_orders_of_the_same_statuses_end_alike(house: House, now: datetime, words: tuple[str, ...]) -> None:
    ends = set()
    orders = list(itertools.permutations(words))
    chosen = orders if len(orders) <= 120 else orders[::12]
    for order in chosen:
        message = make_message(house.pat, house.sms, now)
        for word in (*order, order[0]):
            more = {"ErrorCode": "30003"} if word in ("undelivered", "failed") else {}
            status(house.sms, now, message, word, **more)
        apply_all(now)
        ends.add(end_of(message))
        with tenant_context(house.tenant.pk):
            touch = Interaction.objects.get(message_id=message.pk)
            ends.add(("outcome", 0, touch.outcome))
    assert len(ends) == 2
    assert ProviderEvent.objects.all_tenants().exclude(state="done").count() == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_calls_events_end_alike_in_every_order(house: House, now: datetime, order: tuple[int, ...]) -> None:
    message = make_message(house.pat, house.voice, now)
    makers: list[Any] = [
        lambda: call(house.voice, now, message, "status-update", status="ringing"),
        lambda: call(house.voice, now, message, "status-update", status="in-progress"),
        lambda: call(house.voice, now, message, "status-update", status="ended", endedReason="customer-ended-call"),
        lambda: report(house.voice, now, message, "customer-ended-call", "Sure."),
    ]
    for index in order:
        makers[index]()
    apply_all(now)
    assert end_of(message) == ("delivered", 55, "")
    with tenant_context(house.tenant.pk):
        touch = Interaction.objects.get(message_id=message.pk)
    assert (touch.outcome, touch.call_disposition) == ("answered", "answered")


def test_a_callback_before_our_own_note_of_the_answer_settles_the_message(house: House, now: datetime) -> None:
    message = make_message(
        house.pat, house.sms, now, state="sending", status_rank=0, provider_id="", sending_started_at=now
    )
    status(house.sms, now, message, "sent")
    apply_all(now)
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sent", "SM-late")


def test_a_callback_without_our_mark_waits_until_the_message_is_known(house: House, now: datetime) -> None:
    body = "MessageSid=SM-later&MessageStatus=delivered&To=%2B12125550123"
    event = told(house.sms, now, "status", body)
    apply_all(now)
    event.refresh_from_db()
    assert (event.state, event.tries) == ("unmatched", 0)
    message = make_message(house.pat, house.sms, now, provider_id="SM-later")
    apply_all(now + timedelta(seconds=1))
    event.refresh_from_db()
    assert event.state == "unmatched"  # looked at again only after a pause
    apply_all(now + timedelta(seconds=6))
    event.refresh_from_db()
    assert event.state == "done"
    assert end_of(message)[0] == "delivered"


def test_after_a_day_an_event_about_nothing_rests(house: House, now: datetime) -> None:
    event = told(house.sms, now, "status", "MessageSid=SM-never&MessageStatus=sent")
    looks = sum(apply_all(now + timedelta(minutes=minutes)) for minutes in range(0, 24 * 60 + 30))
    event.refresh_from_db()
    assert (event.state, event.problem) == ("done", "It speaks of a message that we do not have.")
    assert looks < 200
    assert apply_all(now + timedelta(days=2)) == 0


def test_a_status_for_a_message_that_is_not_there_harms_nobody(house: House, now: datetime) -> None:
    nowhere = Message(tenant_id=house.tenant.pk, provider_id="SM-nowhere", to_address="+12125550123")
    event = status(house.sms, now, nowhere, "delivered")
    other = status(house.sms, now, make_message(house.pat, house.sms, now), "delivered")
    assert apply_all(now) == 2
    event.refresh_from_db()
    other.refresh_from_db()
    assert (event.state, other.state) == ("unmatched", "done")


def test_a_mark_of_another_tenants_message_moves_nothing(people: People, house: House, now: datetime) -> None:
    theirs = make_senders(people.charlie.tenant)
    message = make_message(house.pat, house.sms, now)
    forged = told(
        theirs["sms"], now, "status", f"MessageSid={message.provider_id}&MessageStatus=failed", mark=message.public_id
    )
    apply_all(now)
    forged.refresh_from_db()
    assert forged.state == "unmatched"
    assert end_of(message)[0] == "accepted"


@pytest.mark.parametrize(
    ("code", "failure", "column", "value"),
    [
        ("30005", "invalid_number", "phone_valid", False),
        ("30006", "landline", "phone_type", "landline"),
        ("30003", "sms_undelivered", "phone_valid", None),
    ],
)
def test_a_failure_says_something_about_the_number(
    house: House, now: datetime, code: str, failure: str, column: str, value: object
) -> None:
    message = make_message(house.pat, house.sms, now)
    status(house.sms, now, message, "undelivered", ErrorCode=code)
    apply_all(now)
    assert end_of(message) == ("undelivered", 40, failure)
    house.pat.refresh_from_db()
    assert getattr(house.pat, column) == value
    event = Event.objects.all_tenants().get(kind="message.failed")
    assert event.data["failure_type"] == failure


def test_a_number_the_provider_has_on_its_stop_list_is_closed_here_too(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.sms, now)
    status(house.sms, now, message, "failed", ErrorCode="21610")
    apply_all(now)
    pairs = [("sms", "+12125550123"), ("voice", "+12125550123")]
    assert suppressed(house.tenant.pk, pairs) == set(pairs)
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"


def test_a_refusal_at_send_can_be_followed_by_the_dispatcher(house: House, now: datetime) -> None:
    with tenant_context(house.tenant.pk):
        assert failures.provider_says_opted_out("+12125550123", "sms", "21610", now) == 2
        assert failures.provider_says_opted_out("+12125550123", "sms", "21610", now) == 0


@pytest.mark.parametrize(
    ("bounce", "inactive", "valid", "failure"),
    [
        ("HardBounce", True, False, "email_bounced"),
        ("SoftBounce", False, None, "email_bounced"),
        ("Blocked", False, None, "email_spam"),
    ],
)
def test_a_bounce_marks_the_mailbox_only_when_it_is_for_good(
    house: House, now: datetime, bounce: str, inactive: bool, valid: bool | None, failure: str
) -> None:
    message = make_message(house.pat, house.email, now)
    tracked(house.email, now, message, "Bounce", Type=bounce, Inactive=inactive, ID=1, Email=message.to_address)
    apply_all(now)
    house.pat.refresh_from_db()
    assert house.pat.email_valid is valid
    assert end_of(message) == ("undelivered", 40, failure)


def test_a_returned_mail_finds_its_message_and_its_mailbox(house: House, now: datetime) -> None:
    from omnify.simulator.mail_events import delivery_status_text

    message = make_message(house.pat, house.email, now)
    headers = {
        "Return-Path": "<>",
        "Auto-Submitted": "auto-replied",
        "X-Failed-Recipients": "pat@people.example",
        "In-Reply-To": f"<{message.public_id}@acme.example>",
    }
    notice = delivery_status_text("pat@people.example")
    mail(house.email, now, "mailer-daemon@people.example", notice, headers=headers, Subject="Undelivered")
    apply_all(now)
    house.pat.refresh_from_db()
    house.enrollment.refresh_from_db()
    assert house.pat.email_valid is False
    assert end_of(message) == ("undelivered", 40, "email_bounced")
    assert house.enrollment.status == "active"
    assert Contact.objects.all_tenants().count() == 1


def test_marking_a_mail_as_spam_ends_the_mail(house: House, now: datetime) -> None:
    message = make_message(house.pat, house.email, now)
    tracked(house.email, now, message, "SpamComplaint", ID=9, Email=message.to_address)
    apply_all(now)
    assert suppressed(house.tenant.pk, [("email", "pat@people.example")])
    house.enrollment.refresh_from_db()
    assert house.enrollment.status_reason == "opted_out"


@pytest.mark.parametrize("order", list(itertools.permutations(["Delivery", "Open", "Click", "Open"], 4))[::3])
def test_opens_and_clicks_are_grouped_on_the_one_touch(house: House, now: datetime, order: tuple[str, ...]) -> None:
    message = make_message(house.pat, house.email, now)
    for n, record in enumerate(order):
        at = (now + timedelta(minutes=n)).isoformat()
        tracked(house.email, now, message, record, ReceivedAt=at)
    apply_all(now)
    with tenant_context(house.tenant.pk):
        touch = Interaction.objects.get()
    assert touch.outcome == "clicked"
    assert touch.opened_at == now + timedelta(minutes=order.index("Open"))
    assert touch.clicked_at == now + timedelta(minutes=order.index("Click"))
    assert end_of(message)[:2] == ("delivered", 62)


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({"SuppressSending": True, "SuppressionReason": "ManualSuppression"}, True),
        ({"SuppressSending": False}, False),
    ],
)
def test_the_providers_own_unsubscribe_counts(
    house: House, now: datetime, change: dict[str, Any], closed: bool
) -> None:
    message = make_message(house.pat, house.email, now)
    tracked(house.email, now, message, "SubscriptionChange", **change)
    apply_all(now)
    assert bool(suppressed(house.tenant.pk, [("email", "pat@people.example")])) is closed


def test_a_poisoned_event_is_parked_after_two_tries_and_the_others_go_on(
    house: House, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = text(house.sms, now, "+12125550123", "boom")
    healthy = [text(house.sms, now, f"+1212555{n:04d}", "hello") for n in range(1000, 1010)]
    real = inbound.HANDLERS[type(_parsed(poison))]

    def explode(signal: Any, event: ProviderEvent, moment: datetime) -> Any:
        if signal.body == "boom":
            raise ZeroDivisionError("in the middle of it")
        return real(signal, event, moment)

    monkeypatch.setitem(inbound.HANDLERS, type(_parsed(poison)), explode)
    assert apply_all(now) == 11
    poison.refresh_from_db()
    assert (poison.state, poison.tries) == ("new", 1)
    assert apply_all(now + timedelta(seconds=6)) == 1
    poison.refresh_from_db()
    assert (poison.state, poison.problem) == ("parked", "ZeroDivisionError: in the middle of it")
    assert apply_all(now + timedelta(minutes=1)) == 0
    for event in healthy:
        event.refresh_from_db()
        assert event.state == "done"
    assert Notification.objects.all_tenants().filter(type="sending_problem").count() == 1
    assert not Interaction.objects.all_tenants().filter(content_body="boom").exists()


def _parsed(event: ProviderEvent) -> Any:
    return inbound.PARSERS[event.provider].parse(event.kind, event.body, event.mark)[0]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_kills_its_worker_twice_is_parked_by_the_third(house: House, now: datetime) -> None:
    """The try is committed before the work begins: os._exit in the middle leaves it counted, and nothing else."""
    import multiprocessing

    poison = text(house.sms, now, "+12125550123", "boom")
    healthy = text(house.sms, now, "+12125550124", "hello")
    for seconds in (0, 6):
        later = now + timedelta(seconds=seconds)
        worker = multiprocessing.get_context("fork").Process(target=_die_applying, args=(later,))
        worker.start()
        worker.join(30)
        assert worker.exitcode == 9
    apply_all(now + timedelta(seconds=12))
    poison.refresh_from_db()
    healthy.refresh_from_db()
    assert (poison.state, poison.problem) == ("parked", "Its handling ended without a word, twice.")
    assert healthy.state == "done"


def _die_applying(now: datetime) -> None:
    import os

    from django.db import connections

    for each in connections.all():
        each.connection = None  # the parent's socket: leave it alone
    inbound.effect_of = lambda event, moment: os._exit(9)  # type: ignore[assignment]
    apply_all(now)
    os._exit(0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_apply_each_event_once(house: House, now: datetime) -> None:
    import threading

    from django.db import connections

    for n in range(40):
        text(house.sms, now, f"+1212555{2000 + n % 10:04d}", f"text {n}")

    def work() -> None:
        inbound.apply_waiting(now)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    inbound.apply_waiting(now + timedelta(seconds=6))
    assert ProviderEvent.objects.all_tenants().filter(state="done").count() == 40
    assert Interaction.objects.all_tenants().count() == 40
    counts = Contact.objects.all_tenants().filter(phone__startswith="+12125552").values_list("inbound_count", flat=True)
    assert sum(counts) == 40


@pytest.mark.django_db(transaction=True)
def test_a_reply_waits_for_a_tick_that_is_deciding_and_then_stops_what_it_decided(house: House, now: datetime) -> None:
    """The tick holds the enrolment; the reply comes second, and finds and cancels the message the tick just made."""
    import threading

    from django.db import connection, connections, transaction

    partner = make_contact(house.tenant, now)
    make_enrollment(house.sequence, partner, now + timedelta(days=1))
    text(house.sms, now, "+12125550123", "hello?")

    def listen() -> None:
        inbound.apply_waiting(now)
        connections.close_all()

    from sequences.engine import tick

    thread = threading.Thread(target=listen)
    with transaction.atomic():
        assert tick(now).decided >= 1
        thread.start()
        deadline = datetime.now() + timedelta(seconds=10)
        blocked = 0
        while not blocked and datetime.now() < deadline:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                blocked = cursor.fetchone()[0]
        assert blocked
    thread.join(20)
    house.enrollment.refresh_from_db()
    assert (house.enrollment.status, house.enrollment.status_reason) == ("paused", "replied")
    with tenant_context(house.tenant.pk):
        assert Message.objects.get(contact=house.pat).state == "cancelled"
