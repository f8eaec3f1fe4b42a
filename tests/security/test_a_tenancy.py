"""4-reliability §4 A: one tenant never sees or touches another's data, each net tried alone. More in tests/tenants."""

import ast
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from contacts.models import Contact, ImportJob
from omnify.tenants.context import tenant_context
from omnify.tenants.fields import TenantForeignKey
from omnify.tenants.models import Event, Membership, User
from sequences.models import Polling
from tests.everything import TENANT_MODELS, Rows, fingerprint, make_everything
from tests.making import People
from tests.test_architecture import SOURCES, calls, named

pytestmark = pytest.mark.django_db

# A1: who may cross tenants, file by file, and why.
CROSSING = {
    "contacts/importing/sweeping.py": "looks for imports that a killed worker left",
    "contacts/clearing.py": "asks who was deleted, of the workspaces it was given",
    "omnify/tenants/clearing.py": "removes what is over its term, in every workspace",
    "contacts/erasing.py": "looks for erased people whose addresses are still in clear, and enters each one's tenant",
    "contacts/placing.py": "fills a new column for everybody, a chunk at a time",
    "omnify/tenants/expiry.py": "asks which requests for a signature are over, and enters each one's tenant",
    "omnify/tenants/notary.py": "seals every workspace's ledger",
    "omnify/tenants/shipping.py": "ships what was sealed",
    "omnify/tenants/middleware.py": "finds out whose request it is, before there is a tenant",
    "omnify/tenants/querysets.py": "defines it",
    "omnify/tenants/context.py": "names it in an error's text",
    "omnify/simulator/wiring.py": "knows every simulated account",
    "sequences/alarms.py": "remembers what a tenant was told an hour ago",
    "sequences/inbound.py": "takes up waiting events, tenant by tenant",
    "sequences/outcome.py": "writes the outcome of a claimed row by its own key",
    "sequences/polling.py": "asks which senders are due",
    "sequences/reconcile.py": "looks for uncertain messages, and enters each one's tenant",
    "sequences/resealing.py": "seals every sender's credentials anew",
}
CROSSING_FOLDERS = {
    "omnify/bench/": "measures the whole machine",
    "omnify/commands/": "commands of whoever runs the machine",
    "omnify/demo/": "makes a tenant",
    "omnify/promises/": "judges all tenants",
    "sequences/": "the engine, the wire and what comes back claim across tenants, and enter each row's own",
}


def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def crossing() -> set[str]:
    return {named(path) for path in SOURCES if any(name.endswith(".all_tenants") for _, name in calls(path))}


def test_a1_only_the_listed_files_cross_tenants() -> None:
    allowed = tuple(each for each in CROSSING_FOLDERS if each != "sequences/")
    strangers = {path for path in crossing() if path not in CROSSING and not path.startswith(allowed)}
    views = {path for path in strangers if "/views/" in path or path.endswith(("api.py", "forms.py", "serializers.py"))}
    assert not views, f"{sorted(views)}: pages and the API never cross tenants"
    assert not {path for path in strangers if not path.startswith("sequences/")}


def test_a1_no_page_nor_api_reaches_around_the_scoped_manager() -> None:
    found = []
    for path in SOURCES:
        if "/views/" not in named(path) and path.stem not in ("api", "forms", "serializers", "home"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("_unscoped", "_base_manager", "_default_manager"):
                found.append(f"{named(path)}:{node.lineno}")
    # The API's views name `_unscoped.none()` for the schema's sake: that is no row at all.
    real = [
        each
        for each in found
        if ".none()" not in Path(each.split(":")[0]).read_text().splitlines()[int(each.split(":")[1]) - 1]
    ]
    assert not real


@pytest.fixture
def ours(people: People, now: datetime) -> Rows:
    return make_everything(people.alice, now, "Oursword")


@pytest.fixture
def theirs(people: People, now: datetime) -> Rows:
    return make_everything(people.charlie, now, "Theirsword")


def without_unique_rules(table: str) -> list[str]:
    rules = query(
        "SELECT i.relname, o.conname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
        "LEFT JOIN pg_constraint o ON o.conindid = x.indexrelid AND o.contype = 'u' "
        "WHERE x.indisunique AND NOT x.indisprimary AND x.indrelid = %s::regclass",
        table,
    )
    return [
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"' if constraint else f'DROP INDEX "{index}"'
        for index, constraint in rules
    ]


KEYS = [
    (model, field)
    for model in TENANT_MODELS
    for field in model._meta.local_fields
    if isinstance(field, TenantForeignKey) and field.enforced
]


@pytest.mark.parametrize(
    ("model", "field"), KEYS, ids=lambda each: getattr(each, "__name__", getattr(each, "name", ""))
)
def test_a2_no_key_of_a_row_can_point_into_another_tenant(
    ours: Rows, theirs: Rows, people: People, model: Any, field: TenantForeignKey
) -> None:
    """As the owner of the tables, under whom neither policies nor missing privileges could be what refuses it."""
    target = theirs[field.remote_field.model].pk
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # for the rows made above
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(f'ALTER TABLE "{model._meta.db_table}" NO FORCE ROW LEVEL SECURITY')
        for statement in without_unique_rules(model._meta.db_table):  # the key alone shall refuse it
            cursor.execute(statement)
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s WHERE id = %s', [target, ours[model].pk]
        )
        assert cursor.rowcount == 1
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a2_there_are_keys_to_try() -> None:
    assert len(KEYS) >= 25


