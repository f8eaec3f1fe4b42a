"""No half of a surrogate pair and no NUL, which JSON and old charsets may hold and the database may not, loses a word."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact, Interaction
from contacts.permissions import suppressed
from sequences.models import ProviderEvent
from sequences.signals import CallEnded, StatusChanged, storable
from tests.sequences.inbound.conftest import House
from tests.sequences.inbound.told import apply_all, mail, make_message, only, report, rows, tracked

ODD = ["\ud83d", "\ude00\ud83d", "\x00"]
STOP = "Please unsubscribe me and stop emailing me"


def applied(event: ProviderEvent, now: datetime) -> None:
    apply_all(now)
    apply_all(now + timedelta(seconds=6))
    event.refresh_from_db()
    assert (event.state, event.problem) == ("done", "")


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
def test_a_stop_with_half_an_emoji_is_obeyed(house: House, now: datetime, odd: str) -> None:
    applied(mail(house.email, now, "pat@people.example", f"{STOP} {odd}"), now)
    assert suppressed(house.tenant.pk, [("email", "pat@people.example")])


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "fields",
    [
        lambda odd: {"FromFull": {"Email": "new@people.example", "Name": f"Jo {odd}"}},
        lambda odd: {"FromFull": {"Email": f"ne{odd}w@people.example", "Name": "Jo"}},
        lambda odd: {"Subject": f"Re: {odd}"},
        lambda odd: {"MessageID": f"in-{odd}"},
        lambda odd: {"Headers": [{"Name": f"X-{odd}", "Value": odd}]},
    ],
)
def test_a_strangers_mail_is_heard_whatever_field_is_odd(house: House, now: datetime, odd: str, fields: Any) -> None:
    applied(mail(house.email, now, "new@people.example", STOP, **fields(odd)), now)
    person = only(Contact, source="inbound email")
    assert suppressed(house.tenant.pk, [("email", person.email)])
    assert STOP in only(Interaction, direction="inbound").content_body


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
def test_a_report_is_applied_whatever_its_words_hold(house: House, now: datetime, odd: str) -> None:
    message = make_message(house.pat, house.email, now)
    fields = {"Type": "HardBounce", "Details": f"gone {odd}", "TypeCode": f"1{odd}"}
    applied(tracked(house.email, now, message, "Bounce", **fields), now)
    spoken = make_message(house.pat, house.voice, now)
    applied(report(house.voice, now, spoken, f"customer-ended-call{odd}", f"stop calling me {odd}"), now)
    assert suppressed(house.tenant.pk, [("voice", "+12125550123")])
    assert {each.state for each in rows(ProviderEvent)} == {"done"}


def test_a_signal_is_cleaned_in_every_field_and_left_alone_where_it_is_clean() -> None:
    odd = CallEnded("", "c-\x001", "hung up \ud83d", complete=True, said=("one\x00", "two \ud83d\ude00"), seconds=3)
    clean = CallEnded("", "c- 1", "hung up \ufffd", complete=True, said=("one ", "two \U0001f600"), seconds=3)
    assert storable(odd) == clean
    assert storable(clean) is clean
    told = StatusChanged("m", "id", "délivré")
    assert storable(told) is told
