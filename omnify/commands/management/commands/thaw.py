"""`manage.py thaw`: lets a database that was restored from a backup send again, after it has learnt what left since."""

import getpass
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.lib.clock import now
from sequences.thawing import CannotThaw, thaw


class Command(BaseCommand):
    help = (
        "After a restore, with OMNIFY_SEND_EPOCH raised: reads what left and what came in since the backup from every provider, "
        "lets old messages expire, and then lets the database send again. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", required=True, help="when the backup was made, e.g. 2026-11-18T04:00:00+00:00")
        parser.add_argument("--by", default="", help="who thaws it; kept with the epoch")
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            metavar="SENDER",
            help="a sender (name or public id) whose log cannot be read: whoever got something through it may get it again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        thaw(
            since=moment(options["since"]),
            by=options["by"] or getpass.getuser(),
            now=now,
            without=options["without"],
            say=self.stdout.write,
        )

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except CannotThaw as why:
            raise CommandError(str(why)) from why


def moment(text: str) -> datetime:
    """A time with its zone. Raises CommandError: a backup's time that is hours off would lose what was sent in them."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise CommandError(f"--since: {text!r} is not a time like 2026-11-18T04:00:00+00:00.") from error
    if at.tzinfo is None:
        raise CommandError(
            "--since needs its zone, for example +00:00: a few hours more or less are people written to twice."
        )
    return at
