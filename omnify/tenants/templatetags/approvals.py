"""Names on the pages of second signatures."""

from django import template

register = template.Library()


@register.simple_tag
def who(names: dict[str, str], actor: str) -> str:
    """How an actor of the ledger is called: a member, a key, or Omnify itself."""
    return names.get(actor, actor.capitalize()) or "–"
