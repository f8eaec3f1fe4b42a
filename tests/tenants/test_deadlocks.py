"""Two members change the same people crosswise: the database ends one of the two requests, and it is done again."""

import contextlib
import threading
from typing import Any

import pytest
from django.contrib import messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from psycopg import errors
from rest_framework.views import APIView

import omnify.urls
from contacts.models import Contact
from omnify.tenants.access import member_required, outside_transaction
from tests.making import People, make_contact

TRIED: list[Any] = []


def lose(times: int) -> None:
    """Fails as the database does for the first `times` tries."""
    if len(TRIED) <= times:
        try:
            raise errors.DeadlockDetected("deadlock detected")
        except errors.DeadlockDetected as cause:
            raise OperationalError("deadlock detected") from cause


@member_required()
def rename(request: HttpRequest) -> HttpResponse:
    TRIED.append(request.POST.get("name"))
    messages.success(request, "Renamed.")
    Contact.objects.update(first_name=f"Try {len(TRIED)}", last_name=request.POST["name"])
    lose(int(request.POST["lose"]))
    said = [str(each) for each in messages.get_messages(request)]
    return JsonResponse(said, safe=False)


@member_required()
def read(request: HttpRequest) -> HttpResponse:
    TRIED.append(request.FILES["list"].read())
    lose(1)
    return HttpResponse(TRIED[-1])


@member_required()
def faulty(request: HttpRequest) -> HttpResponse:
    TRIED.append(1)
    raise OperationalError("the disk is full")


@outside_transaction
@member_required()
def alone(request: HttpRequest) -> HttpResponse:
    TRIED.append(1)
    lose(1)
    return HttpResponse("done")


@member_required()
def both(request: HttpRequest) -> HttpResponse:
    """Takes two rows, in the order that it is told, and waits between them until the other request has its first one."""
    first, second = request.GET["first"], request.GET["second"]
    list(Contact.objects.select_for_update().filter(pk=first))
    with contextlib.suppress(threading.BrokenBarrierError):  # a second try: the other request is done already
        MEET.wait(5)
    list(Contact.objects.select_for_update().filter(pk=second))
    return HttpResponse("done")


class Api(APIView):
    def post(self, request: Any) -> Any:
        TRIED.append(request.data["name"])
        lose(1)
        return HttpResponse(request.data["name"])


MEET = threading.Barrier(2)
urlpatterns = [
    *omnify.urls.urlpatterns,
    path("api/again/", Api.as_view()),
    *(path(f"{view.__name__}/", view) for view in (rename, read, faulty, alone, both)),
]


@pytest.fixture
def alice(people: People, client: Client, settings: Any) -> Client:
    TRIED.clear()
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    client.force_login(people.alice.user)
    return client


@pytest.mark.django_db
def test_a_lost_try_leaves_nothing_behind(alice: Client, people: People, now: Any) -> None:
    contact = make_contact(people.acme, now)
    page = alice.post("/rename/", {"name": "Twice", "lose": 2})
    assert (page.status_code, TRIED) == (200, ["Twice"] * 3)
    assert page.json() == ["Renamed."]  # and not three of them
    row = Contact.objects.all_tenants().get(pk=contact.pk)
    assert (row.first_name, row.last_name) == ("Try 3", "Twice")


@pytest.mark.django_db
def test_who_loses_every_time_is_told_that_nothing_was_changed(alice: Client, people: People, now: Any) -> None:
    contact = make_contact(people.acme, now)
    page = alice.post("/rename/", {"name": "Never", "lose": 9})
    assert (page.status_code, page["retry-after"], len(TRIED)) == (503, "1", 3)
    assert "Nothing was changed" in page.content.decode()
    assert Contact.objects.all_tenants().get(pk=contact.pk).last_name == contact.last_name


@pytest.mark.django_db
def test_an_uploaded_file_is_read_again_from_its_beginning(alice: Client) -> None:
    page = alice.post("/read/", {"list": SimpleUploadedFile("people.csv", b"first_name\nPat\n")})
    assert (page.content, TRIED) == (b"first_name\nPat\n", [b"first_name\nPat\n"] * 2)


@pytest.mark.django_db
def test_another_fault_of_the_database_is_not_tried_again(alice: Client) -> None:
    assert (alice.post("/faulty/").status_code, TRIED) == (500, [1])


@pytest.mark.django_db
def test_a_view_with_transactions_of_its_own_is_not_tried_again(alice: Client) -> None:
    """It may have talked to another machine."""
    assert (alice.post("/alone/").status_code, TRIED) == (500, [1])


@pytest.mark.django_db
def test_a_request_of_the_api_is_done_again_with_its_body(alice: Client) -> None:
    page = alice.post("/api/again/", {"name": "Pat"}, content_type="application/json")
    assert (page.status_code, page.content, TRIED) == (200, b"Pat", ["Pat", "Pat"])


@pytest.mark.django_db(transaction=True)
def test_two_members_who_lock_each_other_out_are_both_served(people: People, settings: Any, now: Any) -> None:
    settings.ROOT_URLCONF = __name__
    one, two = make_contact(people.acme, now).pk, make_contact(people.acme, now).pk
    answers: list[int] = []

    def ask(first: int, second: int) -> None:
        try:
            client = Client()
            client.force_login(people.alice.user)
            answers.append(client.get("/both/", {"first": first, "second": second}).status_code)
        finally:
            connections.close_all()

    MEET.reset()
    threads = [threading.Thread(target=ask, args=pair) for pair in ((one, two), (two, one))]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert answers == [200, 200]
