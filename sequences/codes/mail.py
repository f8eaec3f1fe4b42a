"""Mail refusals: enhanced status codes (RFC 3463), SMTP replies, Postmark's API codes and bounce types. Pure."""

import re
from collections.abc import Mapping

from sequences.codes import Verdict

HARD = Verdict("email_bounced", permanent=True)
SOFT = Verdict("email_bounced")
SPAM = Verdict("email_spam", sender_fault=True)
COMPLAINT = Verdict("email_spam", permanent=True)
OPTED_OUT = Verdict("opted_out", permanent=True)
OURS = Verdict("email_failed", sender_fault=True)
ACCOUNT = Verdict("email_failed", sender_fault=True, pause_sender=True)
UNKNOWN = Verdict("email_failed", known=False)

# Subject and detail of the enhanced status, without its class: the class (4 or 5) says whether it may pass.
_ENHANCED: Mapping[str, Verdict] = {
    "1.0": HARD,
    "1.1": HARD,
    "1.2": HARD,
    "1.3": HARD,
    "1.4": HARD,
    "1.5": HARD,
    "1.6": HARD,
    "1.10": HARD,  # RFC 7505: the domain takes no mail at all
    "1.7": OURS,  # the sender's address is malformed
    "1.8": OURS,
    "2.1": SOFT,  # disabled for now
    "2.2": SOFT,  # full
    "2.3": SOFT,
    "3.1": SOFT,
    "4.5": SOFT,
    "7.1": SPAM,
    "7.26": SPAM,
    "7.515": SPAM,
    "7.8": ACCOUNT,  # log-in refused
    "7.9": ACCOUNT,
}
POSTMARK_CODES: Mapping[int, Verdict] = {
    10: ACCOUNT,
    300: HARD,  # with an invalid "To"; other causes are told apart by the text, see postmark()
    400: ACCOUNT,  # sender signature not found
    401: ACCOUNT,
    405: ACCOUNT,  # out of credits
    406: HARD,  # inactive: bounced hard or complained earlier
    412: ACCOUNT,
    413: ACCOUNT,
}
POSTMARK_BOUNCES: Mapping[str, Verdict] = {
    "HardBounce": HARD,
    "BadEmailAddress": HARD,
    "SoftBounce": SOFT,
    "Transient": SOFT,
    "DnsError": SOFT,
    "SpamComplaint": COMPLAINT,
    "SpamNotification": SPAM,
    "ManuallyDeactivated": OPTED_OUT,
    "Unsubscribe": OPTED_OUT,
    "ManualSuppression": OPTED_OUT,
    "Blocked": SPAM,
    "DMARCPolicy": SPAM,
}
_STATUS = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
_NO_SUCH_USER = re.compile(r"user unknown|no such (user|mailbox|recipient)|does not exist|unknown recipient", re.I)


def smtp(code: int, text: str) -> Verdict:
    """What a server's refusal means: its enhanced status first, then its words."""
    found = _STATUS.search(text)
    known = _ENHANCED.get(found.group(1)) if found else None
    if known is not None:
        return SOFT if code < 500 and known is HARD else known
    if code in (530, 534, 535, 538):
        return ACCOUNT
    if code in (550, 551, 553) and (_NO_SUCH_USER.search(text) or not found):
        return HARD
    if code == 552:
        return SOFT
    return UNKNOWN


def postmark(code: int, text: str) -> Verdict:
    """What an ErrorCode of Postmark's API means (postmarkapp.com/developer/api/overview#error-codes)."""
    if code == 300 and "'To'" not in text:
        return OURS
    return POSTMARK_CODES.get(code, UNKNOWN)


def postmark_bounce(kind: str, inactive: bool = False) -> Verdict:
    """What a bounce webhook's Type means; `inactive`: Postmark will not try this address again."""
    verdict = POSTMARK_BOUNCES.get(kind, UNKNOWN)
    return HARD if inactive and verdict in (SOFT, UNKNOWN) else verdict
