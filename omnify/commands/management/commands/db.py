"""`manage.py db start|stop|status|roles`: the embedded PostgreSQL and the log-in roles."""

import os
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.commands.roles import RoleRefused, make_roles
from omnify.lib import postgres


class Command(BaseCommand):
    help = "Starts, stops or shows the embedded PostgreSQL; `roles` makes the log-in roles of web and workers."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "roles"])

    def handle(self, *args: Any, action: str, verbosity: int, **options: Any) -> None:
        self.quiet = verbosity == 0
        own_server = os.environ.get("DATABASE_URL", "").strip()
        if own_server and action != "roles":
            self.stdout.write("DATABASE_URL is set: the embedded PostgreSQL is not used.")
            return
        try:
            getattr(self, action)()
        except (postgres.PostgresError, RoleRefused) as error:
            raise CommandError(str(error)) from error
        except psycopg.Error as error:
            raise CommandError(f"PostgreSQL says: {error}") from error

    def start(self) -> None:
        server = postgres.start(settings.STATE_DIR)
        said = "already runs" if server.already_running else "started"
        self.stdout.write(f"PostgreSQL {said} on 127.0.0.1:{server.port}, data in {server.data}.")
        self.roles()

    def stop(self) -> None:
        self.stdout.write("PostgreSQL stopped." if postgres.stop(settings.STATE_DIR) else "PostgreSQL was not running.")

    def status(self) -> None:
        found = postgres.status(settings.STATE_DIR)
        self.stdout.write(found.sentence)
        if not found.running:
            raise SystemExit(3)

    def roles(self) -> None:
        given = [name for name in ("DATABASE_WEB_URL", "DATABASE_SYSTEM_URL") if os.environ.get(name, "").strip()]
        if given:
            self.stdout.write(f"{' and '.join(given)} set: the log-in roles are yours to make, none was changed.")
            return
        url = os.environ.get("DATABASE_URL", "").strip() or postgres.database_url(settings.STATE_DIR)
        names = make_roles(url, settings.SECRET_KEY)
        if not self.quiet:
            self.stdout.write(f"Roles {' and '.join(names)} can log in.")
