"""What publishing refuses, as tables. No database."""

import itertools

import pytest

from sequences.moving import Stop, destinations
from sequences.problems import DraftValues, StepValues, problems
from sequences.review import word_diff

KNOWN = ("first_name", "last_name", "company", "tags", "custom.size", "custom['shoe size']")
GOOD = StepValues("a", "sms", body="Hello {{ first_name }}")


def draft(*steps, **more):
    joined = [(a.key, b.key) for a, b in itertools.pairwise(steps) if not (a.kind == "exit" and a.enabled)]
    return DraftValues(tuple(steps), tuple(joined), **more)


def step(kind, **fields):
    return StepValues("s", kind, **fields)


def wait(**config):
    return StepValues("s", "wait", config=config)


@pytest.mark.parametrize(
    ("steps", "field", "said"),
    [
        ((), "steps", "no step yet"),
        ((StepValues("a", "sms", body="x", enabled=False),), "steps", "switched off"),
        ((wait(days=1),), "steps", "No step does anything"),
        ((step("sms", body="  "),), "body", "text is empty"),
        ((step("email", subject="Hi", body=""),), "body", "email is empty"),
        ((step("email", subject=" ", body="x"),), "subject", "no subject"),
        ((step("email", subject="a\nb", body="x"),), "subject", "one line"),
        ((step("voice", body="x"),), "first_message", "first words"),
        ((step("voice", body="x", config={"first_message": "y" * 601}),), "first_message", "600"),
        ((step("sms", body="x" * 1601),), "body", "Too long"),
        ((step("task"),), "name", "what is to be done"),
        ((GOOD, wait()), "days", "takes no time"),
        ((GOOD, wait(days=0, hours=0, minutes=0, at="")), "days", "takes no time"),
        ((GOOD, wait(days=-1)), "days", "positive"),
        ((GOOD, wait(days="two")), "days", "positive"),
        ((GOOD, wait(days=400)), "days", "a year"),
        ((GOOD, wait(days=1, at="9 am")), "at", "not a time"),
        ((step("sms", body="{{ first_nam }}"),), "body", "Did you mean “first_name”?"),
        ((step("sms", body="{{ first_name | default: 'you' }} {{ zzz | default: '' }}"),), "body", "“zzz”"),
        ((step("sms", body="{% if custom.sise %}x{% endif %}"),), "body", "custom.size"),
        ((step("sms", body="Hello {{ first_name"),), "body", "cannot be read"),
        ((step("sms", body="{% if first_name %}x"),), "body", "endif"),
        ((step("sms", body="{% for i in (1..9) %}x{% endfor %}"),), "body", "range"),
        ((step("email", subject="{{ compny }}", body="x"),), "subject", "company"),
        ((step("voice", config={"first_message": "{{ nme }}"}, body="x"),), "first_message", "nme"),
    ],
)
def test_a_draft_is_refused_with_the_field_named(steps, field, said):
    found = [each for each in problems(draft(*steps), KNOWN) if not each.warning]
    assert [each.field for each in found] == [field]
    assert said in found[0].message


@pytest.mark.parametrize(
    "steps",
    [
        (GOOD,),
        (GOOD, wait(days=1), StepValues("b", "email", subject="Hi", body="Text {{ company | default: 'you' }}")),
        (GOOD, wait(days=0, at="09:00")),
        (GOOD, StepValues("x", "exit")),
        (step("voice", body="Be kind.", config={"first_message": "Hi {{ first_name }}"}),),
        (step("task", name="Send the brochure"),),
        (step("sms", body="{{ custom['shoe size'] }} {{ tags.size }} {{ tags[0] }}"),),
        (GOOD, StepValues("b", "sms", body="", enabled=False)),
        (GOOD, StepValues("x", "exit", enabled=False), StepValues("b", "sms", body="Later")),
    ],
)
def test_a_good_draft_has_no_problem(steps):
    assert problems(draft(*steps), KNOWN) == ()


def test_a_step_behind_an_exit_is_unreachable_and_named():
    found = problems(draft(GOOD, StepValues("x", "exit"), StepValues("b", "sms", body="Never")), KNOWN)
    assert [(each.step_key, each.warning) for each in found] == [("b", False)]


def test_the_place_of_a_problem_is_told():
    (found,) = problems(draft(step("sms", body="Hello\nfirst_nam {{ first_nam }}")), KNOWN)
    assert (found.line, found.column) == (2, 14)


def test_mail_needs_a_postal_address():
    mail = step("email", subject="Hi", body="x")
    (found,) = problems(draft(mail, postal_address=False), KNOWN)
    assert (found.field, found.warning) == ("postal_address", False)


def test_a_channel_without_an_account_is_a_warning_not_a_refusal():
    (found,) = problems(draft(GOOD, senders=frozenset({"email"})), KNOWN)
    assert (found.field, found.warning) == ("senders", True)
    assert "texts" in found.message


def stops(text, start):
    """ "Ab-" : capitals are texts, small letters waits; ids count from start."""
    return tuple(Stop(start + n, letter, "wait" if letter.islower() else "sms") for n, letter in enumerate(text))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("ABC", "ABC", {"A": "A", "B": "B", "C": "C"}),
        ("ABC", "AC", {"A": "A", "B": "C", "C": "C"}),
        ("ABC", "AB", {"A": "A", "B": "B", "C": None}),
        ("AB", "AX", {"A": "A", "B": "X"}),
        ("A", "X", {"A": "X"}),
        ("AB", "XY", {"A": "X", "B": "X"}),
        ("AB", "AXB", {"A": "A", "B": "B"}),
        ("AB", "", {"A": None, "B": None}),
        # B now stands before A, which its people had: they would get A again, so their way ends.
        ("AB", "BA", {"A": "A", "B": None}),
        ("ABC", "BAC", {"A": "A", "B": "C", "C": "C"}),
        # A wait may be waited again; only what is felt is kept from coming twice.
        ("AwB", "ABw", {"A": "A", "w": "w", "B": "B"}),
    ],
)
def test_people_under_way_go_on_where_nothing_comes_twice(old, new, expected):
    target = {stop.id: stop.key for stop in stops(new, 100)}
    before = {stop.id: stop.key for stop in stops(old, 1)}
    found = {
        before[step]: target.get(place) for step, (place, _) in destinations(stops(old, 1), stops(new, 100)).items()
    }
    assert found == expected


def test_a_step_that_was_switched_off_was_not_felt():
    old = (Stop(1, "A", "sms", enabled=False), Stop(2, "B", "sms"))
    new = (Stop(11, "B", "sms"), Stop(12, "A", "sms"))
    assert destinations(old, new)[2] == (11, True)


@pytest.mark.parametrize(
    ("old", "new", "gone", "came"),
    [
        ("same", "same", "", ""),
        ("", "new", "", "new"),
        ("Hello Pat", "Hello dear Pat", "", "dear"),
        ("a b", "a c", "b", "c"),
        ("a b\n\nc", "a\n\nc d", "b", "d"),
    ],
)
def test_a_difference_is_told_word_by_word_and_holds_both_texts(old, new, gone, came):
    pieces = word_diff(old, new)
    assert "".join(text for op, text in pieces if op != "ins") == old
    assert "".join(text for op, text in pieces if op != "del") == new
    assert "".join(text for op, text in pieces if op == "del").strip() == gone
    assert "".join(text for op, text in pieces if op == "ins").strip() == came
