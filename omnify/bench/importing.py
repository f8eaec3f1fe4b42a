"""A list of people imported as the worker does it, beside two floors from the same run.

The import cleans every cell, reads phones by their numbering plan, finds duplicates within the file and among those who
are known, works out where people are, and writes contacts, companies and consents under row-level security.
The floor is PostgreSQL's COPY of the same file into a table of people with the keys, unique rules and indexes of ours, and no
row-level security: the least that anybody must do who wants to keep them. Beside it, COPY of what the import makes of the file
(people, companies and consents), and COPY of the file into a table without rules: what moving the bytes costs.
"""

import csv
import resource
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from django.db import connection
from django.test.utils import override_settings

from contacts.importing import jobs
from contacts.importing.passes import run
from contacts.models import Contact
from contacts.models.imports import ImportJob, ImportState
from omnify.bench import keeping, meanwhile, scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.lib.clock import now as read_clock
from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, User

GOAL = 4
LONGEST = 600.0
MOST_MEMORY = 512
MOST_SLOWER = 2.0
HEADER = [
    "First name",
    "Last name",
    "Email",
    "Phone",
    "Company",
    "City",
    "State",
    "Zip",
    "Country",
    "Lead source",
    "SMS consent",
]
FIRST = ("Ada", "Ben", "Chloé", "Dan", "Eva", "Finn", "Grace", "Hugo", "Ines", "Jack")
PLACES = (("New York", "NY", "10001", "212"), ("Chicago", "IL", "60601", "312"), ("Austin", "TX", "73301", "512"))


def measure(size: Size) -> list[Measure]:
    """`--rows` is the length of the file."""
    count = size.of(size.rows, 50_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="omnify-bench-") as name, override_settings(MEDIA_ROOT=name):
        folder = Path(name)
        by = _house()
        _imported(_written(folder, 1_000, "known"), by)
        # What autovacuum does within a minute: of tables that were never analysed PostgreSQL believes odd things.
        scratch.as_owner("ANALYZE contacts_contact, contacts_company, contacts_consent")
        path = _written(folder, count, "list")
        bare = _copied(path, count)
        seconds = _imported(path, by)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
        poured = keeping.poured(path, by.tenant_id)
        durable = keeping.copied(folder)
        more = _written(folder, min(max(count // 5, 10_000), 200_000), "more")
        alone, beside = meanwhile.asked(partial(_imported, more, by), by)
    return [
        compared(
            f"Import of {count:,} rows, beside COPY of the same file into a table of people with its keys and indexes", seconds,
            poured, "s", goal=f"≤ {GOAL} times", met=seconds <= GOAL * poured, rows_per_second=round(count / seconds),
        ),
        compared(
            "The same, beside COPY of the same file into a table without keys", seconds, bare, "s",
            goal=f"≤ {GOAL} times", met=seconds <= GOAL * bare,
        ),
        compared(
            "The same, beside COPY of the finished people and consents into tables with their keys and indexes", seconds, durable,
            "s", goal=f"≤ {LONGEST:g} s", met=seconds <= LONGEST,
        ),
        Measure(
            "Most memory of the importing process", round(memory), "MB", f"≤ {MOST_MEMORY} MB", memory <= MOST_MEMORY,
            more={"rows": count},
        ),
        compared(
            "The list of people while an import works, 95 of 100 requests within, beside the same alone", beside, alone, "ms",
            goal=f"< {MOST_SLOWER:g} times", met=beside < MOST_SLOWER * alone,
        ),
    ]  # fmt: skip


def _written(folder: Path, count: int, name: str) -> Path:
    path = folder / f"{name}.csv"
    write_file(path, count, name)
    return path


def write_file(path: Path, count: int, name: str = "list") -> None:
    """A list as customers send them: every person new, a company for every ten, consent for nine of ten."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(count):
            city, state, postal, area = PLACES[n % len(PLACES)]
            out.writerow(
                [
                    FIRST[n % len(FIRST)], f"Person{n}", f"person{n}@{name}{n % 977}.example", f"({area}) 55{n // 10000 % 10}-{n % 10000:04d}",
                    f"Company {n // 10}", city, state, postal, "USA", "trade fair", "no" if n % 10 == 0 else "yes",
                ]
            )  # fmt: skip


def _copied(path: Path, count: int) -> float:
    columns = ", ".join(f"c{number} text" for number in range(len(HEADER)))
    scratch.as_owner("CREATE SCHEMA floor")
    scratch.as_owner(f"CREATE TABLE floor.list (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns})")
    scratch.as_owner("GRANT USAGE ON SCHEMA floor TO omnify_system; GRANT ALL ON floor.list TO omnify_system")
    names = ", ".join(f"c{number}" for number in range(len(HEADER)))
    began = time.perf_counter()
    with connection.cursor() as cursor, path.open("rb") as file:
        with cursor.copy(f"COPY floor.list ({names}) FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := file.read(1 << 16):
                copy.write(block)
        cursor.execute("SELECT count(*) FROM floor.list")
        found = cursor.fetchone()[0]
    seconds = time.perf_counter() - began
    if found != count:
        raise RuntimeError(f"COPY stored {found} of {count} rows.")
    return seconds


def _house() -> Membership:
    owner = User.objects.create_user("bench@omnify.example")
    tenant = create_tenant(name="Bench", slug="bench", owner=owner, now=read_clock(), timezone="America/New_York")
    with tenant_context(tenant.pk):
        return Membership.objects.get(user=owner)


def _imported(path: Path, by: Membership) -> float:
    """Seconds of the pass that writes; the review before it is the same work without the writing."""
    now = read_clock()
    with tenant_context(by.tenant_id):
        before = Contact.objects.count()
        job = jobs.start_upload(
            Path(shutil.copy(path, path.with_suffix(".taken"))), file_name="people.csv", by=by, now=now
        )
        mapping = {int(index): target for index, target in job.mapping.items()}
        consent = {"basis": "column", "channels": {"sms": "pewc_text"}, "source": "trade fair", "text": "I agree."}
        jobs.set_mapping(job, mapping, consent=consent, duplicates="skip", region="US", tags=["fair"], by=by, now=now)
        ImportJob.objects.filter(pk=job.pk).update(state=ImportState.IMPORTING, started_at=now)
    began = time.perf_counter()
    run(by.tenant_id, job.pk, now=now)
    seconds = time.perf_counter() - began
    with tenant_context(by.tenant_id):
        job.refresh_from_db()
        made = Contact.objects.count() - before
    if job.state != ImportState.DONE or made != job.rows_total or job.count_new != made:
        raise RuntimeError(f"The import is {job.state} with {made} new people of {job.rows_total}.")
    return seconds
