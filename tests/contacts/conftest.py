"""An import from bytes to contacts, as the wizard would take it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contacts.importing import jobs, passes
from contacts.models import ImportJob
from omnify.tenants.context import tenant_context
from tests.making import start_import

LIST = """First name,Last name,Email,Phone,Company,State,SMS consent
Ann,Lee,ANN@x.example,(212) 555-0100,Acme,NY,yes
Bob,Ray,bob@x.example,415-555-0101,ACME,CA,no
Cyd,Orr,,+44 20 7946 0102,,,yes
Dee,,not-an-email,12,,,yes
"""
COLUMN = {"basis": "column", "source": "Sign-up form"}


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def upload(people: Any, now: Any, tmp_path: Path) -> Callable[..., ImportJob]:
    """`upload(b"…")` is a job of Acme's, uploaded by Bob."""

    def make(content: bytes | str, *, name: str = "list.csv", by: Any = None) -> ImportJob:
        path = tmp_path / "upload.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        member = by or people.bob
        with tenant_context(member.tenant_id):
            return jobs.start_upload(path, file_name=name, by=member, now=now)

    return make


@pytest.fixture
def mapped(upload: Callable[..., ImportJob], people: Any, now: Any) -> Callable[..., ImportJob]:
    """An upload with its guessed mapping (changed by `mapping`) and no consent claimed, unless told otherwise."""

    def make(
        content: bytes | str, *, mapping: dict[int, str] | None = None, consent: Any = None, **more: Any
    ) -> ImportJob:
        job = upload(content)
        chosen = {int(index): target for index, target in job.mapping.items()} | (mapping or {})
        defaults = {"duplicates": "update", "region": "US", "tags": []}
        with tenant_context(job.tenant_id):
            assert jobs.set_mapping(
                job, chosen, consent=consent or {"basis": "none"}, by=people.bob, now=now, **(defaults | more)
            )
        return job

    return make


@pytest.fixture
def reviewed(mapped: Callable[..., ImportJob], people: Any, now: Any) -> Callable[..., ImportJob]:
    def make(content: bytes | str, **more: Any) -> ImportJob:
        job = mapped(content, **more)
        with tenant_context(job.tenant_id):
            assert jobs.start_review(job, by=people.bob, now=now)
        passes.run(job.tenant_id, job.pk, now=now)
        return again(job)

    return make


@pytest.fixture
def imported(reviewed: Callable[..., ImportJob], people: Any, now: Any) -> Callable[..., ImportJob]:
    def make(content: bytes | str, **more: Any) -> ImportJob:
        job = reviewed(content, **more)
        with tenant_context(job.tenant_id):
            assert start_import(job, by=people.bob, signed_by=people.alice, now=now)
        passes.run(job.tenant_id, job.pk, now=now)
        return again(job)

    return make


def again(job: ImportJob) -> ImportJob:
    """The job as it stands now."""
    with tenant_context(job.tenant_id):
        return ImportJob.objects.select_related("tenant").get(pk=job.pk)


@pytest.fixture
def as_member(client: Any, people: Any) -> Any:
    """`as_member(people.bob)` logs the test client in."""

    def enter(member: Any) -> Any:
        client.force_login(member.user)
        return client

    return enter


def make_job(people: Any, **fields: Any) -> ImportJob:
    defaults = {"file_name": "list.csv", "file_path": "imports/none.csv", "file_size": 1, "header": ["Email"], "encoding": "utf-8",
                "samples": [["a@x.example"]], "mapping": {"0": "email"}, "delimiter": ","}  # fmt: skip
    with tenant_context(people.acme.pk):
        return ImportJob.objects.create(**defaults | fields)


@pytest.fixture
def own_media(settings: Any, tmp_path: Path) -> Path:
    """Where uploads go during this test."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def counts(job: ImportJob) -> tuple[int, int, int, int]:
    return job.count_new, job.count_update, job.count_skip, job.count_error


@pytest.fixture
def acme(people: Any) -> Iterator[Any]:
    """Every test's queries run as Acme."""
    with tenant_context(people.acme.pk):
        yield people.acme
