"""Writes the staged and marked rows into contacts, companies, consents and suppressions. Set-based: a dozen statements a chunk.

Run inside the tenant's context and the chunk's transaction, after staging.mark().
"""
# ruff: noqa: S608 - the statements are put together from constants of this file; every value is a parameter.

import json
from datetime import datetime
from typing import Any

from django.db import connection

from contacts.erasing import recall_imported
from contacts.importing.packing import TEXTS
from contacts.importing.refusing import refuse_twins
from contacts.importing.staging import Counts
from contacts.locks import lock_addresses
from contacts.models import ImportJob
from contacts.permissions import suppress
from omnify.tenants.events import record

_NEW = "staged.twin IS NULL AND staged.contact_id IS NULL"
# Once the new people are written; one that somebody else was faster to make has lost its new_id.
_MADE = f"{_NEW} AND staged.new_id IS NOT NULL"
_KNOWN = "staged.twin IS NULL AND staged.contact_id IS NOT NULL AND NOT staged.clash"
_PLAIN = [name for name in TEXTS if name not in ("email", "phone", "company", "timezone", "source")]

# loading_named: the companies that rows to be written name, folded.
NAMED = f"""
SELECT coalesce(array_agg(DISTINCT lower(company)), '{{}}')::text
  FROM import_row AS staged WHERE company <> '' AND (({_NEW}) OR (({_KNOWN}) AND %(update)s))
"""
# loading_companies: by name, whatever its capitals; a company that exists stays as it is.
COMPANIES = f"""
INSERT INTO contacts_company (tenant_id, public_id, name, domain, industry, created_at)
SELECT DISTINCT ON (lower(company)) %(tenant)s, gen_random_uuid(), company, '', '', %(now)s
  FROM import_row AS staged WHERE company <> '' AND (({_NEW}) OR (({_KNOWN}) AND %(update)s))
 ORDER BY lower(company), row
ON CONFLICT (tenant_id, lower(name)) DO NOTHING
"""
_COMPANY = """LEFT JOIN (
    SELECT id, lower(name) AS folded FROM contacts_company WHERE tenant_id = %(tenant)s AND lower(name) = ANY (%(companies)s::text[])
) AS company ON staged.company <> '' AND company.folded = lower(staged.company)"""
# loading_new: a contact made by somebody else since the match wins (ON CONFLICT), and its row is left as a skip.
NEW = f"""
INSERT INTO contacts_contact (
    id, tenant_id, public_id, email, phone, timezone, source, {", ".join(_PLAIN)}, company_id, phone_valid, phone_type, zones, places,
    lead_score, tags, custom_fields, engagement_score, sentiment_trend, conversation_summary, interaction_count, inbound_count,
    last_interaction_summary, last_call_summary, last_sms_reply, created_at, updated_at)
SELECT new_id, %(tenant)s, public_id, email, phone, timezone, coalesce(nullif(source, ''), %(source)s),
       {", ".join(_PLAIN)}, company.id, phone_valid, 'unknown', zones, places, lead_score,
       CASE WHEN tags = '{{}}' THEN %(tags)s::text[] ELSE
           tags || (SELECT coalesce(array_agg(tag), '{{}}') FROM unnest(%(tags)s::text[]) AS tag WHERE tag <> ALL (tags)) END,
       custom, 50, '', '', 0, 0, '', '', '', %(now)s, %(now)s
  FROM import_row AS staged {_COMPANY} WHERE {_NEW}
ON CONFLICT (tenant_id, email) WHERE email <> '' AND deleted_at IS NULL DO NOTHING
"""
LOST = f"""
UPDATE import_row AS staged SET new_id = NULL
 WHERE {_NEW} AND NOT EXISTS (SELECT FROM contacts_contact AS contact WHERE contact.id = new_id AND contact.tenant_id = %(tenant)s)
"""
# loading_touched, loading_declining: the contacts about to be changed, or to be opted out, and those whose mailbox is about to be closed. Asked for
# with lists, not joined: of a tenant's first list the planner knows nothing, and would compare everybody with every row.
TOUCHED = f"""
SELECT coalesce(array_agg(contact_id) FILTER (WHERE contact_id IS NOT NULL AND NOT clash
                                              AND ((%(update)s AND {_KNOWN}) OR declined_email <> '' OR opted_out <> '{{}}')), '{{}}'),
       coalesce(array_agg(email) FILTER (WHERE declined_email <> '' AND email <> ''), '{{}}')
  FROM import_row AS staged
"""
DECLINING = """
SELECT id FROM contacts_contact
 WHERE tenant_id = %(tenant)s AND email = ANY (%(mailboxes)s) AND email <> '' AND deleted_at IS NULL
"""
# loading_lock: lowest id first, as everybody locks them; claiming a message for one of them takes this lock, too.
LOCK = (
    "SELECT id FROM contacts_contact WHERE id = ANY (%(ids)s) AND tenant_id = %(tenant)s ORDER BY id FOR NO KEY UPDATE"
)
# loading_update: an empty cell never erases what is known. Weaker evidence of a place (an area code) never replaces a stronger one.
UPDATE = f"""
UPDATE contacts_contact AS contact SET
    {", ".join(f"{name} = coalesce(nullif(staged.{name}, ''), contact.{name})" for name in (*_PLAIN, "email", "phone", "timezone", "source"))},
    company_id = coalesce(company.id, contact.company_id),
    phone_valid = CASE WHEN staged.phone IN ('', contact.phone) THEN contact.phone_valid ELSE staged.phone_valid END,
    phone_type = CASE WHEN staged.phone IN ('', contact.phone) THEN contact.phone_type ELSE 'unknown' END,
    email_valid = CASE WHEN staged.email IN ('', contact.email) THEN contact.email_valid END,
    zones = CASE WHEN staged.zones <> '{{}}' AND staged.zone_strength >= CASE
                     WHEN contact.timezone <> '' THEN 3
                     WHEN contact.state <> '' OR contact.country <> '' OR contact.postal_code <> '' THEN 2
                     ELSE 0 END
                 THEN staged.zones ELSE contact.zones END,
    places = CASE WHEN staged.zones <> '{{}}' AND staged.zone_strength >= CASE
                     WHEN contact.timezone <> '' THEN 3
                     WHEN contact.state <> '' OR contact.country <> '' OR contact.postal_code <> '' THEN 2
                     ELSE 0 END
                 THEN staged.places ELSE contact.places END,
    lead_score = coalesce(staged.lead_score, contact.lead_score),
    tags = contact.tags || (SELECT coalesce(array_agg(DISTINCT tag), '{{}}')
                              FROM unnest(staged.tags || %(tags)s::text[]) AS tag WHERE tag <> ALL (contact.tags)),
    custom_fields = contact.custom_fields || staged.custom,
    updated_at = %(now)s
  FROM import_row AS staged {_COMPANY}
 WHERE contact.id = ANY (%(known)s::bigint[]) AND contact.id = staged.contact_id AND contact.tenant_id = staged.tenant_id AND {_KNOWN}
   AND contact.deleted_at IS NULL
"""
# loading_refused: a "no" in a consent column, or an opt-out, ends what was agreed before, also where the list is to leave known
# people as they are.
REFUSED = f"""
UPDATE contacts_consent AS consent SET revoked_at = %(now)s
  FROM import_row AS staged
 WHERE consent.tenant_id = %(tenant)s AND consent.contact_id = ANY (%(known)s::bigint[]) AND consent.contact_id = staged.contact_id
   AND consent.channel = ANY (staged.refused) AND consent.revoked_at IS NULL AND {_KNOWN}
"""
_AGREED = """
INSERT INTO contacts_consent (tenant_id, contact_id, address, channel, kind, seller, text_shown, source, source_url, given_at, evidence_hash)
SELECT %(tenant)s, {contact}, CASE WHEN asked.channel = 'email' THEN staged.email ELSE staged.phone END, asked.channel,
       %(kinds)s::jsonb ->> asked.channel, %(seller)s, %(text)s, left(coalesce(nullif(staged.agreed_where, ''), %(where)s), 120), '',
       least(coalesce(staged.agreed_at, %(now)s), %(now)s), staged.evidence
  FROM import_row AS staged CROSS JOIN LATERAL unnest(staged.agreed) AS asked (channel)
 WHERE {those} AND %(kinds)s::jsonb ->> asked.channel IS NOT NULL
"""
# loading_agreed_new: of people the tenant did not have, nothing can be in force or taken back.
AGREED_NEW = _AGREED.format(contact="staged.new_id", those=_MADE)
# loading_agreed: nothing is written where the same consent is in force, nor where the person took one back and the row
# cannot show a later day: an old list must not undo a revocation.
AGREED = (
    _AGREED.format(contact="staged.contact_id", those=_KNOWN)
    + """
   AND NOT EXISTS (
       SELECT FROM contacts_consent AS known
        WHERE known.tenant_id = %(tenant)s AND known.contact_id = ANY (%(known)s::bigint[])
          AND known.contact_id = staged.contact_id AND known.channel = asked.channel
          AND (known.revoked_at >= coalesce(staged.agreed_at, '-infinity')
               OR (known.revoked_at IS NULL AND known.kind = %(kinds)s::jsonb ->> asked.channel
                   AND known.address = CASE WHEN asked.channel = 'email' THEN staged.email ELSE staged.phone END)))
"""
)
# loading_closing: what the next two close. Somebody else may have the same number, and a claim for them be under way.
CLOSING = """
SELECT coalesce(array_agg(DISTINCT address), '{}')
  FROM import_row CROSS JOIN LATERAL unnest(ARRAY[email, alternative_email, phone, alternative_phone]) AS address
 WHERE address <> '' AND (opted_out <> '{}' OR declined_email <> '')
"""
# loading_opted_out: of people the tenant did not have; nobody has been told anything about them, so no event is needed.
OPTED_OUT = f"""
INSERT INTO contacts_suppression (tenant_id, channel, address, reason, source, quote, created_at, lifted_by)
SELECT DISTINCT %(tenant)s, channel, address, 'opted_out', 'import', %(quote)s, %(now)s, ''
  FROM import_row AS staged CROSS JOIN LATERAL unnest(opted_out) AS channel
  CROSS JOIN LATERAL unnest(CASE WHEN channel = 'email' THEN ARRAY[email, alternative_email] ELSE ARRAY[phone, alternative_phone] END) AS address
 WHERE address <> '' AND {_MADE}
ON CONFLICT (tenant_id, address, channel) WHERE lifted_at IS NULL DO NOTHING
"""
# loading_declined: e-mail needs no consent, only that nobody objected; a "no" is an objection. It closes the row's mailboxes and
# those of the contact the row is about, and changes nothing where they are closed already.
DECLINED = """
INSERT INTO contacts_suppression (tenant_id, channel, address, reason, source, quote, created_at, lifted_by)
SELECT DISTINCT ON (mailbox) %(tenant)s, 'email', mailbox, 'declined', 'import', declined_email, %(now)s, ''
  FROM import_row AS staged LEFT JOIN contacts_contact AS known
    ON known.tenant_id = staged.tenant_id AND known.id = ANY (%(known)s::bigint[]) AND known.id = staged.contact_id AND NOT staged.clash
  CROSS JOIN LATERAL unnest(ARRAY[staged.email, staged.alternative_email, known.email, known.alternative_email]) AS address
  CROSS JOIN LATERAL lower(btrim(address)) AS mailbox
 WHERE staged.declined_email <> '' AND mailbox <> ''
 ORDER BY mailbox, staged.row
ON CONFLICT (tenant_id, address, channel) WHERE lifted_at IS NULL DO NOTHING
"""
# The others may be on their way to somebody at this moment: they go through the verb, one by one.
OPTED_OUT_KNOWN = f"""
SELECT opted_out, array_remove(ARRAY[email, alternative_email], ''), array_remove(ARRAY[phone, alternative_phone], '')
  FROM import_row AS staged WHERE opted_out <> '{{}}' AND NOT ({_MADE}) ORDER BY row
"""


