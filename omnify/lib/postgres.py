"""The embedded PostgreSQL: a real server of one's own in the state folder, for machines without one.

It listens on 127.0.0.1 only, with passwords (loopback is open to every local user). What counts as "running" is an
answered log-in, never a pid: pids outlive their servers as zombies and are given to strangers. `manage.py db` is its
switch.
"""

import os
import shlex
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg import sql

from omnify.lib import environment
from omnify.lib.ports import free_port, port_is_free
from omnify.lib.postgres_home import (
    Home,
    PostgresError,
    Record,
    binaries,
    home_for,
    locked,
    major,
    new_record,
    read_record,
    write_record,
)
from omnify.lib.postgres_processes import clear_wreck, postmaster, shut_down

__all__ = ["PostgresError", "Server", "Status", "database_url", "restart", "start", "status", "stop"]

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "max_locks_per_transaction": "128",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",  # a message marked as sent must still be so after a crash
    "wal_buffers": "16MB",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our short queries take
    # The hot tables (messages, queue) turn over completely in minutes.
    "autovacuum_naptime": "5s",
    "autovacuum_vacuum_cost_limit": "2000",
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Failing statements carry what people wrote: the log names the error, not the statement or its values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# A server whose data nobody misses (tests): a crash of the machine, not of a process, may damage it.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
STARTING_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A server that answers. `url` is the owner's connection; `programs` holds psql, pg_dump and the like."""

    url: str = field(repr=False)
    port: int
    programs: Path
    data: Path
    log: Path
    already_running: bool


@dataclass(frozen=True)
class Status:
    """`running` says whether the owner can log in; `sentence` says it for a person."""

    running: bool
    sentence: str


def database_url(state_dir: Path) -> str:
    """The owner's connection URL. Reserves port and passwords if need be, so that settings can be read first."""
    record = read_record(state_dir)
    if record is None:
        with locked(state_dir):
            record = read_record(state_dir) or _reserve(state_dir)
    return record.url()


def status(state_dir: Path) -> Status:
    record = read_record(state_dir)
    if record is None:
        return Status(False, f"PostgreSQL was never started in {state_dir}.")
    if _answers(record):
        return Status(True, f"PostgreSQL runs on 127.0.0.1:{record.port}, state folder {state_dir}.")
    return Status(False, f"PostgreSQL does not run (state folder {state_dir}, port {record.port}).")


def start(state_dir: Path) -> Server:
    """Starts the server of `state_dir` unless it runs, with the role omnify_owner and the database omnify in it.

    Safe to call from many processes at once and after any crash. Raises PostgresError with a sentence.
    """
    state_dir = state_dir.resolve()
    with locked(state_dir):
        record = read_record(state_dir) or _reserve(state_dir)
        home = home_for(state_dir)
        programs = binaries(home)
        answered = _answers(record)
        if not answered:
            record = _bring_up(state_dir, home, programs, record)
            _make_owner(record)
        return Server(record.url(), record.port, programs, home.data, home.log, answered)


def stop(state_dir: Path, mode: str = "fast") -> bool:
    """Stops the server; False when none ran. "fast" writes a checkpoint first, "immediate" is a crash on purpose."""
    state_dir = state_dir.resolve()
    with locked(state_dir):
        if read_record(state_dir) is None:
            return False
        return shut_down(home_for(state_dir), mode)


def restart(state_dir: Path, mode: str = "immediate") -> Server:
    """Stop in `mode`, then start on the same port."""
    stop(state_dir, mode)
    return start(state_dir)


def _reserve(state_dir: Path) -> Record:
    record = new_record()
    write_record(state_dir, record)
    return record


def _connect(record: Record, *, superuser: bool, database: str) -> psycopg.Connection:
    """`require_auth` makes a stranger on our port prove that it knows the password too, instead of asking for it."""
    return psycopg.connect(
        host="127.0.0.1",
        port=record.port,
        user="postgres" if superuser else "omnify_owner",
        password=record.superuser_password if superuser else record.owner_password,
        dbname=database,
        connect_timeout=5,
        autocommit=True,
        require_auth="scram-sha-256",
    )


def _answers(record: Record) -> bool:
    try:
        _connect(record, superuser=False, database="omnify").close()
    except psycopg.OperationalError:
        return False
    return True


