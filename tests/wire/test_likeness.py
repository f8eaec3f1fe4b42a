"""Which listed text is ours: exactly one, or none. Near-identical words are the case that matters."""

import itertools
import random

import pytest

from sequences.transports.base import Absent, CannotSay, Found
from sequences.transports.likeness import Candidate, choice

WORDS = "Hi Pat, it is Acme. Your quote for 12 windows is ready. Reply 1 to see it, STOP to end."


def near(text: str, chance: random.Random) -> str:
    """The same text but for one character, case, blank or ending."""
    at = chance.randrange(len(text))
    ways = (
        text[:at] + chance.choice("abcdefghij0123456789 .") + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text + chance.choice(" .!"),
        text.swapcase(),
        text.replace("'", "\u2019") + " ",
    )
    return chance.choice(ways)


@pytest.mark.parametrize("seed", [1, 2])
def test_of_ten_thousand_near_identical_texts_none_is_taken_for_ours(seed: int) -> None:
    chance = random.Random(seed)
    wrong = unproven = 0
    for n in range(10_000):
        others = [Candidate(f"SM{n}-{k}", "sent", near(WORDS, chance)) for k in range(chance.randrange(1, 4))]
        others = [each for each in others if each.text != WORDS]
        ours = [Candidate("ours", "sent", WORDS)] if chance.random() < 0.5 else []
        listed = ours + others
        chance.shuffle(listed)
        answer = choice(WORDS, listed, complete=True)
        wrong += isinstance(answer, Found) and answer.provider_id != "ours"
        unproven += isinstance(answer, Absent) and bool(others)
    assert (wrong, unproven) == (0, 0)


@pytest.mark.parametrize(
    ("texts", "complete", "kind"),
    [
        ([WORDS], True, Found),
        ([WORDS], False, CannotSay),
        ([WORDS, WORDS], True, CannotSay),
        ([WORDS, WORDS + " "], True, Found),
        ([WORDS + " "], True, CannotSay),
        ([], True, Absent),
        ([], False, CannotSay),
    ],
)
def test_what_a_list_proves(texts: list[str], complete: bool, kind: type) -> None:
    count = itertools.count()
    listed = [Candidate(f"SM{next(count)}", "sent", text) for text in texts]
    assert isinstance(choice(WORDS, listed, complete=complete), kind)
