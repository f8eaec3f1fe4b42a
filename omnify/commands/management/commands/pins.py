"""`manage.py pins`: writes constraints.txt anew, with the hash of every file that may be installed."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from omnify.commands import pins


class Command(BaseCommand):
    help = (
        "After a change of pyproject.toml or of what is installed: keeps the pinned versions, pins what is new as it is installed "
        "here, drops what nobody needs, and asks pip's index for the hashes."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from-installed", action="store_true", help="take every version from this environment")

    def handle(self, *args: Any, from_installed: bool, **options: Any) -> None:
        from omnify.commands.closure import USUAL, direct, installed, needed

        root = Path(settings.BASE_DIR)
        usual, every = needed(root), needed(root, (*USUAL, *pins.OPTIONAL))
        here = installed()
        if unread := {pins.canonical(each.name) for each in direct(root, pins.OPTIONAL)} - set(here):
            raise CommandError(
                f"What {', '.join(sorted(unread))} needs cannot be read, because it is not installed here: its pins would be "
                f"lost. Run `pip install -r {pins.FILES[1]}` first."
            )
        index = pins.Index()
        try:
            old = {name: pin for path in pins.FILES for name, pin in pins.known(root / path).items()}
            chosen = {
                name: pins.chosen(name, None if from_installed and name in here else old.get(name), here.get(name))
                for name in every
            }
            done = pins.completed(dict(chosen.values()), index)
        except pins.Unpinned as problem:
            raise CommandError(str(problem)) from problem
        finally:
            index.close()
        for path, names in ((pins.FILES[0], set(usual)), (pins.FILES[1], set(every) - set(usual))):
            mine = {name: pin for name, pin in done.items() if pins.canonical(name) in names}
            (root / path).write_text(pins.written(mine))
            count = sum(len(hashes) for _, hashes in mine.values())
            self.stdout.write(f"{path}: {len(mine)} releases, {count} files")
