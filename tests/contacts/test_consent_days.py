"""A consent of which only the day is known is shown as that day, wherever the person or the reader lives."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contacts.models import Consent
from contacts.templatetags.people import agreed_on
from contacts.timeline import timeline
from omnify.tenants.context import tenant_context
from tests.making import make_contact

DAY = datetime(2026, 9, 1, tzinfo=UTC)
MOMENT = datetime(2026, 9, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "UTC"])
def test_a_bare_date_is_the_same_day_in_every_zone(zone: str) -> None:
    assert ">Tue 1 Sep<" in agreed_on(Consent(given_at=DAY), zone)
    assert agreed_on(Consent(given_at=DAY), zone, "time") == ""


def test_a_moment_is_shown_in_the_person_s_own_time() -> None:
    assert ">Mon 31 Aug, 20:00<" in agreed_on(Consent(given_at=MOMENT), "America/New_York")
    assert ">20:00<" in agreed_on(Consent(given_at=MOMENT), "America/New_York", "time")


@pytest.mark.django_db
def test_the_timeline_puts_it_under_its_own_day(acme, now) -> None:
    contact = make_contact(acme, now, consents=())
    Consent.objects.create(contact=contact, address=contact.phone, channel="sms", kind="pewc_text", given_at=DAY)
    page = timeline(contact, ZoneInfo("America/New_York"))
    assert [entry.day for entry in page.entries if entry.kind == "consent"] == ["Tuesday, 1 September 2026"]


@pytest.mark.django_db
def test_the_person_s_page_says_the_day_and_no_hour(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, consents=(), zones=["America/New_York"])
    with tenant_context(people.acme.pk):
        Consent.objects.create(contact=contact, address=contact.phone, channel="sms", kind="pewc_text", given_at=DAY)
    page = as_member(people.bob).get(contact.get_absolute_url()).content.decode()
    assert "Tue 1 Sep</time>" in page
    assert "31 Aug" not in page
    assert "Email needs no consent, only that they did not decline." in page
