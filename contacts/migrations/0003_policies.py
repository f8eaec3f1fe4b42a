"""Row-level security and composite keys on people, permissions and the conversation."""

from django.db import migrations

from omnify.tenants.rls import TenantTables


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_initial"), ("tenants", "0002_roles_and_policies")]

    operations = [
        TenantTables("Company", "Contact", "Consent", "Suppression", "Interaction", "ImportJob", "ImportProblem")
    ]