@pytest.mark.as_web
@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_a3_without_a_tenant_the_database_shows_no_row(people: People, now: datetime, model: Any) -> None:
    make_everything(people.alice, now, "Oursword")
    with tenant_context(people.acme.pk):
        assert query(f'SELECT count(*) FROM "{model._meta.db_table}"')[0][0] >= 1
    assert query(f'SELECT count(*) FROM "{model._meta.db_table}"') == [(0,)]


def test_a3_neither_working_role_can_step_around_the_policies() -> None:
    roles = query(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname IN ('omnify_web', 'omnify_system')"
    )
    assert dict(roles) == {"omnify_web": False, "omnify_system": False}
    owned = query(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname IN ('omnify_web', 'omnify_system')"
    )
    assert owned == [(0,)]
    members = query(
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
        "WHERE r.rolname IN ('omnify_web', 'omnify_system')"
    )
    assert members == [(0,)]


def test_a5_a_view_asks_as_whoever_looks_at_it() -> None:
    """There is none today. A plain view would show every tenant's rows: it belongs to the owner, whom its policies spare."""
    loose = query(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace "
        "AND NOT coalesce(array_to_string(reloptions, ',') LIKE '%%security_invoker=true%%', false)"
    )
    kept = query("SELECT relname FROM pg_class WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace")
    definers = query(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace AND proname NOT LIKE 'pg_%%'"
    )
    assert (loose, kept, definers) == ([], [], [])


# A6: unique rules without the tenant, and why they tell nobody anything.
UNGUESSABLE = {
    "public_id": "122 random bits or more",
    "digest": "the SHA-256 of 256 random bits",
    "webhook_key": "128 random bits",
}
# They begin with the id of a row of the same tenant, which nobody else can name (A2).
THROUGH_A_ROW = {
    "sequence_id", "version_id", "source_id", "enrollment_id", "contact_id", "sender_id", "job_id", "message_id",
}  # fmt: skip
# (provider, provider_id): the providers' own ids, random and theirs; one account's message has one row.
BY_PROVIDER = {"provider_id_once"}


def test_a6_no_unique_rule_reveals_another_tenants_values() -> None:
    rules = query(
        """SELECT c.relname, i.relname, array_agg(a.attname ORDER BY k.n)
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        CROSS JOIN LATERAL unnest(x.indkey::smallint[]) WITH ORDINALITY AS k(attnum, n)
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace
        AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
        GROUP BY 1, 2"""
    )
    assert len(rules) > 30
    loose = [
        (table, name, columns)
        for table, name, columns in rules
        if "tenant_id" not in columns
        and name not in BY_PROVIDER
        and not set(columns) & (set(UNGUESSABLE) | THROUGH_A_ROW)
        and columns != ["id"]
    ]
    assert not loose


# A7: everything shared between requests is named after the tenant.
CACHES = {
    "omnify/tenants/rates.py": "counts of tries; the key begins with the tenant's id, or 0 and the address of a stranger",
}


def test_a7_nothing_else_uses_the_cache() -> None:
    users = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "django.core.cache":
                users.add(named(path))
            if (
                isinstance(node, ast.ImportFrom)
                and "cache" in (node.module or "")
                and "views.decorators" not in node.module
            ):
                users.add(named(path))
    assert users == set(CACHES)


