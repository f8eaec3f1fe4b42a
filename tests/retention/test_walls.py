"""The database itself lets words go only whole, only after their term, and never under a legal hold."""

from datetime import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from contacts.models import Contact
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant
from tests.retention.aged import YEAR, sent, touch

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["omnify_web", "omnify_system"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sequences_message SET body = '', subject = '' WHERE created_at > now() - interval '700 days'",
        "UPDATE sequences_message SET body = 'other words', subject = ''",
        "UPDATE sequences_message SET body = ''",  # half of it
        "UPDATE sequences_message SET body = '', subject = '', to_address = '+12125550000'",
        "UPDATE sequences_message SET body = '', subject = '' WHERE state = 'held'",
        "UPDATE contacts_interaction SET content_body = '', content_subject = '' WHERE at > now() - interval '700 days'",
        "UPDATE contacts_interaction SET content_body = 'other words'",
        "UPDATE contacts_interaction SET content_subject = 'other words'",
    ],
)
def test_the_database_lets_words_go_only_whole_and_only_after_their_term(
    acme: Tenant, pat: Contact, now: datetime, statement: str, role: str
) -> None:
    sent(pat, now - 3 * YEAR)
    sent(pat, now - 3 * YEAR, state="held")
    sent(pat, now - YEAR)
    touch(pat, now - YEAR)
    touch(pat, now - 3 * YEAR)
    with tenant_context(acme.pk), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(DatabaseError, match=r"stays as it was|permission denied"), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("SET LOCAL ROLE omnify_system")


@pytest.mark.parametrize(
    "table", ["sequences_message SET body = '', subject = ''", "contacts_interaction SET content_body = ''"]
)
def test_the_web_role_removes_no_words_at_all(acme: Tenant, pat: Contact, now: datetime, table: str) -> None:
    sent(pat, now - 3 * YEAR)
    touch(pat, now - 3 * YEAR)
    with tenant_context(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE omnify_web")
        with pytest.raises(DatabaseError, match="stays as it was"), transaction.atomic():
            cursor.execute(f"UPDATE {table}")
        cursor.execute("SET LOCAL ROLE omnify_system")


def test_nobody_removes_words_under_a_legal_hold(acme: Tenant, pat: Contact, now: datetime) -> None:
    sent(pat, now - 3 * YEAR)
    Tenant.objects.filter(pk=acme.pk).update(legal_hold=True)
    with (
        tenant_context(acme.pk),
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="stays as it was"),
        transaction.atomic(),
    ):
        cursor.execute("UPDATE sequences_message SET body = '', subject = ''")
