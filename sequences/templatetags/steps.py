"""Tags of the pages of sequences: receipts in words, the state of a person, a step's icon."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from omnify.tenants.templatetags.page import icon
from sequences.models import Enrollment, Execution, Message, Step
from sequences.outline import KIND_WORDS
from sequences.reading import STATES, state_name
from sequences.reasons import why
from sequences.receipts import remedy, sentence, short
from sequences.wording import facts_in_words
from sequences.wording import wait_in_words as wait_words

register = template.Library()

TONES = {
    "active": "good",
    "replied": "accent",
    "paused": "warn",
    "failed": "bad",
    "completed": "",
    "opted_out": "bad",
    "exited": "",
}
MESSAGE_TONES = {
    "delivered": "good", "sent": "good", "accepted": "info", "ready": "info", "claimed": "info", "sending": "info",
    "unknown": "warn", "held": "warn", "deferred": "warn", "expired": "warn", "suppressed": "warn",
    "undelivered": "bad", "rejected": "bad", "cancelled": "",
}  # fmt: skip
DECISION_TONES = {"send": "good", "wait": "info", "skip": "warn", "task": "accent", "handoff": "bad", "exit": ""}


def chip(tone: str, word: str, title: str = "") -> SafeString:
    return format_html('<span class="chip {}" title="{}">{}</span>', tone, title, word)


@register.simple_tag
def person_state(enrollment: Enrollment) -> SafeString:
    """A chip for where a person stands, with the reason where the word alone does not say it."""
    name = state_name(enrollment.status, enrollment.status_reason)
    word = STATES[name][0]
    reason = enrollment.status_reason
    told = f"{word}: {short(reason)}" if reason and name in ("active", "failed", "paused") and reason != name else word
    return chip(TONES[name], told, remedy(reason))


@register.simple_tag
def message_state(message: Message) -> SafeString:
    return chip(MESSAGE_TONES.get(message.state, ""), message.get_state_display(), why(message.state_reason))


@register.simple_tag
def decision_chip(execution: Execution) -> SafeString:
    return chip(DECISION_TONES.get(execution.decision, ""), execution.get_decision_display())


@register.filter
def told(execution: Execution) -> str:
    """A receipt as a sentence."""
    return sentence(execution.decision, execution.reason, execution.facts)


@register.filter
def would_change(execution: Execution) -> str:
    return remedy(execution.reason, execution.facts)


@register.filter
def why_so(message: Message) -> str:
    """Why a message is where it is, as a sentence."""
    return why(message.state_reason)


@register.filter
def facts_of(execution: Execution) -> list[tuple[str, str]]:
    return facts_in_words(execution.facts)


@register.filter
def wait_in_words(config: dict[str, Any]) -> str:
    return wait_words(config)


@register.filter
def kind_word(kind: str) -> str:
    return KIND_WORDS.get(kind, kind)


@register.filter
def step_name(step: Step) -> str:
    """A step's own name; a wait says how long, everything else its kind."""
    return f"Wait {wait_words(step.config or {})}" if step.kind == "wait" else str(step)


@register.simple_tag
def kind_icons(kinds: list[str]) -> SafeString:
    """The channels of a sequence as a row of icons, with one text for those who do not see them."""
    shown = [kind for kind in kinds if kind in ("sms", "email", "voice", "task")]
    words = ", ".join(KIND_WORDS[kind] for kind in shown)
    icons = SafeString("".join(icon(kind) for kind in shown[:8]))
    more = f"+{len(shown) - 8}" if len(shown) > 8 else ""
    return format_html(
        '<span class="kinds" title="{}">{}{}<span class="visually-hidden">{}</span></span>', words, icons, more, words
    )


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """mapping[key], empty where there is none."""
    return mapping.get(key, "")
