"""The embedded PostgreSQL, with real servers: nothing here is a double."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from omnify.commands.roles import RoleRefused, make_roles
from omnify.lib import postgres
from omnify.lib.database import role_password
from omnify.lib.postgres_home import SHARED_HOME, home_for, read_record
from omnify.lib.postgres_processes import postmaster, processes


@pytest.fixture
def state(folder: Path) -> Iterator[Path]:
    yield folder
    postgres.stop(folder, "immediate")


def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_the_address_is_known_before_the_first_start_and_stays_the_same(state: Path) -> None:
    reserved = postgres.database_url(state)
    assert not postgres.status(state).running
    server = postgres.start(state)
    assert server.url == reserved == postgres.database_url(state)
    assert postgres.status(state).running
    with psycopg.connect(reserved) as conn:
        assert conn.execute("SELECT current_user, current_database()").fetchone() == ("omnify_owner", "omnify")


def test_a_second_start_is_instant_and_finds_the_first(state: Path) -> None:
    first = postgres.start(state)
    began = time.monotonic()
    second = postgres.start(state)
    assert time.monotonic() - began < 1
    assert second.already_running
    assert not first.already_running
    assert second.port == first.port
    assert len([p for p in processes(home_for(state)) if p.pid == postmaster(home_for(state)).pid]) == 1


def test_many_processes_that_ask_at_once_agree_on_one_server(state: Path) -> None:
    code = "import sys, pathlib; from omnify.lib import postgres; print(postgres.start(pathlib.Path(sys.argv[1])).url)"
    command = [sys.executable, "-c", code, str(state)]
    root = Path(__file__).resolve().parents[2]
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, cwd=root), range(4)))
    assert [end.returncode for end in ends] == [0] * 4, [end.stderr for end in ends]
    assert len({end.stdout for end in ends}) == 1


def test_the_owner_is_no_superuser_and_cannot_step_around_row_security(state: Path) -> None:
    with psycopg.connect(postgres.start(state).url) as conn:
        row = conn.execute(
            "SELECT rolsuper, rolbypassrls, rolreplication, rolcreatedb, rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, False, True, True)


def test_committed_rows_survive_a_killed_postmaster(state: Path) -> None:
    server = postgres.start(state)
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (n int)")
        for n in range(200):
            conn.execute("INSERT INTO kept VALUES (%s)", [n])
        os.kill(postmaster(home_for(state)).pid, signal.SIGKILL)
        again = postgres.start(state)
    assert again.port == server.port
    assert not again.already_running
    with psycopg.connect(again.url) as conn:
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (200,)


def test_a_crash_on_purpose_comes_back_on_the_same_port(state: Path) -> None:
    server = postgres.start(state)
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 7 AS n")
    again = postgres.restart(state, mode="immediate")
    assert again.url == server.url
    with psycopg.connect(again.url) as conn:
        assert conn.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_stale_pid_file_that_names_a_stranger_neither_hides_the_outage_nor_hurts_the_stranger(state: Path) -> None:
    server = postgres.start(state)
    postgres.stop(state)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        data = home_for(state).data
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n1\n{server.port}\n\n127.0.0.1\n")
        assert not postgres.status(state).running
        assert postgres.stop(state) is False
        assert stranger.poll() is None
        assert postgres.start(state).port == server.port
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_taken_by_a_stranger_is_replaced_and_remembered(state: Path) -> None:
    postgres.database_url(state)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", read_record(state).port))
        stranger.listen()
        taken = read_record(state).port
        server = postgres.start(state)
        assert server.port != taken
        assert str(server.port) in postgres.database_url(state)
        assert postgres.status(state).running


def test_nobody_gets_in_without_the_password(state: Path) -> None:
    server = postgres.start(state)
    for user in ("postgres", "omnify_owner"):
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host="127.0.0.1", port=server.port, user=user, password=password, dbname="postgres")


def test_it_listens_on_loopback_only_and_on_no_socket_file(state: Path) -> None:
    server = postgres.start(state)
    listening = [c.laddr for c in postmaster(home_for(state)).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", server.port)]
    assert [c.laddr for c in postmaster(home_for(state)).net_connections("unix") if c.laddr] == []


def test_the_passwords_are_readable_by_their_owner_only(state: Path) -> None:
    server = postgres.start(state)
    assert (state / "postgres.json").stat().st_mode & 0o777 == 0o600
    assert home_for(state).folder.stat().st_mode & 0o777 == 0o700
    record = read_record(state)
    assert record.owner_password not in repr(record) + repr(server)


def test_passwords_that_do_not_fit_the_data_are_named_as_the_cause(state: Path) -> None:
    postgres.start(state)
    postgres.stop(state)
    (state / "postgres.json").unlink()
    with pytest.raises(postgres.PostgresError, match=r"Restore postgres\.json"):
        postgres.start(state)


def test_the_log_keeps_what_people_wrote_to_itself(state: Path) -> None:
    server = postgres.start(state)
    with psycopg.connect(server.url) as conn, pytest.raises(psycopg.Error):
        conn.execute("SELECT 'please call me, my number is secret' FROM no_such_table")
    log = server.log.read_text()
    assert "no_such_table" in log
    assert "secret" not in log


def test_a_wrong_folder_of_programs_is_refused_by_name(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(state))
    with pytest.raises(postgres.PostgresError, match="PG_BIN="):
        postgres.start(state)


SYSTEM = Path("/usr/lib/postgresql/15/bin")


@pytest.mark.skipif(not SYSTEM.exists(), reason="no PostgreSQL 15 of the system here")
def test_a_postgresql_15_of_the_system_serves_too_and_its_data_stay_with_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PG_BIN", str(SYSTEM))
        server = postgres.start(state)
        with psycopg.connect(server.url) as conn:
            assert 150000 <= conn.info.server_version < 160000
        assert make_roles(server.url, "k" * 40) == ["omnify_web", "omnify_system"]
        assert make_roles(server.url, "k" * 40) == ["omnify_web", "omnify_system"]
        postgres.stop(state)
    again = postgres.start(state)  # though newer programs come first in the order
    assert again.programs == SYSTEM


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another account")
def test_a_private_folder_of_root_is_left_private(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    server = postgres.start(private / "state")
    elsewhere = home_for(private / "state").folder
    try:
        assert SHARED_HOME in server.data.parents
        assert private.stat().st_mode & 0o777 == 0o700
        assert postgres.status(private / "state").running
    finally:
        postgres.stop(private / "state", "immediate")
        assert SHARED_HOME in elsewhere.parents
        subprocess.run(["rm", "-rf", str(elsewhere)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another account")
def test_programs_that_the_account_may_not_enter_are_copied(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = postgres.start(state).programs
    postgres.stop(state)
    private = state / "private"
    private.mkdir(mode=0o700)
    package = programs.parent.parent
    subprocess.run(["cp", "-r", package, package.with_name(package.name + ".libs"), private], check=True)
    monkeypatch.setenv("PG_BIN", str(private / package.name / programs.parent.name / "bin"))
    server = postgres.start(state)
    assert home_for(state).folder in server.programs.parents
    assert private.stat().st_mode & 0o777 == 0o700


def test_both_log_in_roles_can_log_in_and_neither_is_mighty(state: Path) -> None:
    server, key = postgres.start(state), "k" * 40
    make_roles(server.url, "an older key" * 4)
    names = make_roles(server.url, key)
    for name in names:
        with psycopg.connect(server.url, user=name, password=role_password(name, key)) as conn:
            row = conn.execute(
                "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = %s", [name]
            ).fetchone()
        assert row == (False, False, False, False)


def test_a_role_that_bypasses_row_security_is_refused(state: Path) -> None:
    server, record = postgres.start(state), read_record(state)
    admin = {"host": "127.0.0.1", "port": record.port, "user": "postgres", "password": record.superuser_password}
    with psycopg.connect(**admin, dbname="postgres", autocommit=True) as conn:
        conn.execute("CREATE ROLE omnify_web LOGIN BYPASSRLS")
    with pytest.raises(RoleRefused, match="omnify_web"):
        make_roles(server.url, "k" * 40)


def test_stopping_twice_is_no_error(state: Path) -> None:
    postgres.start(state)
    assert postgres.stop(state) is True
    assert postgres.stop(state) is False
    assert eventually(lambda: not processes(home_for(state)))
