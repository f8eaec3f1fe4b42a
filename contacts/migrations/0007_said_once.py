"""What was said and what was agreed to is written once: the working roles may complete such a row, not rewrite or remove it."""

from django.db import migrations

# What may change afterwards: what became of a touch and what it means; a consent's end; and whose they are, after a merge.
LOCKED = """
REVOKE UPDATE, DELETE ON contacts_interaction, contacts_consent FROM omnify_web, omnify_system;
GRANT UPDATE (contact_id, expires_at, revoked_at) ON contacts_consent TO omnify_web, omnify_system;
GRANT UPDATE (
    contact_id, content_body, content_summary, outcome, sentiment, intent, call_duration_seconds, call_disposition,
    appointment_booked, objections_raised, key_topics, emotional_analysis, engagement_score, opened_at, clicked_at
) ON contacts_interaction TO omnify_web, omnify_system;
"""

UNLOCKED = """
GRANT UPDATE, DELETE ON contacts_interaction, contacts_consent TO omnify_web, omnify_system;
"""

# A call's words come after the call, and again when its report comes again; a text's or a mail's words are there at once.
SAID_ONCE = """
CREATE FUNCTION contacts_said_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was said stays as it was said (interaction %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER said_once BEFORE UPDATE OF content_body ON contacts_interaction FOR EACH ROW
WHEN (OLD.channel <> 'voice' AND OLD.content_body <> '' AND NEW.content_body IS DISTINCT FROM OLD.content_body)
EXECUTE FUNCTION contacts_said_once();
"""

NOT_ANY_MORE = """
DROP TRIGGER said_once ON contacts_interaction;
DROP FUNCTION contacts_said_once();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0006_merged")]

    operations = [migrations.RunSQL(LOCKED, UNLOCKED), migrations.RunSQL(SAID_ONCE, NOT_ANY_MORE)]
