"""4-reliability §4 E: secrets at rest, what is left of a person who was deleted, and G17: a copy of the data reaches nobody."""

# ruff: noqa: E501

import json
import logging
import threading
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from contacts.actions import delete_contact
from contacts.models import Consent, Contact, Interaction, Suppression
from contacts.permissions import suppress, suppressed
from omnify.lib import sealing
from omnify.lib.sealing import CannotOpen, open_sealed, seal
from omnify.promises.quarantine import no_way_out
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from sequences.delivery import dispatch
from sequences.models import Message, Sender
from sequences.polling import poll
from sequences.reconcile import reconcile
from sequences.resealing import reseal_senders
from tests.making import PASSWORD, People, make_contact, make_senders

pytestmark = pytest.mark.django_db
OLD, NEW = "old-" + "k" * 40, "new-" + "k" * 40


# --- E1 ----------------------------------------------------------------------------------------------------------


def test_e1_a_ciphertext_moved_to_another_tenant_opens_nothing(people: People, senders: dict[str, Sender]) -> None:
    theirs = make_senders(people.charlie.tenant)["sms"]
    theirs.sealed_credentials = senders["sms"].sealed_credentials
    with pytest.raises(CannotOpen):
        _ = theirs.credentials
    theirs.save()
    theirs.refresh_from_db()
    with pytest.raises(CannotOpen):
        _ = theirs.credentials
    assert senders["sms"].credentials == {"auth_token": "token-acme"}


@pytest.mark.parametrize("at", [0, 1, 5, 20, -1, -9])
def test_e1_a_changed_ciphertext_opens_nothing(at: int) -> None:
    head, _, blob = seal({"x": "hush"}, context="c").rpartition(".")
    changed = list(blob)
    changed[at] = "A" if changed[at] != "A" else "B"
    with pytest.raises(CannotOpen):
        open_sealed(f"{head}.{''.join(changed)}", context="c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2",
        "v2.",
        "v2.development",
        "v2.development.x.y",
        "v3.development.x.y",
        "plain",
        "v1..",
        "v2.development..",
        "v2...",
    ],
)
def test_e1_what_is_no_sealed_text_is_said_so(text: str) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(text, context="c")


def test_e1_the_same_secret_twice_is_two_ciphertexts() -> None:
    assert seal({"x": "hush"}, context="c") != seal({"x": "hush"}, context="c")


def test_e1_keys_are_rotated_over_many_rows_while_they_are_read_and_changed(
    people: People, settings: Any, transactional_db: None
) -> None:
    settings.CREDENTIALS_KEY, settings.CREDENTIALS_KEY_FALLBACKS = OLD, []
    with tenant_context(people.acme.pk):
        rows = []
        for n in range(300):
            row = Sender(
                tenant=people.acme, name=f"s{n}", channel="sms", provider="twilio", address=f"+1{n}", is_default=False
            )
            row.set_credentials({"auth_token": f"token {n}"})
            rows.append(row)
        Sender.objects.bulk_create(rows)
    settings.CREDENTIALS_KEY, settings.CREDENTIALS_KEY_FALLBACKS = NEW, [OLD]
    wrong: list[str] = []
    done = threading.Event()

    def live() -> None:
        """A worker that reads throughout, and a member who enters other credentials meanwhile."""
        try:
            turn = 0
            while not done.is_set():
                turn += 1
                with tenant_context(people.acme.pk):
                    for each in Sender.objects.filter(name__in=[f"s{n}" for n in range(0, 300, 31)]):
                        if not each.credentials["auth_token"].startswith(("token", "changed")):
                            wrong.append(each.name)
                    mine = Sender.objects.get(name="s150")
                    mine.set_credentials({"auth_token": f"changed {turn}"})
                    Sender.objects.filter(pk=mine.pk).update(sealed_credentials=mine.sealed_credentials)
        except CannotOpen as error:
            wrong.append(str(error))
        finally:
            connections.close_all()

    worker = threading.Thread(target=live)
    worker.start()
    try:
        first = reseal_senders(batch=50)
    finally:
        done.set()
        worker.join(30)
    assert wrong == []
    assert 290 <= first <= 300
    assert reseal_senders() == 0
    settings.CREDENTIALS_KEY_FALLBACKS = []  # the old key is gone for good
    with tenant_context(people.acme.pk):
        opened = {each.name: each.credentials["auth_token"] for each in Sender.objects.all()}
    assert len(opened) == 300
    assert opened["s7"] == "token 7"
    assert opened["s150"].startswith("changed")


