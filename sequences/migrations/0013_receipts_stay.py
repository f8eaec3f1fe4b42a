"""Receipts only grow, messages are never deleted, and what has been on the wire keeps its words and its address."""

from django.db import migrations

LOCKED = """
REVOKE UPDATE, DELETE ON sequences_execution FROM omnify_web, omnify_system;
REVOKE DELETE ON sequences_message, sequences_providerevent FROM omnify_web, omnify_system;
"""

UNLOCKED = """
GRANT UPDATE, DELETE ON sequences_execution TO omnify_web, omnify_system;
GRANT DELETE ON sequences_message, sequences_providerevent TO omnify_web, omnify_system;
"""

# A call's report may name who answered, never what we said; so nothing of these four changes once the socket was open.
SENT_STAYS = """
CREATE FUNCTION sequences_sent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was sent stays as it was sent (message %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER sent_stays BEFORE UPDATE OF body, subject, to_address, channel, public_id, created_at ON sequences_message
FOR EACH ROW WHEN (
    OLD.sending_started_at IS NOT NULL
    AND (NEW.body, NEW.subject, NEW.to_address, NEW.channel, NEW.public_id, NEW.created_at)
        IS DISTINCT FROM (OLD.body, OLD.subject, OLD.to_address, OLD.channel, OLD.public_id, OLD.created_at)
) EXECUTE FUNCTION sequences_sent_stays();
"""

NOT_ANY_MORE = """
DROP TRIGGER sent_stays ON sequences_message;
DROP FUNCTION sequences_sent_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("sequences", "0012_one_ready_index")]

    operations = [migrations.RunSQL(LOCKED, UNLOCKED), migrations.RunSQL(SENT_STAYS, NOT_ANY_MORE)]
