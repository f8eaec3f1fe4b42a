"""The whole suite runs on PostgreSQL under Omnify's own roles: as the system role, or, marked `as_web`, as the web role."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from omnify.bench import scratch
from tests.making import People, make_people

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
# A Wednesday, 11:00 in New York and 08:00 in Los Angeles: inside everybody's window in the United States.
NOON_ISH = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # the slow one costs a second a member


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """A process that a test forked says good-bye, when it ends, on every connection it inherited, also on those that another
    event loop of this process keeps: a connection that is gone is made anew, not handed to the next test."""
    if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
        connection.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The schema is made by the owner; from then on every connection, of every thread, acts as the system role."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("GRANT omnify_web, omnify_system TO CURRENT_USER")
            fresh = _fresh()
            cursor.execute(f'DROP DATABASE IF EXISTS "{fresh}"')
        with scratch.beside() as cursor:
            cursor.execute(f'CREATE DATABASE "{fresh}" TEMPLATE "{connection.settings_dict["NAME"]}"')
        connection.settings_dict["OPTIONS"]["options"] = "-c role=omnify_system"
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        del connection.settings_dict["OPTIONS"]["options"]
        with scratch.beside() as cursor:
            cursor.execute(f'DROP DATABASE "{fresh}"')


def _fresh() -> str:
    """A copy of the tests' database, made before anybody used it and never connected to: what others are copied from."""
    return f"{connection.settings_dict['NAME']}_fresh"


@pytest.fixture
def own_database(transactional_db: None) -> Iterator[None]:
    """For a test that copies, restores or fills a whole database: one of its own, to which nobody else is connected."""
    with scratch.database(template=_fresh()):
        yield


@pytest.fixture(autouse=True)
def _database_role(request: pytest.FixtureRequest) -> Iterator[None]:
    uses = {"db", "transactional_db", "client", "live_server", "people"} & set(request.fixturenames)
    if not (uses or request.node.get_closest_marker("django_db")):
        yield
        return
    request.getfixturevalue("_django_db_helper")
    web = request.node.get_closest_marker("as_web") is not None
    if web:
        request.getfixturevalue("people")  # tenants are made by the system role, before the web role takes over
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE omnify_web" if web else "SET ROLE omnify_system")
    yield
    if not connection.needs_rollback:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE NONE")  # the flush between tests truncates, which only the owner may


@pytest.fixture
def now() -> datetime:
    return NOON_ISH


@pytest.fixture
def people(_django_db_helper: None, now: datetime) -> People:
    """Alice owns Acme, Bob is an agent there, Charlie owns another tenant and must never see a thing."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE omnify_system")
    return make_people(now)


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("The public cases are not beside this checkout (../shared/data).")
    return SHARED_DATA
