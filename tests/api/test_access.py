"""Who may call the API, how often, and what a refusal says."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.settings import api_settings

from contacts.models import Contact
from omnify.tenants import api as tenants_api
from omnify.tenants.actions import revoke_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import ApiKey
from tests.api.conftest import Caller, caller
from tests.making import People, make_contact, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def test_without_a_key_one_is_asked_who_one_is(people: People, client: Client) -> None:
    response = client.get("/api/v1/contacts/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Who are you?"


@pytest.mark.parametrize("key", ["omk_invented", "x", "'; DROP TABLE", "é"])
def test_an_invented_key_is_refused(people: People, key: str) -> None:
    response = Client().get("/api/v1/contacts/", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert response.status_code == 401
    assert "unknown, revoked or expired" in response.json()["detail"]


def test_a_bad_key_is_not_made_good_by_a_session(people: People, client: Client) -> None:
    client.force_login(people.alice.user)
    assert client.get("/api/v1/contacts/", HTTP_AUTHORIZATION="Bearer omk_invented").status_code == 401


def test_a_revoked_and_an_expired_key_are_refused(people: People, now: datetime, api: Caller) -> None:
    other = caller(people.alice, now)
    with tenant_context(people.acme.pk):
        revoke_api_key(api.row, by=people.alice, now=now)
        ApiKey.objects.filter(pk=other.row.pk).update(expires_at=datetime.fromisoformat("2020-01-01T00:00:00+00:00"))
    assert [api.get("/contacts/").status_code, other.get("/contacts/").status_code] == [401, 401]


def test_somebody_logged_in_may_call_with_the_csrf_token_only(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice.user)
    assert client.get("/api/v1/contacts/").status_code == 200
    body = {"first_name": "Ann", "email": "ann@people.example"}
    refused = client.post("/api/v1/contacts/", body, content_type="application/json")
    assert refused.status_code == 403
    token = client.get("/settings/") and client.cookies["csrftoken"].value
    taken = client.post("/api/v1/contacts/", body, content_type="application/json", HTTP_X_CSRFTOKEN=token)
    assert taken.status_code == 201


@pytest.mark.parametrize(("role", "expected"), [("viewer", 403), ("agent", 201), ("owner", 201)])
def test_changing_needs_the_role_agent(people: People, now: datetime, role: str, expected: int) -> None:
    who = caller(people.alice, now, role)
    assert who.get("/contacts/").status_code == 200
    response = who.post("/contacts/", {"email": "ann@people.example"})
    assert response.status_code == expected
    if expected == 403:
        assert response.json()["detail"] == "This needs the role agent; yours is viewer."


def test_a_viewers_session_may_not_change_anything(people: People, client: Client) -> None:
    client.force_login(make_member(people.acme, "vera", "viewer").user)
    response = client.post("/api/v1/contacts/", {"email": "a@people.example"}, content_type="application/json")
    assert response.status_code == 403


def test_the_last_use_of_a_key_is_kept_at_most_once_a_minute(
    people: People, api: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for seconds in (0, 30, 59, 61):
        monkeypatch.setattr(tenants_api, "now", lambda seconds=seconds: now + timedelta(seconds=seconds))
        assert api.get("/contacts/").status_code == 200
        with tenant_context(people.acme.pk):
            seen.append(ApiKey.objects.get(pk=api.row.pk).last_used_at)
    assert seen == [now, now, now, now + timedelta(seconds=61)]


def test_too_many_requests_of_one_key_leave_the_others_alone(
    people: People, api: Caller, stranger: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants_api.TenantThrottle, "THROTTLE_RATES", {"tenant": "3/min"})
    assert [api.get("/contacts/").status_code for _ in range(3)] == [200, 200, 200]
    response = api._ask("get", "/contacts/", HTTP_X_FORWARDED_FOR="203.0.113.7")
    assert response.status_code == 429
    assert int(response["Retry-After"]) >= 1
    assert response.json()["title"] == "Too many requests."
    assert stranger.get("/contacts/").status_code == 200


def test_every_throttle_bucket_begins_with_the_tenant(people: People, api: Caller, rf: Any) -> None:
    request = rf.get("/")
    request.auth = api.row
    key = tenants_api.TenantThrottle().get_cache_key(request, None)
    assert key == f"throttle:{people.acme.pk}:key:{api.row.pk}"


def test_a_page_continues_where_the_last_ended_whatever_came_in_between(
    people: People, api: Caller, now: datetime
) -> None:
    made = [str(make_contact(people.acme, now).public_id) for _ in range(5)]
    first = api.get("/contacts/", limit=2).json()
    make_contact(people.acme, now)
    second = api.get("/contacts/", limit=2, cursor=first["next"]).json()
    third = api.get("/contacts/", limit=2, cursor=second["next"]).json()
    seen = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert seen == made[::-1]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": "0"}, "limit"), ({"limit": "201"}, "limit"), ({"limit": "x"}, "limit"),
                         ({"cursor": "nonsense"}, "cursor")]
)  # fmt: skip
def test_a_wrong_page_is_refused_in_words(people: People, api: Caller, query: dict[str, str], field: str) -> None:
    response = api.get("/contacts/", **query)
    assert response.status_code == 400
    assert field in response.json()["errors"]


def test_a_cursor_of_another_tenant_is_none(people: People, api: Caller, stranger: Caller, now: datetime) -> None:
    for _ in range(3):
        make_contact(people.acme, now)
    cursor = api.get("/contacts/", limit=1).json()["next"]
    assert stranger.get("/contacts/", cursor=cursor).status_code == 400


def test_what_a_refused_request_wrote_is_undone(
    people: People, api: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contacts import api as contacts_api

    real = contacts_api.create_contact

    def creates_then_refuses(*args: Any, **options: Any) -> Any:
        real(*args, **options)
        raise tenants_api.Conflict

    monkeypatch.setattr(contacts_api, "create_contact", creates_then_refuses)
    assert api.post("/contacts/", {"email": "ann@people.example"}).status_code == 409
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 0
    assert not connection.needs_rollback


@pytest.mark.parametrize(
    ("body", "kind", "status"), [("{", "application/json", 400), ("a=1", "application/x-www-form-urlencoded", 415)]
)
def test_what_is_no_json_is_refused(api: Caller, body: str, kind: str, status: int) -> None:
    response = api.client.post("/api/v1/contacts/", body, content_type=kind, HTTP_AUTHORIZATION=f"Bearer {api.key}")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


def test_the_api_renders_and_reads_json_only() -> None:
    assert [each.media_type for each in api_settings.DEFAULT_RENDERER_CLASSES] == ["application/json"]
    assert [each.media_type for each in api_settings.DEFAULT_PARSER_CLASSES] == ["application/json"]
