"""What was said stays as it was said, until the workspace's own term for it is over; then the words may go, and only whole.

The database itself looks at the term: a worker cannot remove a word before its time, and nobody can put another in its place.
"""

import django.contrib.postgres.indexes
from django.db import migrations, models

# Days for which the words of a deleted person stay: omnify.tenants.retention.ERASED_DAYS.
MAY_GO = """
CREATE FUNCTION contacts_words_may_go(tenant bigint, said_at timestamptz, contact bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_user = 'omnify_system' AND NOT t.legal_hold AND (
        said_at < now() - t.keep_words_days * interval '24 hours'
        OR EXISTS (
            SELECT 1 FROM contacts_contact AS c WHERE c.id = contact AND c.tenant_id = tenant
            AND c.merged_into_id IS NULL AND c.deleted_at < now() - 30 * interval '24 hours'))
    FROM tenants_tenant AS t WHERE t.id = tenant
$$;
"""
MAY_NOT_GO = "DROP FUNCTION contacts_words_may_go(bigint, timestamptz, bigint);"

# A call's words come after the call, and again when its report comes again; a text's or a mail's words are there at once.
SAID_ONCE = """
CREATE OR REPLACE FUNCTION contacts_said_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.content_body = '' AND NEW.content_subject = '' AND contacts_words_may_go(OLD.tenant_id, OLD.at, OLD.contact_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'What was said stays as it was said (interaction %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER said_once ON contacts_interaction;
CREATE TRIGGER said_once BEFORE UPDATE OF content_body, content_subject ON contacts_interaction FOR EACH ROW
WHEN (
    (OLD.channel <> 'voice' AND OLD.content_body <> '' AND NEW.content_body IS DISTINCT FROM OLD.content_body)
    OR NEW.content_subject IS DISTINCT FROM OLD.content_subject
)
EXECUTE FUNCTION contacts_said_once();
GRANT UPDATE (content_subject) ON contacts_interaction TO omnify_system;
"""
AS_BEFORE = """
REVOKE UPDATE (content_subject) ON contacts_interaction FROM omnify_system;
CREATE OR REPLACE FUNCTION contacts_said_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was said stays as it was said (interaction %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER said_once ON contacts_interaction;
CREATE TRIGGER said_once BEFORE UPDATE OF content_body ON contacts_interaction FOR EACH ROW
WHEN (OLD.channel <> 'voice' AND OLD.content_body <> '' AND NEW.content_body IS DISTINCT FROM OLD.content_body)
EXECUTE FUNCTION contacts_said_once();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0010_forgotten"),
        ("tenants", "0007_retention"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False), ("merged_into__isnull", True)),
                fields=["deleted_at"],
                name="contact_erased",
            ),
        ),
        migrations.AddIndex(
            model_name="interaction",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["at"], name="interaction_by_day"
            ),
        ),
        migrations.RunSQL(MAY_GO, MAY_NOT_GO),
        migrations.RunSQL(SAID_ONCE, AS_BEFORE),
    ]
