"""4-reliability §4 F: second factors, tries, keys, sessions, the ledger."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from omnify.lib import sealing
from omnify.promises import explaining
from omnify.promises.explaining import prove_explainable, tampered
from omnify.tenants.accounts import own_address
from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.events import record
from omnify.tenants.models import ApiKey, Event, Membership, User
from omnify.tenants.views.members import may_invite
from sequences.models import Message
from tests.everything import Rows, make_everything
from tests.factors import code_of
from tests.making import PASSWORD, People, make_member

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
LOGIN = {"login": "alice@acme.example", "password": PASSWORD}


@pytest.fixture
def strict(settings: Any) -> None:
    settings.REQUIRE_MFA = True


def with_factor(user: User) -> str:
    """Gives the user an authenticator app; returns its secret."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return str(secret)


@pytest.mark.as_web
def test_f1_an_owner_without_a_second_factor_gets_nowhere_but_to_setting_one_up(
    people: People, client: Client, strict: None
) -> None:
    own_address(people.alice.user)
    client.post(reverse("account_login"), LOGIN)
    for name in ("home", "contacts:list", "tenants:keys", "tenants:audit", "admin:index", "account_email"):
        answer = client.get(reverse(name))
        assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_activate_totp")), name
    assert client.post(reverse("tenants:sending"), {"enabled": ""}).status_code == 302
    with tenant_context(people.acme.pk):
        assert Event.objects.filter(kind="tenant.sending_stopped").count() == 0
    assert client.get("/api/v1/contacts/").status_code == 403
    fragment = client.get(reverse("contacts:list"), headers={"hx-request": "true"})
    assert fragment["HX-Redirect"] == reverse("mfa_activate_totp")
    assert client.get(reverse("mfa_activate_totp")).status_code == 302  # asks for the password again first
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302
    page = client.get(reverse("mfa_activate_totp"))
    secret = re.search(r'class="key">(\w+)<', page.content.decode())
    assert secret is not None
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret[1])})
    assert answer.status_code == 302
    assert client.get(reverse("home")).status_code == 200
    codes = client.get(reverse("mfa_view_recovery_codes"))
    assert codes.content.decode().count("<li>") >= 10


@pytest.mark.as_web
def test_f1_with_a_second_factor_the_password_alone_opens_nothing(people: People, client: Client, strict: None) -> None:
    secret = with_factor(people.alice.user)
    answer = client.post(reverse("account_login"), LOGIN)
    assert answer["Location"] == reverse("mfa_authenticate")
    assert client.get(reverse("home"))["Location"].startswith(reverse("account_login"))
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.get(reverse("home")).status_code == 200


@pytest.mark.as_web
def test_f1_a_code_that_was_typed_slowly_opens_once_and_an_old_one_does_not(people: People, strict: None) -> None:
    secret = with_factor(people.alice.user)
    late = code_of(secret, steps=-1)
    for code, expected in ((code_of(secret, steps=-3), 302), (late, 200), (late, 302)):
        client = Client()
        client.post(reverse("account_login"), LOGIN)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert client.get(reverse("home")).status_code == expected


@pytest.mark.as_web
def test_f1_a_recovery_code_opens_once(people: People, strict: None) -> None:
    with_factor(people.alice.user)
    codes = RecoveryCodes(Authenticator.objects.get(user=people.alice.user, type="recovery_codes")).get_unused_codes()
    for expected in (200, 302):
        client = Client()
        client.post(reverse("account_login"), LOGIN)
        client.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert client.get(reverse("home")).status_code == expected


@pytest.mark.as_web
@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_f1_other_roles_may_have_one_and_need_none(people: People, client: Client, strict: None, role: str) -> None:
    client.force_login(make_member(people.acme, "mia", role).user)
    assert client.get(reverse("home")).status_code == 200


@pytest.mark.as_web
def test_f1_staff_need_one_whatever_their_role(people: People, client: Client, strict: None) -> None:
    User.objects.filter(pk=people.bob.user_id).update(is_staff=True)
    client.force_login(User.objects.get(pk=people.bob.user_id))
    assert client.get(reverse("admin:index"))["Location"] == reverse("mfa_activate_totp")


def test_f1_the_secrets_of_second_factors_are_sealed(people: People) -> None:
    secret = with_factor(people.alice.user)
    row = Authenticator.objects.get(user=people.alice.user, type="totp")
    assert secret not in str(row.data)
    assert sealing.is_sealed(row.data["secret"])
    assert get_adapter().decrypt(row.data["secret"]) == secret
    with pytest.raises(sealing.CannotOpen):
        sealing.open_sealed(row.data["secret"], context="sender:1")


