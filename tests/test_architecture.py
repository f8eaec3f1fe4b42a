"""What the structure promises, checked on the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("omnify", "contacts", "intelligence", "sequences")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = sorted((ROOT / "templates").rglob("*.html"))
MAX_LINES = 400
# Words that say nothing about what a file holds.
EMPTY_NAMES = {"utils", "helpers", "services", "manager", "managers", "common", "misc", "tools"}
# Locking is for claims and for the verbs that decide a race; each file here says in its docstring why.
MAY_LOCK = {
    "sequences/claims.py", "sequences/delivery.py", "sequences/taking.py", "sequences/enrolling.py", "sequences/drafting.py",
    "sequences/publishing.py", "sequences/reconcile.py", "sequences/inbound.py", "sequences/matching.py", "contacts/locks.py",
    "sequences/alarms.py",
    "sequences/merging.py",
    "sequences/allowances.py", "omnify/tenants/approvals.py", "omnify/tenants/actions.py",
}  # fmt: skip
# The only files that may read the clock: the clock itself, and processes that measure their own pauses.
CLOCK = {"omnify/lib/clock.py"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=named)
def test_no_file_is_too_long_to_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_file_is_named_after_its_idea(path: Path) -> None:
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_there_are_no_signals_of_our_own(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "django.db.models.signals" not in modules
    assert "django.dispatch" not in modules
    assert not {"receiver", "post_save", "pre_save"} & imported


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_rows_are_locked_only_where_races_are_decided(path: Path) -> None:
    if named(path) in MAY_LOCK:
        return
    assert not [line for line, name in calls(path) if name.endswith("select_for_update")]
    assert "FOR UPDATE" not in path.read_text() or named(path) == "sequences/broker.py" or "omnify/bench" in named(path)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_the_clock_is_read_in_one_place(path: Path) -> None:
    if named(path) in CLOCK:
        return
    read = {
        "datetime.now",
        "datetime.utcnow",
        "datetime.datetime.now",
        "timezone.now",
        "date.today",
        "time.time",
        "datetime.today",
    }
    if named(path).startswith("omnify/simulator/"):
        return  # the providers have clocks of their own
    assert not [f"{named(path)}:{line} {name}" for line, name in calls(path) if name in read]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_save_is_overridden(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and "models" in path.parts:
            assert not [each.name for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "save"]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_provider_sdks_are_imported_inside_functions(path: Path) -> None:
    heavy = ("twilio", "vapi", "openai", "telnyx", "statsmodels", "anymail.backends")
    for node in ast.parse(path.read_text()).body:
        modules = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for module in modules:
            under = tuple(f"{name}." for name in heavy if "." not in name)
            assert module not in heavy, f"{named(path)}: {module}"
            assert not module.startswith(under), f"{named(path)}: {module}"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_pages_hold_no_inline_script_or_style(path: Path) -> None:
    import re

    text = path.read_text()
    assert not re.search(r"\sstyle=[\"']", text)
    assert not re.search(r"\son[a-z]+=[\"']", text)
    assert not re.search(r"<style[\s>]", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or "application/json" in tag, tag
    assert not re.search(r"(src|href)=[\"']https?://", text)


def test_every_caller_of_all_tenants_is_meant() -> None:
    """Crossing tenants is for the engine, the workers, the log-in and the developer's commands."""
    allowed = (
        "contacts/clearing.py",
        "contacts/erasing.py",
        "contacts/importing/sweeping.py",
        "contacts/placing.py",
        "omnify/tenants/",
        "omnify/bench/",
        "omnify/commands/",
        "omnify/demo/",
        "omnify/promises/",
        "omnify/simulator/wiring.py",
        "sequences/",
    )
    crossing = {named(path) for path in SOURCES if any(name.endswith(".all_tenants") for _, name in calls(path))}
    assert not [path for path in crossing if not path.startswith(allowed)]
