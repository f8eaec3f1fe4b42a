from dataclasses import dataclass
from datetime import datetime

import pytest

from contacts.models import Contact
from omnify.tenants.models import Tenant
from sequences.models import Enrollment, Sender, Sequence
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence


@dataclass
class House:
    """Acme with its senders, one sequence, and Pat in it."""

    tenant: Tenant
    senders: dict[str, Sender]
    sequence: Sequence
    pat: Contact
    enrollment: Enrollment

    @property
    def sms(self) -> Sender:
        return self.senders["sms"]

    @property
    def voice(self) -> Sender:
        return self.senders["voice"]

    @property
    def email(self) -> Sender:
        return self.senders["email"]


@pytest.fixture
def house(people: People, now: datetime) -> House:
    sequence = make_sequence(people.acme, now, {"kind": "sms"}, {"kind": "email", "subject": "Hi"})
    pat = make_contact(people.acme, now, phone="+12125550123", email="pat@people.example", first_name="Pat")
    return House(people.acme, make_senders(people.acme), sequence, pat, make_enrollment(sequence, pat, now))
