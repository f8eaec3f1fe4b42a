"""A list of people imported as the worker does it, beside PostgreSQL's COPY of the same file into a bare table.

The import cleans every cell, reads phones by their numbering plan, finds duplicates within the file and among those who
are known, works out where people are, and writes contacts, companies and consents under row-level security. COPY does
nothing of it: it is what moving the bytes costs.
"""

import csv
import resource
import sys
import tempfile
import time
from pathlib import Path

from django.db import connection
from django.test.utils import override_settings

from contacts.importing import jobs
from contacts.importing.passes import run
from contacts.models import Contact
from contacts.models.imports import ImportJob, ImportState
from omnify.bench import scratch
from omnify.bench.measured import Measure, Size, compared
from omnify.lib.clock import now as read_clock
from omnify.tenants.actions import create_tenant
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, User

GOAL = 4
MOST_MEMORY = 512
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
    with tempfile.TemporaryDirectory(prefix="omnify-bench-") as folder, override_settings(MEDIA_ROOT=folder):
        path = Path(folder) / "people.csv"
        write_file(path, count)
        floor = _copied(path, count)
        seconds = _imported(path, count)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return [
        compared(
            f"Import of {count:,} rows, beside COPY of the same file", seconds, floor, "s",
            goal=f"≤ {GOAL} times", met=seconds <= GOAL * floor, rows_per_second=round(count / seconds),
        ),
        Measure(
            "Most memory of the importing process", round(memory), "MB", f"≤ {MOST_MEMORY} MB", memory <= MOST_MEMORY,
            more={"rows": count},
        ),
    ]  # fmt: skip


def write_file(path: Path, count: int) -> None:
    """A list as customers send them: every person new, a company for every ten, consent for nine of ten."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(count):
            city, state, postal, area = PLACES[n % len(PLACES)]
            out.writerow(
                [
                    FIRST[n % len(FIRST)], f"Person{n}", f"person{n}@list{n % 977}.example", f"({area}) 55{n // 10000 % 10}-{n % 10000:04d}",
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


def _imported(path: Path, count: int) -> float:
    """Seconds of the pass that writes; the review before it is the same work without the writing."""
    now = read_clock()
    owner = User.objects.create_user("bench@omnify.example")
    tenant = create_tenant(name="Bench", slug="bench", owner=owner, now=now, timezone="America/New_York")
    with tenant_context(tenant.pk):
        by = Membership.objects.get(user=owner)
        job = jobs.start_upload(path, file_name="people.csv", by=by, now=now)
        mapping = {int(index): target for index, target in job.mapping.items()}
        consent = {"basis": "column", "channels": {"sms": "pewc_text"}, "source": "trade fair", "text": "I agree."}
        jobs.set_mapping(job, mapping, consent=consent, duplicates="skip", region="US", tags=["fair"], by=by, now=now)
        ImportJob.objects.filter(pk=job.pk).update(state=ImportState.IMPORTING, started_at=now)
    began = time.perf_counter()
    run(tenant.pk, job.pk, now=now)
    seconds = time.perf_counter() - began
    with tenant_context(tenant.pk):
        job.refresh_from_db()
        found = Contact.objects.count()
    if job.state != ImportState.DONE or found != count:
        raise RuntimeError(f"The import is {job.state} with {found} of {count} people.")
    return seconds
