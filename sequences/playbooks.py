"""Ready-made sequences to start from."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from sequences.definitions import create_sequence
from sequences.drafting import By, add_step, draft_of
from sequences.models import Sequence

THREE_CHANNELS: Final[tuple[dict[str, Any], ...]] = (
    {
        "kind": "sms",
        "name": "Short hello",
        "body": 'Hi {{ first_name | default: "there" }}, thanks for your interest. Shall I send you a few details? '
        "Reply STOP to opt out.",
    },
    {"kind": "wait", "name": "", "config": {"days": 1, "hours": 0, "minutes": 0, "business_days": True, "at": ""}},
    {
        "kind": "email",
        "name": "The details",
        "subject": 'What we can do for {{ company | default: "you" }}',
        "body": 'Hello {{ first_name | default: "there" }},\n\nas promised, here is how we work: a short call, a plan in '
        "writing within two days, and one person who looks after you from start to end.\n\n"
        "Just answer this email with any question.",
    },
    {"kind": "wait", "name": "", "config": {"days": 2, "hours": 0, "minutes": 0, "business_days": True, "at": "10:00"}},
    {
        "kind": "voice",
        "name": "A friendly call",
        "config": {
            "first_message": 'Hi {{ first_name | default: "there" }}, do you have a minute for a quick question?'
        },
        "body": "You call somebody who asked for details by text and email. Ask whether they have read them, answer "
        "questions briefly, and offer an appointment. Conversation so far: {{ last_interaction_summary | default: "
        '"none" }}. If they ask not to be called, say goodbye politely.',
    },
    {"kind": "task", "name": "Follow up by hand", "body": "Nobody answered so far: have a look at the conversation."},
)


def start_three_channel_demo(*, by: By, now: datetime, name: str = "Three-channel demo") -> Sequence:
    """A draft that touches people by text, email and AI call. Raises definitions.NameTaken."""
    with transaction.atomic():
        sequence = create_sequence(
            name=name, by=by, now=now, description="A text, an email and an AI call, with pauses, then a task."
        )
        draft = draft_of(sequence)
        after = None
        for revision, step in enumerate(THREE_CHANNELS):
            after = add_step(draft, revision=revision, by=by, now=now, after=after, **step).key  # type: ignore[arg-type]
    return sequence
