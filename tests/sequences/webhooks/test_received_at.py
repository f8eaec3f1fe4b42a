"""When something came in is told by the database's clock, whatever the web machine believes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from omnify.lib import clock
from sequences.models import Sender
from sequences.webhooks import base, ingest, storing
from tests.sequences.webhooks.requests import PERSON, SID, events, inbound, knock

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def there() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


@pytest.mark.parametrize("wrong_by", [timedelta(days=-3), timedelta(hours=-2), timedelta(days=400)])
def test_a_web_machine_with_a_wrong_clock_misdates_nothing(
    senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch, wrong_by: timedelta
) -> None:
    for place in (clock, ingest):
        monkeypatch.setattr(place, "now", lambda: datetime.now(UTC) + wrong_by)
    before = there()
    assert knock(
        inbound(senders["sms"], PERSON, "first"), inbound(senders["sms"], PERSON, "second", "SM" + "1" * 32)
    ) == [200, 200]
    after = there()
    assert len(events()) == 2
    assert all(before <= event.received_at <= after for event in events())


def test_an_hour_that_is_set_on_purpose_counts(senders: dict[str, Sender], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_OFFSET", timedelta(hours=5))
    knock(inbound(senders["sms"], PERSON, "later"))
    (event,) = events()
    assert abs(event.received_at - there() - timedelta(hours=5)) < MINUTE


def test_what_a_provider_is_asked_for_keeps_the_time_it_tells(senders: dict[str, Sender]) -> None:
    told = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    account = base.Account(senders["sms"].pk, senders["sms"].tenant_id, "twilio", {}, {})
    asked = [
        base.Request("", "inbound", "", {}, f"MessageSid={sid}&Body=x&From=%2B12125550100".encode())
        for sid in (SID, "SM" + "2" * 32)
    ]
    door = ingest.DOORS["twilio"]
    assert storing.store_now([ingest.row_now(door, account, asked[0], at=told)]) == 1
    assert storing.store_now([ingest.row_now(door, account, asked[1])]) == 1
    first, second = sorted(event.received_at for event in events())
    assert first == told
    assert abs(second - there()) < MINUTE
