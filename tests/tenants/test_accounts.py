"""Logging in, and the few addresses of django-allauth that exist here."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from omnify.tenants.accounts import own_address
from omnify.tenants.models import User
from tests.making import PASSWORD, People

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/login/code/",
        "/accounts/login/code/confirm/",
        "/accounts/3rdparty/",
        "/accounts/2fa/webauthn/",
        "/accounts/phone/change/",
    ],
)
def test_what_omnify_does_not_use_does_not_exist(people: People, client: Client, address: str) -> None:
    client.force_login(people.alice.user)
    assert client.get(address).status_code == 404


def test_nobody_makes_an_account_for_themselves(people: People, client: Client) -> None:
    response = client.post(reverse("account_signup"), {"email": "eve@example.com", "password1": PASSWORD})
    assert "made by invitation" in response.content.decode()
    assert not User.objects.filter(email="eve@example.com").exists()


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(people: People, client: Client) -> None:
    answers = [
        client.post(reverse("account_login"), {"login": login, "password": "wrong"}).content.decode()
        for login in (people.alice.user.email, "nobody@example.com")
    ]
    assert all("not correct" in html for html in answers)
    assert client.get(reverse("home")).status_code == 302


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail(
    people: People, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_reset_password"), {"email": people.alice.user.email})
    (letter,) = mail.outbox
    assert letter.subject == "Omnify: Choose a new password"
    path = next(line for line in letter.body.splitlines() if line.startswith("http")).replace("http://testserver", "")
    form = client.get(path, follow=True)
    new = "another long and odd phrase"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert Client().login(email=people.alice.user.email, password=new)


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    people: People, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        known = client.post(reverse("account_reset_password"), {"email": people.alice.user.email}, follow=True)
        unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert [letter.to for letter in mail.outbox] == [[people.alice.user.email]]


def test_logging_out_needs_a_post(people: People, client: Client) -> None:
    client.force_login(people.alice.user)
    assert "Log out?" in client.get(reverse("account_logout")).content.decode()
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 302


def test_two_factor_log_in_asks_for_the_password_again(people: People, client: Client) -> None:
    client.post(reverse("account_login"), {"login": people.alice.user.email, "password": PASSWORD})
    response = client.get(reverse("mfa_activate_totp"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_reauthenticate"))


def test_the_address_one_logs_in_with_is_verified_and_two_factor_can_be_turned_on(
    people: People, client: Client
) -> None:
    client.post(reverse("account_login"), {"login": people.alice.user.email, "password": PASSWORD})
    html = client.get(reverse("account_email")).content.decode()
    assert "Verified" in html
    assert "Not verified" not in html
    page = client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": reverse("mfa_activate_totp")}, follow=True
    )
    assert page.redirect_chain[-1][0] == reverse("mfa_activate_totp")
    assert 'src="data:image/svg+xml' in page.content.decode()


def test_an_address_listed_by_somebody_else_stays_theirs(people: People) -> None:
    EmailAddress.objects.create(user=people.charlie.user, email=people.alice.user.email, primary=False, verified=True)
    own_address(people.alice.user)
    assert list(EmailAddress.objects.values_list("user", flat=True)) == [people.charlie.user.pk]
