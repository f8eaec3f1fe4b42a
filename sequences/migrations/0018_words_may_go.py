"""What was sent keeps its words and its address; the words go, whole, when the workspace's term for them is over."""

import django.contrib.postgres.indexes
from django.db import migrations

SENT_STAYS = """
CREATE OR REPLACE FUNCTION sequences_sent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.body = '' AND NEW.subject = ''
       AND (NEW.to_address, NEW.channel, NEW.public_id, NEW.created_at)
           IS NOT DISTINCT FROM (OLD.to_address, OLD.channel, OLD.public_id, OLD.created_at)
       AND NEW.state NOT IN ('ready', 'deferred', 'claimed', 'sending', 'unknown', 'held')
       AND contacts_words_may_go(OLD.tenant_id, OLD.created_at, OLD.contact_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'What was sent stays as it was sent (message %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION sequences_sent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was sent stays as it was sent (message %).', OLD.id USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sequences", "0017_one_number_of_several"),
        ("tenants", "0007_retention"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="providerevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["applied_at"], name="provider_event_by_day"
            ),
        ),
        migrations.RunSQL(SENT_STAYS, AS_BEFORE),
    ]
