"""Why a message is where it is, as a sentence: everything that the code writes into Message.state_reason. Pure.

A reason nobody knows (an older release's) is still told, in its own words.
"""

import re
from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # switches and freezes
    "send_epoch": "Sending is frozen, because the database was restored; it goes on once it is thawed.",
    "switch:all": "Sending is switched off for everybody.",
    "switch:sms": "Texts are switched off for everybody.",
    "switch:email": "Email is switched off for everybody.",
    "switch:voice": "Calls are switched off for everybody.",
    "sending_off": "Sending is switched off for your whole workspace.",
    "real_sender_in_simulated_mode": "Your workspace only rehearses, and this account reaches real people.",
    "restored": "It was waiting when the database was restored, and is not sent from an older copy.",
    # sequence and person
    "sequence_paused": "The sequence is paused.",
    "enrollment_paused": "The person is paused.",
    "enrollment_exited": "The person has left the sequence.",
    "paused": "The person is paused.",
    "removed": "The person was taken out of the sequence.",
    "human_hold": "A person of yours has taken over this conversation.",
    "contact_deleted": "The contact was deleted.",
    "merged": "The contact was merged with another, who is in the sequence already.",
    "replied": "They replied.",
    "opted_out": "They opted out.",
    "complaint": "They complained.",
    "complained": "They complained.",
    "wrong_number": "This is a wrong number.",
    "unsubscribed": "They unsubscribed.",
    # law and consent
    "suppressed": "This address may not be written to: it is on your do-not-contact list.",
    "no_consent": "The consent that the law asks for is missing.",
    "closed_country": "There are no rules for this country, or the place forbids this channel, so it is closed.",
    "no_postal_address": "The law wants your postal address in such mail, and your settings have none.",
    "never_open": "The sequence's hours and the law's never overlap in this person's zones.",
    "quiet_hours": "The law asks for quiet at this hour where this person may be.",
    "outside_window": "It is outside the sequence's hours.",
    "expired": "It waited too long: old news is not sent.",
    # allowances
    "cap:all_day": "This person has had as many messages today as your settings allow.",
    "cap:all_week": "This person has had as many messages this week as your settings allow.",
    "cap:sms_day": "This person has had as many texts today as your settings allow.",
    "cap:sms_week": "This person has had as many texts this week as your settings allow.",
    "cap:email_day": "This person has had as much email today as your settings allow.",
    "cap:email_week": "This person has had as much email this week as your settings allow.",
    "cap:voice_day": "This person has had as many calls today as your settings allow.",
    "cap:voice_week": "This person has had as many calls this week as your settings allow.",
    "cap:sender_second": "The account sends as fast as it may; this one's turn comes.",
    "cap:sender_day": "The account has sent as much today as it may.",
    "cap:sender_calls": "All lines of the account are busy.",
    "cap:tenant_money": "Today's budget is spent.",
    "cap:answers": "Two machines seemed to answer each other.",
    "one_at_a_time": "Another message to this person is on its way first.",
    "call_under_way": "A call to this person is under way.",
    "call_unknown": "Nobody knows whether the last call was placed, so there is no other for a day.",
    # accounts and providers
    "no_sender": "No account is set up for this channel.",
    "sender_paused": "The account cannot send just now; it is tried again every quarter of an hour.",
    "busy": "The provider was busy and took nothing; it is tried again.",
    "invalid_number": "The number is no working number.",
    "landline": "The number is a landline, which takes no texts.",
    "carrier_filtered": "A carrier filtered it out.",
    "sms_undelivered": "The phone could not be reached.",
    "sms_failed": "The provider could not send it.",
    "capacity": "The provider's limit for this account was reached.",
    "email_bounced": "The mail came back: the address does not exist or takes none.",
    "email_spam": "The mail was refused as spam.",
    "email_failed": "The mail server would not take it.",
    "call_failed": "The call could not be placed.",
    "call_no_answer": "Nobody picked up.",
    "call_busy": "The line was busy.",
    "call_voicemail": "A mailbox answered.",
    "call_canceled": "The call was cancelled.",
    "call_completed": "The call took place.",
    "no_final_answer": "The mail server had all of it and did not say the last word: it counts as sent.",
    # uncertain, and what came of it
    "uncertain": "The provider's answer was lost, so it is asked what became of it.",
    "worker_lost": "A worker ended in the middle of sending, so the provider is asked what became of it.",
    "stopped_before_sending": "Sending was switched off in the last moment, before it left.",
    "abandoned": "A worker ended before sending; nothing had left.",
    "abandoned_twice": "Two workers ended while they had it in hand. It did not leave.",
    "found_at_provider": "The provider was asked, and has it.",
    "not_sent": "The provider was asked twice, and does not have it: it goes out again.",
    "not_placed": "The provider has no such call. Calls are never placed twice by themselves.",
    "no_proof": "The provider could not say whether it went out, so it is not sent again by itself.",
    "resent_once": "It was sent twice without an answer.",
    "touched_since": "This person got something else in the meantime.",
    "decided_by_person": "One of your people decided.",
    "guard_failed": "It could not be checked, so it was not sent.",
    "not_sendable": "It could not be made ready to send.",
}
_LEGAL_CAP = re.compile(r"^[A-Z]{2}(?:-[A-Z]{2})?-[\w-]*cap[\w-]*$")


def why(reason: str) -> str:
    """The sentence for a state_reason; "" for none."""
    reason = str(reason).strip()
    if not reason:
        return ""
    if known := SENTENCES.get(reason):
        return known
    kind, _, detail = reason.partition(": ")
    if kind in SENTENCES and detail:
        return f"{SENTENCES[kind].rstrip('.')} ({detail})."
    if _LEGAL_CAP.match(reason):
        return f"The law allows this person no more messages for now (rule {reason})."
    words = reason.replace("_", " ").replace(":", ": ")
    return f"{words[:1].upper()}{words[1:]}."
