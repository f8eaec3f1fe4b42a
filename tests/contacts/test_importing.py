"""From a file to contacts: what is written, what is not, and what happens when something goes wrong half-way."""

import pytest
from django_q.models import OrmQ

from contacts.importing import passes
from contacts.importing.problems import error_rows
from contacts.models import Company, Consent, Contact, ImportProblem, Suppression
from omnify.tenants.models import Event, Notification
from sequences.models import Enrollment
from tests.contacts.conftest import COLUMN, LIST, counts
from tests.making import make_contact, make_enrollment, make_sequence

pytestmark = pytest.mark.django_db


def test_a_list_becomes_contacts_with_clean_addresses_companies_and_consents(imported, acme) -> None:
    job = imported(LIST, consent=COLUMN, tags=["fair"])
    assert (job.state, counts(job), job.rows_total) == ("done", (3, 0, 0, 1), 4)
    ann, bob, cyd = Contact.objects.order_by("id")
    assert (ann.email, ann.phone, ann.zones, ann.tags) == (
        "ann@x.example",
        "+12125550100",
        ["America/New_York"],
        ["fair"],
    )
    assert (bob.phone, bob.company_id, cyd.zones) == ("+14155550101", ann.company_id, ["Europe/London"])
    assert [company.name for company in Company.objects.all()] == ["Acme"]
    assert list(Consent.objects.order_by("id").values_list("contact_id", "channel", "kind", "address", "source")) == [
        (ann.pk, "sms", "pewc_text", "+12125550100", "Sign-up form"),
        (cyd.pk, "sms", "pewc_text", "+442079460102", "Sign-up form"),
    ]
    assert all(len(consent.evidence_hash) == 64 for consent in Consent.objects.all())


def test_a_review_counts_the_same_and_writes_no_contact(reviewed, acme) -> None:
    job = reviewed(LIST, consent=COLUMN)
    assert (job.state, counts(job), job.rows_total) == ("reviewed", (3, 0, 0, 1), 4)
    assert not Contact.objects.exists()
    assert not Consent.objects.exists()
    assert not Company.objects.exists()


def test_nobody_is_enrolled_by_an_import(imported, acme, now) -> None:
    make_sequence(acme, now)
    imported(LIST)
    assert not Enrollment.objects.exists()


