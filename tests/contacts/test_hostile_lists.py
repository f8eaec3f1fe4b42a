"""Lists that were made to hurt: each is refused or taken with bounded memory, and writes nothing that it should not."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contacts.importing import jobs, passes
from contacts.importing.encodings import Unreadable
from contacts.importing.problems import error_rows
from contacts.models import Contact, ImportJob
from tests.contacts.conftest import again, counts

pytestmark = pytest.mark.django_db
MB = 2**20


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """Fails where Python holds more than that at any moment inside."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * MB, f"{peak / MB:.0f} MB"


def test_a_zip_bomb_is_refused_unopened(upload: Callable[..., ImportJob], acme: Any) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("list.csv", "w") as inside:
        for _ in range(300):
            inside.write(b"a" * MB)
    assert len(bomb.getvalue()) < MB
    with at_most(20), pytest.raises(Unreadable, match="zip archive"):
        upload(bomb.getvalue())
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("filler", [b"a", b'"'], ids=["letters", "quotes"])
def test_a_line_of_300_megabytes_in_the_middle_ends_the_pass_in_little_memory(
    mapped: Callable[..., ImportJob], acme: Any, people: Any, now: Any, filler: bytes
) -> None:
    job = mapped("Email,Note\n" + "".join(f"p{n}@x.example,{n}\n" for n in range(100)))
    with passes.path_of(job).open("ab") as file:
        file.write(b"last@x.example,")
        for _ in range(300):
            file.write(filler * MB)
    jobs.start_review(job, by=people.bob, now=now)
    with at_most(40):
        passes.run(acme.pk, job.pk, now=now)
    job = again(job)
    assert (job.state, Contact.objects.count()) == ("failed", 0)
    assert job.problem.endswith(".")


def test_a_list_with_four_bad_numbers_of_ten_brings_in_the_others_and_gives_those_back(
    imported: Callable[..., ImportJob], acme: Any
) -> None:
    bad = ("12", "555-0100", "+999 12345678", "2.12555E+09")
    numbers = [bad[n % 10] if n % 10 < 4 else f"(212) 55{n % 10}-{n:04d}" for n in range(3_000)]
    job = imported("First name,Phone\n" + "".join(f"P{n},{number}\n" for n, number in enumerate(numbers)))
    assert counts(job) == (1_800, 0, 0, 1_200)
    assert Contact.objects.count() == 1_800
    (header, *refused), after = error_rows(job)
    while after is not None:
        more, after = error_rows(job, after)
        refused += more
    assert len(refused) == 1_200
    assert {row[3] for row in refused} == set(bad)
    assert header[:2] == ["Row", "Reason"]


def test_signs_that_copy_would_read_otherwise_come_in_as_they_are(
    imported: Callable[..., ImportJob], acme: Any
) -> None:
    names = ["\\N", "\\.", "a\\tb", 'say "hi", {x}', "=cmd|' /C calc'!A0", "Zoë\u2028\U0001f600"]
    note = "two\nlines\tand \\ more"
    content = "Email,Last name,Note,Tags\n" + "".join(
        f'p{n}@x.example,"{name.replace(chr(34), chr(34) * 2)}","{note}","a\\b;{{c}}"\n' for n, name in enumerate(names)
    )
    imported(content, mapping={2: "custom:Note"})
    found = list(Contact.objects.order_by("id"))
    assert [each.last_name for each in found] == [" ".join(name.split()) for name in names]
    assert {each.custom_fields["Note"] for each in found} == {note}
    assert {tuple(each.tags) for each in found} == {("a\\b", "{c}")}


def test_a_person_a_thousand_times_in_a_list_is_one(
    imported: Callable[..., ImportJob], acme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "CHUNK", 300)
    spellings = ("ann@x.example", "ANN@X.example", " Ann <ann@x.example>", "mailto:ann@x.example")
    job = imported("Email,Phone\n" + "".join(f"{spellings[n % 4]},212555{n % 7:04d}\n" for n in range(1_000)))
    assert counts(job) == (1, 0, 999, 0)
    assert Contact.objects.get().email == "ann@x.example"


def test_the_file_of_a_list_is_the_only_thing_that_a_failed_pass_leaves(
    mapped: Callable[..., ImportJob], acme: Any, people: Any, now: Any
) -> None:
    job = mapped("Email,Note\na@x.example,1\n")
    with passes.path_of(job).open("ab") as file:
        file.write(b'"b@x.example,' + b"y" * 200_000)
    jobs.start_review(job, by=people.bob, now=now)
    passes.run(acme.pk, job.pk, now=now)
    assert again(job).state == "failed"
    assert [each.name for each in Path(passes.path_of(job)).parent.iterdir()] == [passes.path_of(job).name]
