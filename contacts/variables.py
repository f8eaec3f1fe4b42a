"""What a template may say about a person and the conversation so far. Pure: works on plain column values."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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


Look = Callable[[str], Any]


class PersonVariables(Mapping[str, Any]):
    """The values of NAMES for one person, each worked out when a template first asks for it.

    What is blank is None, which prints as nothing and, unlike an empty text in Liquid, is false in `{% if company %}`.
    `extra` values (an enrolment's own) go before all others.
    """

    __slots__ = ("_known", "_look", "_now")

    def __init__(self, look: Look, now: datetime, extra: Mapping[str, Any] | None = None) -> None:
        self._look, self._now = look, now
        self._known: dict[str, Any] = dict(extra) if extra else {}

    def __getitem__(self, name: str) -> Any:
        known = self._known
        if name in known:
            return known[name]
        if name in _AS_STORED:
            known[name] = _or_none(self._look(name))
        else:
            known[name] = _WORKED_OUT[name](self._look, self._now)
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(NAMES), **self._known})

    def __len__(self) -> int:
        return len({*NAMES, *self._known})


def template_variables(contact: Mapping[str, Any], now: datetime) -> PersonVariables:
    """The values of NAMES for one person.

    `contact` holds COLUMNS by name, plus, where known, `company` (or `company__name`), `objections_history` and
    `key_topics_history` (lists of words). What is absent reads as None.
    """
    return PersonVariables(contact.get, now)


def _or_none(value: Any) -> Any:
    return None if value == "" else value


def _company(look: Look, now: datetime) -> str | None:
    return look("company") or look("company__name") or None


def _custom(look: Look, now: datetime) -> dict[str, Any]:
    stored = look("custom_fields") or {}
    return json.loads(stored) if isinstance(stored, str) else dict(stored)


_AS_STORED = frozenset({*CONTACT_FIELDS, "last_interaction_summary", "last_call_summary", "last_sms_reply"})
_WORKED_OUT: dict[str, Callable[[Look, datetime], Any]] = {
    "full_name": lambda look, now: f"{look('first_name') or ''} {look('last_name') or ''}".strip() or None,
    "company": _company,
    "tags": lambda look, now: list(look("tags") or ()),
    "custom": _custom,
    "interaction_count": lambda look, now: look("interaction_count") or 0,
    "days_since_first_contact": lambda look, now: days_since(look("first_contacted_at"), now),
    "overall_sentiment": lambda look, now: look("sentiment_trend") or None,
    "objections_history": lambda look, now: _or_none(listed(look("objections_history") or ())),
    "key_topics_history": lambda look, now: _or_none(listed(look("key_topics_history") or ())),
}


def days_since(first: datetime | None, now: datetime) -> int:
    """Whole days; 0 for somebody never contacted and for a first contact that lies ahead of a wrong clock."""
    return max((now - first).days, 0) if first is not None else 0


def listed(words: Iterable[Any]) -> str:
    """ "price, timing": each once, in order. A dict is named by its `type` (an objection) or `topic`."""
    named = (word.get("type") or word.get("topic") or "" if isinstance(word, Mapping) else word for word in words)
    return ", ".join(dict.fromkeys(str(word) for word in named if word))
