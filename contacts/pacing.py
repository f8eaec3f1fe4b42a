"""Written consents that are noted one at a time, by hand or by the API, come at the pace of people. What comes faster is a list,
and a list is imported, where somebody else signs for it (contacts.importing.approving)."""

from datetime import datetime, timedelta

from contacts.models.permission import ConsentKind
from omnify.tenants.context import require_tenant_id
from omnify.tenants.models import Event, Tenant

MOST, WITHIN = 1_000, timedelta(hours=1)
# Kinds that open texts and automated calls to marketing (47 CFR 64.1200(a), (f)(9)).
WRITTEN = frozenset({ConsentKind.PEWC_TEXT.value, ConsentKind.PEWC_ARTIFICIAL_VOICE.value})


class TooFast(Exception):
    """So many consents within an hour are a list. The message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"More than {MOST:,} consents within an hour are a list: import it, so that a second person can sign for it."
        )


def keep_pace(kind: str, now: datetime) -> None:
    """Raises TooFast when MOST consents were noted WITHIN the time already. Run inside the tenant's context.

    The MOST-th newest event about a consent says it: the ledger's index by subject is read that far and no further.
    """
    if kind not in WRITTEN or not Tenant.objects.filter(pk=require_tenant_id(), two_signatures=True).exists():
        return
    newest = Event.objects.filter(subject_type="consent").order_by("-subject_id").values_list("at", flat=True)
    earliest = newest[MOST - 1 : MOST].first()
    if earliest is not None and earliest > now - WITHIN:
        raise TooFast
