"""Whom a sequence could reach at all: one open channel of those it uses is enough, and each channel answers for itself."""

import pytest

from contacts.models import Suppression
from omnify.tenants.context import tenant_context
from sequences.enrolling import enrollment_checks
from tests.making import make_contact, make_sequence

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("uses", "agreed", "closed", "verdict"),
    [
        (("sms", "email"), ("sms",), ("email",), "ready"),
        (("sms", "email"), ("sms",), ("sms",), "ready"),
        (("sms", "email"), ("sms",), ("sms", "email"), "suppressed"),
        (("sms", "email"), (), ("email",), "no_consent"),
        (("email",), (), (), "ready"),
        (("email",), (), ("sms", "voice"), "ready"),
        (("voice",), ("sms",), (), "no_consent"),
        (("voice",), ("voice",), ("sms",), "ready"),
        (("sms", "voice"), ("voice",), ("voice",), "no_consent"),
    ],
)
def test_one_open_channel_of_those_it_uses_is_enough(people, now, uses, agreed, closed, verdict) -> None:
    sequence = make_sequence(people.acme, now, *({"kind": kind} for kind in uses))
    contact = make_contact(people.acme, now, consents=agreed)
    with tenant_context(people.acme.pk):
        for channel in closed:
            address = contact.address_for(channel)
            Suppression.objects.create(channel=channel, address=address, reason="x", source="import", created_at=now)
        assert enrollment_checks(sequence, [contact.pk]) == {verdict: [contact.pk]}
