"""What retention removes of conversations and of lists: the words, and what was read out of them. See omnify.tenants.clearing.

The touch itself stays, with its time, channel, outcome and the ids that lead to the message and its receipt.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, Q

from contacts.models import Contact
from omnify.tenants.clearing import AT_ONCE, SECONDS, Cleared, rows_of, sweep
from omnify.tenants.retention import Term

CONVERSATION, ERASED, LISTS = "conversation", "erased conversation", "lists"

_WORDY = """
(content_body <> '' OR content_subject <> '' OR content_summary <> '' OR emotional_analysis IS NOT NULL
 OR objections_raised <> '[]' OR key_topics <> '[]')
"""
_OF_AGE = "tenant_id = ANY(%(tenants)s) AND at < %(upto)s AND (%(after)s::timestamptz IS NULL OR at >= %(after)s)"
# conversation_of_age: walks a span of the index interaction_by_day.
OF_AGE = f"SELECT id, contact_id, at FROM contacts_interaction WHERE {_OF_AGE} AND {_WORDY} ORDER BY at LIMIT %(most)s"  # noqa: S608
# The person first, as everybody locks them; whoever is being written to or about just now is left for the next time.
PEOPLE = "SELECT id FROM contacts_contact WHERE id = ANY(%(contacts)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
# wordless: by their ids. Whoever merges two people moves their touches, and is not waited for.
WORDLESS = """
WITH old AS (SELECT id FROM contacts_interaction WHERE id = ANY(%(ids)s) FOR NO KEY UPDATE SKIP LOCKED),
gone AS (
    UPDATE contacts_interaction AS i SET content_body = '', content_subject = '', content_summary = '',
        objections_raised = '[]', key_topics = '[]', emotional_analysis = NULL
    FROM old WHERE i.id = old.id RETURNING i.tenant_id
)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""
# memory_follows: what a contact's row repeats of touches that have lost their words, where nothing newer has taken its place. A
# statement of its own, so that it sees what was said until their rows were locked.
MEMORY = """
UPDATE contacts_contact AS c SET
    last_sms_reply = CASE WHEN later.texted THEN c.last_sms_reply ELSE '' END,
    last_call_summary = CASE WHEN later.spoke THEN c.last_call_summary ELSE '' END,
    conversation_summary = CASE WHEN later.any THEN c.conversation_summary ELSE '' END,
    last_interaction_summary = CASE WHEN later.any THEN c.last_interaction_summary ELSE '' END
FROM unnest(%(contacts)s::bigint[]) AS touched (id) CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS any,
           coalesce(bool_or(i.channel = 'voice' AND (i.content_summary <> '' OR i.content_body <> '')), false) AS spoke,
           coalesce(bool_or(i.channel = 'sms' AND i.direction = 'inbound' AND i.content_body <> ''), false) AS texted
    FROM contacts_interaction AS i WHERE i.contact_id = touched.id AND i.at >= %(upto)s
) AS later
WHERE c.id = touched.id AND (
    (c.last_sms_reply <> '' AND NOT later.texted) OR (c.last_call_summary <> '' AND NOT later.spoke)
    OR ((c.conversation_summary <> '' OR c.last_interaction_summary <> '') AND NOT later.any))
"""
OF_AGE_LEFT = f"SELECT tenant_id, min(at) FROM contacts_interaction WHERE {_OF_AGE} AND {_WORDY} GROUP BY tenant_id"  # noqa: S608
# conversation_of: the touches of these people.
OF_PEOPLE = f"SELECT id FROM contacts_interaction WHERE contact_id = ANY(%(contacts)s) AND {_WORDY} LIMIT %(most)s"  # noqa: S608
OF_PEOPLE_LEFT = (
    f"SELECT DISTINCT contact_id FROM contacts_interaction WHERE contact_id = ANY(%(contacts)s) AND {_WORDY}"  # noqa: S608
)
# lists_read: of a finished import the rows that could not be taken, in the list's own words, and its first lines.
LISTS_OF_AGE = """
SELECT id, finished_at FROM contacts_importjob
WHERE tenant_id = ANY(%(tenants)s) AND finished_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR finished_at >= %(after)s)
  AND state NOT IN ('reviewing', 'importing')
ORDER BY finished_at
"""
LISTS_GONE = """
WITH problems AS (
    DELETE FROM contacts_importproblem WHERE job_id = ANY(%(ids)s) RETURNING tenant_id
), samples AS (
    UPDATE contacts_importjob SET samples = '[]' WHERE id = ANY(%(ids)s) AND samples <> '[]' RETURNING tenant_id
)
SELECT tenant_id, count(*) FROM (SELECT tenant_id FROM problems UNION ALL SELECT tenant_id FROM samples) AS gone GROUP BY tenant_id
"""


