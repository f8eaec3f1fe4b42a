"""The supervisor, with real processes: restarts, prefixes, and that nothing survives it."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from omnify.commands import sessions
from omnify.commands.supervisor import Child, Printer, Supervisor, pause_before
from omnify.commands.warden import watch

ROOT = Path(__file__).resolve().parents[2]

# A family like django-q2's: a leader, and a worker that ignores what the leader is told. Each says who it is in a file.
FAMILY = """
import os, pathlib, signal, subprocess, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"
worker = subprocess.Popen([sys.executable, "-c", deaf])
(folder / f"{name}.{os.getpid()}").write_text(str(worker.pid))
print("hello from", name, flush=True)
time.sleep(120)
"""
DRIVER = """
import os, pathlib, sys
from omnify.commands.supervisor import Child, Supervisor
folder = pathlib.Path(sys.argv[1])
family = sys.argv[2]
program = (sys.executable, "-c", family, str(folder))
children = [Child(name, (*program, name), dict(os.environ)) for name in ("first", "second")]
print("ended:", Supervisor(children, folder).run())
"""


def eventually(true: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def lives(folder: Path, name: str = "*") -> list[tuple[int, int]]:
    """(leader, worker) of every life that a family member has noted in `folder`."""
    noted = [(path, path.read_text()) for path in folder.glob(f"{name}.[0-9]*")]
    return [(int(path.name.rpartition(".")[2]), int(worker)) for path, worker in noted if worker]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def nobody_left(folder: Path) -> bool:
    return not any(alive(pid) for pids in lives(folder) for pid in pids)


@pytest.fixture
def driver(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder), FAMILY],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert eventually(lambda: len(lives(folder)) == 2)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    assert eventually(lambda: nobody_left(folder))


def test_sigterm_stops_every_process_of_every_child(driver: subprocess.Popen[str], folder: Path) -> None:
    driver.send_signal(signal.SIGTERM)
    said, _ = driver.communicate(timeout=30)
    assert "stopping (SIGTERM)" in said
    assert driver.returncode == 0
    assert nobody_left(folder)


def test_ctrl_c_stops_every_process_of_every_child(driver: subprocess.Popen[str], folder: Path) -> None:
    driver.send_signal(signal.SIGINT)
    said, _ = driver.communicate(timeout=30)
    assert "ended: Ctrl-C" in said
    assert nobody_left(folder)


def test_a_hang_up_stops_every_process_of_every_child(driver: subprocess.Popen[str], folder: Path) -> None:
    driver.send_signal(signal.SIGHUP)
    driver.communicate(timeout=30)
    assert nobody_left(folder)


def test_nothing_survives_a_killed_supervisor(driver: subprocess.Popen[str], folder: Path) -> None:
    assert not nobody_left(folder)
    driver.kill()
    driver.wait()
    assert eventually(lambda: nobody_left(folder))


def test_output_that_nobody_reads_any_more_stops_it(driver: subprocess.Popen[str], folder: Path) -> None:
    driver.stdout.close()
    leader, _ = lives(folder, "first")[0]
    os.kill(leader, signal.SIGKILL)  # gives it something to say
    driver.wait(30)
    assert nobody_left(folder)


def test_each_line_stands_after_the_name_of_its_child(driver: subprocess.Popen[str]) -> None:
    lines = {driver.stdout.readline().rstrip("\n") for _ in range(2)}
    assert lines == {"first  | hello from first", "second | hello from second"}


def test_a_crashed_child_is_started_again_and_its_orphans_are_ended(
    driver: subprocess.Popen[str], folder: Path
) -> None:
    leader, orphan = lives(folder, "first")[0]
    os.kill(leader, signal.SIGKILL)
    assert eventually(lambda: len(lives(folder, "first")) == 2)
    assert eventually(lambda: not alive(orphan))
    assert len(lives(folder, "second")) == 1
    driver.send_signal(signal.SIGTERM)
    said, _ = driver.communicate(timeout=30)
    assert "first was killed by signal 9; it is started again in 0.5 s" in said


def test_a_file_asks_for_one_child_to_be_restarted(driver: subprocess.Popen[str], folder: Path) -> None:
    (leader, worker), request = lives(folder, "second")[0], folder / "restart-second"
    request.touch()
    assert eventually(lambda: len(lives(folder, "second")) == 2)
    assert not request.exists()
    assert not alive(leader)
    assert eventually(lambda: not alive(worker))
    assert len(lives(folder, "first")) == 1


def test_the_end_of_the_parent_is_the_end_of_the_supervisor(folder: Path) -> None:
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", parent, DRIVER, str(folder), FAMILY],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert eventually(lambda: len(lives(folder)) == 2)
    process.kill()
    process.wait()
    process.stdin.close()
    assert eventually(lambda: nobody_left(folder))


def test_nohup_lets_it_outlive_its_parent(folder: Path) -> None:
    parent = (
        "import signal, subprocess, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "program = [sys.executable, '-c', *sys.argv[1:]];"
        "print(subprocess.Popen(program, stdout=subprocess.DEVNULL).pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, DRIVER, str(folder), FAMILY],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        supervisor = int(process.stdout.readline())
        assert eventually(lambda: len(lives(folder)) == 2)
        process.kill()
    leader, _ = lives(folder, "first")[0]
    os.kill(leader, signal.SIGKILL)
    assert eventually(lambda: len(lives(folder, "first")) == 2), "it goes on doing its work"
    os.kill(supervisor, signal.SIGTERM)
    assert eventually(lambda: nobody_left(folder))


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0.5), (1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (500, 30)])
def test_the_pause_doubles_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert pause_before(failures) == seconds


def test_a_child_that_keeps_crashing_is_started_less_and_less_often(folder: Path) -> None:
    out = io.StringIO()
    child = Child("broken", (sys.executable, "-c", "print('no luck'); raise SystemExit(4)"), dict(os.environ))
    supervisor = Supervisor([child], folder, out)

    def until_third(now: float) -> None:
        if out.getvalue().count("ended with exit code 4") == 3:
            supervisor.stop("seen enough")

    assert supervisor.run(each_round=until_third) == "seen enough"
    pauses = [line.split("again in ")[1] for line in out.getvalue().splitlines() if "again in" in line]
    assert pauses == ["0.5 s", "1 s", "2 s"]
    assert "broken | no luck" in out.getvalue()


def test_lines_of_many_children_never_mix() -> None:
    out = io.StringIO()
    printer = Printer(out, ["a", "b"], lambda reason: None)
    lines = {name: io.StringIO("".join(f"{name * 50} {n}\n" for n in range(300))) for name in ("a", "b")}
    threads = [threading.Thread(target=printer.follow, args=pair) for pair in lines.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = out.getvalue().splitlines()
    assert len(got) == 600
    assert all(line == f"{line[0]} | {line[0] * 50} {line.split()[-1]}" for line in got)


def test_names_are_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, plain = Terminal(), io.StringIO()
    for stream in (terminal, plain):
        Printer(stream, ["web"], lambda reason: None).line("web", "hi")
    assert terminal.getvalue() == "\x1b[36mweb\x1b[0m | hi\n"
    assert plain.getvalue() == "web | hi\n"


def test_the_warden_keeps_those_that_were_not_taken_off_its_list() -> None:
    assert watch(["+11\n", "+22\n", "-11\n", "+33\n"]) == {22, 33}


def test_a_session_counts_all_its_living_members() -> None:
    family = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"], start_new_session=True)
    try:
        assert eventually(lambda: len(sessions.members({family.pid})) == 3)
    finally:
        assert sessions.kill({family.pid}) == 3
        family.wait()
    assert sessions.members({family.pid}) == []
