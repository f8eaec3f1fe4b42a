"""Names and notices on the pages of second signatures, and on those where they are asked for."""

from typing import Any

from django import template

from omnify.lib.clock import now
from omnify.tenants.models.approval import Approval, Decision

register = template.Library()


@register.simple_tag
def who(names: dict[str, str], actor: str) -> str:
    """How an actor of the ledger is called: a member, a key, or Omnify itself."""
    return names.get(actor, actor.capitalize()) or "–"


@register.inclusion_tag("tenants/waiting.html")
def waiting(subject: Any, *kinds: str) -> dict[str, Any]:
    """What about this row waits for a second signature, as a notice; nothing where nothing does. One query."""
    rows = Approval.objects.filter(subject_type=subject._meta.model_name, subject_id=subject.pk, kind__in=kinds)
    return {"rows": list(rows.filter(decision=Decision.WAITING, expires_at__gt=now())[:3])}
