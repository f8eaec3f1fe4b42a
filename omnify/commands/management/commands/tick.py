"""`manage.py tick`: one tick by hand; prints what it decided and why."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from omnify.lib.clock import now
from sequences.decisions import WORD, Send
from sequences.engine import BATCH, tick
from sequences.models import Enrollment
from sequences.receipts import sentence


class Command(BaseCommand):
    help = "Decides for everybody who is due, once, and says what and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=BATCH, help=f"people at most (default {BATCH})")
        parser.add_argument("--json", action="store_true", help="one JSON object a decision")

    def handle(self, *args: Any, limit: int, json: bool, **options: Any) -> None:
        done = tick(now(), limit)
        names = {
            row.pk: (str(row.contact), str(row.sequence))
            for row in Enrollment.objects.all_tenants()
            .filter(pk__in=[enrollment_id for enrollment_id, _ in done.turns])
            .select_related("contact", "sequence")
        }
        for enrollment_id, turn in done.turns:
            person, sequence = names[enrollment_id]
            for entry in turn.entries:
                self.line(json, person, sequence, entry)
        if not json:
            self.stdout.write(f"{done.decided} decided, {done.claimed - done.decided} left for the next tick.")

    def line(self, as_json: bool, person: str, sequence: str, entry: Any) -> None:
        decision = entry.decision
        word = WORD[type(decision)]
        if as_json:
            facts = {
                "person": person,
                "sequence": sequence,
                "decision": word,
                "reason": decision.reason.value,
                "facts": decision.facts,
            }
            self.stdout.write(json.dumps(facts, default=str))
            return
        channel = f" {decision.channel}" if isinstance(decision, Send) else ""
        when = f"; next {entry.next_run_at:%Y-%m-%d %H:%M} UTC" if entry.next_run_at else ""
        self.stdout.write(
            f"{person} in “{sequence}”: {word}{channel}: {sentence(word, decision.reason.value, decision.facts)}{when}"
        )
