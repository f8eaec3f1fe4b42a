"""The rules of law that bind every message, for members to read: what each says, where it stands, and when it is read again."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from omnify.lib.clock import now
from omnify.tenants.access import member_required
from omnify.tenants.models.people import Role
from sequences import law
from sequences.law.rows import Row
from sequences.law.words import jurisdiction_name, row_in_words


@member_required(Role.VIEWER)
@require_safe
def list_rules(request: HttpRequest) -> HttpResponse:
    """All rows, or those of the jurisdictions that `place` names: a code (US-PA) or part of a name."""
    today = now().date()
    place = " ".join(request.GET.get("place", "").replace("\x00", "").split())[:60]
    lines = [_line(row, today) for row in sorted(_meant(place), key=_order)]
    overdue = sum(bool(law.faults(row, today)) for row in law.ROWS)
    context = {"lines": lines, "place": place, "overdue": overdue, "rules": len(law.ROWS), "part": "rules"}
    return render(request, "sequences/rules.html", context)


def _line(row: Row, today: date) -> dict[str, object]:
    return {
        "row": row,
        "place": jurisdiction_name(row.jurisdiction),
        "says": row_in_words(row),
        "faults": law.faults(row, today),
        "future": row.valid_from > today,
    }


def _meant(place: str) -> list[Row]:
    """By code: a country's rows with those of its states, or a state's with those of its country, which bind there too. Else
    the rows of every name that `place` is part of."""
    wanted = place.upper()
    bound = {wanted, wanted.partition("-")[0]}
    by_code = [row for row in law.ROWS if row.jurisdiction.upper() in bound or row.country == wanted]
    return by_code or [row for row in law.ROWS if place.lower() in jurisdiction_name(row.jurisdiction).lower()]


def _order(row: Row) -> tuple[bool, str, bool, str]:
    """The United States first, a country's own rows before its states'."""
    return row.country != "US", row.country, row.jurisdiction != row.country, jurisdiction_name(row.jurisdiction)
