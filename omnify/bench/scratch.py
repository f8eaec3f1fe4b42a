"""A database made for one measurement and dropped after it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections


@contextmanager
def database() -> Iterator[None]:
    """Inside: Django's default connection is a freshly migrated database, as the workers' role. Needs the owner's connection."""
    owner = dict(connection.settings_dict)
    name = f"omnify_bench_{os.getpid()}"
    connection.set_autocommit(True)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        _use(name, options="")
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("GRANT omnify_system TO CURRENT_USER")
        _use(name, options="-c role=omnify_system")
        yield
    finally:
        _use(owner["NAME"], options="")
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def _use(name: str, *, options: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"], "options": options}
