"""The quick reply on a contact's page offers what may be used, and says why where nothing may."""

import re

import pytest
from django.urls import reverse

from contacts.models import Suppression
from omnify.tenants.context import tenant_context
from tests.making import make_contact

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("closed", "chosen", "disabled"),
    [((), "sms", []), (("sms",), "email", ["sms"]), (("email",), "sms", ["email"]), (("sms", "email"), None, [])],
)
def test_a_channel_that_may_be_used_is_chosen_beforehand(people, now, client, closed, chosen, disabled) -> None:
    contact = make_contact(people.acme, now, first_name="Maya", phone="+12125550100", email="maya@x.example")
    with tenant_context(people.acme.pk):
        for channel in closed:
            address = contact.address_for(channel)
            Suppression.objects.create(channel=channel, address=address, reason="x", source="sms", created_at=now)
    client.force_login(people.bob.user)
    page = client.get(reverse("sequences:contact_panel", args=[contact.public_id])).content.decode()
    boxes = dict(re.findall(r'<input type="radio" name="channel" value="(\w+)"([^>]*)>', page))
    assert [name for name, rest in boxes.items() if "checked" in rest] == ([chosen] if chosen else [])
    assert [name for name, rest in boxes.items() if "disabled" in rest] == disabled
    assert ("Nothing can be sent to Maya." in page) is (chosen is None)
