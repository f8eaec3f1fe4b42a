"""The rows and values of a file that could not be taken: kept with the job, shown in the review, downloaded as CSV."""

import itertools
import json
from collections.abc import Iterator

from django.db import connection

from contacts.importing.cleaning import VALUE_LIMIT, Problem
from contacts.importing.packing import ESCAPES
from contacts.models import ImportJob, ImportProblem

Found = tuple[int, Problem, list[str]]  # row number, problem, the row's cells where it is the last of a refused row
# Remarks on rows that were taken all the same: beyond this many they are not kept. Refused rows are kept all.
REMARKS_LIMIT = 10_000

COPY_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS import_problem (row int, col text, value text, message text, fatal boolean, raw jsonb);
TRUNCATE import_problem
"""
# problems_save: COPY cannot write under row-level security, so the rows take the same detour as contacts do.
SAVE = """
INSERT INTO contacts_importproblem (tenant_id, job_id, row, "column", value, message, fatal, raw)
SELECT %s, %s, row, col, value, message, fatal, raw FROM import_problem
"""


class ProblemBook:
    """Writes down the problems of one pass. Make and use it inside the tenant's context."""

    def __init__(self, job: ImportJob) -> None:
        self.job = job
        self.remarks = ImportProblem.objects.filter(job=job, fatal=False).count() if job.rows_done else 0

    def save(self, found: list[Found], left_out: list[tuple[int, int | None, str, str]]) -> None:
        """Stores a chunk's problems, and a remark for each row left out because the person is there already."""
        everything = [*found, *(_duplicate(*row) for row in left_out)]
        if not everything:
            return
        with connection.cursor() as cursor:
            cursor.execute(COPY_TABLE)
            with cursor.copy("COPY import_problem FROM STDIN") as copy:
                copy.write("".join(self._lines(everything)))
            cursor.execute(SAVE, [self.job.tenant_id, self.job.pk])

    def _lines(self, everything: list[Found]) -> Iterator[str]:
        for row, problem, cells in everything:
            self.remarks += not problem.fatal
            if problem.fatal or self.remarks <= REMARKS_LIMIT:
                texts = (problem.column[:200], problem.value[:VALUE_LIMIT], problem.message[:300])
                raw = json.dumps(cells).translate(ESCAPES) if cells else "[]"
                yield (
                    "\t".join((str(row), *(each.translate(ESCAPES) for each in texts), "ft"[problem.fatal], raw)) + "\n"
                )


def _duplicate(row: int, twin: int | None, email: str, phone: str) -> Found:
    if twin is None:
        message = "A contact with another first name has this phone: left as it is."
    else:
        message = f"The same person as row {twin}: the earlier row counts."
    return row, Problem("", email or phone, message), []


def error_rows(job: ImportJob, after: int = 0, *, most: int = 2000) -> tuple[list[list[str]], int | None]:
    """The refused rows behind row `after`, as they were in the file, with their row number and the reasons in front; and the row
    behind which others follow. The header comes first of all."""
    found = list(ImportProblem.objects.filter(job=job, fatal=True, row__gt=after).order_by("row", "id")[:most])
    whole = [each for each in found if each.row != found[-1].row] if len(found) == most else found
    rows = [] if after else [["Row", "Reason", *job.header]]
    rows += _as_they_were(whole or found)
    return rows, (whole or found)[-1].row if len(found) == most else None


def _as_they_were(fatal: list[ImportProblem]) -> Iterator[list[str]]:
    for row, problems in itertools.groupby(fatal, key=lambda problem: problem.row):
        reasons: list[str] = []
        cells: list[object] = []
        for problem in problems:
            reasons.append(f"{problem.column}: {problem.message}" if problem.column else problem.message)
            cells = problem.raw or cells
        yield [str(row), " ".join(reasons), *map(str, cells)]
