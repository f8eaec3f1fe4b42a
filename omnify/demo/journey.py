"""The demo's sequence, with waits short enough to watch."""

from datetime import datetime
from typing import Any, Final

from omnify.tenants.models import Membership
from sequences.definitions import create_sequence, duplicate_sequence
from sequences.drafting import add_step, draft_of
from sequences.models import Sequence
from sequences.publishing import publish

NAME: Final = "Solar consultation"


def minutes(count: int) -> dict[str, Any]:
    return {"days": 0, "hours": 0, "minutes": count, "business_days": False, "at": ""}


STEPS: Final[tuple[dict[str, Any], ...]] = (
    {
        "kind": "sms",
        "name": "Short hello",
        "body": 'Hi {{ first_name | default: "there" }}, this is Northwind Solar. You asked what a solar roof'
        '{% if city %} in {{ city }}{% endif %} would bring. Shall we send you the details? Reply STOP to opt out.',
    },
    {"kind": "wait", "name": "A moment to answer", "config": minutes(1)},
    {
        "kind": "email",
        "name": "The details",
        "subject": 'Your roof and the sun, {{ first_name | default: "hello" }}',
        "body": 'Hello {{ first_name | default: "there" }},\n\nthanks for asking about a solar roof'
        '{% if company %} for {{ company }}{% endif %}. Here is how it goes:\n\n'
        "1. A consultation of 20 minutes, free of charge.\n"
        "2. A plan and a price in writing.\n"
        "3. Two days on your roof. The warranty is 15 years.\n\n"
        "Just answer this email with any question, or tell us when we may call.\n\nDana from Northwind Solar",
    },
    {"kind": "wait", "name": "Time to read", "config": minutes(2)},
    {
        "kind": "voice",
        "name": "A friendly call",
        "config": {
            "first_message": 'Hi {{ first_name | default: "there" }}, I am calling about the solar roof you asked about. '
            "Do you have a minute?"
        },
        "body": "You call somebody who asked for details about a solar roof and got a text and an email. Ask whether they "
        "have read them, answer briefly from the facts you know, and offer a free consultation of 20 minutes. "
        'Conversation so far: {{ last_interaction_summary | default: "none" }}. If they ask not to be called, say '
        "goodbye politely.",
    },
    {
        "kind": "task",
        "name": "Look at the conversation",
        "body": "Text, email and call are done and {{ first_name | default: 'the person' }} has not answered. Decide what "
        "makes sense next.",
    },
    {"kind": "exit", "name": "End"},
)  # fmt: skip


def demo_sequence(*, by: Membership, now: datetime) -> Sequence:
    """The published sequence, and a copy of it as a draft to play with. Those that exist are left as they are."""
    found = Sequence.objects.filter(name=NAME).first()
    if found is not None:
        return found
    sequence = create_sequence(
        name=NAME,
        by=by,
        now=now,
        description="A text, an email and an AI call a few minutes apart, then a task. Nobody is in it until you enrol them.",
    )
    draft, after = draft_of(sequence), None
    for revision, step in enumerate(STEPS):
        after = add_step(draft, revision=revision, by=by, now=now, after=after, **step).key  # type: ignore[arg-type]
    publish(sequence, by=by, now=now)
    duplicate_sequence(sequence, by=by, now=now)
    return sequence
