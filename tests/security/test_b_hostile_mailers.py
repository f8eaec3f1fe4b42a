"""The hostile corpus through the ways in that SendGrid and Amazon SES have: kept as text, and shown as text."""

import json
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from contacts.models import Interaction
from omnify.lib.clock import now as clock
from omnify.tenants.context import tenant_context
from sequences.inbound import apply_waiting
from sequences.models import ProviderEvent
from tests.making import People, make_contact, make_senders
from tests.security.payloads import PAYLOADS
from tests.sequences.webhooks.mailers import certified, parsed_mail, sns
from tests.sequences.webhooks.requests import knock
from tests.wire.mailers import as_provider

pytestmark = pytest.mark.django_db(transaction=True)


def whole(text: str, n: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "pat@people.example", "hello@acme.example", f"<h{n}@people.example>"
    mail["Subject"] = " ".join("".join(char for char in text if char.isprintable()).split())[:200]
    mail.set_content("".join(char for char in text if char.isprintable() or char == "\n") + "\n")
    return mail.as_bytes()


@pytest.mark.parametrize("provider", ["sendgrid", "ses"])
def test_no_payload_of_a_mail_is_anything_but_text(
    people: People, client: Client, settings: Any, provider: str
) -> None:
    sender = as_provider(make_senders(people.acme)["email"], provider, 1)
    moment = clock()
    person = make_contact(people.acme, moment, email="pat@people.example")
    texts = PAYLOADS[:120]
    with certified(settings):
        asked = []
        for n, text in enumerate(texts):
            if provider == "sendgrid":
                asked.append(parsed_mail(sender, text=text, subject=text, email=b"" if n % 2 else whole(text, n)))
            else:
                told = {
                    "notificationType": "Received",
                    "mail": {"messageId": f"h{n}"},
                    "content": whole(text, n).decode(),
                }
                asked.append(sns(sender, told, message_id=f"m{n}"))
        assert set(knock(*asked)) == {200}
    while apply_waiting(moment, budget_seconds=60):
        continue
    with tenant_context(people.acme.pk):
        states = set(ProviderEvent.objects.values_list("state", flat=True))
        heard = Interaction.objects.filter(contact_id=person.pk, direction="inbound").count()
    assert (states, heard) == (
        {"done"},
        len({json.dumps(each["content"].decode("utf-8", "replace")) for each in asked}),
    )
    client.force_login(people.alice.user)
    page = client.get(person.get_absolute_url()).content.decode()
    shown = [text for text in texts if "<" in text and text in page and text != escape(text)]
    assert shown == []
    assert "&lt;script" in page
