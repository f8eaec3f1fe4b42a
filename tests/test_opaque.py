"""Numbers in addresses: ours to read, nobody's to guess."""

import random
import uuid
from typing import Any

import pytest
from django.urls import Resolver404, resolve, reverse

from omnify.lib.opaque import OpaqueNumber

opaque = OpaqueNumber()


@pytest.mark.parametrize("number", [0, 1, 7, 2**31, 2**63 - 1])
def test_a_number_comes_back(number: int) -> None:
    assert opaque.to_python(opaque.to_url(number)) == number


def test_neighbours_look_nothing_alike() -> None:
    made = [opaque.to_url(number) for number in range(1000)]
    assert len(set(made)) == 1000
    assert len({each[:8] for each in made}) > 990
    assert made != sorted(made)


def test_nobody_makes_one_up() -> None:
    chance = random.Random(3)
    for _ in range(10_000):
        with pytest.raises(ValueError, match="Nobody was given"):
            opaque.to_python(str(uuid.UUID(int=chance.getrandbits(128))))


def test_another_key_opens_it_only_while_the_old_one_is_kept(settings: Any) -> None:
    made = opaque.to_url(12)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, which is long enough to be one"
    with pytest.raises(ValueError, match="Nobody was given"):
        opaque.to_python(made)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opaque.to_python(made) == 12


@pytest.mark.parametrize("name", ["sequences:event_retry", "tenants:member_remove", "tenants:key_revoke"])
def test_no_address_shows_a_row_number(name: str) -> None:
    made = reverse(name, args=[41])
    assert "41/" not in made
    assert resolve(made).kwargs == {"pk": 41}
    with pytest.raises(Resolver404):
        resolve(made.replace(opaque.to_url(41), "41"))
