"""Databases made for one measurement or proof and dropped after it, and processes that work in them."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from django.core.management import call_command
from django.db import connection, connections

from sequences import facts

LEFT_BEHIND = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = %s AND usename IN (CURRENT_USER, 'omnify_web', 'omnify_system')
"""
# A process of a measurement that takes longer has hung.
LONGEST = 900.0


@contextmanager
def database(role: str = "omnify_system", template: str = "") -> Iterator[None]:
    """Inside: Django's default connection is a fresh database, as this role: migrated, or a copy of `template`.

    Needs the owner's connection. Processes started with `environ()` work in it, too.
    """
    owner = dict(connection.settings_dict)
    name = f"omnify_bench_{os.getpid()}"
    try:
        with beside() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        use(name, options="")
        if not template:
            call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("GRANT omnify_web, omnify_system TO CURRENT_USER")
        use(name, options=f"-c role={role}")
        yield
    finally:
        drop(name)
        use(owner["NAME"], options=owner["OPTIONS"].get("options", ""))


def drop(name: str) -> None:
    """Drops a database of ours with the sessions that are left in it.

    Sessions of our own roles only, so not WITH (FORCE): an autovacuum is not ours to end, and the server ends it by itself.
    """
    with beside() as cursor:
        cursor.execute(LEFT_BEHIND, [name])
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


@contextmanager
def beside() -> Iterator[Any]:
    """A cursor of the owner's in another database, with no connection of Django's open: for what is copied or dropped, to which
    nobody may be connected."""
    connections.close_all()
    known = connection.get_connection_params()
    where = {name: known[name] for name in ("host", "port", "user", "password") if known.get(name)}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as owner, owner.cursor() as cursor:
        yield cursor


def use(name: str, *, options: str) -> None:
    """From now on every thread connects, anew, to this database of the same server. `options`: those that set the role, "" for the
    owner's own."""
    connections.close_all()
    facts.forget()
    connection.settings_dict["NAME"] = name
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"], "options": options}


@contextmanager
def as_role(role: str) -> Iterator[None]:
    """Inside, this process is connected as another role."""
    at = connection.settings_dict
    before = at["OPTIONS"]["options"]
    use(at["NAME"], options=f"-c role={role}")
    try:
        yield
    finally:
        use(at["NAME"], options=before)


def environ(role: str, **more: str) -> dict[str, str]:
    """The environment of a process of Omnify's that works in the database of this measurement."""
    known = connection.settings_dict["OPTIONS"]
    options = {name: value for name, value in known.items() if name in ("sslmode", "connect_timeout")}
    given = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    return {**given, "DATABASE_URL": f"{url()}?{urlencode(options)}", "OMNIFY_DB_ROLE": role, **more}


def url() -> str:
    """How another process connects, as the owner, to the database that this one is connected to."""
    at = connection.settings_dict
    user, password, host, name = (quote(at[each], safe="") for each in ("USER", "PASSWORD", "HOST", "NAME"))
    return f"postgresql://{user}:{password}@{host}:{at['PORT']}/{name}"


def as_owner(sql: str, params: Any = None, role: str = "omnify_system") -> None:
    """One statement as the owner of the tables, whom row-level security binds too; then on as `role`."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        try:
            cursor.execute(sql, params)
        finally:
            cursor.execute(f"SET ROLE {role}")


def together(processes: int, work: Callable[[], int]) -> tuple[float, int]:
    """`work` in so many processes at once; returns the seconds from the common start to the last end, and the sum of what
    they returned. One process means this one."""
    if processes == 1:
        began = time.perf_counter()
        done = work()
        return time.perf_counter() - began, done
    connections.close_all()
    context = multiprocessing.get_context("fork")
    start, ends = context.Barrier(processes + 1), context.Queue()

    def run() -> None:
        try:
            with connection.cursor() as cursor:  # connecting is not measured
                cursor.execute("SELECT 1")
            start.wait(60)
            ends.put(work())
        finally:
            connections.close_all()

    crew = [context.Process(target=run, daemon=True) for _ in range(processes)]
    for each in crew:
        each.start()
    start.wait(60)
    began = time.perf_counter()
    done = sum(ends.get(timeout=LONGEST) for _ in crew)
    seconds = time.perf_counter() - began
    for each in crew:
        each.join(30)
    return seconds, done
