"""Which distributions are needed, on any machine of ours: followed from pyproject.toml through what is installed here."""

import itertools
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from omnify.commands.pins import canonical

# What `make` installs, and what is asked for by name.
USUAL = ("embedded", "dev")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "x86_64"), ("darwin", "Darwin", "arm64"))  # fmt: skip


def environments() -> Iterator[dict[str, str]]:
    """Every machine of ours, in the words of PEP 508."""
    for python, (platform, system, machine) in itertools.product(PYTHONS, MACHINES):
        yield {
            "python_version": python, "python_full_version": f"{python}.1", "implementation_version": f"{python}.1",
            "sys_platform": platform, "platform_system": system, "platform_machine": machine, "os_name": "posix",
            "implementation_name": "cpython", "platform_python_implementation": "CPython", "platform_release": "",
            "platform_version": "",
        }  # fmt: skip


def applies(requirement: Requirement, extras: Iterable[str] = ()) -> bool:
    """Whether some machine of ours needs it, for any of these extras."""
    if requirement.marker is None:
        return True
    wanted = [*extras, ""]
    return any(requirement.marker.evaluate({**each, "extra": extra}) for each in environments() for extra in wanted)


def direct(project: Path, extras: Iterable[str]) -> list[Requirement]:
    """What pyproject.toml asks for, the build's own requirements included."""
    told = tomllib.loads((project / "pyproject.toml").read_text())
    asked = [*told["project"]["dependencies"], *told["build-system"]["requires"]]
    for extra in extras:
        asked += told["project"]["optional-dependencies"][extra]
    return [requirement for requirement in map(Requirement, asked) if applies(requirement)]


def needed(project: Path, extras: Iterable[str] = USUAL) -> dict[str, tuple[str, ...]]:
    """Canonical name -> what it is needed by. Reads the metadata of what is installed; what is not is followed no further."""
    why: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "pyproject.toml") for requirement in direct(project, extras)]
    while waiting:
        requirement, by = waiting.pop()
        name = canonical(requirement.name)
        why.setdefault(name, []).append(by)
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            waiting += [(each, name) for each in requires(name) if applies(each, [extra] if extra else [])]
    return {name: tuple(sorted(set(by))) for name, by in why.items()}


def requires(name: str) -> list[Requirement]:
    try:
        return [Requirement(each) for each in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:
        return []


def installed() -> dict[str, metadata.Distribution]:
    """Canonical name -> what is installed in this environment, ourselves left out."""
    found = {canonical(each.metadata["Name"]): each for each in metadata.distributions() if each.metadata["Name"]}
    found.pop("omnify", None)
    return found
