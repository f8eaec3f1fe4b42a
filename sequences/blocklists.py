"""Our list of who must not be written to and the provider's own, kept alike: each is the other's second net.

Postmark, SendGrid and Amazon SES have lists that can be read and written; Twilio keeps one (21610, OptOutType) that it only
tells us of, in events.
What the person closed there is closed here. What is closed here is put on theirs. Nothing is opened here by what a provider, or
a member in its pages, takes off; only where the person themselves came back is an address taken off the provider's list.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.db.models import Q

from contacts.erasing import forgotten
from contacts.models import Contact, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models.people import SendingMode
from sequences import matching, optouts
from sequences.addressing import account_of
from sequences.models import Sender
from sequences.transports.base import Account, Refused, Unreadable
from sequences.transports.suppressions import COMPLAINED, GONE, PROVIDERS, Entry, lists_of

# Of a long list so many addresses are told in one round, the rest in the next.
MOST_A_ROUND = 2_000

logger = logging.getLogger(__name__)


def sync(now: datetime) -> int:
    """Compares every sender's list with its tenant's; returns how many addresses were told, to us or to them.

    Outside any transaction: it speaks to providers. A list that cannot be read or written now is left for the next round.
    A workspace that only rehearses asks no real provider anything.
    """
    changed = 0
    senders = Sender.objects.all_tenants().filter(provider__in=PROVIDERS).order_by("pk")
    for sender in senders.filter(Q(simulated=True) | Q(tenant__sending_mode=SendingMode.LIVE)):
        try:
            changed += sync_one(sender, now)
        except (Unreadable, Refused) as problem:
            logger.warning("The suppressions of sender %s could not be compared: %s", sender.pk, problem.text)
    return changed


def sync_one(sender: Sender, now: datetime) -> int:
    """As sync, for one sender. Raises Unreadable or Refused."""
    account, lists = account_of(sender), lists_of(sender.provider)
    theirs = {entry.address: entry for entry in lists.listed(account)}
    with tenant_context(sender.tenant_id):
        ours = dict(Suppression.objects.filter(channel="email", lifted_at=None).values_list("address", "pk"))
        ours_by_hash = forgotten(theirs.keys() - ours.keys(), "email")
        reopened = _reopened(theirs.keys() - ours.keys())
    take_off = [
        address for address, at in reopened.items()
        if not theirs[address].fixed and (theirs[address].since or at) <= at
    ]  # fmt: skip
    news = [theirs[address] for address in sorted(theirs.keys() - ours.keys() - ours_by_hash - set(take_off))]
    heard = _gone(sender, [entry.address for entry in news if entry.reason == GONE])
    heard += sum(_closed(sender, entry, now) for entry in news if entry.reason != GONE)
    told = _in_batches(lists.add, account, sorted(ours.keys() - theirs.keys()), lists.at_once)
    return heard + told + _in_batches(lists.take_off, account, sorted(take_off), lists.at_once)


def _reopened(addresses: Iterable[str]) -> dict[str, datetime]:
    """address -> when the person themselves opened it again, of those they did."""
    rows = Suppression.objects.filter(channel="email", address__in=list(addresses), lifted_by="person")
    return {address: at for address, at in rows.order_by("lifted_at").values_list("address", "lifted_at") if at}


def _gone(sender: Sender, addresses: list[str]) -> int:
    """Mailboxes that take no mail, as the provider has found; for how many contacts that is news."""
    with tenant_context(sender.tenant_id):
        rows = Contact.objects.filter(email__in=addresses).exclude(email_valid=False)
        return int(rows.update(email_valid=False))


def _closed(sender: Sender, entry: Entry, now: datetime) -> bool:
    """What the provider knows to be closed and we did not. True when it changed something here."""
    with tenant_context(sender.tenant_id):
        complained = entry.reason == COMPLAINED
        newly = optouts.opt_out(
            matching.people_at(entry.address),
            tenant_id=sender.tenant_id,
            address=entry.address,
            channels=("email",),
            reason="complaint" if complained else optouts.OPTED_OUT,
            source="provider",
            quote="marked as spam" if complained else f"{sender.get_provider_display()}'s list: {entry.origin}",
            now=now,
            actor="provider",
        )
    return bool(newly)


def _in_batches(
    tell: Callable[[Account, Sequence[str]], int], account: Account, addresses: list[str], at_once: int
) -> int:
    waiting, done = iter(addresses[:MOST_A_ROUND]), 0
    while batch := list(islice(waiting, at_once)):
        done += tell(account, batch)
    return done
