"""What else needs a second signature: limits, the workspace's settings, a sequence's hours; and what is free."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from omnify.tenants.actions import update_tenant
from omnify.tenants.approvals import Refused, ask, sign
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event, Membership, Tenant
from omnify.tenants.signatures import NeedsSignature
from sequences.allowances import change_limits
from sequences.definitions import duplicate_sequence, settings_digest, update_settings
from sequences.enrolling import enroll
from sequences.models import Sender, Sequence
from tests.making import People, make_senders, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_are_many")]


def test_lowering_limits_is_free_and_raising_any_waits(people: People, mia: Membership, now: datetime) -> None:
    sms = make_senders(people.acme)["sms"]
    low: dict[str, Any] = {
        "person": {"all": {"day": 3}},
        "money_per_day": Decimal("10"),
        "senders": {sms.pk: {"per_day": 5}},
    }
    with tenant_context(people.acme.pk):
        assert change_limits(people.acme, **low, by=people.alice, now=now)
        for raising in (
            low | {"person": {"all": {"day": 4}}},
            low | {"person": {}},
            low | {"money_per_day": None},
            low | {"money_per_day": Decimal("10.01")},
            low | {"senders": {sms.pk: {"per_day": 6}}},
            low | {"senders": {sms.pk: {"per_day": None}}, "money_per_day": Decimal("1")},
        ):
            with pytest.raises(NeedsSignature) as caught:
                change_limits(people.acme, **raising, by=people.alice, now=now)
            assert Tenant.objects.get(pk=people.acme.pk).caps["money_per_day"] == "10"
        assert Sender.objects.get(pk=sms.pk).per_day == 5
        row = ask(caught.value.wanted, by=people.alice, now=now)
        sign(row, by=mia, now=now)
        assert Sender.objects.get(pk=sms.pk).per_day is None
        assert Tenant.objects.get(pk=people.acme.pk).caps["money_per_day"] == "1"
        assert Event.objects.filter(kind="limits.changed").latest("pk").data["approval"] == str(row.public_id)


def test_limits_that_moved_since_are_asked_for_again(people: People, mia: Membership, now: datetime) -> None:
    base: dict[str, Any] = {"person": {"all": {"day": 3}}, "money_per_day": None, "senders": {}}
    with tenant_context(people.acme.pk):
        change_limits(people.acme, **base, by=people.alice, now=now)
        with pytest.raises(NeedsSignature) as caught:
            change_limits(people.acme, **base | {"person": {"all": {"day": 9}}}, by=people.alice, now=now)
        row = ask(caught.value.wanted, by=people.alice, now=now)
        change_limits(people.acme, **base | {"person": {"all": {"day": 1}}}, by=mia, now=now)
        with pytest.raises(Refused, match="changed since"):
            sign(row, by=mia, now=now)
        assert Tenant.objects.get(pk=people.acme.pk).caps == {"person": {"all": {"day": 1}}}


@pytest.mark.parametrize(
    "fields",
    [
        {"sending_mode": "live"},
        {"business_hours": {"days": [0], "start": "06:00", "end": "09:00"}},
        {"two_signatures": False},
    ],
)
def test_loosening_the_workspace_waits_and_so_does_all_of_its_save(
    people: People, mia: Membership, now: datetime, fields: dict[str, Any]
) -> None:
    with tenant_context(people.acme.pk):
        with pytest.raises(NeedsSignature) as caught:
            update_tenant(people.acme, by=people.alice, now=now, name="Acme Ltd", **fields)
        assert Tenant.objects.get(pk=people.acme.pk).name == "Acme"
        sign(ask(caught.value.wanted, by=people.alice, now=now), by=mia, now=now)
        present = Tenant.objects.get(pk=people.acme.pk)
        assert present.name == "Acme Ltd"
        assert all(getattr(present, name) == value for name, value in fields.items())
        assert update_tenant(present, by=people.alice, now=now, postal_address="2 Main St") == ["postal_address"]


def test_caps_have_one_verb_alone(people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk), pytest.raises(ValueError, match="change_limits"):
        update_tenant(people.acme, by=people.alice, now=now, caps={})


def test_switched_off_by_two_it_asks_for_nothing_and_one_turns_it_on_again(
    people: People, mia: Membership, crowd: list[int], sequence: Sequence, now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        with pytest.raises(NeedsSignature) as caught:
            update_tenant(people.acme, by=people.alice, now=now, two_signatures=False)
        with pytest.raises(Refused):
            sign(ask(caught.value.wanted, by=people.alice, now=now), by=people.alice, typed="Acme", now=now)
        sign(ask(caught.value.wanted, by=people.alice, now=now), by=mia, now=now)
        assert enroll(sequence, crowd, by="member:1", now=now).enrolled == 12
        assert update_tenant(people.acme, by=mia, now=now, two_signatures=True) == ["two_signatures"]


def test_a_sequences_own_hours_are_no_way_around_those_of_the_workspace(
    people: People, mia: Membership, now: datetime
) -> None:
    short = {"days": [0, 1], "start": "10:00", "end": "12:00"}
    Tenant.objects.filter(pk=people.acme.pk).update(business_hours=short)
    sequence = make_sequence(people.acme, now, send_window={})
    night = {"days": [0, 1, 6], "start": "08:00", "end": "21:00"}
    with tenant_context(people.acme.pk):
        seen = settings_digest(sequence)
        with pytest.raises(NeedsSignature) as caught:
            update_settings(sequence, seen=seen, by=people.alice, now=now, send_window=night)
        row = ask(caught.value.wanted, by=people.alice, now=now)
        assert sign(row, by=mia, now=now).decision == "signed"
        sequence.refresh_from_db()
        assert sequence.send_window == night
        assert duplicate_sequence(sequence, by=people.alice, now=now).send_window == night
        update_settings(
            sequence, seen=settings_digest(sequence), by=people.alice, now=now, send_window={**night, "days": [6]}
        )


def test_a_second_sender_is_no_way_around_the_firsts_limits(people: People, now: datetime) -> None:
    from sequences.allowances import inherit_limits

    first = make_senders(people.acme)["sms"]
    with tenant_context(people.acme.pk):
        Sender.objects.filter(pk=first.pk).update(per_day=5, per_second=0.5)
        second = Sender(tenant=people.acme, channel="sms", provider="twilio", name="Other", per_second=0.1)
        assert inherit_limits(second) == ["per_day"]
        assert (second.per_day, second.per_second) == (5, 0.1)
