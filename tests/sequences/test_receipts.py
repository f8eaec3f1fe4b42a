"""Every decision in words."""

import pytest

from sequences.decisions import Reason
from sequences.receipts import remedy, sentence, short
from sequences.wording import facts_in_words, wait_in_words

NEEDS_NOTHING = {
    Reason.SENT,
    Reason.WAIT_OVER,
    Reason.TASK_CREATED,
    Reason.EXIT_STEP,
    Reason.FINISHED,
    Reason.CONTACT_DELETED,
}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("facts", [{}, None, {"channel": "sms"}, {"unheard": [1]}])
def test_every_reason_has_a_sentence_whatever_the_facts(reason, facts):
    said = sentence("wait", reason, facts)
    assert said.endswith(".")
    assert "_" not in said
    assert "{" not in said
    assert reason.value.replace("_", " ") != said.rstrip(".").lower()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_would_change_it_unless_nothing_needs_to(reason):
    assert bool(remedy(reason, {"channel": "sms"})) is (reason not in NEEDS_NOTHING)


@pytest.mark.parametrize("reason", Reason)
def test_a_chip_has_few_words(reason):
    assert 1 <= len(short(reason).split()) <= 5


STOP = {"why": "opted_out", "quote": "please stop texting me", "since": "2026-11-12T15:00:00+00:00"}


@pytest.mark.parametrize(
    ("decision", "reason", "facts", "said"),
    [
        (
            "skip",
            "suppressed",
            {"channel": "sms", **STOP},
            "Not sent: opted out of texts on 12 Nov by writing “please stop texting me”.",
        ),
        (
            "exit",
            "opted_out",
            {"suppressed": {"sms": STOP, "voice": STOP}},
            "Left the sequence: opted out of texts and calls on 12 Nov by writing “please stop texting me”.",
        ),
        ("skip", "suppressed", {"channel": "email", "why": "complaint"}, "Not sent: complained about email."),
        (
            "skip",
            "suppressed",
            {"channel": "email", "why": "declined", "quote": "Email consent: no", "since": "2026-11-12T15:00:00+00:00"},
            "Not sent: declined email in an imported list on 12 Nov (“Email consent: no”).",
        ),
        ("skip", "suppressed", {"channel": "sms", "why": "odd_one"}, "Not sent: may not be sent texts (odd one)."),
        ("skip", "no_address", {"channel": "email"}, "Not sent: there is no email address."),
        ("skip", "no_address", {"channel": "voice"}, "Not sent: there is no phone number."),
        (
            "skip",
            "no_consent",
            {"channel": "sms", "needed": ["pewc_text"], "have": []},
            "Not sent: there is no written consent to marketing texts.",
        ),
        (
            "wait",
            "quiet_hours",
            {"local": ["Wed 21:30", "Wed 18:30"], "window": "08:00 to 21:00"},
            "Not now: quiet hours: it was Wed 21:30 and Wed 18:30 there, and sending is allowed 08:00–21:00.",
        ),
        (
            "wait",
            "quiet_hours",
            {
                "rules": ["US-PA-hours", "window"],
                "why": [
                    {"rule": "US-PA-hours", "zone": "America/New_York", "local": "Sun 10:00", "hours": ""},
                    {"rule": "window", "zone": "America/New_York", "local": "Sun 10:00", "hours": ""},
                ],
            },
            "Not now: quiet hours: it was Sun 10:00 in New York, and Pennsylvania (US-PA-hours: 73 Pa. Stat. § 2241 et seq., "
            "as SB 992 of 2025 would amend it) allows nothing that day.",
        ),
        (
            "wait",
            "outside_window",
            {"why": [{"rule": "window", "zone": "Asia/Tokyo", "local": "Wed 03:30", "hours": "08:00–21:00"}]},
            "Not now: outside the sequence's hours: it was Wed 03:30 in Tokyo, and the sequence allows 08:00–21:00.",
        ),
        (
            "skip",
            "closed_country",
            {"channel": "sms", "rules": ["no-rule:DE"]},
            "Not sent: Germany has no rules in the book yet (no-rule:DE).",
        ),
        (
            "skip",
            "closed_country",
            {"channel": "voice", "rules": ["US-ME-artificial-voice"]},
            "Not sent: no calls of this kind in Maine (US-ME-artificial-voice: 10 M.R.S. § 1498).",
        ),
        ("wait", "waiting", {"for": {"days": 2, "business_days": True}}, "Waiting 2 business days."),
        (
            "handoff",
            "missing_variable",
            {"missing": ["first_name", "company"]},
            "Not sent: the text uses “first_name” and “company”, which this person does not have.",
        ),
        ("skip", "from_the_future", {}, "Skipped: from the future."),
        ("odd", "from_the_future", {}, "Odd: from the future."),
    ],
)
def test_a_receipt_reads_like_a_sentence(decision, reason, facts, said):
    assert sentence(decision, reason, facts) == said


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"days": 1}, "1 day"),
        ({"days": 2, "hours": 1, "minutes": 30}, "2 days, 1 hour and 30 minutes"),
        ({"days": 3, "business_days": True, "at": "09:00"}, "3 business days, then until 09:00"),
        ({"at": "09:00"}, "until 09:00"),
        ({}, "no time"),
    ],
)
def test_a_wait_reads_like_speech(spec, words):
    assert wait_in_words(spec) == words


def test_the_facts_are_shown_by_name_and_empty_ones_left_out():
    assert facts_in_words(
        {"channel": "sms", "zones": ["A", "B"], "quote": "", "for": {"days": 2, "at": ""}, "ok": True}
    ) == [
        ("Channel", "sms"),
        ("Zones", "A, B"),
        ("How long", "2 days"),
        ("Ok", "yes"),
    ]


def test_each_objection_is_a_fact_of_its_own() -> None:
    why = [{"rule": "US-hours", "zone": "Pacific/Honolulu", "local": "Wed 06:00", "hours": "08:00–21:00"}]
    assert facts_in_words({"rules": ["US-hours"], "why": why, "places": ["US-HI"]}) == [
        ("Rules", "US-hours"),
        (
            "Forbidden",
            "it was Wed 06:00 in Honolulu, and United States (US-hours: 47 CFR 64.1200(c)(1)) allows 08:00–21:00",
        ),
        ("Places", "US-HI"),
    ]


def test_facts_inside_facts_are_told_in_words_too():
    block = {"why": "opted_out", "quote": "stop", "since": "2026-11-21T14:47:53.954723+00:00"}
    assert facts_in_words(
        {
            "suppressed": {"sms": block, "voice": "opted_out"},
            "opens": "2026-11-22T08:00:00-05:00",
            "caps": {"day": [1, 2]},
            "needed": ["pewc_text"],
        }
    ) == [
        ("Blocked", "texts: opted out on 21 Nov by writing “stop”; calls: opted_out"),
        ("Opens", "22 Nov 2026, 08:00 UTC-05:00"),
        ("Caps", "day 1, 2"),
        ("Needed", "written consent to marketing texts"),
    ]
