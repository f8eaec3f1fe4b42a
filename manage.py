#!/usr/bin/env python
"""Omnify's commands. Each runs under the database role its work needs (see omnify/settings.py)."""

import os
import sys

# Commands that change the schema, make databases or own the test run act as the owner; all others as the system role.
OWNER_COMMANDS = {
    "migrate",
    "makemigrations",
    "sqlmigrate",
    "showmigrations",
    "test",
    "dbshell",
    "flush",
    "db",
    "check",
    "bench",
    "promises",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnify.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    os.environ.setdefault("OMNIFY_DB_ROLE", "owner" if command in OWNER_COMMANDS else "system")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