def clear(*, seconds: float = SECONDS) -> int:
    """Everything of this floor that is over its term, for so long a kind; returns how many rows lost their words."""
    return (
        sweep(CONVERSATION, Term.WORDS, _by_age, seconds=seconds)
        + sweep(ERASED, Term.ERASED, _erased, seconds=seconds)
        + sweep(LISTS, Term.RAW, _lists, seconds=seconds)
    )


def erased(
    tenants: Sequence[int], after: datetime | None, upto: datetime
) -> tuple[dict[int, tuple[int, datetime]], datetime | None]:
    """Who was deleted in this span, AT_ONCE at most: contact -> (tenant, when), with those who had gone into them by a merge; and
    how far that came, as in Cleared. Who went into somebody that lives was not deleted."""
    people = Contact.objects.all_tenants()
    gone = people.filter(tenant_id__in=tenants, deleted_at__isnull=False, deleted_at__lt=upto, merged_into__isnull=True)
    if after is not None:
        gone = gone.filter(deleted_at__gte=after)
    rows = list(gone.order_by("deleted_at").values_list("pk", "tenant_id", "deleted_at")[:AT_ONCE])
    found = {pk: (tenant_id, at) for pk, tenant_id, at in rows}
    former = people.filter(Q(merged_into__in=list(found)), tenant_id=F("merged_into__tenant_id"))
    found |= {pk: found[into] for pk, into in former.values_list("pk", "merged_into_id")}
    return found, rows[-1][2] if len(rows) == AT_ONCE else None


def _by_age(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span = {"tenants": list(tenants), "after": after, "upto": upto}
    found = rows_of(OF_AGE, {**span, "most": AT_ONCE})
    if not found:
        return Cleared({})
    reached = found[-1][2] if len(found) == AT_ONCE else None
    held = {row[0] for row in rows_of(PEOPLE, {"contacts": sorted({row[1] for row in found})})}
    rows = dict(rows_of(WORDLESS, {"ids": [touch for touch, contact, _ in found if contact in held]}))
    with connection.cursor() as cursor:
        cursor.execute(MEMORY, {"contacts": sorted(held), "upto": reached or upto})
    return Cleared(rows, dict(rows_of(OF_AGE_LEFT, {**span, "upto": reached or upto})), reached)


def _erased(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    gone, reached = erased(tenants, after, upto)
    if not gone:
        return Cleared({})
    touches = rows_of(OF_PEOPLE, {"contacts": list(gone), "most": AT_ONCE})
    rows = dict(rows_of(WORDLESS, {"ids": [row[0] for row in touches]})) if touches else {}
    still = rows_of(OF_PEOPLE_LEFT, {"contacts": list(gone)}) if touches else []
    return of_people(gone, reached, rows, still, full=len(touches) == AT_ONCE)


def of_people(
    gone: Mapping[int, tuple[int, datetime]],
    reached: datetime | None,
    rows: Mapping[int, int],
    still: Sequence[tuple[int]],
    *,
    full: bool,
) -> Cleared:
    """What a piece of work on these deleted people came to. `still`: who has something left; where it took as many rows as it may
    (`full`), the next piece begins with the first of them, else their workspaces' marks wait there."""
    left: dict[int, datetime] = {}
    for (contact_id,) in still:
        tenant_id, at = gone[contact_id]
        left[tenant_id] = min(at, left.get(tenant_id, at))
    return Cleared(rows, reached=min(left.values())) if full and left else Cleared(rows, left, reached)


def _lists(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    jobs = rows_of(LISTS_OF_AGE, {"tenants": list(tenants), "after": after, "upto": upto})
    return Cleared(dict(rows_of(LISTS_GONE, {"ids": [row[0] for row in jobs]})) if jobs else {})
