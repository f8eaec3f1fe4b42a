"""The two working roles, what they may do, and row-level security on the tables of this app."""

from django.db import migrations

from omnify.tenants.rls import TENANT, TenantTables

ROLES = """
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['omnify_web', 'omnify_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was first
            END;
        END IF;
    END LOOP;
END $$
"""

GRANTS = """
GRANT USAGE ON SCHEMA public TO omnify_web, omnify_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO omnify_web, omnify_system;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO omnify_web, omnify_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO omnify_web, omnify_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO omnify_web, omnify_system;
"""

USER = "(SELECT nullif(current_setting('app.user_id', true), '')::bigint)"
DIGEST = "(SELECT nullif(current_setting('app.api_key_digest', true), ''))"

# A tenant is seen from inside it, by its members, and by the bearer of one of its keys. Only workers make tenants.
TENANT_POLICIES = f"""
ALTER TABLE tenants_tenant ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON tenants_tenant TO omnify_web USING (id = {TENANT}) WITH CHECK (id = {TENANT});
CREATE POLICY bearer_tenants ON tenants_tenant FOR SELECT TO omnify_web USING (
    id IN (SELECT tenant_id FROM tenants_membership WHERE user_id = {USER})
    OR id IN (SELECT tenant_id FROM tenants_apikey WHERE digest = {DIGEST})
);
CREATE POLICY system_tenants ON tenants_tenant TO omnify_system USING (true) WITH CHECK (true);
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.RunSQL(ROLES, migrations.RunSQL.noop),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
        TenantTables(
            "Membership",
            "ApiKey",
            "Notification",
            "Event",
            append_only=("Event",),
            visible_if={"Membership": f"user_id = {USER}", "ApiKey": f"digest = {DIGEST}"},
        ),
        migrations.RunSQL(TENANT_POLICIES, migrations.RunSQL.noop),
    ]
