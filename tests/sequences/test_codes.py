import csv
from pathlib import Path

import pytest

from sequences.codes import mail, twilio, vapi

REASONS = Path(__file__).resolve().parents[3] / "shared" / "reference" / "vapi_ended_reasons.csv"


@pytest.mark.parametrize(
    ("code", "failure_type", "permanent", "pauses"),
    [
        (21610, "opted_out", True, False),
        ("21610", "opted_out", True, False),
        (21211, "invalid_number", True, False),
        (30005, "invalid_number", True, False),
        (21614, "landline", True, False),
        (30006, "landline", True, False),
        (30003, "sms_undelivered", False, False),
        (30007, "carrier_filtered", False, False),
        (30004, "carrier_filtered", True, False),
        (20429, "capacity", False, False),
        (20003, "sms_failed", False, True),
        (30034, "sms_failed", False, True),
        (21617, "sms_failed", False, False),
    ],
)
def test_twilios_codes_mean_what_its_pages_say(
    code: int | str, failure_type: str, permanent: bool, pauses: bool
) -> None:
    verdict = twilio.verdict(code)
    assert (verdict.failure_type, verdict.permanent, verdict.pause_sender) == (failure_type, permanent, pauses)
    assert verdict.known


@pytest.mark.parametrize("code", [99999, "", None, "E42", -1])
def test_a_code_nobody_listed_is_neither_permanent_nor_anybodys_fault(code: int | str | None) -> None:
    verdict = twilio.verdict(code)
    assert not verdict.known
    assert not verdict.permanent
    assert not verdict.pause_sender


@pytest.mark.parametrize(
    ("reason", "outcome", "reached"),
    [
        ("customer-did-not-answer", "call_no_answer", "no"),
        ("call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable", "call_no_answer", "no"),
        ("customer-busy", "call_busy", "no"),
        ("voicemail", "call_voicemail", "voicemail"),
        ("customer-ended-call", "call_completed", "yes"),
        ("silence-timed-out", "call_completed", "yes"),
        ("twilio-reported-customer-misdialed", "invalid_number", "no"),
        ("worker-shutdown", "call_unknown", "maybe"),
        ("manually-canceled", "call_canceled", "maybe"),
        ("pipeline-error-some-new-voice-401-unauthorized", "call_failed", "yes"),
        ("a-reason-from-next-year", "call_failed", "yes"),
        ("", "call_failed", "yes"),
    ],
)
def test_a_calls_end_is_classified_by_rule(reason: str, outcome: str, reached: str) -> None:
    ended = vapi.ended(reason)
    assert (ended.outcome, ended.reached) == (outcome, reached)


@pytest.mark.conformance
def test_all_reasons_that_vapi_publishes_are_classified_as_the_reference_has_them() -> None:
    if not REASONS.exists():
        pytest.skip("The list of ended reasons is not beside this checkout (../shared/reference).")
    wrong = []
    with REASONS.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        ended = vapi.ended(row["endedReason"])
        permanent = row["permanence"] == "permanent" and row["scope"] == "contact"
        expected = (row["outcome"], row["reached_person"], permanent, row["scope"] == "tenant")
        if (ended.outcome, ended.reached, ended.permanent, ended.sender_fault) != expected:
            wrong.append((row["endedReason"], expected, ended))
    assert len(rows) > 500
    assert wrong == []


def test_a_refused_call_blames_the_account_the_number_or_the_setup() -> None:
    assert vapi.refusal(401, "Invalid Key").pause_sender
    assert vapi.refusal(400, "customer.number must be a valid phone number").permanent
    other = vapi.refusal(400, "Need either assistantId or assistant")
    assert (other.failure_type, other.sender_fault, other.permanent) == ("call_failed", True, False)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.1.1 No such user here", mail.HARD),
        (550, "No such user here", mail.HARD),
        (452, "4.2.2 Mailbox full", mail.SOFT),
        (552, "5.2.2 Over quota", mail.SOFT),
        (550, "5.7.1 Message rejected as spam", mail.SPAM),
        (554, "5.7.26 Unauthenticated email", mail.SPAM),
        (450, "4.1.1 try again", mail.SOFT),
        (535, "5.7.8 Authentication failed", mail.ACCOUNT),
        (554, "transaction failed", mail.UNKNOWN),
    ],
)
def test_smtp_refusals_are_told_apart_by_their_enhanced_status(code: int, text: str, expected: object) -> None:
    assert mail.smtp(code, text) is expected


def test_postmarks_codes_and_bounces() -> None:
    assert mail.postmark(406, "marked as inactive") is mail.HARD
    assert mail.postmark(300, "Invalid 'To' address: 'x'.") is mail.HARD
    assert mail.postmark(300, "Invalid metadata content.") is mail.OURS
    assert mail.postmark(10, "bad token") is mail.ACCOUNT
    assert mail.postmark(9999, "new") is mail.UNKNOWN
    assert mail.postmark_bounce("SoftBounce") is mail.SOFT
    assert mail.postmark_bounce("SoftBounce", inactive=True) is mail.HARD
    assert mail.postmark_bounce("SpamComplaint").permanent
