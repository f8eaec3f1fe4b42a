"""Views that wait for other machines have no transaction around them, and the tenant's nets hold there all the same."""

from typing import Any

import pytest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

import omnify.urls
from contacts.models import Contact
from omnify.tenants.access import member_required, outside_transaction
from omnify.tenants.context import TenantNotSet, current_tenant_id, tenant_context
from tests.making import People, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def state(request: HttpRequest) -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    return HttpResponse(f"{len(connection.savepoint_ids)} {current_tenant_id()} {member.role}")


@outside_transaction
@member_required()
def outside(request: HttpRequest) -> HttpResponse:
    return state(request)


@member_required()
def inside(request: HttpRequest) -> HttpResponse:
    return state(request)


@outside_transaction
@member_required()
def forgetful(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Contact.objects.count()))


@outside_transaction
@member_required()
def careful(request: HttpRequest) -> HttpResponse:
    with tenant_context(request.member.tenant_id):  # type: ignore[attr-defined]
        return HttpResponse(str(Contact.objects.count()))


@outside_transaction
@member_required()
def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


urlpatterns = [
    *omnify.urls.urlpatterns,
    *(path(f"{view.__name__}/", view) for view in (outside, inside, forgetful, careful, missing)),
]


@pytest.fixture
def alice(people: People, client: Client, settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    client.force_login(people.alice.user)
    return client


def test_only_a_view_that_says_so_is_outside(alice: Client, people: People) -> None:
    depth = len(connection.savepoint_ids)
    assert alice.get("/outside/").content.decode() == f"{depth} None owner"
    assert alice.get("/inside/").content.decode() == f"{depth + 2} {people.acme.pk} owner"


def test_a_query_outside_a_tenants_context_raises(alice: Client) -> None:
    with pytest.raises(TenantNotSet):
        alice.get("/forgetful/")


def test_a_query_in_the_tenants_context_sees_the_tenants_rows(alice: Client, people: People, now: Any) -> None:
    make_contact(people.acme, now)
    make_contact(people.charlie.tenant, now)
    assert alice.get("/careful/").content.decode() == "1"


def test_the_error_page_of_such_a_view_still_comes(alice: Client) -> None:
    assert alice.get("/missing/").status_code == 404


def test_somebody_who_is_not_logged_in_is_sent_to_the_log_in(client: Client, alice: Client) -> None:
    alice.logout()
    assert alice.get("/outside/").status_code == 302
