"""G11: an import whose worker is killed again and again, of a list with doubles, junk and people who had said stop."""

import random
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest import mock

from django.conf import settings

from contacts.importing import jobs, passes
from contacts.models import Consent, Contact, ImportJob, Suppression
from omnify.promises import scene, workers
from omnify.promises.outcome import Outcome
from omnify.tenants.context import tenant_context
from sequences.models import Enrollment, Message

NOON = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
HEADER = "First name,Last name,Email,Phone,State,Notes,SMS consent"
JUNK = ("=HYPERLINK(1)", "a\x00b", "“quoted”", "x" * 300, "ÄÖÜ", "<script>", "'; DROP TABLE x; --")
# (rows, rows a chunk, seconds a worker lives at most)
SIZES = {"quick": (1_500, 100, 0.3), "full": (1_000_000, 5_000, 20.0)}
MOST_LIVES = 100


def prove_import(scale: str, seed: int) -> Outcome:
    """Tried: rows. Failed: people who are there twice or not at all, who were enrolled or written to, or whose stop was
    forgotten; and counts that do not add up."""
    count, chunk, life = SIZES[scale]
    chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    made = scene.make(NOON)
    lines, expected, stopped = a_dirty_list(chance, count)
    with tenant_context(made.tenant.pk):
        Suppression.objects.bulk_create(
            (
                Suppression(
                    tenant=made.tenant, channel=channel, address=phone, reason="opted_out", source="sms", created_at=NOON
                )
                for phone in stopped
                for channel in ("sms", "voice")
            ),
            batch_size=5_000,
        )  # fmt: skip
    with tenant_context(made.tenant.pk):
        job = _uploaded("\n".join([HEADER, *lines]), made)
    with mock.patch.object(passes, "CHUNK", chunk):
        deaths = _through(job, jobs.start_review, made, life, chance)
        early = _people(made)
        deaths += _through(job, jobs.start_import, made, life, chance)
    wrong = [f"{early} people before anybody approved"] * bool(early) + _wrong(made, job, count, expected, stopped)
    print(*wrong, sep="\n", flush=True)
    told = f"rows, {len(expected)} people, {deaths} kills of the worker"
    return Outcome(count, len(wrong), f"{told} {wrong[0] if wrong else ''}".strip())


def a_dirty_list(chance: random.Random, count: int) -> tuple[list[str], set[str], set[str]]:
    """(lines, the addresses that must be there once, those among them that had said stop)."""
    lines, expected, stopped = [], set(), set()
    for n in range(count):
        kind = chance.choice(("good", "good", "good", "double", "bad", "junk", "stopped"))
        who = chance.randrange(n) if kind == "double" and n else n
        phone, email = f"+1212{2_000_000 + who}", f"Row{who}@People.example"
        note = chance.choice(JUNK[:1] + JUNK[2:]) if kind == "junk" else "fine"
        if kind == "bad":
            lines.append(f"Bad{n},Row,not-an-address,12,??,{note},maybe")
            continue
        if kind == "double":
            email = email.upper()
        if kind == "stopped":
            stopped.add(phone)
        if phone not in expected and kind == "double":
            phone = ""  # the one it would repeat was a bad row
            lines.append(f"Bad{n},Row,not-an-address,12,??,{note},maybe")
            continue
        expected.add(phone)
        lines.append(f"Pat{n},Row,{email},({phone[2:5]}) {phone[5:8]}-{phone[8:]},NY,{note.replace(',', ' ')},yes")
    return lines, expected, stopped


def _uploaded(content: str, made: scene.Scene) -> ImportJob:
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=settings.MEDIA_ROOT, delete=False) as file:
        file.write(content)
    job = jobs.start_upload(Path(file.name), file_name="list.csv", by=made.owner, now=NOON)
    mapping = {int(index): target for index, target in job.mapping.items()}
    jobs.set_mapping(
        job, mapping, consent={"basis": "column", "source": "A form"}, duplicates="update", region="US", tags=[],
        by=made.owner, now=NOON,
    )  # fmt: skip
    return job


def _through(job: ImportJob, start: object, made: scene.Scene, life: float, chance: random.Random) -> int:
    """Starts a pass and kills its workers until one comes to the end; returns how many died."""
    with tenant_context(made.tenant.pk):
        assert callable(start)
        start(job, by=made.owner, now=NOON)
    deaths = 0
    for _ in range(MOST_LIVES):
        work = partial(passes.run, made.tenant.pk, job.pk, now=NOON)
        deaths += workers.killed_within(work, life, chance) == workers.DIED
        life *= 1.4  # however slow this machine is, in the end one comes through
        with tenant_context(made.tenant.pk):
            job = ImportJob.objects.get(pk=job.pk)
        if job.state not in passes.ACTIVE:
            return deaths
    return deaths


def _people(made: scene.Scene) -> int:
    with tenant_context(made.tenant.pk):
        return Contact.objects.count()


def _wrong(made: scene.Scene, job: ImportJob, count: int, expected: set[str], stopped: set[str]) -> list[str]:
    with tenant_context(made.tenant.pk):
        job = ImportJob.objects.get(pk=job.pk)
        phones = list(Contact.objects.values_list("phone", flat=True))
        emails = list(Contact.objects.values_list("email", flat=True))
        closed = set(Suppression.objects.filter(lifted_at=None, channel="sms").values_list("address", flat=True))
        enrolled, written = Enrollment.objects.count(), Message.objects.count()
        consents = Consent.objects.filter(channel="sms").values("contact").distinct().count()
    wrong = [f"the job is {job.state}: {job.problem}"] * (job.state != "done")
    wrong += [f"{len(phones) - len(set(phones))} people twice by number"] * (len(phones) != len(set(phones)))
    wrong += [f"{len(emails) - len(set(emails))} people twice by mailbox"] * (len(emails) != len(set(emails)))
    wrong += [f"{len(expected ^ set(phones))} people too many or too few"] * (set(phones) != expected)
    wrong += [f"{len(stopped - closed)} forgotten stops"] * (not stopped <= closed)
    wrong += [f"{enrolled} enrolled, {written} messages"] * bool(enrolled or written)
    wrong += [f"{consents} have consent"] * (consents > len(expected))
    counted = job.count_new + job.count_update + job.count_skip + job.count_error
    return wrong + [f"{counted} rows counted of {count}"] * (counted != count)
