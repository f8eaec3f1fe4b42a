"""How often somebody may try something: counted in the cache, in windows that begin with the first try.

The key begins with whose tries they are (a tenant's id, or "0" and the address of somebody unknown). With several web
processes set REDIS_URL: without it each counts for itself.
"""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

HOUR = 3600
INVITATIONS = (50, HOUR)  # a tenant
EXPORTS = (6, HOUR)  # a tenant
BAD_KEYS = (30, 60)  # an address


def within(what: str, whose: str, *, most: int, seconds: int) -> bool:
    """Counts one try; False when there have been `most` within `seconds` already."""
    key = f"{whose}:rate:{what}".replace(" ", "_")
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key)) <= most
    except ValueError:  # the window ended between the two lines: this is the first try of the next
        cache.set(key, 1, seconds)
        return True


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, for counting. Headers are believed only as far as TRUSTED_PROXY_COUNT says."""
    return f"0:{get_adapter().get_client_ip(request)}"
