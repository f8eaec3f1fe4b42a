"""constraints.txt: every dependency at one version, with the SHA-256 of each file that a machine of ours may install.

The index is whichever pip is configured for, asked by pip itself: mirrors, proxies and credentials need no second setting.
Files for Windows, for Pythons older than ours or other than CPython are left out; the source archive stays, for a platform
without a wheel. Versions are changed by hand or by `pip install -U`, then `manage.py pins [--from-installed]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# What `make` installs, and what the other extras need beside it.
FILES = ("constraints.txt", "constraints-optional.txt")
OPTIONAL = ("redis", "tracing")
OLDEST = 11  # CPython 3.11
PIN = re.compile(r"([A-Za-z0-9._-]+)==([\w.+!]+)((?:\s*;[^\\]*)?)\s*\\?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CPYTHON = re.compile(r"cp3(\d+)")


class Unpinned(Exception):
    """A pin that cannot be completed: the index has no usable file of that version, or tells no hash."""


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> dict[str, tuple[str, list[str]]]:
    """Name as written -> (version with its marker, hashes)."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in text.splitlines():
        if pin := PIN.match(line):
            name = pin[1]
            found[name] = (pin[2] + pin[3].rstrip(), [])
        elif name and (given := HASH.search(line)):
            found[name][1].append(given[1])
        elif line.strip() and not line.startswith("#"):
            raise Unpinned(f"This is no pin: {line}")
    return found


def written(pins: Mapping[str, tuple[str, Iterable[str]]]) -> str:
    """The file's text, in the order of names."""
    lines = ["# Made by `manage.py pins`: every version, and the hash of every file of it that may be installed."]
    for name in sorted(pins, key=canonical):
        version, hashes = pins[name]
        lines += [" \\\n".join([f"{name}=={version}", *(f"    --hash=sha256:{each}" for each in sorted(hashes))])]
    return "\n".join(lines) + "\n"


def usable(filename: str) -> bool:
    """Whether a machine of ours may install this file: a source archive, or a wheel for CPython ≥ 3.11 on Linux, macOS or any."""
    if not filename.endswith(".whl"):
        return filename.endswith((".tar.gz", ".zip"))
    pythons, abi, platforms = filename.removesuffix(".whl").split("-")[-3:]
    if not any(
        each in ("any",) or each.startswith(("manylinux", "musllinux", "linux", "macosx"))
        for each in platforms.split(".")
    ):
        return False
    for python in pythons.split("."):
        if python in ("py3", "py2.py3"):
            return True
        version = _CPYTHON.fullmatch(python)
        if version and (int(version[1]) >= OLDEST or abi == "abi3" or abi == "none") and not abi.endswith("t"):
            return True
    return False


class Index:
    """The files of releases, by pip's own reading of its configured index. pip promises no stable insides: only this class knows
    them, and only the maintainer's command uses it."""

    def __init__(self) -> None:
        from pip._internal.commands import create_command

        command: Any = create_command("download")
        options, _ = command.parse_args(["--disable-pip-version-check", "--no-input", "nothing"])
        self._leave = command.main_context()
        self._leave.__enter__()
        self._finder = command._build_package_finder(options=options, session=command.get_default_session(options))

    def close(self) -> None:
        self._leave.__exit__(None, None, None)

    def files(self, name: str) -> Iterator[tuple[str, str]]:
        """(file name, SHA-256 or "") of every file of every version."""
        from pip._internal.index.collector import parse_links

        pages: list[Any] = []
        collector = self._finder._link_collector

        def keep(page: Any) -> list[Any]:
            pages.append(page)
            return []

        found = collector.collect_sources(canonical(name), candidates_from_page=keep)
        for source in (*found.index_urls, *found.find_links):
            if source is not None:
                list(source.page_candidates())
        for page in pages:
            answer = collector.fetch_response(page)
            for link in parse_links(answer) if answer is not None else ():
                yield link.filename, (link.hash or "") if link.hash_name == "sha256" else ""


def completed(pins: Mapping[str, tuple[str, Iterable[str]]], index: Index) -> dict[str, tuple[str, list[str]]]:
    """The same versions with the hashes that the index tells today. Raises Unpinned."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import Version

    found: dict[str, tuple[str, list[str]]] = {}
    for name, (told, _) in pins.items():
        wanted = Version(told.partition(";")[0].strip())
        hashes = set()
        for filename, digest in index.files(name):
            try:
                parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
            except (InvalidWheelFilename, InvalidSdistFilename):
                continue
            if parsed[1] == wanted and usable(filename) and digest:
                hashes.add(digest)
        if not hashes:
            raise Unpinned(f"The index tells no hash of a usable file of {name} {wanted}.")
        found[name] = (told, sorted(hashes))
    return found


Pin = tuple[str, tuple[str, list[str]]]


def known(path: Path) -> dict[str, Pin]:
    """Canonical name -> (name as written, pin) of a file; nothing where there is none."""
    text = path.read_text() if path.exists() else ""
    return {canonical(name): (name, pin) for name, pin in read(text).items()}


def chosen(name: str, pinned: Pin | None, here: Any | None) -> Pin:
    """The version to pin: the one that is pinned, else the one that is installed. Raises Unpinned."""
    if pinned is not None:
        return pinned
    if here is None:
        raise Unpinned(f"{name} is needed, neither pinned nor installed here.")
    return here.metadata["Name"], (here.version, [])
