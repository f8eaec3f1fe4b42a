"""The order in which claims and opt-outs happened, and whose requests were cut off, noted by the database itself, in the arena's
own database only.

A claim and an opt-out both lock the person's row first, so the numbers of these notes are the order of their commits.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import psycopg

from omnify.lib import postgres

INSTALL = """
GRANT omnify_system TO CURRENT_USER;
CREATE TABLE chaos_watch (
    id bigserial PRIMARY KEY, what text NOT NULL, channel text NOT NULL, address text NOT NULL, message uuid,
    worker text NOT NULL DEFAULT current_setting('application_name')
);
CREATE FUNCTION chaos_note_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_watch (what, channel, address, message) VALUES ('claimed', NEW.channel, NEW.to_address, NEW.public_id);
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_note_suppression() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_watch (what, channel, address)
    VALUES (CASE WHEN NEW.lifted_at IS NULL THEN 'closed' ELSE 'opened' END, NEW.channel, NEW.address);
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_note_request() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_watch (what, channel, address, message)
    VALUES (CASE NEW.state_reason WHEN 'worker_lost' THEN 'cut off' ELSE NEW.state END, NEW.channel, NEW.to_address, NEW.public_id);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_request AFTER UPDATE ON sequences_message FOR EACH ROW
    WHEN (NEW.state IN ('sending', 'unknown') AND OLD.state <> NEW.state) EXECUTE FUNCTION chaos_note_request();
CREATE TRIGGER chaos_claim AFTER UPDATE ON sequences_message FOR EACH ROW
    WHEN (NEW.state = 'claimed' AND NEW.purpose = 'marketing' AND OLD.claim_token IS DISTINCT FROM NEW.claim_token)
    EXECUTE FUNCTION chaos_note_claim();
CREATE TRIGGER chaos_suppression AFTER INSERT OR UPDATE OF lifted_at ON contacts_suppression FOR EACH ROW
    EXECUTE FUNCTION chaos_note_suppression();
"""
NOTES = """
SELECT what, channel, address, message::text FROM chaos_watch WHERE what IN ('claimed', 'closed', 'opened') ORDER BY id
"""
# Every request that began, and every message whose fate was unknown for a while: (what, message, worker).
REQUESTS = """
SELECT what, message::text, worker FROM chaos_watch WHERE what IN ('sending', 'unknown', 'cut off') ORDER BY id
"""
# What is still open, by kind: everything here must be gone when all is settled.
OPEN = """
SELECT channel || ' ' || state || ' ' || state_reason, count(*) FROM sequences_message
WHERE state IN ('ready', 'deferred', 'claimed', 'sending', 'unknown') GROUP BY 1
UNION ALL SELECT 'people due', count(*) FROM sequences_enrollment WHERE next_run_at IS NOT NULL HAVING count(*) > 0
UNION ALL SELECT 'provider events to apply', count(*) FROM sequences_providerevent WHERE state = 'new' HAVING count(*) > 0
"""

# Ids of everything people said that is in a conversation or set aside in sight.
HEARD = """
SELECT provider_id FROM contacts_interaction WHERE direction = 'inbound'
UNION ALL SELECT split_part(event_key, ':', 2) FROM sequences_providerevent WHERE state = 'parked'
"""

Note = tuple[str, str, str, str | None]
Request = tuple[str, str, str]


def install(state: Path) -> None:
    with psycopg.connect(postgres.database_url(state), autocommit=True) as owner:
        owner.execute(INSTALL)


def notes(state: Path) -> list[Note]:
    with psycopg.connect(postgres.database_url(state)) as owner:
        return owner.execute(NOTES).fetchall()


def requests(state: Path) -> list[Request]:
    with psycopg.connect(postgres.database_url(state)) as owner:
        return owner.execute(REQUESTS).fetchall()


def still_open(state: Path) -> Counter[str]:
    """What is not settled yet, with its number; looked at as the system role, which sees every tenant."""
    with psycopg.connect(postgres.database_url(state)) as owner:
        owner.execute("SET ROLE omnify_system")
        return Counter(dict(owner.execute(OPEN).fetchall()))


def heard(state: Path) -> set[str]:
    """The providers' ids of what people said and we know of."""
    with psycopg.connect(postgres.database_url(state)) as owner:
        owner.execute("SET ROLE omnify_system")
        return {row[0] for row in owner.execute(HEARD).fetchall()}


def claimed_after_stop(noted: list[Note]) -> list[str]:
    """The marks of marketing messages that were claimed while their address was closed. Pure."""
    closed: set[tuple[str, str]] = set()
    found = []
    for what, channel, address, message in noted:
        if what == "closed":
            closed.add((channel, address))
        elif what == "opened":
            closed.discard((channel, address))
        elif (channel, address) in closed:
            found.append(str(message))
    return found


def cut_off(noted: Iterable[Request], workers: Collection[str]) -> int:
    """How many of these workers died inside a request: one of theirs began, and nobody ever wrote down how it ended. Pure."""
    began_by: dict[str, str] = {}
    died = set()
    for what, message, worker in noted:
        if what == "sending":
            began_by[message] = worker
        elif what == "cut off" and message in began_by:
            died.add(began_by[message])
    return len(died & set(workers))


def were_unknown(noted: Iterable[Request]) -> int:
    """Messages of which nobody knew for a while whether they had left. Pure."""
    return len({message for what, message, _ in noted if what != "sending"})
