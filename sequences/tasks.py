"""What the workers run: each task says that it began, does what its rows ask for within a few seconds, and returns.

Short budgets keep a cluster answering its canary; what is left over is asked for again by the pulse.
"""

import time
from datetime import datetime

from omnify.lib.spans import span
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences.tally import timed
from sequences.timekeeping import database_clock
from sequences.wakeups import again, alone, ask, began

BUDGET = 3.0
# Of removing what is over its term: for each kind of thing.
CLEAR_SECONDS = 0.5


def run_tick() -> int:
    """Decides for everybody who is due; returns how many."""
    from sequences.catchup import after_standstill
    from sequences.engine import drain

    with began("tick"), span("tick"), timed("tick_seconds"):
        after_standstill(database_clock()())
        return drain(database_clock(), seconds=BUDGET, monotonic=time.monotonic)


def dispatch_ready(channel: str) -> int:
    """Puts the ready messages of one channel on the wire; returns how many."""
    from sequences.delivery import dispatch

    with began(f"dispatch-{channel}"), span("dispatch", channel=channel), timed("dispatch_seconds"):
        return dispatch([channel], now=database_clock(), budget_seconds=BUDGET)


def reconcile_unsettled() -> int:
    """Settles messages whose fate is uncertain by asking their providers; returns how many it settled."""
    from sequences.reconcile import reconcile

    with began("reconcile"), alone("reconcile") as free, span("reconcile"), timed("reconcile_seconds"):
        return reconcile(database_clock()()) if free else 0


def apply_events() -> int:
    """Applies what providers told us; returns how many events."""
    from sequences.inbound import apply_waiting

    with began("inbound"), timed("inbound_seconds"):
        return apply_waiting(database_clock()())


def poll_providers() -> int:
    """Reads again what the providers hold; returns how many events no webhook had brought. Once a minute, some seconds each
    time: nothing that takes long shares its cluster, and it is never at this twice."""
    from sequences import polling

    with began("poll"), alone("poll") as free:
        if not free:
            return 0
        reading = polling.poll(
            database_clock()(), budget_seconds=polling.ROUND_SECONDS, list_seconds=polling.LIST_SECONDS
        )
        for polling_id, tenant_id in reading.long:
            kind = f"list-{polling_id}"
            ask(kind, "sequences.tasks.read_long_list", polling_id, tenant_id, cluster="slow", now=database_clock()())
    if reading.left:
        again("poll")
    return reading.found


def read_long_list(polling_id: int, tenant_id: int) -> int:
    """Reads one provider's list that is too long for a round; returns how many events no webhook had brought."""
    from sequences.polling import poll_one

    with began(f"list-{polling_id}"):
        return poll_one(polling_id, tenant_id, database_clock()()).found


def contact_deleted(event_id: int, tenant_id: int) -> int:
    """Follows contact.deleted: takes the person out of their sequences; returns of how many."""
    from sequences.enrollments import end_for_deleted

    with tenant_context(tenant_id):
        return end_for_deleted(Event.objects.get(pk=event_id).subject_id, now=database_clock()())


def sync_blocklists() -> int:
    """Keeps our opt-outs and the providers' own lists alike; returns how many addresses were told."""
    from sequences.blocklists import sync

    with began("blocklists"):
        return sync(database_clock()())


def opted_out(event_id: int, tenant_id: int) -> int:
    """Follows contact.opted_out: asks providers to take back what they have not sent yet; returns how many they did."""
    from sequences.recalling import recall

    with tenant_context(tenant_id):
        event = Event.objects.get(pk=event_id)
    now = database_clock()()
    return recall(tenant_id, event.subject_id, tuple(event.data["channels"]), now) if event.subject_id else 0


def topic_offered(event_id: int, tenant_id: int) -> bool:
    """Follows sender.topic_offered: confirms to Amazon SNS that its topic may deliver here; False when that failed."""
    from sequences.topics import confirm

    with tenant_context(tenant_id):
        offered = Event.objects.get(pk=event_id)
    return confirm(tenant_id, int(offered.data["provider_event"]), database_clock()())


def reap_lines() -> int:
    """Frees the lines of calls whose end nobody told; returns how many."""
    from sequences.spending import reap_lines as reap

    return reap(database_clock()())


def count_sequences() -> int:
    """Counts large sequences anew whose numbers are old; returns how many. Cluster "slow"."""
    from sequences.counting import count_large

    with began("numbers"):
        return count_large(database_clock(), budget_seconds=10 * BUDGET)


def sending_started(event_id: int, tenant_id: int) -> int:
    """Follows tenant.sending_started: spreads whom the stop kept waiting over the hours ahead; returns how many."""
    from sequences.catchup import after_stop

    with tenant_context(tenant_id):
        started = Event.objects.get(pk=event_id)
        stopped = Event.objects.filter(kind="tenant.sending_stopped", pk__lt=event_id).order_by("-pk").first()
        return after_stop(stopped.at, started.at, tenant_id) if stopped is not None else 0


def sending_resumed(since: str, now: str) -> int:
    """Follows the switch for everybody: spreads whom it kept waiting, in all workspaces; returns how many."""
    from sequences.catchup import after_stop

    return after_stop(datetime.fromisoformat(since), datetime.fromisoformat(now))


def canary(cluster: str) -> None:
    """Proves that a cluster takes tasks; the pulse restarts one whose canary is overdue."""
    with began(f"canary-{cluster}"):
        return


def clear_old() -> int:
    """Removes, on all floors, what is over its workspace's term; returns how many rows. Once a minute; nothing to do costs three
    queries a kind. Cluster "slow", where calls wait to be placed: a few seconds at the most, also where much is to be removed."""
    from contacts.clearing import clear as clear_contacts
    from omnify.tenants.clearing import clear as clear_tenants
    from sequences.clearing import clear

    return sum(each(seconds=CLEAR_SECONDS) for each in (clear_tenants, clear_contacts, clear))