def test_a7_groups_of_the_live_updates_are_the_tenants_own() -> None:
    senders = {
        named(path)
        for path in SOURCES
        if any(name.endswith(("group_send", "group_add", "group_discard")) for _, name in calls(path))
    }
    assert senders == {"omnify/lib/live.py", "omnify/tenants/consumers.py"}


# --- G6: exports, admin actions, tasks ---------------------------------------------------------------------------


@pytest.mark.as_web
def test_g6_an_export_holds_the_own_tenant_alone(people: People, now: datetime, client: Client) -> None:
    make_everything(people.alice, now, "Oursword")
    foreign = make_everything(people.charlie, now, "Theirsword")
    client.force_login(people.alice.user)
    contact = foreign[Contact]
    for asked in ({}, {"q": "Theirs"}, {"after": str(contact.pk)}, {"contact": str(contact.public_id)}):
        answer = client.get(reverse("contacts:export"), asked)
        text = b"".join(answer.streaming_content).decode()
        assert "Theirsword" not in text
    errors = client.get(reverse("contacts:import_errors", args=[foreign[ImportJob].public_id]))
    assert errors.status_code == 404


def admin_actions() -> Iterator[tuple[Any, str]]:
    for model, page in admin.site._registry.items():
        for each in page.actions or ():
            yield model, each if isinstance(each, str) else each.__name__
        yield model, "delete_selected"


@pytest.mark.as_web
def test_g6_no_admin_action_reaches_a_foreign_row(people: People, now: datetime, client: Client) -> None:
    make_everything(people.alice, now, "Oursword")
    theirs = make_everything(people.charlie, now, "Theirsword")
    User.objects.filter(pk=people.alice.user_id).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=people.alice.user_id))
    watched = [people.charlie.tenant_id]
    before, tried = fingerprint(watched), 0
    for model, action in admin_actions():
        if model not in theirs:
            continue
        where = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        data = {"action": action, "_selected_action": [theirs[model].pk], "post": "yes"}
        answer = client.post(where, data, follow=True)
        assert "Theirsword" not in answer.content.decode()
        tried += 1
    assert tried > 25
    assert fingerprint(watched) == before


# What the workers run that is given an id of a row: the arguments, as a hostile queue would put them together.
def foreign_arguments(ours: Rows, theirs: Rows) -> dict[str, tuple[int, ...]]:
    tenant = ours[Membership].tenant_id
    return {
        "omnify.tenants.tasks.send_invitation": (theirs[Membership].pk, tenant),
        "contacts.tasks.run_import": (tenant, theirs[ImportJob].pk),
        "sequences.tasks.contact_deleted": (theirs[Event].pk, tenant),
        "sequences.tasks.opted_out": (theirs[Event].pk, tenant),
        "sequences.tasks.sending_started": (theirs[Event].pk, tenant),
        "sequences.tasks.topic_offered": (theirs[Event].pk, tenant),
        "sequences.tasks.read_long_list": (theirs[Polling].pk, tenant),
    }


# They take no id at all: what they do is decided by the rows they find, each in its own tenant.
WITHOUT_ID = {"channel", "cluster", "kind", "budget", "batch", "since", "now"}


def tasks_with_ids() -> set[str]:
    found = set()
    for module in ("omnify.tenants.tasks", "contacts.tasks", "sequences.tasks"):
        for name, function in vars(import_module(module)).items():
            own = isfunction(function) and function.__module__ == module and not name.startswith("_")
            if own and set(signature(function).parameters) - WITHOUT_ID:
                found.add(f"{module}.{name}")
    return found


def test_g6_a_task_given_a_foreign_id_does_nothing(ours: Rows, theirs: Rows, people: People, mailoutbox: Any) -> None:
    arguments = foreign_arguments(ours, theirs)
    assert tasks_with_ids() == set(arguments), (
        "a new task that is given an id: say above which foreign one it must refuse"
    )
    watched = [people.charlie.tenant_id, people.acme.pk]
    before = fingerprint(watched)
    for name, given in arguments.items():
        module, _, function = name.rpartition(".")
        try:
            done = getattr(import_module(module), function)(*given)
        except ObjectDoesNotExist:  # a refusal too
            done = False
        assert not done, name
    assert fingerprint(watched) == before
    assert mailoutbox == []
