"""Which server, which database, which role: turns the environment into Django's connection settings.

`DATABASE_URL` names the owner's connection to a server of your own. Without it the embedded server is used, whose port and
password `omnify.lib.postgres` keeps in the state folder. The web and system roles log in with passwords derived from
SECRET_KEY (`manage.py db roles` sets them), unless DATABASE_WEB_URL / DATABASE_SYSTEM_URL say otherwise.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from omnify.lib import postgres
from omnify.lib.environment import BadSetting

ROLES = {"owner": "", "web": "omnify_web", "system": "omnify_system"}


def role_password(role: str, secret_key: str) -> str:
    """The log-in password of a database role: HMAC-SHA256 of its name under SECRET_KEY, hex."""
    return hmac.new(secret_key.encode(), f"database role {role}".encode(), hashlib.sha256).hexdigest()


def parse(url: str) -> dict[str, Any]:
    """Django's connection settings for a `postgresql://user:password@host:port/name?option=value` URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadSetting("DATABASE_URL must start with postgresql://: Omnify keeps its promises with PostgreSQL alone.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def settings_for(role: str, state_dir: Path, secret_key: str) -> dict[str, Any]:
    """The connection of one process. `role` is owner, web or system.

    Web processes use a pool (a thread a request under ASGI: persistent connections would pile up); workers keep
    their one connection for as long as they live: a new one costs more than most tasks.
    """
    if role not in ROLES:
        raise BadSetting(f"OMNIFY_DB_ROLE={role!r} is none of {', '.join(ROLES)}.")
    config = parse(os.environ.get("DATABASE_URL", "").strip() or postgres.database_url(state_dir))
    own_url = os.environ.get(f"DATABASE_{role.upper()}_URL", "").strip() if role != "owner" else ""
    if own_url:
        config = parse(own_url)
    elif role != "owner":
        config["USER"], config["PASSWORD"] = ROLES[role], role_password(ROLES[role], secret_key)
    config["CONN_HEALTH_CHECKS"] = True
    config["OPTIONS"].setdefault("application_name", os.environ.get("PGAPPNAME") or f"omnify {role}")
    config["OPTIONS"].setdefault("connect_timeout", 10)
    if role == "web":
        config["CONN_MAX_AGE"] = 0
        config["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 16, "timeout": 10, "max_idle": 120}
    else:
        config["CONN_MAX_AGE"] = None if role == "system" else 0
    return config