def test_e1_the_command_says_which_row_no_key_opens(
    people: People, senders: dict[str, Sender], settings: Any, capsys: Any
) -> None:
    call_command("reseal")
    assert "senders: 0 sealed anew" in capsys.readouterr().out
    settings.CREDENTIALS_KEY, settings.CREDENTIALS_KEY_FALLBACKS = NEW, []
    with pytest.raises(SystemExit):
        call_command("reseal")
    assert f"of tenant {people.acme.pk}" in capsys.readouterr().err


# --- E3 ----------------------------------------------------------------------------------------------------------

CANARY = "canary-5f1d0c7e"


def everything_readable() -> dict[str, str]:
    """Every table as text, except what is sealed: the ciphertext is where a secret belongs."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT string_agg(t::text, E'\\n') FROM \"{table}\" AS t")
            found[table] = cursor.fetchone()[0] or ""
    return found


@pytest.mark.django_db(transaction=True)
def test_e3_a_senders_secret_is_nowhere_but_sealed(
    people: People, now: datetime, client: Client, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.DEBUG = False
    people.alice.user.is_staff = people.alice.user.is_superuser = True
    people.alice.user.save()
    client.force_login(people.alice.user)
    client.raise_request_exception = False
    given = {
        "name": "Ours", "channel": "sms", "provider": "twilio", "address": "+15005550006", "config": "{}", "is_default": "on", "simulated": "on",
        "secrets": json.dumps({"auth_token": CANARY}), "credentials": json.dumps({"auth_token": CANARY}),
    }  # fmt: skip
    pages = [client.post(reverse("admin:sequences_sender_add"), given, follow=True)]
    with tenant_context(people.acme.pk):
        sender = Sender.objects.get(name="Ours")
        assert sender.credentials == {"auth_token": CANARY}
    for name in ("changelist", "add"):
        pages.append(client.get(reverse(f"admin:sequences_sender_{name}")))
    pages.append(client.get(reverse("admin:sequences_sender_change", args=[sender.pk])))
    # An error in the middle of using it: the page and the log must not show what the frame held.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sequences.admin.SenderPage.get_queryset", lambda self, request: sender.credentials["missing"])
        broken = client.get(reverse("admin:sequences_sender_changelist"))
    assert broken.status_code == 500
    dispatch(["sms"], now=lambda: now, budget_seconds=1, threads=1)
    key = client.post(reverse("tenants:key_create"), {"name": "k", "role": "agent"}, follow=True).context["key"]
    texts = [page.content.decode() for page in [*pages, broken]]
    assert not [text for text in texts if CANARY in text]
    said = " ".join(f"{record.getMessage()} {record.args} {record.exc_text or ''}" for record in caplog.records)
    assert CANARY not in said
    for table, text in everything_readable().items():
        assert CANARY not in text, table
        assert key not in text, table
        assert PASSWORD not in text, table
    assert CANARY not in repr(sender)
    assert CANARY not in str(list(OrmQ.objects.all().values()))


def test_e3_a_reset_link_is_not_kept_in_a_queue(
    people: People, client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_reset_password"), {"email": people.alice.user.email})
    (letter,) = mailoutbox
    token = next(line for line in letter.body.splitlines() if line.startswith("http")).rstrip("/").rpartition("-")[2]
    for table, text in everything_readable().items():
        assert token not in text, table


def test_allauths_mail_leaves_after_the_commit_and_not_at_all_after_a_rollback(
    people: People, transactional_db: None
) -> None:
    from allauth.account.adapter import get_adapter
    from allauth.core import context
    from django.contrib.auth.models import AnonymousUser
    from django.core import mail
    from django.db import transaction
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    facts = {"user": people.alice.user, "password_reset_url": "http://x.example/"}
    with context.request_context(request):
        with transaction.atomic():
            get_adapter().send_mail("account/email/password_reset_key", "a@acme.example", facts)
            assert mail.outbox == []
        assert len(mail.outbox) == 1
        with pytest.raises(RuntimeError), transaction.atomic():
            get_adapter().send_mail("account/email/password_reset_key", "a@acme.example", facts)
            raise RuntimeError
        assert len(mail.outbox) == 1


# --- E4 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["typed", "listed", "api"])
def test_e4_a_person_who_opted_out_and_was_deleted_is_still_left_alone_when_they_come_again(
    people: People, now: datetime, client: Client, settings: Any, tmp_path: Any, how: str
) -> None:
    from contacts.importing import jobs, passes

    settings.MEDIA_ROOT = tmp_path / "media"
    person = make_contact(
        people.acme,
        now,
        email="gone@people.example",
        phone="+12125550177",
        first_name="Gone",
        custom_fields={"note": "private"},
    )
    with tenant_context(people.acme.pk):
        suppress(
            tenant_id=people.acme.pk,
            address=person.phone,
            channels=["sms", "voice"],
            reason="opted_out",
            source="sms",
            quote="STOP",
            now=now,
            actor="person",
        )
        suppress(
            tenant_id=people.acme.pk,
            address=person.email,
            channels=["email"],
            reason="opted_out",
            source="email",
            quote="no",
            now=now,
            actor="person",
        )
        assert delete_contact(person, actor=f"member:{people.alice.pk}", now=now)
        row = Contact.objects.get(pk=person.pk)
        assert not [value for value in (row.first_name, row.email, row.phone, row.custom_fields, row.tags) if value]
    client.force_login(people.alice.user)
    if how == "typed":
        client.post(
            reverse("contacts:create"),
            {"first_name": "Back", "email": "Gone@People.example", "phone": "(212) 555-0177"},
        )
    elif how == "api":
        client.post(
            "/api/v1/contacts/",
            json.dumps({"first_name": "Back", "email": "gone@people.example", "phone": "+1 212 555 0177"}),
            content_type="application/json",
        )
    else:
        path = tmp_path / "list.csv"
        path.write_text("First name,Email,Phone\nBack,gone@people.example,212-555-0177\n")
        with tenant_context(people.acme.pk):
            job = jobs.start_upload(path, file_name="list.csv", by=people.alice, now=now)
            assert jobs.set_mapping(
                job,
                {int(k): v for k, v in job.mapping.items()},
                consent={"basis": "none"},
                duplicates="update",
                region="US",
                tags=[],
                by=people.alice,
                now=now,
            )
            assert jobs.start_review(job, by=people.alice, now=now)
        passes.run(job.tenant_id, job.pk, now=now)
        with tenant_context(people.acme.pk):
            job.refresh_from_db()
            assert jobs.start_import(job, by=people.alice, now=now)
        passes.run(job.tenant_id, job.pk, now=now)
    with tenant_context(people.acme.pk):
        back = Contact.objects.alive().get(first_name="Back")
        assert (back.email, back.phone) == ("gone@people.example", "+12125550177")
        pairs = [("sms", back.phone), ("voice", back.phone), ("email", back.email)]
        assert set(suppressed(people.acme.pk, pairs)) == set(pairs)
        assert Suppression.objects.filter(lifted_at__isnull=True).count() == 3


# --- G17 ---------------------------------------------------------------------------------------------------------


def test_g17_credentials_of_another_environment_do_not_open(people: People, settings: Any) -> None:
    """Even where somebody copied the key together with the database."""
    settings.ENVIRONMENT = "production"
    sealed = seal({"auth_token": "real"}, context="sender:1")
    assert open_sealed(sealed, context="sender:1") == {"auth_token": "real"}
    settings.ENVIRONMENT = "staging"
    with pytest.raises(CannotOpen, match="production"):
        open_sealed(sealed, context="sender:1")
    # Nor by writing another name on it.
    with pytest.raises(CannotOpen):
        open_sealed(sealed.replace("v2.production", "v2.staging"), context="sender:1")
    assert not sealing.is_current(sealed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", ["sms", "voice", "email"])
def test_g17_a_workspace_that_only_rehearses_opens_no_connection_to_a_real_provider(
    people: People, now: datetime, senders: dict[str, Sender], channel: str
) -> None:
    """With real senders, valid credentials, and everything at work that talks to providers."""
    assert Tenant.objects.get(pk=people.acme.pk).sending_mode == "simulated"
    person = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        Sender.objects.update(simulated=False)
        if channel == "email":
            Sender.objects.filter(channel="email").update(config={"host": "mail.acme.example", "port": 587})
        rows = [
            Message.objects.create(
                contact=person, channel=channel, sender=senders[channel], to_address=person.address_for(channel), body="Hello",
                subject="Hello", state="ready", state_at=now, created_at=now, not_before=now, expires_at=now.replace(year=now.year + 1),
            )
        ]  # fmt: skip
    with no_way_out() as tried:
        dispatch(["sms", "voice", "email"], now=lambda: now, budget_seconds=5, threads=2)
        reconcile(now.replace(hour=now.hour + 1))
        poll(now.replace(hour=now.hour + 1))
    assert list(tried) == []
    with tenant_context(people.acme.pk):
        assert {each.state for each in Message.objects.filter(pk__in=[row.pk for row in rows])} == {"cancelled"}
        assert not Interaction.objects.filter(direction="outbound").exists()
        assert Consent.objects.filter(contact=person).exists()
