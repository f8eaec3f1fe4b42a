"""What a person may decide about a message the machine could not settle: it was sent, send it again, or leave it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, When

from omnify.tenants.events import record
from omnify.tenants.models import Membership
from sequences import states
from sequences.models import Message
from sequences.touched import ABSENT
from sequences.touches import note_touch


def mark_sent(message: Message, *, by: Membership, now: datetime) -> bool:
    """It did go out; the conversation shows it. False when it is not held any more."""
    with transaction.atomic():
        if not _from_held(
            message, by, now, "sent", state=states.SENT, status_rank=30, state_reason="decided_by_person"
        ):
            return False
        note_touch(message, message.provider_id, now)
    return True


def send_again(message: Message, *, by: Membership, now: datetime) -> bool:
    """Back to `ready`, through every guard again; also a call, because a person takes the decision. False when it is old news."""
    if message.expires_at <= now:
        return False
    with transaction.atomic():
        return _from_held(
            message,
            by,
            now,
            "send_again",
            state=states.READY,
            state_reason="decided_by_person",
            not_before=now,
            claim_token=None,
            crashes=0,
            attempt=0,
            estimate=None,  # what is still paid may have left: this one is paid for again
        )


def skip(message: Message, *, by: Membership, now: datetime) -> bool:
    """It is left unsent. False when it is not held any more."""
    # What was proven never to have left stays so, whatever the reason is called now.
    began = Case(When(state_reason__in=ABSENT, then=None), default=F("sending_started_at"))
    left = {"state": states.CANCELLED, "state_reason": "decided_by_person", "sending_started_at": began}
    with transaction.atomic():
        return _from_held(message, by, now, "skip", **left)


def _from_held(message: Message, by: Membership, now: datetime, choice: str, **changes: object) -> bool:
    rows = Message.objects.filter(pk=message.pk, state=states.HELD)
    if not rows.update(state_at=now, **changes):
        return False
    record(
        "message.settled",
        tenant_id=message.tenant_id,
        now=now,
        actor=f"member:{by.pk}",
        subject=message,
        choice=choice,
    )
    return True
