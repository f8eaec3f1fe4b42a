"""What a template may say about a person and the conversation so far. Pure: works on a dict of plain column values."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

CONTACT_FIELDS = (
    "first_name",
    "last_name",
    "title",
    "email",
    "phone",
    "city",
    "state",
    "postal_code",
    "country",
    "language",
    "timezone",
    "lead_score",
    "engagement_score",
)
MEMORY = (
    "last_interaction_summary",
    "last_call_summary",
    "last_sms_reply",
    "interaction_count",
    "days_since_first_contact",
    "overall_sentiment",
    "objections_history",
    "key_topics_history",
)
# Every name that template_variables returns: what publishing checks a template against and the editor offers.
NAMES = (*CONTACT_FIELDS, "full_name", "company", "tags", "custom", *MEMORY)
# The columns of contacts_contact it reads, and the company's name: what the engine's one query must bring.
COLUMNS = (
    *CONTACT_FIELDS,
    "tags",
    "custom_fields",
    "sentiment_trend",
    "interaction_count",
    "first_contacted_at",
    "last_interaction_summary",
    "last_call_summary",
    "last_sms_reply",
)


def template_variables(contact: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The values of NAMES for one person.

    `contact` holds COLUMNS by name, plus, where known, `company` (or `company__name`), `objections_history` and
    `key_topics_history` (lists of words). What is absent reads as empty, so that a template's default applies.
    """
    values: dict[str, Any] = {name: _or_empty(contact.get(name)) for name in CONTACT_FIELDS}
    values["full_name"] = f"{values['first_name']} {values['last_name']}".strip()
    values["company"] = _or_empty(contact.get("company") or contact.get("company__name"))
    values["tags"] = list(contact.get("tags") or ())
    values["custom"] = dict(contact.get("custom_fields") or {})
    for name in ("last_interaction_summary", "last_call_summary", "last_sms_reply"):
        values[name] = _or_empty(contact.get(name))
    values["interaction_count"] = contact.get("interaction_count") or 0
    values["days_since_first_contact"] = days_since(contact.get("first_contacted_at"), now)
    values["overall_sentiment"] = _or_empty(contact.get("sentiment_trend"))
    values["objections_history"] = listed(contact.get("objections_history") or ())
    values["key_topics_history"] = listed(contact.get("key_topics_history") or ())
    return values


def days_since(first: datetime | None, now: datetime) -> int:
    """Whole days; 0 for somebody never contacted and for a first contact that lies ahead of a wrong clock."""
    return max((now - first).days, 0) if first is not None else 0


def listed(words: Iterable[Any]) -> str:
    """ "price, timing": each once, in order. A dict is named by its `type` (an objection) or `topic`."""
    named = (word.get("type") or word.get("topic") or "" if isinstance(word, Mapping) else word for word in words)
    return ", ".join(dict.fromkeys(str(word) for word in named if word))


def _or_empty(value: Any) -> Any:
    return "" if value is None else value
