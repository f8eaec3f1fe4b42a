"""The stories' judge misses each guard that is taken away; told with the stories' own rules, and quiet while the guard is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.promises.guards import without
from tests.promises.test_stateful import Story

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPT = ["accept"] * 6


def no_to_a_member(story: Story) -> None:
    story.enrol(who=0, story=2)
    story.say_no_after_the_decision(who=0, no="to a member", drawn=ACCEPT)


def stop_from_a_former_number(story: Story) -> None:
    story.enrol(who=0, story=2)
    story.say_no_after_the_decision(who=0, no="from a number they had", drawn=ACCEPT)


def consent_taken_back(story: Story) -> None:
    story.enrol(who=0, story=2)
    story.say_no_after_the_decision(who=0, no="sms", drawn=ACCEPT)


def three_hours_later(story: Story) -> None:
    story.enrol(who=0, story=2)
    story.send_what_was_decided_hours_ago(drawn=ACCEPT, hours=3)


# The guard, the story, and what the judge says when it is told without the guard.
MISSED = (
    ("suppression", no_to_a_member, "claimed after STOP"),
    ("suppression", stop_from_a_former_number, "claimed after STOP"),
    ("consent", consent_taken_back, "claimed without consent"),
    ("hours", three_hours_later, "outside the law"),
)


def told(told_by: Callable[[Story], None]) -> None:
    story = Story()
    story.move_in()
    try:
        told_by(story)
        story.every_promise_is_kept()
    finally:
        story.house.leave()
        story.around.__exit__(None, None, None)


@pytest.mark.parametrize(("guard", "tell", "says"), MISSED)
def test_a_guard_that_is_taken_away_is_missed(
    guard: str, tell: Callable[[Story], None], says: str, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    told(tell)
    with without(guard), pytest.raises(AssertionError, match=says):
        told(tell)
