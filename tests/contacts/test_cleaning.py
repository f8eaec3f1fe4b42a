"""One row of a list: what is taken, and what is said about the rest. And which column is which."""

from datetime import UTC, datetime

import pytest

from contacts import emails
from contacts.importing.cleaning import Cleaner, split_name, tags_of
from contacts.importing.mapping import custom_name, fold, guess, problems
from contacts.importing.words import is_nothing, moment, yes_or_no
from contacts.samples import rows as sample_rows
from contacts.spreadsheets import TRIGGERS, lines, plain, safe


def cleaned(header: str, row: list[str], **options: object):
    names = header.split(",")
    return Cleaner(guess(names, [row]) | options.pop("mapping", {}), names, **options).clean(row)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("First Name", "first_name"), ("firstName", "first_name"), ("FIRST_NAME", "first_name"), ("Vorname", "first_name"),
        ("Customer E-Mail", "email"), ("EmailAddress", "email"), ("correo electrónico", "email"), ("メールアドレス", "email"),
        ("Mobile #", "phone"), ("Cell", "phone"), ("Telefonnummer", "phone"), ("电话", "phone"), ("ZIP", "postal_code"), ("PLZ", "postal_code"),
        ("SMS opt-in", "consent_sms"), ("Do not call", "opt_out_voice"), ("Unsubscribed?", "opt_out"), ("Shoe size", ""),
    ],
)  # fmt: skip
def test_headers_are_recognised(header: str, target: str) -> None:
    assert guess([header], [])[0] == target


def test_columns_are_recognised_by_their_values_and_never_twice() -> None:
    found = guess(
        ["Kontakt", "Email", "E-mail", "Nummer"], [["a@x.example", "b@x.example", "c@x.example", "212-555-0100"]]
    )
    assert found == {0: "", 1: "email", 2: "alternative_email", 3: "phone"}


def test_a_name_beside_a_first_name_is_the_last_name() -> None:
    assert guess(["Name", "Vorname"], []) == {0: "last_name", 1: "first_name"}


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({0: "first_name"}, "cannot be reached|can be reached"),
        ({0: "email", 1: "email"}, "Two columns"),
        ({0: "email", 1: "custom:"}, "give the new field a name"),
        ({0: "email", 1: "is_admin"}, "give the new field a name"),
        ({0: "email", 9: "phone"}, "no column 10"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(mapping: dict[int, str], sentence: str) -> None:
    import re

    assert re.search(sentence, " ".join(problems(mapping, 2)))


def test_custom_names_are_tidied() -> None:
    assert (custom_name("custom:  Shoe  size "), custom_name("custom:" + "x" * 61), custom_name("email")) == (
        "Shoe size",
        "",
        "",
    )
    assert fold(" Last-Name* ") == "last name"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("ANN@X.Example ", "ann@x.example"), ("Ann <ann@x.example>", "ann@x.example"), ("mailto:a@x.example", "a@x.example"),
     ("a@münchen.example", "a@xn--mnchen-3ya.example"), ("o'neil+tag@x.co.example", "o'neil+tag@x.co.example")],
)  # fmt: skip
def test_emails_are_cleaned(raw: str, clean: str) -> None:
    assert emails.normalise(raw) == clean


@pytest.mark.parametrize("raw", ["x", "@x.example", "a@", "a b@x.example", "a@@x.example", "a@x", "a@x..example", ".a@x.example",
                                 "a@-x.example", "a@x.123", "a@" + "x" * 64 + ".example", "a" * 65 + "@x.example",
                                 "a@x.example\nBcc: b@x.example"])  # fmt: skip
def test_what_is_no_email_is_refused(raw: str) -> None:
    with pytest.raises(emails.NotAnEmail, match=r"\.$"):
        emails.normalise(raw)


def test_a_bad_phone_costs_the_phone_and_not_the_person() -> None:
    person, found = cleaned("Email,Phone", ["a@x.example", "12"])
    assert person is not None
    assert person.texts == {"email": "a@x.example"}
    assert [(problem.column, problem.value, problem.fatal) for problem in found] == [("Phone", "12", False)]


def test_a_row_without_any_address_is_refused_with_all_its_reasons() -> None:
    person, found = cleaned("Name,Email,Phone", ["Ann", "nope", "12"])
    assert person is None
    assert [problem.column for problem in found] == ["Email", "Phone", ""]
    assert all(problem.fatal for problem in found)


def test_a_row_with_too_many_cells_is_refused_and_one_with_too_few_is_not() -> None:
    assert cleaned("Email,Name", ["a@x.example", "Lee", "Ann"])[0] is None
    assert cleaned("Email,Name", ["a@x.example", "Lee", " ", ""])[0] is not None
    assert cleaned("Email,Name,City", ["a@x.example"])[0] is not None


def test_the_row_s_own_country_reads_its_phone() -> None:
    person, _ = cleaned("Phone,Country", ["020 7946 0958", "United Kingdom"])
    assert person is not None
    assert (person.texts["phone"], person.texts["country"], person.zones) == ("+442079460958", "GB", ("Europe/London",))


