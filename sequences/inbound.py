"""Applies what providers told us: one event, one transaction, all of its effects or none.

An event is tried at most twice: the try is counted and committed before the work begins, so that one that kills its worker
is counted too. What then still fails is parked, a member is told, and the others go on.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from django.db import OperationalError, connection
from django.urls import reverse

from omnify.lib.logs import logged
from omnify.lib.spans import span
from omnify.tenants.context import tenant_context
from omnify.tenants.models.ledger import NotificationType, Priority
from omnify.tenants.notifications import notify
from sequences import calls, failures, listening, optouts, reports, returned, topics
from sequences.models import ProviderEvent
from sequences.models.message import EventState
from sequences.signals import (
    Bounced,
    CallEnded,
    CallProgress,
    Clicked,
    Complained,
    MailReceived,
    Opened,
    OptedInAtProvider,
    OptedOutAtProvider,
    SetAside,
    Signal,
    StatusChanged,
    TextReceived,
    TopicOffered,
    storable,
)
from sequences.webhooks import mail, sendgrid, ses, twilio, vapi
from sequences.webhooks.base import UNREADABLE

LIMIT = 500
BUDGET_SECONDS = 3.0
MOST_TRIES = 2
GIVE_UP_AFTER = timedelta(hours=24)
PARSERS: dict[str, ModuleType] = {
    "twilio": twilio, "vapi": vapi, "postmark": mail, "sendgrid": sendgrid, "ses": ses,
}  # fmt: skip

# What is taken up first: what people said, off its own index, so that no STOP waits behind a campaign's reports; then
# everything else that is new; then what matched nothing.
WORDS, NEW, UNMATCHED = "state = 'new' AND kind IN ('inbound', 'call')", "state = 'new'", "state = 'unmatched'"

# provider_event_try: the next waiting event of one lane that nobody else works on, read off its index in the index's order.
# `applied_at` says when it was last taken up: until the row lock of the work itself holds, five seconds keep others off, and
# after a crash the next try comes as soon. What matched nothing is looked at again after half as long as it has waited
# already, up to ten minutes: often at first, seldom later. MATERIALIZED: a plan that ran the choice again for each row would
# count tries of events it never hands out. Not synchronous: if the server loses the last count in a crash, the event is tried
# once more.
TRY = """
WITH chosen AS MATERIALIZED (
    SELECT id, tenant_id FROM sequences_providerevent
    WHERE {lane} AND state IN ('new', 'unmatched') AND id > %(after)s
      AND (applied_at IS NULL OR applied_at <= %(now)s - interval '5 seconds')
      AND (state = 'new' OR applied_at <= %(now)s - least(interval '10 minutes', (applied_at - received_at) / 2))
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS set)
UPDATE sequences_providerevent AS event SET tries = tries + 1, applied_at = %(now)s
FROM chosen, quick WHERE quick.set = 'off' AND event.id = chosen.id AND event.tenant_id = chosen.tenant_id
RETURNING event.id, event.tenant_id, event.tries
"""

logger = logging.getLogger(__name__)


def apply_waiting(now: datetime, limit: int = LIMIT, *, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Applies waiting events: what people said, then the other new ones, then those that matched nothing, each oldest first;
    returns how many it looked at.

    Ends after `limit` events or `budget_seconds`, so that the cluster stays free for other tasks. Any number of workers at once.
    """
    done, until = 0, time.monotonic() + budget_seconds
    after = dict.fromkeys((WORDS, NEW, UNMATCHED), 0)
    while done < limit and time.monotonic() < until:
        for lane in after:
            if row := taken_up(lane, after[lane], now):
                break
        else:
            break
        event_id, tenant_id, tries = row
        after[lane], done = event_id, done + 1
        if tries > MOST_TRIES:
            park(event_id, tenant_id, "Its handling ended without a word, twice.", now)
        else:
            attempt(event_id, tenant_id, tries, now)
    return done


def taken_up(lane: str, after: int, now: datetime) -> tuple[int, int, int] | None:
    """(id, tenant id, tries) of the next event of this lane, its try counted and committed; None when none waits."""
    with connection.cursor() as cursor:
        cursor.execute(TRY.format(lane=lane), {"after": after, "now": now})
        row: tuple[int, int, int] | None = cursor.fetchone()
    return row


def attempt(event_id: int, tenant_id: int, tries: int, now: datetime) -> None:
    """One event; whatever it raises concerns only itself."""
    with logged(tenant=tenant_id, event=event_id):
        _attempt(event_id, tenant_id, tries, now)