def _bring_up(state_dir: Path, home: Home, programs: Path, record: Record) -> Record:
    """Gets a server of ours to answer; returns the record, with another port when a stranger holds the old one."""
    if not home.initialised():
        _initialise(home, programs, record)
    for _ in range(3):
        if postmaster(home) is None:
            clear_wreck(home)
            if not port_is_free(record.port):
                record = replace(record, port=free_port())
                write_record(state_dir, record)
            durable = environment.boolean("OMNIFY_POSTGRES_DURABLE", default=True)
            options = {
                **OPTIONS,
                **({} if durable else NOT_DURABLE),
                "port": str(record.port),
                "cluster_name": home.cluster_name,
            }
            words = " ".join(shlex.quote(part) for name, value in options.items() for part in ("-c", f"{name}={value}"))
            _trim_log(home)
            began = home.run(
                programs / "pg_ctl",
                "-w",
                "-t",
                str(STARTING_SECONDS),
                "-D",
                home.data,
                "-l",
                home.log,
                "-o",
                words,
                "start",
                timeout=STARTING_SECONDS + 10,
            )
            if began.returncode and not port_is_free(record.port) and postmaster(home) is None:
                continue  # the port was taken between our look and the server's: take another
        _wait_for_log_in(home, record)
        return record
    raise PostgresError(f"PostgreSQL found no free port. Its log is {home.log}.")


def _wait_for_log_in(home: Home, record: Record) -> None:
    """Returns when the superuser can log in. A server in crash recovery is given STARTING_SECONDS."""
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            _connect(record, superuser=True, database="postgres").close()
            return
        except psycopg.OperationalError as error:
            refused = "password authentication failed" in str(error)
            if refused:
                raise PostgresError(
                    f"The password in postgres.json is not that of {home.data}. Restore postgres.json, or remove both."
                ) from error
            if postmaster(home) is None or time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not start: {_last_words(home)} (log: {home.log})") from error
        time.sleep(0.05)


def _initialise(home: Home, programs: Path, record: Record) -> None:
    """A new cluster, made aside and moved into place: a half-made one is never mistaken for a whole one."""
    aside = home.folder / "data.new"
    shutil.rmtree(aside, ignore_errors=True)
    password = home.folder / "password"
    password.touch(mode=0o600)
    try:
        password.write_text(record.superuser_password)
        if home.account:
            os.chown(password, home.account.pw_uid, home.account.pw_gid)
        # The builtin provider sorts alike on every machine; PostgreSQL has it since version 17.
        built_in = (major(programs) or 0) >= 17
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if built_in
            else ["--locale=C.UTF-8"]
        )
        made = home.run(
            programs / "initdb",
            "-D",
            aside,
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            f"--pwfile={password}",
            "-E",
            "UTF8",
            "--data-checksums",
            *locale,
            timeout=120,
        )
    finally:
        password.unlink()
    if made.returncode:
        raise PostgresError(f"initdb failed in {home.folder}: {made.stdout.strip()[-1000:]}")
    aside.rename(home.data)


def _make_owner(record: Record) -> None:
    """Role omnify_owner, which may make roles and test databases but is no superuser, and its database."""
    with _connect(record, superuser=True, database="postgres") as conn:
        known = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = 'omnify_owner'").fetchone()
        verifier = conn.pgconn.encrypt_password(
            record.owner_password.encode(), b"omnify_owner", b"scram-sha-256"
        ).decode()
        conn.execute(
            sql.SQL(
                "{} ROLE omnify_owner LOGIN CREATEDB CREATEROLE NOSUPERUSER NOBYPASSRLS NOREPLICATION PASSWORD {}"
            ).format(sql.SQL("ALTER" if known else "CREATE"), sql.Literal(verifier))
        )
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'omnify'").fetchone():
            conn.execute("CREATE DATABASE omnify OWNER omnify_owner")


def _trim_log(home: Home) -> None:
    if home.log.exists() and home.log.stat().st_size > 20_000_000:
        home.log.replace(home.log.with_suffix(".old"))


def _last_words(home: Home) -> str:
    lines = home.log.read_text(errors="replace").strip().splitlines() if home.log.exists() else []
    return " | ".join(lines[-4:]) or "it left no log"
