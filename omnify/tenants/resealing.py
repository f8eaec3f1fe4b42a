"""Second factors under a new key."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator

from omnify.lib import sealing

# Where django-allauth's TOTP and recovery codes keep what they had sealed.
SEALED = ("secret", "seed")


def reseal_factors(*, batch: int = 200) -> int:
    """Seals every authenticator's secret with the current key; returns how many were not yet (plain ones of old included)."""
    adapter = get_adapter()
    done = 0
    for row in Authenticator.objects.order_by("pk").iterator(chunk_size=batch):
        stale = [
            name for name in SEALED if isinstance(row.data.get(name), str) and not sealing.is_current(row.data[name])
        ]
        stale_codes = [code for code in row.data.get("migrated_codes", []) if not sealing.is_current(code)]
        if not stale and not stale_codes:
            continue
        fresh = dict(row.data) | {name: adapter.encrypt(adapter.decrypt(row.data[name])) for name in stale}
        if stale_codes:
            fresh["migrated_codes"] = [adapter.encrypt(adapter.decrypt(code)) for code in row.data["migrated_codes"]]
        done += Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=fresh)
    return done
