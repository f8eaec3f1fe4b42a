"""Second signatures: what somebody asks for never changes, a decision is made once, and neither goes away."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import omnify.lib.ids
from omnify.tenants.rls import TenantTables

ASKED = (
    "id, tenant_id, public_id, kind, title, url, subject_type, subject_id, change, state, lines, digest, phrase, asked_by, "
    "asked_user, asked_at, expires_at"
)
DECIDED = "decision, decided_by, decided_at, alone, note"


def of(row: str, columns: str) -> str:
    return ", ".join(f"{row}.{each}" for each in columns.split(", "))


STAYS = f"""
CREATE FUNCTION tenants_approval_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.decision <> '' OR NEW.decided_at IS NOT NULL OR NEW.applied_at IS NOT NULL THEN
            RAISE EXCEPTION 'A request begins undecided.' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END IF;
    IF ({of("NEW", ASKED)}) IS DISTINCT FROM ({of("OLD", ASKED)}) THEN
        RAISE EXCEPTION 'What was asked for never changes (approval %).', OLD.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.decision <> '' AND ({of("NEW", DECIDED)}) IS DISTINCT FROM ({of("OLD", DECIDED)}) THEN
        RAISE EXCEPTION 'It was decided already (approval %).', OLD.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (NEW.applied_at, NEW.outcome) IS DISTINCT FROM (OLD.applied_at, OLD.outcome)
       AND NOT (OLD.applied_at IS NULL AND OLD.decision = 'signed') THEN
        RAISE EXCEPTION 'It is applied once, after it was signed (approval %).', OLD.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approval_stays BEFORE INSERT OR UPDATE ON tenants_approval
FOR EACH ROW EXECUTE FUNCTION tenants_approval_stays();
REVOKE DELETE, TRUNCATE ON tenants_approval FROM omnify_web, omnify_system;
"""
NOT_ANY_MORE = """
DROP TRIGGER approval_stays ON tenants_approval;
DROP FUNCTION tenants_approval_stays();
"""

KINDS = [
    ("enrol", "Enrolling many people"),
    ("consent", "Importing written consent"),
    ("limits", "Raising limits"),
    ("hours", "Widening a sequence's hours"),
    ("settings", "Loosening the workspace's settings"),
]
DECISIONS = [
    ("", "Waiting"),
    ("signed", "Signed"),
    ("refused", "Turned down"),
    ("withdrawn", "Withdrawn"),
    ("expired", "Expired"),
    ("changed", "Overtaken"),
]
NOTIFICATIONS = [
    ("hot_lead", "Hot lead"),
    ("needs_human", "Needs a human"),
    ("objection_detected", "Objection"),
    ("sentiment_drop", "Mood dropped"),
    ("appointment_booked", "Appointment booked"),
    ("sequence_completed", "Sequence completed"),
    ("escalation", "Escalation"),
    ("at_risk", "At risk"),
    ("reply", "Reply"),
    ("opt_out", "Opted out"),
    ("import_finished", "Import finished"),
    ("sending_problem", "Sending problem"),
    ("approval", "Second signature"),
    ("support", "Support looked in"),
]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_seals")]

    operations = [
        migrations.AddField(
            "tenant",
            "two_signatures",
            models.BooleanField(
                default=True,
                help_text="What reaches many people or loosens a safeguard needs a second person's signature.",
            ),
        ),
        migrations.AlterField("notification", "type", models.CharField(choices=NOTIFICATIONS, max_length=24)),
        migrations.AddIndex(
            "event",
            models.Index(fields=["tenant", "at"], name="event_enrolled", condition=models.Q(kind="sequence.enrolled")),
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=omnify.lib.ids.public_id, editable=False, unique=True)),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("title", models.CharField(max_length=200)),
                ("url", models.CharField(blank=True, help_text="The page it was asked for on.", max_length=300)),
                ("subject_type", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("change", models.JSONField(help_text="Exactly what would be done.")),
                ("state", models.JSONField(help_text="What it would be done to, as the asker saw it.")),
                (
                    "lines",
                    models.JSONField(default=list, help_text="The change for people's eyes: what, before, after."),
                ),
                ("digest", models.CharField(help_text="SHA-256 of subject, change and state.", max_length=64)),
                ("phrase", models.CharField(help_text="What somebody who signs alone must type.", max_length=120)),
                ("asked_by", models.CharField(help_text="member:<id> or key:<id>", max_length=80)),
                (
                    "asked_user",
                    models.BigIntegerField(
                        help_text="The person behind it: the member's, or whoever made the key.", null=True
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("decision", models.CharField(blank=True, choices=DECISIONS, default="", max_length=10)),
                ("decided_by", models.CharField(blank=True, max_length=80)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "alone",
                    models.BooleanField(default=False, help_text="Signed by the asker, because nobody else could."),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                ("applied_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "_unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decision", "")),
                        fields=("tenant", "kind", "digest"),
                        name="approval_waits_once",
                    )
                ],
                "indexes": [
                    models.Index(fields=["tenant", "-id"], name="approval_newest"),
                    models.Index(condition=models.Q(("decision", "")), fields=["expires_at"], name="approval_by_end"),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_unscoped", django.db.models.manager.Manager()),
            ],
        ),
        TenantTables("Approval"),
        migrations.RunSQL(STAYS, NOT_ANY_MORE),
    ]
