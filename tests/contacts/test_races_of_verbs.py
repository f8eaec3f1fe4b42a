"""Where two do the same at once, the second is told so in words, and nothing is half done."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contacts import actions
from contacts.actions import EmailTaken, create_contact, update_contact
from contacts.importing import sweeping
from contacts.models import Company, Contact, ImportJob
from contacts.models.imports import ImportState
from omnify.tenants.context import tenant_context
from tests.making import People, make_contact

pytestmark = pytest.mark.django_db
MAIL = "ann@people.example"


@pytest.fixture
def looked_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look for somebody with this mailbox comes before the other has committed, and sees nobody."""
    real, looks = actions._free, []

    def first_look_sees_nobody(*args: Any, **more: Any) -> None:
        looks.append(args)
        if len(looks) > 1:
            real(*args, **more)

    monkeypatch.setattr(actions, "_free", first_look_sees_nobody)


@pytest.mark.usefixtures("looked_too_early")
def test_who_comes_second_with_a_new_contact_is_told_who_came_first(people: People, now: datetime) -> None:
    first = make_contact(people.acme, now, email=MAIL)
    with tenant_context(people.acme.pk):
        with pytest.raises(EmailTaken) as taken:
            create_contact({"email": MAIL}, actor="test", now=now)
        assert taken.value.contact == first
        assert Contact.objects.count() == 1


@pytest.mark.usefixtures("looked_too_early")
def test_who_comes_second_with_a_change_is_told_who_came_first(people: People, now: datetime) -> None:
    first, other = (
        make_contact(people.acme, now, email=MAIL),
        make_contact(people.acme, now, email="bob@people.example"),
    )
    with tenant_context(people.acme.pk):
        with pytest.raises(EmailTaken) as taken:
            update_contact(other, {"email": MAIL, "first_name": "Bo"}, actor="test", now=now)
        assert taken.value.contact == first
        other.refresh_from_db()
        assert (other.email, other.first_name == "Bo") == ("bob@people.example", False)


def test_a_company_that_somebody_else_just_made_is_taken(
    people: People, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_context(people.acme.pk):
        other = Company.objects.create(name="Acme Supplies")
        looks, real = [], actions._known_company

        def first_look_sees_none(name: str) -> Company | None:
            looks.append(name)
            return real(name) if len(looks) > 1 else None

        monkeypatch.setattr(actions, "_known_company", first_look_sees_none)
        contact = create_contact({"email": MAIL, "company": "ACME supplies"}, actor="test", now=now)
        assert contact.company_id == other.pk


def test_a_list_that_is_imported_after_all_keeps_its_file(
    people: People, now: datetime, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "old.csv").write_text("Email\na@x.example\n")
    with tenant_context(people.acme.pk):
        job = ImportJob.objects.create(
            file_name="old.csv", file_path="old.csv", file_size=1, state=ImportState.REVIEWED
        )
    real = sweeping.tenant_context

    def begun_meanwhile(tenant_id: int) -> Any:
        ImportJob.objects.all_tenants().filter(pk=job.pk).update(state=ImportState.IMPORTING)
        return real(tenant_id)

    monkeypatch.setattr(sweeping, "tenant_context", begun_meanwhile)
    assert sweeping.discard(now=job.created_at + timedelta(days=8)) == 0
    assert (tmp_path / "old.csv").exists()
