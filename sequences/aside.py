"""A message that was taken up and did not leave goes back, or to one side: nothing was sent, so every guard is asked again."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from sequences import alarms, states
from sequences.spending import refund
from sequences.statements import run

# After so many crashes a message waits for a person instead of for the next worker.
MOST_CRASHES = 2
PARKED_FOR = timedelta(minutes=1)

# message_park: a message whose handling raised. It is never sent in that state of knowledge; twice, and a person decides.
PARK = """
UPDATE sequences_message
SET crashes = crashes + 1, state = CASE WHEN crashes + 1 >= %(most)s THEN 'held' ELSE 'deferred' END,
    state_reason = %(reason)s, state_at = %(now)s, not_before = %(later)s, claim_token = NULL
WHERE id = %(id)s AND tenant_id = %(tenant)s AND state IN ('ready', 'deferred', 'claimed')
RETURNING state
"""
# message_give_back: nothing was sent, so every guard may be asked again, and says why.
GIVE_BACK = """
UPDATE sequences_message SET state = 'ready', state_reason = 'stopped_before_sending', state_at = %(now)s, claim_token = NULL
WHERE id = %(id)s AND tenant_id = %(tenant)s AND claim_token = %(token)s AND state = 'claimed'
"""


def park(message_id: int, tenant_id: int, reason: str, now: datetime) -> str:
    """Puts a message aside that made its handling crash, before anything was sent: for a minute, then for a person. Returns
    its new state, "" if it was taken away meanwhile."""
    with transaction.atomic():
        given = {
            "id": message_id, "tenant": tenant_id, "reason": reason[:60], "now": now, "later": now + PARKED_FOR,
            "most": MOST_CRASHES,
        }  # fmt: skip
        row = run(PARK, given).fetchone()
        state = str(row[0]) if row is not None else ""
        if state == states.HELD:
            alarms.held(tenant_id, message_id, reason, now)
        refund(message_id, tenant_id)
    return state


def give_back(claim: Any, now: datetime) -> None:
    """Puts a claim back into its queue, and what it took into the books; nothing where it is no longer ours."""
    given = {"id": claim.id, "tenant": claim.tenant_id, "token": claim.token, "now": now}
    with transaction.atomic():
        if run(GIVE_BACK, given).rowcount:
            refund(claim.id, claim.tenant_id)
