"""How long the server takes for the pages people live in, with tables as large as a busy tenant's, and what a first load weighs.

The floor is the log-in page: the same frame, middleware and templates with next to no data.
"""

import gzip
import re
import statistics
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from omnify.bench import scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.bench.tick import daytime, prepare_people
from omnify.lib.clock import now as read_clock
from omnify.tenants.context import tenant_context
from omnify.tenants.models import User
from sequences.counting import count_large
from sequences.engine import drain
from sequences.models import Enrollment, Sequence

GOAL_MS, GOAL_KB = 150.0, 100.0
TIMES = 20
BROWSER = {"accept-encoding": "gzip"}
_LINKED = re.compile(r"""(?:href|src)="(/static/[^"?#]+\.(?:css|js))""")

# What was said: one touch for each message, as the dispatcher would have written it.
TALK = """
INSERT INTO contacts_interaction (tenant_id, public_id, contact_id, enrollment_id, step_id, message_id, channel, direction, at,
    content_subject, content_body, content_summary, outcome, sentiment, intent, call_disposition, appointment_booked,
    objections_raised, key_topics, provider_id)
SELECT tenant_id, gen_random_uuid(), contact_id, enrollment_id, step_id, id, channel, 'outbound', created_at,
    '', body, '', 'sent', '', '', '', false, '[]', '[]', '' FROM sequences_message
"""


def measure(size: Size) -> list[Measure]:
    """`--people` contacts, each with `--rounds` executions, messages and touches."""
    people, rounds = size.of(size.people, 20_000, 100_000), size.rounds or (10 if size.full else 5)
    tenant_id = _prepare(people, rounds)
    with tenant_context(tenant_id):
        person = Enrollment.objects.select_related("contact").order_by("-id")[people // 2].contact.public_id
        sequence = Sequence.objects.get().public_id
    client, stranger = Client(), Client()
    client.force_login(User.objects.get(email="bench@omnify.example"))
    pages = {
        "home": reverse("home"),
        "contacts": reverse("contacts:list"),
        "contacts searched": reverse("contacts:list") + "?q=pat1234",
        "contact": reverse("contacts:contact", args=[person]),
        "sequences": reverse("sequences:list"),
        "sequence": reverse("sequences:sequence", args=[sequence]),
        "people": reverse("sequences:people", args=[sequence]),
        "log": reverse("sequences:log", args=[sequence]),
        "notifications": reverse("tenants:notifications"),
    }
    with override_settings(ALLOWED_HOSTS=["testserver"], REQUIRE_MFA=False), scratch.as_role("omnify_web"):
        floor = _served(stranger, reverse("account_login"))
        found = {name: _served(client, path) for name, path in pages.items()}
    slowest = max(found, key=lambda name: found[name]["p95_ms"])
    heaviest = max(found, key=lambda name: found[name]["kb"])
    return [
        compared(
            f"Slowest page ({slowest}) with {people:,} contacts and {people * rounds:,} executions, 95 of 100 within",
            found[slowest]["p95_ms"], floor["p95_ms"], "ms", goal=f"< {GOAL_MS:g} ms",
            met=found[slowest]["p95_ms"] < GOAL_MS, pages=found,
        ),
        compared(
            f"First load of the heaviest page ({heaviest}) over the network, with everything it links",
            found[heaviest]["kb"], floor["kb"], "KB", goal=f"< {GOAL_KB:g} KB", met=found[heaviest]["kb"] < GOAL_KB,
            uncompressed_kb=found[heaviest]["uncompressed_kb"],
        ),
    ]  # fmt: skip


def _prepare(people: int, rounds: int) -> int:
    at = daytime(read_clock())
    tenant_id = prepare_people(people, at, days=rounds + 1)
    for number in range(rounds):
        moment = at + timedelta(days=number)
        if drain(partial(_same, moment), seconds=scratch.LONGEST, monotonic=time.monotonic) != people:
            raise RuntimeError("Not everybody was advanced.")
    with connection.cursor() as cursor:
        cursor.execute(TALK)
    for table in (
        "contacts_contact",
        "contacts_interaction",
        "sequences_execution",
        "sequences_message",
        "sequences_enrollment",
    ):
        scratch.as_owner(f"VACUUM ANALYZE {table}")
    count_large(partial(_same, at), budget_seconds=scratch.LONGEST)  # as a worker has, once a minute
    return tenant_id


def _same(moment: datetime) -> datetime:
    return moment


def _served(client: Client, path: str) -> dict[str, Any]:
    """Milliseconds of TIMES requests (median, 95 of 100), queries of one, and the kilobytes of a first load: as a browser
    gets them, compressed, and as they are."""
    plain, answer = client.get(path), client.get(path, headers=BROWSER)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(path, headers=BROWSER)
        taken.append((time.perf_counter() - began) * 1000)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    linked = _linked(plain.content.decode())
    taken.sort()
    return {
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(taken[int(TIMES * 0.95) - 1], 1),
        "queries": len(queries),
        "kb": round((len(answer.content) + sum(len(gzip.compress(each)) for each in linked)) / 1024, 1),
        "uncompressed_kb": round((len(plain.content) + sum(map(len, linked))) / 1024, 1),
    }


def _linked(page: str) -> list[bytes]:
    """The styles and scripts that a page links."""
    names = {url.removeprefix(settings.STATIC_URL) for url in _LINKED.findall(page)}
    return [Path(finders.find(name) or str(Path(settings.STATIC_ROOT) / name)).read_bytes() for name in names]
