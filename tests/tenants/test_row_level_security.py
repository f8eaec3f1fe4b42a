"""Three nets between tenants, each tested alone."""

import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from contacts.models import Contact
from omnify.tenants.context import TenantNotSet, tenant_context
from omnify.tenants.events import record
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models import Event
from omnify.tenants.models.base import TenantModel
from tests.making import make_contact, make_enrollment, make_sequence

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]

pytestmark = pytest.mark.django_db


def scalar(sql: str, *params: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def test_the_tests_themselves_run_under_a_role_that_row_level_security_binds() -> None:
    assert scalar("SELECT current_user") == "omnify_system"
    assert scalar("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user") is False


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_every_tenant_table_forces_row_level_security(model: type[TenantModel]) -> None:
    forced = scalar(
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", model._meta.db_table
    )
    assert forced is True
    assert (
        scalar(
            "SELECT count(*) FROM pg_policies WHERE tablename = %s AND policyname IN ('tenant_rows', 'system_rows')",
            model._meta.db_table,
        )
        == 2
    )


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_every_key_between_tenant_tables_carries_the_tenant(model: type[TenantModel]) -> None:
    for field in model._meta.local_fields:
        if not field.is_relation or field.name == "tenant" or not issubclass(field.related_model, TenantModel):
            continue
        assert isinstance(field, TenantForeignKey), f"{model.__name__}.{field.name} must be a TenantForeignKey"
        if field.enforced:
            keys = scalar(
                "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass AND confrelid = %s::regclass "
                "AND pg_get_constraintdef(oid) LIKE %s",
                model._meta.db_table,
                field.related_model._meta.db_table,
                f"FOREIGN KEY ({field.column}, tenant_id)%",
            )
            assert keys == 1, f"{model.__name__}.{field.name} has no composite key"


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_no_unique_constraint_reveals_another_tenants_values(model: type[TenantModel]) -> None:
    """A unique rule over guessable values must include the tenant, directly or through a row of the tenant's own."""
    unguessable = {"public_id", "digest", "webhook_key", "id"}
    for field in model._meta.local_fields:
        assert not field.unique or field.name in unguessable, f"{model.__name__}.{field.name} is unique across tenants"


@pytest.mark.as_web
@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_the_web_role_sees_nothing_where_no_tenant_is_set(people, model: type[TenantModel]) -> None:
    assert model.objects.all_tenants().count() == 0


@pytest.mark.as_web
def test_the_web_role_sees_its_own_tenant_alone(people, now) -> None:
    ours = make_contact(people.acme, now)
    theirs = make_contact(people.charlie.tenant, now)
    with tenant_context(people.acme.pk):
        assert set(Contact.objects.all_tenants().values_list("pk", flat=True)) == {ours.pk}
        assert Contact.objects.all_tenants().filter(pk=theirs.pk).update(first_name="Mine") == 0
        assert Contact.objects.all_tenants().filter(pk=theirs.pk).delete()[0] == 0


@pytest.mark.as_web
def test_the_web_role_cannot_write_into_another_tenant(people) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_context(people.acme.pk):
        Contact.objects.create(tenant=people.charlie.tenant, first_name="Smuggled")


def test_a_row_cannot_point_into_another_tenant(people, now) -> None:
    sequence = make_sequence(people.acme, now)
    stranger = make_contact(people.charlie.tenant, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_enrollment(sequence, stranger, now)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_asking_without_a_tenant_raises_instead_of_answering() -> None:
    with pytest.raises(TenantNotSet):
        Contact.objects.count()


def test_the_outer_tenant_comes_back_after_a_nested_one(people) -> None:
    with tenant_context(people.acme.pk):
        with tenant_context(people.charlie.tenant_id):
            pass
        assert scalar("SELECT current_setting('app.tenant_id')") == str(people.acme.pk)
    assert scalar("SELECT current_setting('app.tenant_id')") == ""


@pytest.mark.parametrize("statement", ["UPDATE tenants_event SET kind = 'x'", "DELETE FROM tenants_event"])
def test_the_event_ledger_can_only_grow(people, now, statement: str) -> None:
    with tenant_context(people.acme.pk):
        record("test.happened", tenant_id=people.acme.pk, now=now, actor="test")
        assert Event.objects.filter(kind="test.happened").count() == 1
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_an_error_inside_a_context_comes_out_as_itself(people) -> None:
    with pytest.raises(DataError), tenant_context(people.acme.pk), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    with tenant_context(people.acme.pk):
        with pytest.raises(DataError), tenant_context(people.charlie.tenant_id), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert scalar("SELECT current_setting('app.tenant_id')") == str(people.acme.pk)