def test_the_end_is_announced_once_and_the_file_is_gone(imported, acme, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = imported(LIST)
    assert Event.objects.filter(kind="contacts.imported", data__new=3).count() == 1
    notice = Notification.objects.get()
    assert notice.type == "import_finished"
    assert str(job.public_id) in notice.url
    assert not passes.path_of(job).exists()


def test_starting_puts_only_ids_on_the_slow_queue(reviewed, acme) -> None:
    reviewed(LIST)
    task = OrmQ.objects.get(key="slow").task
    assert task["func"] == "contacts.tasks.run_import"
    assert all(isinstance(argument, int) for argument in task["args"])


def test_refused_rows_come_back_with_every_reason_and_their_own_cells(imported, acme) -> None:
    job = imported(LIST)
    header, row = error_rows(job)[0]
    assert header[:3] == ["Row", "Reason", "First name"]
    assert row[0] == "5"
    assert "There is no @ in it." in row[1]
    assert "Too few digits" in row[1]
    assert row[2:] == ["Dee", "", "not-an-email", "12", "", "", "yes"]


def test_a_second_import_of_the_same_list_changes_counts_not_people(imported, acme) -> None:
    imported(LIST, consent=COLUMN)
    job = imported(LIST, consent=COLUMN)
    assert counts(job) == (0, 3, 0, 1)
    assert (Contact.objects.count(), Consent.objects.count()) == (3, 2)


def test_filled_cells_update_and_empty_ones_erase_nothing(imported, acme, now) -> None:
    known = make_contact(
        acme, now, email="ann@x.example", first_name="Anna", city="Albany", custom_fields={"a": "1"}, tags=["old"]
    )
    imported(
        "Email,First name,City,Plan\nann@x.example,,New York,gold\n", mapping={3: "custom:Plan"}, tags=["new", "old"]
    )
    known.refresh_from_db()
    assert (known.first_name, known.city, known.phone) == ("Anna", "New York", known.phone)
    assert (known.custom_fields, known.tags) == ({"a": "1", "Plan": "gold"}, ["old", "new"])


def test_existing_contacts_are_left_alone_where_the_importer_says_so(imported, acme, now) -> None:
    known = make_contact(acme, now, email="ann@x.example", first_name="Anna", consents=())
    job = imported(LIST, consent=COLUMN, duplicates="skip")
    known.refresh_from_db()
    assert (counts(job), known.first_name) == ((2, 0, 1, 1), "Anna")
    assert not Consent.objects.filter(contact=known).exists()


@pytest.mark.parametrize(
    ("rows", "expected", "why"),
    [
        ("Ann,a@x.example,\nAnn,A@X.example,\n", (1, 0, 1), "the same e-mail in other letters"),
        ("Ann,,2125550100\nAnn,,(212) 555-0100\n", (1, 0, 1), "the same phone written otherwise"),
        ("Ann,a@x.example,2125550100\nBob,b@x.example,2125550100\n", (2, 0, 0), "a household shares a phone"),
        ("Ann,a@x.example,2125550100\nBob,,2125550100\n", (1, 0, 1), "no e-mail of its own to tell it apart"),
        ("Ann,,2125550100\nAnn,a@x.example,2125550100\n", (1, 0, 1), "the earlier row counts"),
        (
            "Ann,a@x.example,2125550100\nBob,b@x.example,4155550101\nCyd,,4155550101\n",
            (2, 0, 1),
            "a twin of the second",
        ),
    ],
)
def test_each_person_of_a_file_comes_in_once(imported, acme, rows, expected, why) -> None:
    job = imported("First name,Email,Phone\n" + rows)
    assert counts(job)[:3] == expected, why
    assert Contact.objects.count() == expected[0]


def test_twins_in_different_chunks_are_still_twins(imported, acme, monkeypatch) -> None:
    monkeypatch.setattr(passes, "CHUNK", 2)
    rows = "".join(f"P{n},p{n % 3}@x.example,\n" for n in range(9)) + "Q,,2125550100\nR,,2125550101\nS,,2125550100\n"
    job = imported("First name,Email,Phone\n" + rows)
    assert counts(job) == (5, 0, 7, 0)
    assert sorted(Contact.objects.values_list("first_name", flat=True)) == ["P0", "P1", "P2", "Q", "R"]
    assert ImportProblem.objects.get(job=job, row=5).message == "The same person as row 2: the earlier row counts."


def test_a_phone_alone_finds_the_contact_but_never_overwrites_another_name(imported, acme, now) -> None:
    known = make_contact(acme, now, first_name="Ann", email="ann@x.example", phone="+12125550100")
    job = imported("First name,Phone,City\nann,2125550100,Troy\nBob,2125550100,Rome\n")
    known.refresh_from_db()
    assert (known.first_name, known.city) == ("ann", "Troy")
    assert counts(job)[:3] == (0, 1, 1)
    job = imported("First name,Phone,City\nBob,2125550100,Rome\n")
    known.refresh_from_db()
    assert (counts(job)[:3], known.city) == ((0, 0, 1), "Troy")
    assert "another first name" in ImportProblem.objects.get(job=job).message


def test_a_contact_without_email_gets_the_one_its_phone_comes_with(imported, acme, now) -> None:
    known = make_contact(acme, now, first_name="Ann", email="", phone="+12125550100")
    imported("First name,Email,Phone\nAnn,ann@x.example,2125550100\n")
    known.refresh_from_db()
    assert known.email == "ann@x.example"


def test_two_rows_about_one_contact_by_email_and_by_phone_update_it_once(imported, acme, now) -> None:
    make_contact(acme, now, first_name="Ann", email="ann@x.example", phone="+12125550100")
    job = imported("First name,Email,Phone\nAnn,ann@x.example,4155550101\nAnn,,2125550100\n")
    assert counts(job)[:3] == (0, 1, 1)


def test_a_weaker_idea_of_the_place_does_not_replace_a_better_one(imported, acme, now) -> None:
    known = make_contact(acme, now, email="ann@x.example", timezone="Asia/Tokyo", zones=["Asia/Tokyo"])
    imported("Email,Phone\nann@x.example,4155550101\n")
    known.refresh_from_db()
    assert known.zones == ["Asia/Tokyo"]
    imported("Email,Time zone\nann@x.example,US/Pacific\n")
    known.refresh_from_db()
    assert (known.timezone, known.zones[0]) == ("America/Los_Angeles", "America/Los_Angeles")


def test_what_everybody_agreed_to_counts_only_where_there_is_an_address(imported, acme) -> None:
    consent = {
        "basis": "stated",
        "channels": {"sms": "prior_express", "email": "email_optin"},
        "source": "Contract",
        "text": "I agree",
    }
    imported("Email,Phone\na@x.example,\n,2125550100\n", consent=consent)
    given = list(Consent.objects.order_by("id").values_list("address", "channel", "kind", "text_shown"))
    assert given == [
        ("a@x.example", "email", "email_optin", "I agree"),
        ("+12125550100", "sms", "prior_express", "I agree"),
    ]


def test_without_a_claim_no_consent_is_written_whatever_the_columns_say(imported, acme) -> None:
    imported(LIST, consent={"basis": "none"})
    assert not Consent.objects.exists()


def test_an_opt_out_in_the_list_counts_for_new_known_and_repeated_people(imported, acme, now) -> None:
    known = make_contact(acme, now, email="known@x.example", phone="+12125550109")
    enrollment = make_enrollment(make_sequence(acme, now), known, now)
    rows = "new@x.example,2125550100,yes\nknown@x.example,,yes\nnew@x.example,4155550101,yes\nfine@x.example,,no\n"
    imported("Email,Phone,Unsubscribed\n" + rows, duplicates="skip")
    forbidden = set(Suppression.objects.filter(lifted_at__isnull=True).values_list("address", "channel"))
    assert {
        ("new@x.example", "email"),
        ("+12125550100", "sms"),
        ("+12125550100", "voice"),
        ("+14155550101", "sms"),
    } <= forbidden
    assert ("known@x.example", "email") in forbidden
    assert not any(address == "fine@x.example" for address, _ in forbidden)
    assert Event.objects.filter(kind="contact.opted_out", subject_id=known.pk).exists()
    assert enrollment.pk


def test_a_no_ends_an_earlier_consent_and_an_old_list_does_not_bring_it_back(imported, acme, now) -> None:
    ann = make_contact(acme, now, email="ann@x.example", consents=("email",))
    imported("Email,Email consent\nann@x.example,no\n", consent=COLUMN)
    assert Consent.objects.get(contact=ann).revoked_at is not None
    imported("Email,Email consent,Consent date\nann@x.example,yes,2020-01-01\n", consent=COLUMN)
    assert not Consent.objects.filter(contact=ann, revoked_at__isnull=True).exists()


def test_consent_for_one_channel_says_nothing_about_another(imported, acme, now) -> None:
    ann = make_contact(acme, now, email="ann@x.example", phone="+12125550100", consents=("sms",))
    asked = "Email,Phone,SMS consent,Email consent\n"
    imported(asked + "ann@x.example,2125550100,yes,yes\n", consent=COLUMN)
    assert Consent.objects.filter(contact=ann, channel="email", revoked_at=None).exists()
    imported(asked + "ann@x.example,2125550100,no,yes\n", consent=COLUMN)
    assert not Consent.objects.filter(contact=ann, channel="sms", revoked_at=None).exists()
    assert Consent.objects.filter(contact=ann, channel="email", revoked_at=None).count() == 1


def test_formulas_nuls_and_other_people_s_markup_are_kept_as_plain_text(imported, acme) -> None:
    imported(b"First name,Last name,Email\n=1+1,<b>x</b>\x00y,a@x.example\n")
    row = Contact.objects.get()
    assert (row.first_name, row.last_name) == ("=1+1", "<b>x</b>y")
