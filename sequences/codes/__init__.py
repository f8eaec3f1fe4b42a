"""Providers' error codes as data: what went wrong in our words, for how long, and whose fault it is. Pure.

A code nobody listed is never guessed: it counts as a failure of the channel, not permanent, not resent. Source:
docs/reliability.md, "Error codes"; each file names its provider's pages.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code means.

    failure_type: opted_out, invalid_number, landline, carrier_filtered, sms_undelivered, sms_failed, capacity, call_*,
    email_bounced, email_spam, email_failed. permanent: never again to this address. sender_fault: the tenant's account or
    set-up, not the person's address. pause_sender: nothing will leave through this sender until somebody repairs it.
    """

    failure_type: str
    permanent: bool = False
    sender_fault: bool = False
    pause_sender: bool = False
    known: bool = True
