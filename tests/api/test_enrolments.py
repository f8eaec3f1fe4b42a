"""Sequences and enrolments over the API."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.models import Enrollment, Sequence
from tests.api.conftest import Caller
from tests.making import People, make_contact, make_enrollment, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def where(enrollment: Enrollment, verb: str = "") -> str:
    return f"/enrolments/{enrollment.sequence.public_id}/{enrollment.contact.public_id}/{verb and verb + '/'}"


def status(enrollment: Enrollment) -> str:
    with tenant_context(enrollment.tenant_id):
        return str(Enrollment.objects.get(pk=enrollment.pk).status)


@pytest.fixture
def enrollment(people: People, now: datetime) -> Enrollment:
    return make_enrollment(make_sequence(people.acme, now), make_contact(people.acme, now), now)


def test_sequences_are_listed_and_read_with_their_published_steps(people: People, api: Caller, now: datetime) -> None:
    sequence = make_sequence(people.acme, now, {"kind": "sms"}, {"kind": "email", "subject": "Hi"})
    make_sequence(people.charlie.tenant, now, name="Theirs")
    (row,) = api.get("/sequences/").json()["results"]
    assert (row["id"], row["status"], row["published_version"]) == (str(sequence.public_id), "active", 1)
    found = api.get(f"/sequences/{sequence.public_id}/").json()
    assert [step["kind"] for step in found["steps"]] == ["sms", "email"]
    assert api.get("/sequences/", status="draft").json()["results"] == []
    assert api.get("/sequences/", status="flying").status_code == 400


def test_a_sequence_cannot_be_changed_over_the_api(people: People, api: Caller, now: datetime) -> None:
    sequence = make_sequence(people.acme, now)
    for method in ("post", "patch"):
        response = getattr(api, method)(f"/sequences/{sequence.public_id}/", {"name": "Mine"})
        assert response.status_code == 405
        assert response.json()["title"] == "This address does not do that."


def test_enrolling_says_how_many_came_in_and_why_the_others_did_not(people: People, api: Caller, now: datetime) -> None:
    sequence = make_sequence(people.acme, now)
    fine, silent = make_contact(people.acme, now), make_contact(people.acme, now, consents=())
    theirs = make_contact(people.charlie.tenant, now)
    wanted = [str(each) for each in (fine.public_id, fine.public_id, silent.public_id, theirs.public_id, uuid4())]
    response = api.post("/enrolments/", {"sequence": str(sequence.public_id), "contacts": wanted})
    assert response.json() == {"enrolled": 1, "skipped": {"no_consent": 1, "unknown": 2}}
    with tenant_context(people.acme.pk):
        assert Enrollment.objects.get().contact_id == fine.pk
        assert Event.objects.get(kind="sequence.enrolled").actor == f"key:{api.row.pk}"
    again = api.post("/enrolments/", {"sequence": str(sequence.public_id), "contacts": wanted[:1]})
    assert again.json() == {"enrolled": 0, "skipped": {"already_in": 1}}


def test_a_draft_takes_nobody_and_says_what_to_do(people: People, api: Caller, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        sequence = Sequence.objects.create(name="Draft")
    response = api.post("/enrolments/", {"sequence": str(sequence.public_id), "contacts": [str(contact.public_id)]})
    assert response.status_code == 409
    assert "has no published version yet" in response.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contacts": []}, "contacts"),
        ({"contacts": ["x"]}, "contacts"),
        ({"contacts": "all"}, "contacts"),
        ({"contacts": [str(uuid4())] * 1001}, "contacts"),
        ({"sequence": "x"}, "sequence"),
        ({"sequence": str(uuid4())}, "sequence"),
        ({"force": True}, "force"),
        ({"status": "completed"}, "status"),
    ],
)
def test_an_unclear_enrolment_is_refused(people: People, api: Caller, now: datetime, changes: Any, field: str) -> None:
    sequence, contact = make_sequence(people.acme, now), make_contact(people.acme, now)
    given = {"sequence": str(sequence.public_id), "contacts": [str(contact.public_id)]} | changes
    response = api.post("/enrolments/", given)
    assert response.status_code == 400
    assert field in response.json()["errors"]
    with tenant_context(people.acme.pk):
        assert Enrollment.objects.count() == 0


def test_a_strangers_sequence_takes_nobody_of_ours(
    people: People, stranger: Caller, api: Caller, now: datetime
) -> None:
    sequence, contact = make_sequence(people.acme, now), make_contact(people.charlie.tenant, now)
    given = {"sequence": str(sequence.public_id), "contacts": [str(contact.public_id)]}
    assert stranger.post("/enrolments/", given).status_code == 400
    with tenant_context(people.acme.pk):
        assert Enrollment.objects.count() == 0


def test_a_person_is_paused_resumed_and_taken_out(api: Caller, enrollment: Enrollment) -> None:
    assert api.get(where(enrollment)).json()["status"] == "active"
    for verb, then in (("pause", "paused"), ("resume", "active"), ("cancel", "exited")):
        response = api.post(where(enrollment, verb))
        assert (response.status_code, response.json()["status"], status(enrollment)) == (200, then, then)
    with tenant_context(enrollment.tenant_id):
        kinds = set(Event.objects.filter(subject_id=enrollment.pk).values_list("kind", "actor"))
    actor = f"key:{api.row.pk}"
    assert {("enrollment.paused", actor), ("enrollment.resumed", actor), ("enrollment.exited", actor)} <= kinds


@pytest.mark.parametrize(
    ("state", "verb"), [("active", "resume"), ("paused", "pause"), ("exited", "cancel"), ("completed", "pause")]
)
def test_what_the_state_does_not_allow_is_a_conflict_that_names_the_state(
    api: Caller, enrollment: Enrollment, state: str, verb: str
) -> None:
    with tenant_context(enrollment.tenant_id):
        Enrollment.objects.filter(pk=enrollment.pk).update(status=state, status_reason="by_hand")
    response = api.post(where(enrollment, verb))
    assert response.status_code == 409
    assert f"it is {state} (by hand)" in response.json()["detail"]
    assert status(enrollment) == state


@pytest.mark.parametrize("verb", ["", "pause", "resume", "cancel"])
def test_a_stranger_finds_no_enrolment(stranger: Caller, enrollment: Enrollment, verb: str) -> None:
    ask = stranger.post if verb else stranger.get
    assert ask(where(enrollment, verb)).status_code == 404
    assert status(enrollment) == "active"


def test_enrolments_are_listed_by_sequence_or_person(people: People, api: Caller, enrollment: Enrollment) -> None:
    sequence, contact = str(enrollment.sequence.public_id), str(enrollment.contact.public_id)
    for query in ({"sequence": sequence}, {"contact": contact}, {"sequence": sequence, "status": "active"}):
        (row,) = api.get("/enrolments/", **query).json()["results"]
        assert (row["sequence"], row["contact"], row["version"]) == (sequence, contact, 1)
    assert api.get("/enrolments/", sequence=sequence, status="paused").json()["results"] == []
    assert [api.get("/enrolments/").status_code, api.get("/enrolments/", contact="x").status_code] == [400, 400]
    assert api.get("/enrolments/", contact=str(uuid4())).status_code == 404


def test_a_page_of_enrolments_costs_the_same_for_one_and_for_many(
    people: People, api: Caller, enrollment: Enrollment, now: datetime
) -> None:
    query = {"sequence": str(enrollment.sequence.public_id)}
    api.get("/enrolments/", **query)
    with CaptureQueriesContext(connection) as one:
        api.get("/enrolments/", **query)
    for _ in range(15):
        make_enrollment(enrollment.sequence, make_contact(people.acme, now), now)
    with CaptureQueriesContext(connection) as many:
        assert len(api.get("/enrolments/", **query).json()["results"]) == 16
    assert len(one) == len(many)
