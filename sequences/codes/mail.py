"""Mail refusals: enhanced status codes (RFC 3463), SMTP replies, and what Postmark, SendGrid and Amazon SES call them. Pure.

Sources: postmarkapp.com/developer/api/bounce-api; docs.sendgrid.com, Event Webhook Reference ("Delivery Events") and Mail Send
errors; docs.aws.amazon.com/ses, "Contents of event data" (bounce types and subtypes) and the errors of SESv2 SendEmail.
"""

import re
from collections.abc import Mapping

from sequences.bouncewords import BLOCKED
from sequences.codes import Verdict

HARD = Verdict("email_bounced", permanent=True)
SOFT = Verdict("email_bounced")
SPAM = Verdict("email_spam", sender_fault=True)
COMPLAINT = Verdict("email_spam", permanent=True)
OPTED_OUT = Verdict("opted_out", permanent=True)
OURS = Verdict("email_failed", sender_fault=True)
ACCOUNT = Verdict("email_failed", sender_fault=True, pause_sender=True)
UNKNOWN = Verdict("email_failed", known=False)
# The provider's own list forbids it; why is on that list, and not necessarily that the mailbox is gone.
LISTED = Verdict("email_failed", permanent=True)

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
# `bounce` types and the reasons of `dropped` in SendGrid's events; "blocked" is told apart by the server's own words.
SENDGRID_BOUNCES: Mapping[str, Verdict] = {
    "bounce": HARD,
    "dropped: Bounced Address": HARD,
    "dropped: Invalid": HARD,
    "dropped: Unsubscribed Address": OPTED_OUT,
    "dropped: Spam Reporting Address": COMPLAINT,
    "dropped: Spam Content": SPAM,
    "dropped": OURS,
}
# "<bounceType>/<bounceSubType>" of SES, and its two other ways of not sending.
SES_BOUNCES: Mapping[str, Verdict] = {
    "Permanent/General": HARD,
    "Permanent/NoEmail": HARD,
    "Permanent/Suppressed": HARD,
    "Permanent/OnAccountSuppressionList": LISTED,
    "Permanent/UnsubscribedRecipient": OPTED_OUT,
    "Transient/General": SOFT,
    "Transient/MailboxFull": SOFT,
    "Transient/MessageTooLarge": OURS,
    "Transient/CustomTimeoutExceeded": SOFT,
    "Transient/ContentRejected": SPAM,
    "Transient/AttachmentRejected": SPAM,
    "Undetermined/Undetermined": SOFT,
    "Reject": OURS,
    "Rendering Failure": OURS,
}
_SES_ACCOUNT = {
    "AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException", "NotFoundException",
    "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidClientTokenIdException",
    "SignatureDoesNotMatch", "InvalidSignatureException", "MissingAuthenticationTokenException", "ExpiredTokenException",
    "IncompleteSignatureException", "NotAuthorizedException", "OptInRequired",
}  # fmt: skip
_NOT_VERIFIED = re.compile(r"not verified|not authorized", re.I)
_BAD_ADDRESS = re.compile(
    r"illegal address|invalid (?:email|recipient|to) |local address contains|domain (?:contains|starts)", re.I
)
_STATUS = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
# A mailbox that is full is so for longer than a minute; whatever else is put off may be over by then (greylisting, a check of
# the address, a server without room).
_FULL = re.compile(r"\b4\.2\.2\b")
_NO_SUCH_USER = re.compile(r"user unknown|no such (user|mailbox|recipient)|does not exist|unknown recipient", re.I)


def smtp(code: int, text: str) -> Verdict:
    """What a server's refusal of a recipient means: its enhanced status first, then its words."""
    found = _STATUS.search(text)
    known = _ENHANCED.get(found.group(1)) if found else None
    if known is not None:
        return SOFT if code < 500 and known is HARD else known
    if code in (530, 534, 535, 538):
        return ACCOUNT
    if code in (550, 551, 553) and (_NO_SUCH_USER.search(text) or not (found or BLOCKED.search(text))):
        return HARD
    if code == 552:
        return SOFT
    return UNKNOWN


def smtp_sender(code: int, text: str) -> Verdict:
    """What it means that a server refuses whom a mail is from: nothing about the mailbox it was for."""
    said = smtp(code, text)
    if said is HARD:
        return ACCOUNT  # this address may send nothing here
    return OURS if said is SOFT else said


def smtp_mail(code: int, text: str) -> Verdict:
    """What it means that a server refuses a mail whose recipient it has taken: that the mailbox is gone only where it says so."""
    said = smtp(code, text)
    return UNKNOWN if said is HARD and not (_STATUS.search(text) or _NO_SUCH_USER.search(text)) else said


def smtp_full(text: str) -> bool:
    """Whether a server that puts a mail off names a full mailbox, which trying again does not empty."""
    return bool(_FULL.search(text))


def postmark(code: int, text: str) -> Verdict:
    """What an ErrorCode of Postmark's API means (postmarkapp.com/developer/api/overview#error-codes)."""
    if code == 300 and "'To'" not in text:
        return OURS
    return POSTMARK_CODES.get(code, UNKNOWN)


def sendgrid(status: int, field: str) -> Verdict:
    """What a refusal of SendGrid's Mail Send means; `field`: the part of the request that it names."""
    if status in (401, 403, 402):
        return ACCOUNT  # the key, its rights, the sender's identity, or credits
    if field.startswith("personalizations.0.to"):
        return HARD
    return OURS if status in (400, 413) else UNKNOWN


def ses(code: str, text: str) -> Verdict:
    """What a refusal of SES's SendEmail means."""
    if code in _SES_ACCOUNT or (code == "MessageRejected" and _NOT_VERIFIED.search(text)):
        return ACCOUNT
    if _BAD_ADDRESS.search(text):
        return HARD
    return OURS if code in ("MessageRejected", "BadRequestException") else UNKNOWN


def bounce(kind: str, hard: bool = False, code: str = "", text: str = "") -> Verdict:
    """What a bounce means, whoever told of it: by the provider's word for it, else by whether it is for good."""
    if kind in POSTMARK_BOUNCES:
        return postmark_bounce(kind, hard)
    if kind == "blocked":
        passing = code.startswith("4")
        said = smtp(400 if passing else 500, f"{code} {text}")
        # A block is about the mail or its sender, never about the mailbox.
        return said if said in (SOFT, SPAM) else (SOFT if passing else SPAM)
    known = SENDGRID_BOUNCES.get(kind) or SES_BOUNCES.get(kind)
    return known or (HARD if hard else SOFT)


def postmark_bounce(kind: str, inactive: bool = False) -> Verdict:
    """What a bounce webhook's Type means; `inactive`: Postmark will not try this address again."""
    verdict = POSTMARK_BOUNCES.get(kind, UNKNOWN)
    return HARD if inactive and verdict in (SOFT, UNKNOWN) else verdict
