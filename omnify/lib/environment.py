"""Reads settings from the environment and refuses nonsense loudly: a typo in production must not become a default."""

import os
import secrets
from pathlib import Path


class BadSetting(Exception):
    """A setting has a value that cannot be meant. The message names it and says what is allowed."""


TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def boolean(name: str, default: bool = False) -> bool:
    """True or False; anything but the usual spellings raises BadSetting."""
    value = os.environ.get(name)
    if value is None:
        return default
    lowered = value.strip().lower()
    if lowered in TRUE:
        return True
    if lowered in FALSE:
        return False
    raise BadSetting(f"{name}={value!r} is neither yes nor no. Use 1 or 0.")


def integer(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise BadSetting(f"{name}={value!r} is not a whole number.") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks dropped."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def secret(name: str, state_dir: Path, *, required: bool) -> str:
    """The secret `name` from the environment, else (only where not `required`) one made once and kept in `state_dir`."""
    value = os.environ.get(name, "").strip()
    if value:
        if len(value) < 32:
            raise BadSetting(
                f"{name} is shorter than 32 characters. Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return value
    if required:
        raise BadSetting(f"{name} is not set. Production does not start without it.")
    path = state_dir / name.lower()
    state_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked into place, so that of several processes starting at once all read the same whole secret.
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(48))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            aside.unlink()
    return path.read_text().strip()