@pytest.mark.as_web
def test_f1_a_new_browser_is_told_of_by_mail_and_a_known_one_is_not(
    people: People, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_login"), LOGIN, headers={"user-agent": "Strange\r\nBcc: x@evil.example"})
    (letter,) = mail.outbox
    assert letter.to == ["alice@acme.example"]
    assert "new browser" in letter.subject
    assert "bcc" not in letter.message()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_logout"))
        client.post(reverse("account_login"), LOGIN)
    assert len(mail.outbox) == 1
    stranger = Client()
    stranger.cookies[f"device-{people.alice.user_id}"] = "forged"
    with django_capture_on_commit_callbacks(execute=True):
        stranger.post(reverse("account_login"), LOGIN)
    assert len(mail.outbox) == 2


@pytest.mark.as_web
def test_f1_sessions_are_listed_and_the_others_can_be_ended(people: People, client: Client) -> None:
    elsewhere = Client()
    for each, agent in ((client, "Here"), (elsewhere, "There")):
        each.post(reverse("account_login"), LOGIN, headers={"user-agent": agent})
    page = client.get(reverse("usersessions_list")).content.decode()
    assert "Here" in page
    assert "There" in page
    assert UserSession.objects.filter(user=people.alice.user).count() == 2
    client.post(reverse("usersessions_list"))
    assert client.get(reverse("home")).status_code == 200
    assert elsewhere.get(reverse("home")).status_code == 302


# --- tries -------------------------------------------------------------------------------------------------------


@pytest.mark.as_web
def test_f1_of_a_thousand_guesses_at_a_password_hardly_any_is_even_checked(
    people: People, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    honest = User.check_password
    monkeypatch.setattr(User, "check_password", lambda user, raw: checked.append(raw) or honest(user, raw))
    for n in range(1000):
        # A header that anybody can write does not make another guesser of them.
        client.post(
            reverse("account_login"),
            {"login": LOGIN["login"], "password": f"guess {n}"},
            headers={"x-forwarded-for": f"9.9.{n % 250}.{n // 250}"},
        )
    assert 0 < len(checked) <= 10
    client.post(reverse("account_login"), LOGIN)
    assert client.get(reverse("home")).status_code == 302


@pytest.mark.as_web
def test_f1_of_a_thousand_resets_few_mails_go_out(
    people: People, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for n in range(1000):
            client.post(
                reverse("account_reset_password"),
                {"email": LOGIN["login"]},
                headers={"x-forwarded-for": f"9.9.9.{n % 250}"},
            )
    assert 0 < len(mail.outbox) <= 5


@pytest.mark.as_web
def test_f1_of_a_thousand_invitations_few_are_sent(
    people: People, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("omnify.tenants.views.members.async_task", lambda *given: sent.append(given))
    client.force_login(people.alice.user)
    for _ in range(45):
        client.post(reverse("tenants:member_invite", args=[people.bob.pk]))
    assert len(sent) == 45
    assert sum(may_invite(people.acme.pk) for _ in range(1000)) == 5
    client.post(reverse("tenants:member_invite", args=[people.bob.pk]))
    assert len(sent) == 45
    assert may_invite(people.charlie.tenant_id)
    codes = {
        client.post(reverse("tenants:member_add"), {"email": f"n{n}@x.example", "role": "viewer"}).status_code
        for n in range(5)
    }
    assert codes == {429}


@pytest.mark.as_web
def test_f1_of_a_thousand_guessed_keys_few_are_looked_up(people: People, client: Client) -> None:
    codes = [
        client.get(
            "/api/v1/contacts/", headers={"authorization": f"Bearer omk_{n}", "x-forwarded-for": f"8.8.8.{n % 250}"}
        ).status_code
        for n in range(1000)
    ]
    assert codes.count(401) == 30
    assert codes.count(429) == 970


# --- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.as_web
def test_f1_reloading_after_making_a_key_makes_no_second_one_and_shows_it_no_second_time(
    people: People, client: Client
) -> None:
    client.force_login(people.alice.user)
    answer = client.post(reverse("tenants:key_create"), {"name": "Web form", "role": "agent", "lasts": "30"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("tenants:keys"))
    stored = client.session["fresh_key"]
    assert "omk_" not in stored
    first = client.get(reverse("tenants:keys"))
    key = first.context["key"]
    assert key.startswith("omk_")
    assert "no-store" in first["Cache-Control"]
    again = client.get(reverse("tenants:keys"))
    assert key not in again.content.decode()
    assert "fresh_key" not in client.session
    with tenant_context(people.acme.pk):
        (row,) = ApiKey.objects.all()
        assert row.digest == ApiKey.digest_of(key)
        assert key not in str(vars(row))
        left = row.expires_at - row.created_at
    assert timedelta(days=29, hours=23) < left < timedelta(days=30, hours=1)


@pytest.mark.as_web
def test_f1_a_key_does_no_more_than_its_role_and_no_longer_than_it_lasts(people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        _, reader = create_api_key(name="r", role="viewer", by=people.alice, now=now)
        _, old = create_api_key(name="o", role="agent", by=people.alice, now=now, expires_at=now - timedelta(days=4000))
    ask = Client()
    assert ask.get("/api/v1/contacts/", headers={"authorization": f"Bearer {reader}"}).status_code == 200
    made = ask.post(
        "/api/v1/contacts/",
        {"first_name": "x"},
        content_type="application/json",
        headers={"authorization": f"Bearer {reader}"},
    )
    assert made.status_code == 403
    assert ask.get("/api/v1/contacts/", headers={"authorization": f"Bearer {old}"}).status_code == 401


# --- the ledger --------------------------------------------------------------------------------------------------


def test_f3_history_can_be_added_to_and_not_changed(people: People, now: datetime) -> None:
    rows: Rows = make_everything(people.alice, now, "Oursword")
    with tenant_context(people.acme.pk):
        Message.objects.filter(pk=rows[Message].pk).update(sending_started_at=now)
        record("test.happened", tenant_id=people.acme.pk, now=now, actor="test")
    assert tampered(people.acme.pk) == []
    with tenant_context(people.acme.pk):
        assert Event.objects.filter(kind="test.happened").count() == 1


@pytest.mark.parametrize(
    ("grant", "seen"),
    [
        ("GRANT UPDATE ON sequences_execution TO omnify_web", "sequences_execution SET"),
        ("GRANT DELETE ON contacts_consent TO omnify_system", "FROM contacts_consent"),
        ("ALTER TABLE contacts_interaction DISABLE TRIGGER said_once", "never said"),
        ("ALTER TABLE sequences_message DISABLE TRIGGER sent_stays", "never sent"),
    ],
)
def test_the_proof_sees_a_history_that_can_be_changed(people: People, now: datetime, grant: str, seen: str) -> None:
    rows: Rows = make_everything(people.alice, now, "Oursword")
    with tenant_context(people.acme.pk):
        Message.objects.filter(pk=rows[Message].pk).update(sending_started_at=now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(grant)
        cursor.execute("SET LOCAL ROLE omnify_system")
    assert any(seen in each for each in tampered(people.acme.pk))


@pytest.mark.django_db(transaction=True)
def test_g18_every_touch_can_be_explained(people: People) -> None:
    outcome = prove_explainable("quick", 3)
    assert outcome.failed == 0, outcome.note
    assert outcome.tried > 100


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "what"),
    [("sequences.claiming.permit", lambda *given: "{}"), ("sequences.outcome.note_touch", lambda *given: False)],
)
def test_the_proof_sees_a_touch_that_nobody_can_explain(
    people: People, monkeypatch: pytest.MonkeyPatch, place: str, what: Any
) -> None:
    monkeypatch.setitem(explaining.PEOPLE, "quick", 6)
    monkeypatch.setattr(place, what)
    monkeypatch.setattr("sequences.accepting.note_touch", what, raising=False)
    assert prove_explainable("quick", 3).failed > 0


@pytest.mark.as_web
def test_f3_owners_read_who_did_what_page_by_page(people: People, now: datetime, client: Client) -> None:
    with tenant_context(people.acme.pk):
        for n in range(60):
            record(
                "contact.updated",
                tenant_id=people.acme.pk,
                now=now,
                actor=f"member:{people.alice.pk}",
                fields=[f"f{n}"],
            )
        record("call.ended", tenant_id=people.acme.pk, now=now, actor="provider")
        record("member.removed", tenant_id=people.acme.pk, now=now, actor="member:999999")
    with tenant_context(people.charlie.tenant_id):
        record("contact.updated", tenant_id=people.charlie.tenant_id, now=now, actor="member:1", secret="Theirsword")
    client.force_login(people.alice.user)
    page = client.get(reverse("tenants:audit"))
    text = page.content.decode()
    assert "Alice" in text
    assert "f59" in text
    assert "Former member 999999" in text
    assert "Call: ended" not in text
    older = client.get(f"{reverse('tenants:audit')}?{page.context['older']}").content.decode()
    assert "f59" not in older
    assert "f0" in older
    everybody = client.get(reverse("tenants:audit"), {"who": ""}).content.decode()
    assert "Call: ended" in everybody
    only = client.get(reverse("tenants:audit"), {"who": "", "area": "member"}).content.decode()
    assert "Contact: updated" not in only
    assert "Theirsword" not in text + older + everybody
    for nonsense in ({"before": "x"}, {"before": "9" * 30}, {"who": "'; --"}, {"area": "<script>"}):
        assert client.get(reverse("tenants:audit"), nonsense).status_code == 200


@pytest.mark.as_web
@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_f3_the_audit_is_for_owners(people: People, client: Client, role: str) -> None:
    client.force_login(make_member(people.acme, "mia", role).user)
    assert client.get(reverse("tenants:audit")).status_code == 403


def test_f3_a_member_who_left_is_still_named_in_what_they_did(people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        record("task.done", tenant_id=people.acme.pk, now=now, actor=f"member:{people.bob.pk}")
        Membership.objects.filter(pk=people.bob.pk).delete()
        assert Event.objects.get(kind="task.done").actor == f"member:{people.bob.pk}"
