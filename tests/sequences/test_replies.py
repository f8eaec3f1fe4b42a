"""A member's own words."""

import pytest

from contacts.models import Interaction, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.models import Message, Sender
from sequences.replies import CannotReply, reply_to
from tests.making import make_contact, make_senders

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(people):
    with tenant_context(people.acme.pk):
        make_senders(people.acme)
        yield people


@pytest.fixture
def maya(acme, now):
    return make_contact(acme.acme, now, first_name="Maya", consents=())


def test_a_reply_is_ready_for_the_wire_at_once_and_needs_no_enrolment(acme, maya, now):
    message = reply_to(maya, channel="sms", body=" On my way. ", by=acme.bob, now=now)
    assert (message.state, message.purpose, message.body) == ("ready", "reply", "On my way.")
    assert (message.to_address, message.enrollment, message.not_before) == (maya.phone, None, now)
    assert Event.objects.get(kind="message.replied").actor == f"member:{acme.bob.pk}"


def test_a_mail_answers_under_the_subject_of_the_last_one(acme, maya, now):
    Interaction.objects.create(contact=maya, channel="email", direction="inbound", at=now, content_subject="Price?")
    assert reply_to(maya, channel="email", body="100", by=acme.bob, now=now).subject == "Re: Price?"


def test_who_opted_out_is_not_written_to_by_hand_either(acme, maya, now):
    Suppression.objects.create(channel="sms", address=maya.phone, reason="opted_out", source="sms", created_at=now)
    with pytest.raises(CannotReply, match="opted out"):
        reply_to(maya, channel="sms", body="But…", by=acme.bob, now=now)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("channel", "body", "said"),
    [("voice", "Hi", "text or an email"), ("sms", "  ", "nothing to send"), ("email", "Hi", "no email address")],
)
def test_what_cannot_be_sent_says_why(acme, now, channel, body, said):
    nobody = make_contact(acme.acme, now, email="", consents=())
    with pytest.raises(CannotReply, match=said):
        reply_to(nobody, channel=channel, body=body, by=acme.bob, now=now)


def test_without_an_account_for_the_channel_a_reply_says_so(acme, maya, now):
    Sender.objects.filter(channel="sms").delete()
    with pytest.raises(CannotReply, match="No account"):
        reply_to(maya, channel="sms", body="Hi", by=acme.bob, now=now)
