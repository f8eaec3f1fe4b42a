"""A "no" to email in a list: email needs no consent, only that nobody objected, so the objection must be kept and obeyed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.importing import jobs, passes
from contacts.models import Consent, Contact, Suppression
from omnify.tenants.models import Event
from tests.contacts.conftest import COLUMN
from tests.contacts.test_cleaning import cleaned
from tests.making import make_contact

pytestmark = pytest.mark.django_db


def closed() -> dict[str, tuple[str, str, str, str]]:
    rows = Suppression.objects.filter(lifted_at__isnull=True)
    return {row.address: (row.channel, row.reason, row.source, row.quote) for row in rows}


@pytest.mark.parametrize(
    ("cell", "quote"),
    [
        ("no", "Email consent: no"),
        (" Declined ", "Email consent: Declined"),
        ("0", "Email consent: 0"),
        ("yes", ""),
        ("", ""),
        ("N/A", ""),
        ("perhaps", ""),
    ],
)
def test_only_a_clear_no_is_an_objection(cell: str, quote: str) -> None:
    person, _ = cleaned("Email,Email consent", ["a@x.example", cell])
    assert person is not None
    assert person.declined_email == quote


def test_a_no_to_texts_and_calls_forbids_nothing_more_than_the_missing_consent() -> None:
    person, _ = cleaned("Phone,SMS consent,Call consent", ["2125550100", "no", "no"])
    assert person is not None
    assert (person.refused, person.declined_email) == (["sms", "voice"], "")


def test_a_no_in_the_list_closes_the_mailbox_with_the_words_it_rests_on(imported, acme) -> None:
    job = imported("Email,Email consent\nno@x.example,no\nyes@x.example,yes\nsilent@x.example,\n", consent=COLUMN)
    assert closed() == {"no@x.example": ("email", "declined", "import", "Email consent: no")}
    told = Event.objects.get(kind="import.email_declined")
    assert (told.subject_id, told.data) == (job.pk, {"mailboxes": 1})


def test_it_counts_for_everybody_the_row_is_about_whatever_else_is_done_with_the_row(imported, acme, now) -> None:
    make_contact(acme, now, email="known@x.example", phone="+12125550109", consents=("email",))
    make_contact(acme, now, first_name="Ann", email="by-phone@x.example", phone="+12125550108")
    rows = "Bea,known@x.example,,no\nAnn,,2125550108,declined\nCyd,twice@x.example,,yes\nCyd,twice@x.example,,no\n"
    imported("First name,Email,Phone,Email consent\n" + rows, duplicates="skip", consent={"basis": "none"})
    assert set(closed()) == {"known@x.example", "by-phone@x.example", "twice@x.example"}


def test_somebody_else_with_the_same_phone_is_not_closed_with_them(imported, acme, now) -> None:
    make_contact(acme, now, first_name="Ann", email="ann@x.example", phone="+12125550108")
    imported("First name,Phone,Email consent\nBob,2125550108,no\n", consent=COLUMN)
    assert closed() == {}


def test_importing_it_again_changes_nothing_and_a_later_yes_lifts_nothing(imported, acme) -> None:
    for _ in range(2):
        imported("Email,Email consent\nann@x.example,no\n", consent=COLUMN)
    assert Suppression.objects.count() == Event.objects.filter(kind="import.email_declined").count() == 1
    imported("Email,Email consent\nann@x.example,yes\n", consent=COLUMN)
    assert set(closed()) == {"ann@x.example"}


def test_an_opt_out_keeps_its_own_reason_beside_a_no(imported, acme) -> None:
    imported("Email,Email consent,Unsubscribed\nann@x.example,no,yes\n", consent=COLUMN)
    assert closed()["ann@x.example"][1] == "opted_out"


def test_a_review_forbids_nothing_yet(reviewed, acme) -> None:
    reviewed("Email,Email consent\nann@x.example,no\n", consent=COLUMN)
    assert closed() == {}


def test_a_hundred_objections_cost_as_many_statements_as_one(reviewed, acme, people, now) -> None:
    def statements(rows: int, prefix: str) -> int:
        lines = "".join(f"{prefix}{n}@x.example,no\n" for n in range(rows))
        job = reviewed("Email,Email consent\n" + lines, consent=COLUMN)
        assert jobs.start_import(job, by=people.bob, now=now)
        with CaptureQueriesContext(connection) as asked:
            passes.run(job.tenant_id, job.pk, now=now)
        return len(asked)

    assert statements(1, "a") == statements(100, "b")
    assert (Contact.objects.count(), Consent.objects.count(), len(closed())) == (101, 0, 101)
