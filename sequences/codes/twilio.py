"""Twilio's SMS error codes (twilio.com/docs/api/errors; its published list of 2023-05 and newer pages). Pure."""

from collections.abc import Mapping

from sequences.codes import Verdict

_OPTED_OUT = Verdict("opted_out", permanent=True)
_INVALID = Verdict("invalid_number", permanent=True)
_LANDLINE = Verdict("landline", permanent=True)
_UNREACHABLE_BY_SMS = Verdict("sms_failed", permanent=True)
_UNDELIVERED = Verdict("sms_undelivered")
_CAPACITY = Verdict("capacity")
_OURS = Verdict("sms_failed", sender_fault=True)
_ACCOUNT = Verdict("sms_failed", sender_fault=True, pause_sender=True)

CODES: Mapping[int, Verdict] = {
    21610: _OPTED_OUT,  # the person texted STOP to this number; only their START lifts it
    21211: _INVALID,
    21217: _INVALID,
    21604: _INVALID,
    21265: _INVALID,  # a short code
    21266: _INVALID,  # to and from are the same number
    21202: _INVALID,  # premium number
    30005: _INVALID,  # unknown, may no longer exist
    21214: _UNREACHABLE_BY_SMS,
    21612: _UNREACHABLE_BY_SMS,
    21614: _LANDLINE,
    21635: _LANDLINE,
    30006: _LANDLINE,  # or a carrier that cannot be reached; Twilio: do not retry
    21408: _OURS,  # geographic permission
    21215: _OURS,
    13227: _OURS,
    21203: _OURS,
    30003: _UNDELIVERED,  # handset off or out of reach; also some landlines
    30008: _UNDELIVERED,
    30410: _UNDELIVERED,  # provider timeout: never resent blindly
    30020: _UNDELIVERED,
    30021: _UNDELIVERED,
    30036: _UNDELIVERED,  # our own ValidityPeriod ran out before it could leave
    30004: Verdict("carrier_filtered", permanent=True),  # a personal block: a soft opt-out
    30007: Verdict("carrier_filtered", sender_fault=True),
    21618: Verdict("carrier_filtered", sender_fault=True),
    30450: Verdict("carrier_filtered", sender_fault=True),  # pumping protection; lifts by itself
    30001: _CAPACITY,
    21611: _CAPACITY,
    20429: _CAPACITY,
    14107: _CAPACITY,  # two machines answering each other
    30017: _CAPACITY,
    30022: _CAPACITY,
    30023: Verdict("capacity", sender_fault=True),  # daily cap of the sender
    30027: Verdict("capacity", sender_fault=True),
    63038: Verdict("capacity", sender_fault=True),
    30032: _ACCOUNT,  # unregistered, suspended or otherwise unusable sender
    30033: _ACCOUNT,
    30034: _ACCOUNT,
    30035: _ACCOUNT,
    21606: _ACCOUNT,
    21703: _ACCOUNT,
    21704: _ACCOUNT,
    30002: _ACCOUNT,
    20003: _ACCOUNT,
    20404: _ACCOUNT,
    21602: _OURS,  # empty body
    21603: _OURS,
    21609: _OURS,  # our StatusCallback is not a public URL
    21617: _OURS,  # body too long
}
UNKNOWN = Verdict("sms_failed", known=False)


def verdict(code: int | str | None) -> Verdict:
    """What this code means; UNKNOWN for one that is not listed."""
    try:
        return CODES.get(int(code or 0), UNKNOWN)
    except ValueError:
        return UNKNOWN
