"""Custom fields hold what the database can hold; all else is refused by name."""

import pytest

from tests.api.conftest import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.mark.parametrize(
    "fields", ['{"a": "\\ud800"}', '{"\\udfff": 1}', '{"a": 1e400}', '{"a": -1e400}', '{"a": "x\\u0000"}']
)
def test_what_the_database_cannot_hold_is_refused_by_name(api: Caller, fields: str) -> None:
    answer = api.post("/contacts/", f'{{"email": "ann@people.example", "custom_fields": {fields}}}')
    assert answer.status_code == 400
    assert "custom_fields" in answer.json()["errors"]


def test_letters_of_two_halves_are_whole_letters(api: Caller) -> None:
    answer = api.post(
        "/contacts/", '{"email": "ann@people.example", "custom_fields": {"a": "\\ud83d\\ude00", "b": 2.5}}'
    )
    assert answer.status_code == 201
    assert answer.json()["custom_fields"] == {"a": "😀", "b": 2.5}