def load(job: ImportJob, counts: Counts, *, now: datetime) -> int:
    """Writes the staged rows, as they were marked and counted; returns how many new contacts were made (fewer than counted
    where somebody else was faster)."""
    parameters = _parameters(job, now) | {"known": counts.known}
    known = counts.known != "{}"
    with connection.cursor() as cursor:
        cursor.execute(NAMED, parameters)
        parameters["companies"] = cursor.fetchone()[0]
        if parameters["companies"] != "{}":
            cursor.execute(COMPANIES, parameters)
        cursor.execute(NEW, parameters)
        made = cursor.rowcount
        if made < counts.new:
            cursor.execute(LOST, parameters)
        if (known or counts.closing) and _locked(cursor, parameters) and parameters["update"]:
            cursor.execute(UPDATE, parameters)
        if known:
            cursor.execute(REFUSED, parameters)
            if parameters["update"]:
                cursor.execute(AGREED, parameters)
        cursor.execute(AGREED_NEW, parameters)
        refuse_twins(job.tenant_id, now=now)
        recall_imported()
        if counts.closing:
            _close(cursor, job, parameters, now)
    return made


def _close(cursor: Any, job: ImportJob, parameters: dict[str, Any], now: datetime) -> None:
    """Closes the addresses of those who opted out, and the mailboxes of those who declined e-mail."""
    cursor.execute(OPTED_OUT_KNOWN)
    for channels, mailboxes, phones in cursor.fetchall():
        _suppress(job, channels, mailboxes, phones, now)
    cursor.execute(CLOSING)
    lock_addresses(cursor.fetchone()[0])
    cursor.execute(OPTED_OUT, parameters)
    cursor.execute(DECLINED, parameters)
    if cursor.rowcount:
        record(
            "import.email_declined",
            tenant_id=job.tenant_id,
            now=now,
            actor=actor_of(job),
            subject=job,
            mailboxes=cursor.rowcount,
        )


