"""`manage.py sbom`: the bill of materials of this very environment, for whoever must know what runs here."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from omnify.commands import materials, pins
from omnify.lib.clock import now


class Command(BaseCommand):
    help = "Writes a CycloneDX bill of materials (JSON) of what is installed here: versions, licences, pinned hashes."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="a file; without it, the terminal")

    def handle(self, *args: Any, output: Path | None, **options: Any) -> None:
        from omnify.commands.closure import installed

        root = Path(settings.BASE_DIR)
        hashes = {name: pin[1][1] for path in pins.FILES for name, pin in pins.known(root / path).items()}
        text = json.dumps(materials.bill(installed(), hashes, now()), indent=1)
        if output is None:
            self.stdout.write(text)
        else:
            output.write_text(text + "\n")
            self.stdout.write(f"{output}: written")
