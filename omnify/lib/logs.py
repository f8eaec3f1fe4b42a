"""Log lines: plain on a laptop, one JSON object a line with OMNIFY_LOG=json; with the ids of what they are about, and without
what people wrote, where they live, or anything that would let a text pretend to be a line of its own.

Every formatter goes through `said`: addresses are masked, control characters written out, PostgreSQL's DETAIL (it prints
whole rows) dropped. An error of the database is told by its class, SQLSTATE and constraint; never in its own words.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_bound: ContextVar[dict[str, int | str]] = ContextVar("omnify_logged", default={})  # noqa: B039 (never changed in place)
# What a line may say it is about: ids alone.
IDS = ("tenant", "enrollment", "message", "contact", "event", "request")
LONGEST = 4_000
_DETAIL = re.compile(r"(?:DETAIL:|Failing row contains|Key \().*", re.DOTALL)
# (from the beginning of a word only: it would else be looked through from each of its letters)
_MAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?:\+|%2B)\d[\d\s().-]{6,20}\d")
# Paths whose last part is a key: unsubscribing, a sender's webhook, resetting a password.
_KEYS = re.compile(r"(/u/|/hooks/[a-z]+/|/accounts/(?:password/reset/key|confirm-email)/)[^/\s\"']+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_DEEPEST = 8
# Classes of SQLSTATE whose first line speaks of statements, locks and connections, and of no value.
_WITHOUT_VALUES = frozenset({"08", "40", "42", "53", "55", "57"})


@contextmanager
def logged(**ids: int | str | None) -> Iterator[None]:
    """Every line written inside carries these ids (names of IDS); None adds nothing. Nested: the inner one adds to the outer."""
    known = {name: value for name, value in ids.items() if value is not None and name in IDS}
    token = _bound.set({**_bound.get(), **known})
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> dict[str, int | str]:
    """The ids that a line written here would carry."""
    return _bound.get()


def said(text: str) -> str:
    """`text` as it may stand in a log: one line, without addresses, keys or rows."""
    text = _DETAIL.sub("(row left out)", text)
    text = _KEYS.sub(r"\1(key)", _PHONE.sub("(phone)", _MAIL.sub("(mail)", text)))
    text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters)"


def told(error: BaseException) -> str:
    """An exception in one line: its class and what it says; of a database's error class, SQLSTATE, table and constraint."""
    name = type(error).__qualname__
    cause = error if hasattr(error, "sqlstate") else error.__cause__
    if hasattr(cause, "sqlstate") or type(error).__module__ == "django.db.utils":
        diagnosis = getattr(cause, "diag", None)
        parts = [getattr(cause, "sqlstate", None)]
        parts += [getattr(diagnosis, part, None) for part in ("table_name", "column_name", "constraint_name")]
        if str(parts[0] or "")[:2] in _WITHOUT_VALUES:
            parts.append(said(str(getattr(diagnosis, "message_primary", None) or "")))
        facts = ", ".join(str(part) for part in parts if part)
        return f"{name} ({facts})" if facts else name
    return f"{name}: {said(str(error))}" if str(error) else name


def story(error: BaseException | None) -> list[str]:
    """The traceback and the exceptions behind it, the first cause first. Lines of code, never values of variables."""
    chain: list[BaseException] = []
    while error is not None and error not in chain and len(chain) < _DEEPEST:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines: list[str] = []
    for each in reversed(chain):
        for frame in traceback.extract_tb(each.__traceback__):
            lines.append(f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line or ''}")
        lines.append(told(each))
    return lines


def words_of(record: logging.LogRecord) -> str:
    """The record's message. Exceptions among its arguments are told like any other."""
    arguments: Any = record.args
    if isinstance(arguments, tuple) and any(isinstance(each, BaseException) for each in arguments):
        arguments = tuple(told(each) if isinstance(each, BaseException) else each for each in arguments)
        return said(str(record.msg) % arguments)
    return said(record.getMessage())


class Plain(logging.Formatter):
    """For people: time, level, logger, words, ids. A traceback follows indented, so no text in it can begin a line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone()
        ids = " ".join(f"{name}={value}" for name, value in _bound.get().items())
        head = f"{moment:%Y-%m-%d %H:%M:%S},{record.msecs:03.0f} {record.levelname} {record.name} {words_of(record)}"
        lines = [f"{head} [{ids}]" if ids else head]
        if record.exc_info and record.exc_info[1]:
            lines += [f"    {line}" for line in story(record.exc_info[1])]
        return "\n".join(lines)


class Json(logging.Formatter):
    """For machines: one object a line, ASCII, with time (UTC), level, logger, text, the ids and, after an error, its story."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "text": words_of(record),
            **_bound.get(),
        }
        if record.exc_info and record.exc_info[1]:
            facts["error"] = told(record.exc_info[1])
            facts["story"] = story(record.exc_info[1])
        return json.dumps(facts)