def _attempt(event_id: int, tenant_id: int, tries: int, now: datetime) -> None:
    try:
        apply(event_id, now, tenant_id=tenant_id)
    except OperationalError as error:
        # The database was busy or gone (a deadlock, a restart): no fault of the event's, so the try is given back.
        logger.warning("Provider event %s waits for the database: %s", event_id, type(error.__cause__).__name__)
        with tenant_context(tenant_id):
            ProviderEvent.objects.filter(pk=event_id, tries__gt=0).update(tries=tries - 1, applied_at=None)
    except Exception as error:  # (whatever it is, the next event must not wait for it)
        logger.exception("Provider event %s could not be applied", event_id)
        problem = f"{type(error).__name__}: {error}"
        if tries >= MOST_TRIES:
            park(event_id, tenant_id, problem, now)
        else:
            with tenant_context(tenant_id):
                ProviderEvent.objects.filter(pk=event_id).update(problem=_storable(problem))


def apply(event_id: int, now: datetime, *, tenant_id: int | None = None) -> str | None:
    """Applies one event; returns its new state, None when it is done already or another worker has it."""
    if tenant_id is None:
        owner = ProviderEvent.objects.all_tenants().filter(pk=event_id).values_list("tenant_id", flat=True).first()
        if owner is None:
            return None
        tenant_id = int(owner)
    with span("inbound", tenant=tenant_id, event=event_id), tenant_context(tenant_id):
        event = (
            ProviderEvent.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("sender")
            .filter(pk=event_id, state__in=(EventState.NEW, EventState.UNMATCHED))
            .first()
        )
        if event is None:
            return None
        state, problem = effect_of(event, now)
        # A clean look that found nothing is no crash: it may be looked at as often as it takes.
        ProviderEvent.objects.filter(pk=event.pk).update(
            state=state, problem=_storable(problem), applied_at=now, tries=0
        )
        return str(state)


def effect_of(event: ProviderEvent, now: datetime) -> tuple[str, str]:
    """Does what the event asks for; (its state, a remark)."""
    if event.kind == UNREADABLE:
        return EventState.DONE, "It makes no sense to us."
    signals: list[Signal] = [
        storable(each) for each in PARSERS[event.provider].parse(event.kind, event.body, event.mark)
    ]
    signals += [
        found for each in signals if isinstance(each, MailReceived) for found in returned.mail_returned(each, now)
    ]
    if event.state == EventState.UNMATCHED:
        # Looked at before, when everything but what speaks of a message was done: it must not be done again over what
        # the person has said since.
        signals = [each for each in signals if isinstance(each, ABOUT_A_MESSAGE)]
    known, remarks = [], []
    for signal in signals:
        found = HANDLERS[type(signal)](signal, event, now)
        known.append(found is not False)
        remarks.append(found if isinstance(found, str) else "")
    remark = " ".join(each for each in remarks if each)
    if aside := next((each for each in remarks if isinstance(each, SetAside)), None):
        return EventState.PARKED, aside
    if all(known):
        return EventState.DONE, remark or ("" if signals else "It says nothing we act upon.")
    if now - event.received_at >= GIVE_UP_AFTER:
        return EventState.DONE, "It speaks of a message that we do not have."
    return EventState.UNMATCHED, "Its message is not known yet."


def park(event_id: int, tenant_id: int, problem: str, now: datetime) -> None:
    """Sets an event aside, in sight."""
    with tenant_context(tenant_id):
        parked = ProviderEvent.objects.filter(pk=event_id, state__in=(EventState.NEW, EventState.UNMATCHED)).update(
            state=EventState.PARKED, problem=_storable(problem), applied_at=now
        )
        if parked:
            notify(
                tenant_id=tenant_id,
                type=NotificationType.SENDING_PROBLEM,
                title="An event from a provider could not be applied",
                body="It failed twice and was set aside; everything else goes on. You can have it tried again.",
                priority=Priority.HIGH,
                url=reverse("sequences:held"),
                provider_event=event_id,
            )


def _opted_out_at_provider(signal: OptedOutAtProvider, event: ProviderEvent, now: datetime) -> None:
    failures.provider_says_opted_out(signal.address, signal.channel, signal.why, now, said_at=event.received_at)


def _opted_in_at_provider(signal: OptedInAtProvider, event: ProviderEvent, now: datetime) -> None:
    optouts.opt_in(signal.address, tenant_id=event.tenant_id, source="provider", said_at=event.received_at, now=now)


def _storable(problem: str) -> str:
    return problem.replace("\x00", " ")[:500]


# What may have to wait until its message is known.
ABOUT_A_MESSAGE = (StatusChanged, CallProgress, CallEnded, Opened, Clicked, Bounced, Complained)
# What each signal does: True or None when done, False when its message is not known, a text for a remark.
Handler = Callable[[Any, ProviderEvent, datetime], bool | str | None]
HANDLERS: dict[type, Handler] = {
    StatusChanged: reports.status_changed,
    TextReceived: listening.text_received,
    MailReceived: listening.mail_received,
    CallProgress: calls.call_progress,
    CallEnded: calls.call_ended,
    Opened: reports.opened,
    Clicked: reports.clicked,
    Bounced: reports.bounced,
    Complained: reports.complained,
    OptedOutAtProvider: _opted_out_at_provider,
    OptedInAtProvider: _opted_in_at_provider,
    TopicOffered: topics.offered,
}