@pytest.mark.parametrize(
    ("cell", "agreed", "refused", "remarks"),
    [
        ("yes", ["sms"], [], 0),
        ("X", ["sms"], [], 0),
        ("no", [], ["sms"], 0),
        ("", [], [], 0),
        ("N/A", [], [], 0),
        ("perhaps", [], ["sms"], 1),
    ],
)
def test_only_a_clear_yes_is_consent(cell: str, agreed: list[str], refused: list[str], remarks: int) -> None:
    person, found = cleaned("Phone,SMS consent", ["2125550100", cell])
    assert person is not None
    assert (person.agreed, person.refused, len(found)) == (agreed, refused, remarks)


def test_an_unclear_opt_out_is_an_opt_out() -> None:
    person, _ = cleaned("Email,Unsubscribed", ["a@x.example", "perhaps"])
    assert person is not None
    assert person.opted_out == ["sms", "email", "voice"]


def test_what_everybody_agreed_to_does_not_overrule_a_person_s_no() -> None:
    person, _ = cleaned("Email,Email consent,Phone", ["a@x.example", "no", "2125550100"], stated=("email", "sms"))
    assert person is not None
    assert person.agreed == ["sms"]


def test_consent_carries_its_day_its_place_and_a_hash_of_the_row() -> None:
    person, _ = cleaned("Email,Email consent,Consent date,Consent source", ["a@x.example", "ja", "3/4/2026", "Fair"])
    assert person is not None
    assert (person.agreed_at, person.agreed_where, len(person.evidence)) == (
        datetime(2026, 3, 4, tzinfo=UTC),
        "Fair",
        64,
    )


def test_long_values_are_cut_and_it_is_said() -> None:
    person, found = cleaned("Email,First name", ["a@x.example", "A" * 120])
    assert person is not None
    assert len(person.texts["first_name"]) == 100
    assert "100 characters" in found[0].message


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Ann Lee", ("Ann", "Lee")),
        ("Lee, Ann", ("Ann", "Lee")),
        ("Cher", ("Cher", "")),
        ("Ana de la Cruz", ("Ana", "de la Cruz")),
    ],
)
def test_full_names_are_parted(full: str, parts: tuple[str, str]) -> None:
    assert split_name(full) == parts


def test_tags_are_parted_once_each() -> None:
    assert tags_of(" a; b,a |c d ,, ") == ["a", "b", "c d"]


@pytest.mark.parametrize(("cell", "value"), [("Yes", True), ("✓", True), ("nein", False), ("", None), ("null", None)])
def test_yes_and_no_in_words(cell: str, value: bool | None) -> None:
    assert yes_or_no(cell) is value


@pytest.mark.parametrize(
    ("cell", "month_first", "day"),
    [("2026-04-03", True, (4, 3)), ("4/3/2026", True, (4, 3)), ("4/3/2026", False, (3, 4)), ("3.4.2026", True, (4, 3)), ("Apr 3, 2026", False, (4, 3)),
     ("2026-04-03T23:30:00-05:00", True, (4, 4))],
)  # fmt: skip
def test_days_are_read(cell: str, month_first: bool, day: tuple[int, int]) -> None:
    found = moment(cell, month_first=month_first)
    assert (found.month, found.day, found.tzinfo) == (*day, UTC)


@pytest.mark.parametrize("cell", ["soon", "13/13/2026", "1/1/0001", ""])
def test_what_is_no_day_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        moment(cell, month_first=True)


def test_a_filled_cell_may_say_nothing() -> None:
    assert [is_nothing(cell) for cell in ("N/A", "#REF!", "-", "Nan Lee", "0")] == [True, True, True, False, False]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_no_cell_that_goes_out_is_a_formula(trigger: str) -> None:
    cell = f"{trigger}cmd|' /C calc'!A0"
    assert safe(cell).startswith("'")
    assert lines([[cell]]).lstrip('"').startswith("'")


@pytest.mark.parametrize("trigger", [trigger for trigger in TRIGGERS if trigger != "\x00"])
def test_what_we_exported_comes_back_as_it_was(trigger: str) -> None:
    assert plain(safe(f"{trigger}1+1")) == f"{trigger}1+1"


def test_ordinary_cells_go_out_untouched() -> None:
    assert safe("O'Neil - 3=3") == "O'Neil - 3=3"
    assert plain("'tis") == "'tis"


def test_the_sample_list_is_clean_and_awake_at_every_hour() -> None:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    header, *body = sample_rows()
    cleaner = Cleaner(guess(header, body), header)
    people = [cleaner.clean(row) for row in body]
    assert len(people) >= 40
    assert all(person is not None and not found for person, found in people)
    for hour in range(24):
        at = datetime(2026, 11, 18, tzinfo=UTC) + timedelta(hours=hour)
        awake = [
            p
            for p, _ in people
            if p and p.agreed and all(8 <= at.astimezone(ZoneInfo(zone)).hour < 21 for zone in p.zones)
        ]
        assert len(awake) >= 3, hour