def _locked(cursor: Any, parameters: dict[str, Any]) -> bool:
    """Locks everybody whom the rest of the chunk changes. False where there is nobody: all rows are new."""
    cursor.execute(TOUCHED, parameters)
    ids, mailboxes = cursor.fetchone()
    if mailboxes:
        cursor.execute(DECLINING, parameters | {"mailboxes": mailboxes})
        ids = sorted({*ids, *(row[0] for row in cursor.fetchall())})
    if ids:
        cursor.execute(LOCK, parameters | {"ids": ids})
    return bool(ids)


def _suppress(job: ImportJob, channels: list[str], mailboxes: list[str], phones: list[str], now: datetime) -> None:
    for address in (*mailboxes, *phones):
        reaching = [channel for channel in channels if (channel == "email") == ("@" in address)]
        if reaching:
            suppress(
                tenant_id=job.tenant_id,
                address=address,
                channels=reaching,
                reason="opted_out",
                source="import",
                quote=f"Opt-out column of {job.file_name}",
                now=now,
                actor=actor_of(job),
            )


def actor_of(job: ImportJob) -> str:
    return f"member:{job.created_by_id}" if job.created_by_id else "import"


def _parameters(job: ImportJob, now: datetime) -> dict[str, Any]:
    return {
        "tenant": job.tenant_id,
        "now": now,
        "update": job.duplicates == "update",
        "source": "import",
        "tags": list(job.tags or []),
        "kinds": json.dumps(job.consent.get("channels") or {}),
        "seller": job.tenant.name,
        "text": job.consent.get("text", ""),
        "where": (job.consent.get("source") or f"Import of {job.file_name}")[:120],
        "quote": f"Opt-out column of {job.file_name}"[:300],
    }
