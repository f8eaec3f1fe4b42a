"""In which order transactions that claim a message, close an address or open one have committed: a turnstile before each commit.

A deferred trigger, the last thing before the commit, draws a number under the tenant's lock, held until the commit is done: so
the order of a tenant's numbers is the order of its commits. Such transactions also linger by chance, so that others get in between. Only
in a proof's own database.
"""

from collections.abc import Iterable

from django.db import connection

from contacts.addresses import normalised

# Seconds before the commit, at most.
LINGERING = {"claim": 0.01, "stop": 0.005}

WATCH = """
CREATE TABLE proof_order (place bigserial PRIMARY KEY, what text NOT NULL, tenant bigint NOT NULL, channel text NOT NULL,
                          address text NOT NULL);
CREATE FUNCTION proof_linger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(random() * TG_ARGV[0]::float);
    RETURN NEW;
END $$;
CREATE FUNCTION proof_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7399, NEW.tenant_id::int);
    INSERT INTO public.proof_order (what, tenant, channel, address)
    VALUES ('claimed', NEW.tenant_id, NEW.channel, NEW.to_address);
    RETURN NULL;
END $$;
CREATE FUNCTION proof_close() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7399, NEW.tenant_id::int);
    INSERT INTO public.proof_order (what, tenant, channel, address)
    VALUES (CASE WHEN NEW.lifted_at IS NULL THEN 'closed' ELSE 'opened' END, NEW.tenant_id, NEW.channel, NEW.address);
    RETURN NULL;
END $$;
CREATE TRIGGER proof_linger_claim AFTER UPDATE ON sequences_message FOR EACH ROW
    WHEN (NEW.state = 'claimed' AND OLD.state <> 'claimed') EXECUTE FUNCTION proof_linger(%(claim)s);
CREATE TRIGGER proof_linger_stop AFTER INSERT ON contacts_suppression FOR EACH ROW
    EXECUTE FUNCTION proof_linger(%(stop)s);
CREATE CONSTRAINT TRIGGER proof_claimed AFTER UPDATE ON sequences_message DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state = 'claimed' AND OLD.state <> 'claimed' AND NEW.purpose = 'marketing') EXECUTE FUNCTION proof_claim();
CREATE CONSTRAINT TRIGGER proof_closed AFTER INSERT OR UPDATE ON contacts_suppression DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION proof_close();
"""
UNWATCH = """
DROP TRIGGER proof_linger_claim ON sequences_message;
DROP TRIGGER proof_claimed ON sequences_message;
DROP TRIGGER proof_linger_stop ON contacts_suppression;
DROP TRIGGER proof_closed ON contacts_suppression;
DROP FUNCTION proof_linger, proof_claim, proof_close;
DROP TABLE proof_order;
"""
NOTES = "SELECT what, tenant, channel, address FROM proof_order ORDER BY place"

Note = tuple[str, int, str, str]


def install() -> None:
    _as_owner(WATCH % LINGERING)


def remove() -> None:
    _as_owner(UNWATCH)


def notes() -> list[Note]:
    """What has passed, in the order of the commits: (claimed, closed or opened; tenant; channel; address)."""
    with connection.cursor() as cursor:
        cursor.execute(NOTES)
        found: list[Note] = cursor.fetchall()
    return found


def after_stop(notes: Iterable[Note]) -> list[Note]:
    """The claims that committed while their address was closed on their channel. Pure."""
    closed: set[tuple[int, str, str]] = set()
    late = []
    for what, tenant, channel, address in notes:
        key = (tenant, channel, normalised(address))
        if what == "closed":
            closed.add(key)
        elif what == "opened":
            closed.discard(key)
        elif key in closed:
            late.append((what, tenant, channel, address))
    return late


def _as_owner(statements: str) -> None:
    """Run as whoever made the connection; afterwards it acts as the workers do again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        acting, owner = cursor.fetchone()
        cursor.execute("SET ROLE NONE")
        try:
            cursor.execute(statements)
        finally:
            if acting != owner:
                cursor.execute(f'SET ROLE "{acting}"')
