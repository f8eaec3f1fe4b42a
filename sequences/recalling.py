"""Asking providers to take back what they have accepted but not yet sent to somebody who has just said STOP."""

from datetime import datetime


def recall(tenant_id: int, contact_id: int, channels: tuple[str, ...], now: datetime) -> int:
    """Asks each provider to cancel what is on its way to this person on these channels; returns how many it cancelled.

    Called after the opt-out's commit, outside any transaction: it speaks to providers. Never raises for what a provider
    says or does not say: what could not be taken back is reported by its own status later.
    """
    return 0
