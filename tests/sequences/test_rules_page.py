"""The page that lists the law: every row, its source, and when it must be read again."""

from dataclasses import replace
from datetime import date

import pytest
from django.test import Client

from sequences import law
from tests.making import People

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.fixture
def page(people: People) -> Client:
    client = Client()
    client.force_login(people.bob.user)
    return client


def test_every_row_is_listed_with_its_law_and_its_dates(page: Client, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(12):
        text = page.get("/settings/rules/").content.decode()
    for row in law.ROWS:
        assert f'id="{row.id}"' in text
    assert "47 CFR 64.1200(c)(1)" in text
    assert "20 May 2027" in text  # 180 days after the last reading
    assert "no row is signed by counsel yet" in text


@pytest.mark.parametrize(
    ("place", "shown", "hidden"),
    [
        ("US-PA", "US-PA-hours", "US-FL-hours"),
        ("pennsylvania", "US-PA-hours", "US-hours"),
        ("Canada", "CA-hours", "US-hours"),
        ("new", "US-NJ-hours", "US-PA-hours"),
        ("us", "US-FL-cap", "AU-hours"),
        ("US-NY", "US-hours", "US-FL-hours"),  # no rows of its own: the country's bind
    ],
)
def test_the_filter_finds_a_jurisdiction_by_code_or_name(page: Client, place: str, shown: str, hidden: str) -> None:
    text = page.get("/settings/rules/", {"place": place}).content.decode()
    assert f'id="{shown}"' in text
    assert f'id="{hidden}"' not in text


def test_a_country_without_rules_is_said_to_be_closed(page: Client) -> None:
    text = page.get("/settings/rules/", {"place": "Germany<b>"}).content.decode()
    assert "No rule for “Germany&lt;b&gt;”" in text
    assert "is closed" in text


def test_a_row_that_is_overdue_is_marked(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tuple(replace(row, reviewed_on=date(2025, 1, 1)) if row.id == "US-FL-hours" else row for row in law.ROWS)
    monkeypatch.setattr(law, "ROWS", old)
    text = page.get("/settings/rules/").content.decode()
    assert "1 must be read again" in text
    assert "It was due for another reading on 30 June 2025." in text
