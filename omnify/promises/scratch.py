"""Databases for proofs: one is migrated, each proof gets a copy of it, and all of them are dropped at the end.

Whoever runs the proofs must be connected as the owner. Nothing of a running Omnify is read or written.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections

from omnify.bench.scratch import beside, drop, url, use

WORKERS = "-c role=omnify_system"


@contextmanager
def template() -> Iterator[str]:
    """The name of a freshly migrated database that nobody is connected to."""
    owner = str(connection.settings_dict["NAME"])
    name = f"omnify_promises_{os.getpid()}"
    with beside() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        use(name, options="")
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("GRANT omnify_web, omnify_system TO CURRENT_USER")
        use(owner, options="")
        connections.close_all()
        yield name
    finally:
        use(owner, options="")
        drop(name)


@contextmanager
def copy(of: str, name: str) -> Iterator[None]:
    """Inside: Django's connection, and that of every process started from here, is a copy of the database `of`."""
    owner = str(connection.settings_dict["NAME"])
    with beside() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{of}"')
        # Nobody crashes the server that these are on, so no commit needs to wait for its disk.
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
    try:
        use(name, options=WORKERS)
        os.environ["DATABASE_URL"] = url()
        yield
    finally:
        use(owner, options="")
        drop(name)
