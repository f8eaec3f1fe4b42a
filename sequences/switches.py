"""The kill switches for every tenant at once: nothing at all, or nothing on one channel. Read in the transaction that claims.

Three levels stop the wire: everybody (here, and OMNIFY_SENDING for a process), one tenant (Tenant.sending_enabled), one
sequence (paused). A switch belongs to no tenant, so its history is the log: who, why and when, at every move.
"""

import logging
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django_q.tasks import async_task

from contacts.models.permission import Channel
from omnify.lib.gate import close_gate
from sequences.models import Switch

ALL = "all"
KEYS: tuple[str, ...] = (ALL, *Channel.values)

logger = logging.getLogger(__name__)


def switch_off(key: str, *, by: str, reason: str, now: datetime) -> bool:
    """Stops every tenant's sending, or that of one channel: once this returns no claim is committed any more.

    `by` and `reason` are shown to everybody who asks why nothing leaves. False when it was off already. ValueError: no such
    key. What has reached a provider stays there.
    """
    return _move(key, off=True, by=by, reason=reason, now=now)


def switch_on(key: str, *, by: str, reason: str, now: datetime) -> bool:
    """Lets messages leave again; what became too old meanwhile expires. False when it was not off."""
    return _move(key, off=False, by=by, reason=reason, now=now)


def switches() -> list[Switch]:
    """Every switch in the order of KEYS, also those that nobody ever moved."""
    stored = {row.key: row for row in Switch.objects.all()}
    return [stored.get(key) or Switch(key=key) for key in KEYS]


def stopped(channel: str) -> Switch | None:
    """The switch that holds this channel back now, or None."""
    return Switch.objects.filter(Q(key=ALL) | Q(key=channel), off=True).order_by("key").first()


def _move(key: str, *, off: bool, by: str, reason: str, now: datetime) -> bool:
    if key not in KEYS:
        raise ValueError(f"There is no switch {key!r}; there are {', '.join(KEYS)}.")
    with transaction.atomic():
        if off:
            close_gate()
        row, _ = Switch.objects.get_or_create(key=key)
        since = row.moved_at
        moved = Switch.objects.filter(key=key, off=not off).update(
            off=off, by=by[:120], reason=reason[:200], moved_at=now
        )
        if moved and not off:
            if key == ALL and since is not None:
                # By a worker: a page sees nobody else's people.
                async_task("sequences.tasks.sending_resumed", since.isoformat(), now.isoformat())
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify('omnify_wake', 'dispatch-sms,dispatch-email,dispatch-voice')")
    if moved:
        logger.warning(
            "Sending of %s was switched %s by %s: %s", key, "off" if off else "on", by, reason or "no reason"
        )
    return bool(moved)
