"""However `limit` is written, no page holds more rows than the largest."""

from datetime import datetime

import pytest

from tests.api.conftest import Caller
from tests.making import People, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.mark.parametrize("limit", ["0002009", "0000019999999", "201", "0", "", "٣", "-1"])
def test_a_limit_is_read_whole(people: People, now: datetime, api: Caller, limit: str) -> None:
    make_contact(people.acme, now)
    assert api.get(f"/contacts/?limit={limit}").status_code == 400


@pytest.mark.parametrize("limit", ["1", "200", "0000000200"])
def test_a_limit_within_the_bounds_is_taken(people: People, now: datetime, api: Caller, limit: str) -> None:
    make_contact(people.acme, now)
    assert len(api.get(f"/contacts/?limit={limit}").json()["results"]) == 1
