"""Arrays packed by hand say to PostgreSQL what psycopg's own would say."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from omnify.lib import ids
from sequences.columns import Bigints, Bools, Ints, Texts, Timestamps, Uuids, register

pytestmark = pytest.mark.django_db
MARK = ids.public_ids(1)[0]


@pytest.mark.parametrize(
    ("column", "type_name", "values", "read"),
    [
        (Bigints, "bigint", [1, None, -(2**60)], None),
        (Bigints, "bigint", [7, 7, 7], None),
        (Bigints, "bigint", [], None),
        (Ints, "int", [0, 2**31 - 1, None], None),
        (Bools, "bool", [True, False, None], None),
        (Bools, "bool", [False, False], None),
        (Texts, "text", ["", "é", None, "x" * 3000], None),
        (Texts, "text", [None, None], None),
        (Texts, "text", ["same", "same"], None),
        (Timestamps, "timestamptz", [datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), None], None),
        (Timestamps, "timestamptz", [datetime(2026, 11, 21, tzinfo=UTC)] * 2, None),
        (Uuids, "uuid", [MARK, None], [UUID(bytes=MARK), None]),
    ],
)
def test_a_column_arrives_as_it_was_given(column, type_name, values, read) -> None:
    connection.ensure_connection()
    register(connection.connection)
    cursor = psycopg.Cursor(connection.connection)
    found = cursor.execute(f"SELECT %b::{type_name}[]", [column(values)]).fetchone()
    assert found == ((values if read is None else read),)


def test_public_ids_made_together_are_versions_seven_and_all_different() -> None:
    made = [UUID(bytes=each) for each in ids.public_ids(500)]
    assert len(set(made)) == 500
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert len({each.int >> 80 for each in made}) == 1  # one millisecond
