"""Senders' credentials under a new key, row by row, while messages go out: both keys open until the last row is done."""

from omnify.lib import sealing
from omnify.tenants.context import tenant_context
from sequences.models import Sender


def reseal_senders(*, batch: int = 200) -> int:
    """Seals every sender's credentials with the current key; returns how many were not yet. Run as the system role.

    A row changed meanwhile keeps its new credentials, which were sealed with the current key anyway. Raises CannotOpen,
    naming the row, at the first one that no configured key opens; those before it are done.
    """
    done = after = 0
    while True:
        rows = list(
            Sender.objects.all_tenants()
            .filter(pk__gt=after)
            .exclude(sealed_credentials="")
            .order_by("pk")
            .values_list("pk", "tenant_id", "sealed_credentials")[:batch]
        )
        for pk, tenant_id, sealed in rows:
            if sealing.is_current(sealed):
                continue
            context = f"sender:{tenant_id}"
            try:
                fresh = sealing.seal(sealing.open_sealed(sealed, context=context), context=context)
            except sealing.CannotOpen as error:
                raise sealing.CannotOpen(f"Sender {pk} of tenant {tenant_id}: {error}") from error
            with tenant_context(tenant_id):
                done += Sender.objects.filter(pk=pk, sealed_credentials=sealed).update(sealed_credentials=fresh)
        if len(rows) < batch:
            return done
        after = rows[-1][0]
