"""Every way in asks for the same signature: pages, API, admin, tasks; and what the pages show. Written consent included."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse

from contacts.importing import jobs, passes
from contacts.models import Consent, Contact, ImportJob
from contacts.tasks import run_import
from omnify.tenants import signatures
from omnify.tenants.actions import create_api_key
from omnify.tenants.approvals import Refused, ask, sign
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Approval, Membership, Tenant, User
from omnify.tenants.signatures import NeedsSignature
from sequences.models import Enrollment, Sequence
from tests.making import People, make_contact, make_member, make_sequence

pytestmark = pytest.mark.django_db
TWO = ((2, timedelta(hours=1)),)
LIST = "First name,Email,Phone,State,SMS consent\nAnn,ann@x.example,(212) 555-0100,NY,yes\n"


@pytest.fixture(autouse=True)
def _small_house(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(signatures, "MOST_RECIPIENTS", TWO)
    monkeypatch.setattr("sequences.approving.MOST_RECIPIENTS", TWO)
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def mia(people: People) -> Membership:
    return make_member(people.acme, "mia", "manager")


def client_of(member: Membership) -> Client:
    client = Client()
    user: AbstractBaseUser = member.user
    client.force_login(user)
    return client


@pytest.fixture
def three(people: People, now: datetime) -> list[Contact]:
    return [make_contact(people.acme, now) for _ in range(3)]


@pytest.fixture
def sequence(people: People, now: datetime) -> Sequence:
    return make_sequence(people.acme, now)


def enrolled(people: People) -> int:
    with tenant_context(people.acme.pk):
        return int(Enrollment.objects.count())


def waiting(people: People) -> Approval:
    with tenant_context(people.acme.pk):
        return Approval.objects.get(decision="")


def test_the_page_asks_waits_and_is_signed_by_somebody_else(
    people: People, mia: Membership, sequence: Sequence, three: list[Contact]
) -> None:
    bob, manager = client_of(people.bob), client_of(mia)
    answer = bob.post(reverse("sequences:enroll", args=[sequence.public_id]), {"who": "all"})
    row = waiting(people)
    assert answer["Location"] == reverse("tenants:approval", args=[row.public_id])
    assert row.title in bob.get(reverse("sequences:enroll", args=[sequence.public_id])).content.decode()
    page = bob.get(answer["Location"]).content.decode()
    assert "It waits for a second signature." in page
    assert 'value="sign"' not in page
    decide = reverse("tenants:approval_decide", args=[row.public_id])
    bob.post(decide, {"decision": "sign", "phrase": row.phrase})
    assert enrolled(people) == 0
    assert "Waiting for your signature" in manager.get(reverse("tenants:approvals")).content.decode()
    assert 'value="sign"' in manager.get(answer["Location"]).content.decode()
    assert manager.get(decide).status_code == 405
    manager.post(decide, {"decision": "sign"})
    assert enrolled(people) == 3
    manager.post(decide, {"decision": "sign"})
    assert enrolled(people) == 3
    assert "Signed by Mia" in bob.get(answer["Location"]).content.decode()
    assert manager.post(decide, {"decision": "applaud"}).status_code == 400


def test_a_stranger_and_a_viewer_decide_nothing(
    people: People, mia: Membership, sequence: Sequence, three: list[Contact]
) -> None:
    vera = make_member(people.acme, "vera", "viewer")
    client_of(people.bob).post(reverse("sequences:enroll", args=[sequence.public_id]), {"who": "all"})
    decide = reverse("tenants:approval_decide", args=[waiting(people).public_id])
    assert client_of(people.charlie).post(decide, {"decision": "sign"}).status_code == 404
    assert client_of(vera).post(decide, {"decision": "sign"}).status_code == 403
    assert waiting(people).decision == ""


def test_the_api_answers_202_enrols_nobody_and_cannot_sign(
    people: People, mia: Membership, sequence: Sequence, three: list[Contact], now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        _, key = create_api_key(name="CRM", role="owner", by=people.alice, now=now)
    headers = {"authorization": f"Bearer {key}"}
    body = {"sequence": str(sequence.public_id), "contacts": [str(each.public_id) for each in three]}
    client = Client()
    answer = client.post("/api/v1/enrolments/", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["decision"]) == (202, "waiting")
    assert enrolled(people) == 0
    again = client.post("/api/v1/enrolments/", body, content_type="application/json", headers=headers)
    assert again.json()["id"] == answer.json()["id"]
    for contact in three[:2]:  # one by one: the third is one too many
        assert client.post(
            "/api/v1/enrolments/", body | {"contacts": [str(contact.public_id)]}, content_type="application/json", headers=headers
        ).status_code == 200  # fmt: skip
    last = body | {"contacts": [str(three[2].public_id)]}
    assert client.post("/api/v1/enrolments/", last, content_type="application/json", headers=headers).status_code == 202
    where = f"/api/v1/approvals/{answer.json()['id']}/"
    for method in ("post", "patch", "put", "delete"):
        assert getattr(client, method)(where, {}, content_type="application/json", headers=headers).status_code == 405
    decide = reverse("tenants:approval_decide", args=[answer.json()["id"]])
    assert client.post(decide, {"decision": "sign"}, headers=headers).status_code in (302, 403, 404)
    assert client.get(where, headers=headers).json()["decision"] == "waiting"
    with tenant_context(people.acme.pk):
        sign(Approval.objects.get(public_id=answer.json()["id"]), by=mia, now=now)
    assert client.get(where, headers=headers).json()["decision"] == "signed"
    assert enrolled(people) == 3


def test_the_admin_asks_as_the_pages_do_and_has_no_field_for_caps(people: People, mia: Membership) -> None:
    User.objects.filter(pk=people.alice.user_id).update(is_staff=True, is_superuser=True)
    people.alice.user.refresh_from_db()
    staff, where = client_of(people.alice), reverse("admin:tenants_tenant_change", args=[people.acme.pk])
    form = staff.get(where).context["adminform"].form
    assert "caps" not in form.fields
    values = {name: form.initial.get(name) for name in form.fields}
    values |= {
        "business_hours": '{"days": [0, 1, 2, 3, 4, 5, 6], "start": "00:00", "end": "23:59"}',
        "brand_profile": "{}",
    }
    values |= {"approved_facts": "[]", "sending_mode": "live", "two_signatures": ""}
    answer = staff.post(where, values)
    row = waiting(people)
    assert answer["Location"] == reverse("tenants:approval", args=[row.public_id])
    present = Tenant.objects.get(pk=people.acme.pk)
    assert (present.sending_mode, present.two_signatures) == ("simulated", True)
    page = reverse("admin:tenants_approval_change", args=[row.pk])
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"decision": "signed"}).status_code == 403
    assert waiting(people).pk == row.pk


def test_the_settings_pages_ask_too(people: People, mia: Membership, sequence: Sequence) -> None:
    alice = client_of(people.alice)
    alice.post(reverse("tenants:signatures"), {"wanted": "no"})
    assert waiting(people).title.endswith("no second signatures any more")
    form = {"name": "Acme", "timezone": "America/New_York", "days": ["0"], "start": "05:00", "end": "23:00"}
    assert "/approvals/" in alice.post(reverse("tenants:settings"), form)["Location"]
    alice.post(reverse("sequences:limits"), {"all_day": "3"})
    assert "/approvals/" in alice.post(reverse("sequences:limits"), {"all_day": "4"})["Location"]
    page = alice.get(reverse("sequences:settings", args=[sequence.public_id])).context["form"]
    seen = page.initial["seen"] if page.initial.get("seen") else page["seen"].value()
    wide = {"name": "Welcome", "days": ["0", "6"], "start": "01:00", "end": "23:00", "on_reply": "pause", "seen": seen}
    assert "/approvals/" in alice.post(reverse("sequences:settings", args=[sequence.public_id]), wide)["Location"]
    with tenant_context(people.acme.pk):
        assert {row.kind for row in Approval.objects.all()} == {"settings", "limits", "hours"}
        present = Tenant.objects.get(pk=people.acme.pk)
        assert present.two_signatures
        assert present.caps == {"person": {"all": {"day": 3}}}


# --- written consent ----------------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(people: People, now: datetime, tmp_path: Path) -> Callable[..., ImportJob]:
    def make(consent: dict[str, Any], content: str = LIST) -> ImportJob:
        path = tmp_path / "upload.csv"
        path.write_text(content)
        with tenant_context(people.acme.pk):
            job = jobs.start_upload(path, file_name="list.csv", by=people.bob, now=now)
            chosen = {int(index): target for index, target in job.mapping.items()}
            jobs.set_mapping(
                job, chosen, consent=consent, duplicates="update", region="US", tags=[], by=people.bob, now=now
            )
            jobs.start_review(job, by=people.bob, now=now)
        passes.run(people.acme.pk, job.pk, now=now)
        with tenant_context(people.acme.pk):
            job.refresh_from_db()
        assert job.state == "reviewed"
        return job

    return make


COLUMN = {"basis": "column", "source": "Sign-up form"}


@pytest.mark.parametrize(
    ("consent", "waits"),
    [
        (COLUMN, True),
        ({"basis": "stated", "channels": {"voice": "pewc_artificial_voice"}, "source": "Form"}, True),
        ({"basis": "stated", "channels": {"sms": "prior_express", "email": "email_optin"}, "source": "Form"}, False),
        ({"basis": "none"}, False),
    ],
)
def test_written_consent_is_imported_after_a_second_signature_only(
    people: People,
    mia: Membership,
    reviewed: Callable[..., ImportJob],
    now: datetime,
    consent: dict[str, Any],
    waits: bool,
) -> None:
    job = reviewed(consent)
    answer = client_of(people.bob).post(reverse("contacts:import_run", args=[job.public_id]))
    run_import(people.acme.pk, job.pk)  # a task that somebody starts by hand does not get around it
    with tenant_context(people.acme.pk):
        job.refresh_from_db()
        assert job.state == ("reviewed" if waits else "done")
        assert Contact.objects.count() == (0 if waits else 1)
        if not waits:
            assert not Approval.objects.exists()
            return
        assert "/approvals/" in answer["Location"]
        row = Approval.objects.get()
        with pytest.raises(Refused):
            sign(row, by=people.bob, typed=row.phrase, now=now)
        assert sign(row, by=mia, now=now).outcome == "The import has begun."
    run_import(people.acme.pk, job.pk)
    with tenant_context(people.acme.pk):
        assert Consent.objects.filter(kind__startswith="pewc").count() == 1


def test_a_list_that_was_mapped_anew_is_another_one(
    people: People, mia: Membership, reviewed: Callable[..., ImportJob], now: datetime
) -> None:
    job = reviewed(COLUMN)
    with tenant_context(people.acme.pk):
        with pytest.raises(NeedsSignature) as caught:
            jobs.start_import(job, by=people.bob, now=now)
        row = ask(caught.value.wanted, by=people.bob, now=now)
        chosen = {int(index): target for index, target in job.mapping.items()}
        worse = {
            "basis": "stated",
            "channels": {"sms": "pewc_text", "voice": "pewc_artificial_voice"},
            "source": "They said so",
        }
        jobs.set_mapping(job, chosen, consent=worse, duplicates="update", region="US", tags=[], by=people.bob, now=now)
        with pytest.raises(Refused, match="any more"):
            sign(row, by=mia, now=now)  # not reviewed at all
        jobs.start_review(job, by=people.bob, now=now)
    passes.run(people.acme.pk, job.pk, now=now + timedelta(minutes=1))
    with tenant_context(people.acme.pk):
        assert Approval.objects.get().decision == "changed"
        with pytest.raises(NeedsSignature):
            jobs.start_import(job, by=people.bob, now=now, approval=row)
        assert Contact.objects.count() == 0


def test_a_loop_over_the_api_is_a_list_in_disguise(
    people: People, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contacts import pacing

    three = [make_contact(people.acme, now, consents=()) for _ in range(3)]
    monkeypatch.setattr(pacing, "MOST", 2)
    with tenant_context(people.acme.pk):
        _, key = create_api_key(name="CRM", role="agent", by=people.alice, now=now)
    said = []
    for contact in three:
        body = {"channel": "sms", "kind": "pewc_text", "text_shown": "I agree to texts.", "source": "a form"}
        said.append(
            Client().post(
                f"/api/v1/contacts/{contact.public_id}/consents/",
                body,
                content_type="application/json",
                headers={"authorization": f"Bearer {key}"},
            )
        )
    assert [each.status_code for each in said] == [201, 201, 409]
    assert "import it" in said[-1].json()["detail"]
    with tenant_context(people.acme.pk):
        pacing.keep_pace("email_optin", now)  # mail needs no written consent
        Tenant.objects.filter(pk=people.acme.pk).update(two_signatures=False)
        pacing.keep_pace("pewc_text", now)
