"""The send epoch: a database that was restored is older than the secret store says, and sends nothing until it is thawed.

OMNIFY_SEND_EPOCH lives outside the database and is raised with every restore; the claim asks that both are the same.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from sequences.models import SendEpoch

FIRST = 1
SAID_AGAIN_AFTER = timedelta(minutes=1)

logger = logging.getLogger(__name__)
_said: dict[str, datetime] = {}


def epoch() -> int:
    """The epoch this database is of."""
    return SendEpoch.objects.order_by("-epoch").values_list("epoch", flat=True).first() or FIRST


def frozen() -> str:
    """Why nothing is claimed, as a sentence for pages and logs; "" while the epochs agree."""
    return sentence(epoch(), settings.SEND_EPOCH)


def sentence(ours: int, expected: int) -> str:
    """What the two epochs say to whoever looks after this. Pure."""
    if ours == expected:
        return ""
    which = "an older copy, restored from a backup" if ours < expected else "newer than the secret store knows"
    return (
        f"Sending is frozen: the database is of epoch {ours}, OMNIFY_SEND_EPOCH is {expected}, so this database is {which}. "
        "Nothing is sent and nothing is lost; run `manage.py thaw` once the providers' records are read again."
    )


def say_if_frozen(now: datetime) -> bool:
    """Whether it is frozen; says so in the log, once a minute at most."""
    why = frozen()
    if why and ("frozen" not in _said or not timedelta(0) <= now - _said["frozen"] < SAID_AGAIN_AFTER):
        _said["frozen"] = now
        logger.error("%s", why)
    return bool(why)
