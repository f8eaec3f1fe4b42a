"""What retention removes of conversations and of lists: the words, and what was read out of them. See omnify.tenants.clearing.

The touch itself stays, with its time, channel, outcome and the ids that lead to the message and its receipt.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.models import Contact
from omnify.tenants.clearing import Cleared, sweep
from omnify.tenants.retention import Term

CONVERSATION, ERASED, LISTS = "conversation", "erased conversation", "lists"

# What goes of a touch; the rest of the statement says whose.
_WORDLESS = """
UPDATE contacts_interaction AS i SET content_body = '', content_subject = '', content_summary = '',
    objections_raised = '[]', key_topics = '[]', emotional_analysis = NULL
"""
_WORDY = """
(content_body <> '' OR content_subject <> '' OR content_summary <> '' OR emotional_analysis IS NOT NULL
 OR objections_raised <> '[]' OR key_topics <> '[]')
"""
_OF_AGE = "tenant_id = ANY(%(tenants)s) AND at < %(upto)s AND (%(after)s::timestamptz IS NULL OR at >= %(after)s)"
# conversation_whose: walks a span of the index interaction_by_day.
WHOSE = f"SELECT DISTINCT contact_id FROM contacts_interaction WHERE {_OF_AGE} AND {_WORDY}"  # noqa: S608 (our own constants)
# memory_follows: what a contact's row repeats of touches that are about to lose their words, where nothing newer has taken its
# place. Before the touches, because everybody locks the person first; and only who changes is locked.
MEMORY = """
WITH next AS (
    SELECT c.id, CASE WHEN later.texted THEN c.last_sms_reply ELSE '' END AS texted,
           CASE WHEN later.spoke THEN c.last_call_summary ELSE '' END AS spoke,
           CASE WHEN later.any THEN c.conversation_summary ELSE '' END AS summary,
           CASE WHEN later.any THEN c.last_interaction_summary ELSE '' END AS last
    FROM contacts_contact AS c CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS any, coalesce(bool_or(i.channel = 'voice'), false) AS spoke,
               coalesce(bool_or(i.channel = 'sms' AND i.direction = 'inbound'), false) AS texted
        FROM contacts_interaction AS i WHERE i.contact_id = c.id AND i.at >= %(upto)s
    ) AS later
    WHERE c.id = ANY(%(contacts)s) AND c.tenant_id = ANY(%(tenants)s)
), changed AS (
    SELECT next.* FROM contacts_contact AS c JOIN next ON next.id = c.id
    WHERE (c.last_sms_reply, c.last_call_summary, c.conversation_summary, c.last_interaction_summary)
        IS DISTINCT FROM (next.texted, next.spoke, next.summary, next.last)
    ORDER BY c.id FOR NO KEY UPDATE OF c
)
UPDATE contacts_contact AS c SET last_sms_reply = changed.texted, last_call_summary = changed.spoke,
    conversation_summary = changed.summary, last_interaction_summary = changed.last
FROM changed WHERE c.id = changed.id
"""
# conversation_by_age, conversation_of: whoever merges two people moves their touches, and is not waited for.
BY_AGE = f"""
WITH old AS (SELECT id FROM contacts_interaction WHERE {_OF_AGE} AND {_WORDY} FOR NO KEY UPDATE SKIP LOCKED),
gone AS ({_WORDLESS} FROM old WHERE i.id = old.id RETURNING i.tenant_id)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""  # noqa: S608
BY_PERSON = f"""
WITH gone AS ({_WORDLESS} WHERE tenant_id = ANY(%(tenants)s) AND contact_id = ANY(%(contacts)s) AND {_WORDY} RETURNING tenant_id)
SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id
"""  # noqa: S608
LEFT = f"SELECT tenant_id, min(at) FROM contacts_interaction WHERE {_OF_AGE} AND {_WORDY} GROUP BY tenant_id"  # noqa: S608
# lists_read: the rows of a finished import that could not be taken, in the list's own words, and its first lines.
LISTS_GONE = """
WITH old AS (
    SELECT id, tenant_id FROM contacts_importjob
    WHERE tenant_id = ANY(%(tenants)s) AND finished_at < %(upto)s AND (%(after)s::timestamptz IS NULL OR finished_at >= %(after)s)
      AND state NOT IN ('reviewing', 'importing')
), problems AS (
    DELETE FROM contacts_importproblem AS p USING old WHERE p.job_id = old.id AND p.tenant_id = old.tenant_id RETURNING p.tenant_id
), samples AS (
    UPDATE contacts_importjob AS j SET samples = '[]' FROM old WHERE j.id = old.id AND j.samples <> '[]' RETURNING j.tenant_id
)
SELECT tenant_id, count(*) FROM (SELECT tenant_id FROM problems UNION ALL SELECT tenant_id FROM samples) AS gone GROUP BY tenant_id
"""


def clear() -> int:
    """Everything of this floor that is over its term; returns how many rows lost their words."""
    return (
        sweep(CONVERSATION, Term.WORDS, _by_age) + sweep(ERASED, Term.ERASED, _erased) + sweep(LISTS, Term.RAW, _lists)
    )


def erased(tenants: Sequence[int], after: datetime | None, upto: datetime) -> dict[int, tuple[int, datetime]]:
    """Who was deleted in this span: contact -> (tenant, when). Who went into another by a merge was not."""
    gone = Contact.objects.all_tenants().filter(
        tenant_id__in=tenants, deleted_at__lt=upto, deleted_at__isnull=False, merged_into__isnull=True
    )
    if after is not None:
        gone = gone.filter(deleted_at__gte=after)
    return {pk: (tenant_id, at) for pk, tenant_id, at in gone.values_list("pk", "tenant_id", "deleted_at")}


def _by_age(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    span: dict[str, Any] = {"tenants": tenants, "after": after, "upto": upto}
    whose = [row[0] for row in _run(WHOSE, **span)]
    if not whose:
        return Cleared({})
    with connection.cursor() as cursor:
        cursor.execute(MEMORY, {"tenants": list(tenants), "contacts": whose, "upto": upto})
    return Cleared(dict(_run(BY_AGE, **span)), dict(_run(LEFT, **span)))


def _erased(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    gone = erased(tenants, after, upto)
    return Cleared(dict(_run(BY_PERSON, tenants=tenants, contacts=list(gone))) if gone else {})


def _lists(tenants: Sequence[int], after: datetime | None, upto: datetime) -> Cleared:
    return Cleared(dict(_run(LISTS_GONE, tenants=tenants, after=after, upto=upto)))


def _run(statement: str, *, tenants: Collection[int], **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenants": list(tenants), **values})
        return cursor.fetchall()
