"""The list: search, filters, order, pages, export."""

import pytest
from django.urls import reverse

from contacts.models import Contact, Suppression
from omnify.tenants.context import tenant_context
from tests.making import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ann", {"Ann", "ANNA"}), ("q=Ann+Lee", {"Ann"}), ("q=lee+ann", {"Ann"}), ("q=b%40", {"Bob"}), ("q=b@x", {"Bob"}), ("q=212555", {"Ann"}),
        ("q=(212)+555-0100", {"Ann"}), ("q=%2B4420", {"Bob"}), ("q=nobody", set()), ("tag=vip", {"Bob"}), ("owner=none", {"Ann", "ANNA"}),
        ("consent=sms", {"Ann"}), ("reach=sms", {"Ann"}), ("reach=email", {"Ann", "Bob", "ANNA"}), ("suppressed=yes", {"Bob"}),
        ("replied=7", {"Bob"}), ("replied=never", {"Ann", "ANNA"}), ("sort=replied", {"Bob"}), ("owner=x&reach=fax&sort=up", {"Ann", "Bob", "ANNA"}),
        ("after=nonsense", {"Ann", "Bob", "ANNA"}),
    ],
)  # fmt: skip
def test_search_and_filters_stand_in_the_url(people, now, as_member, query, found) -> None:
    from omnify.lib.clock import now as real_now

    make_contact(
        people.acme,
        now,
        first_name="Ann",
        last_name="Lee",
        email="ann@x.example",
        phone="+12125550100",
        consents=("sms",),
    )
    make_contact(people.acme, now, first_name="ANNA", last_name="Ray", email="zed@x.example", phone="", consents=())
    make_contact(people.acme, now, first_name="Bob", last_name="Orr", email="b@x.example", phone="+442079460102", consents=(), tags=["vip"],
                 owner=people.bob, last_inbound_at=real_now())  # fmt: skip
    make_contact(people.acme, now, first_name="Gone", deleted_at=now)
    with tenant_context(people.acme.pk):
        Suppression.objects.create(
            channel="sms", address="+442079460102", reason="opted_out", source="sms", created_at=now
        )
    page = as_member(people.bob).get(f"{reverse('contacts:list')}?{query}")
    assert {contact.first_name for contact, _ in page.context["rows"]} == found


@pytest.mark.parametrize("sort", ["newest", "oldest", "name", "replied"])
def test_pages_follow_each_other_in_any_order_without_gaps_or_repeats(
    people, now, as_member, sort, monkeypatch
) -> None:
    from contacts import finding

    monkeypatch.setattr(finding.page, "__kwdefaults__", {"size": 3})
    for n in range(8):
        make_contact(people.acme, now, first_name=f"P{n % 3}", last_inbound_at=now)
    client, query, seen = as_member(people.bob), {"sort": sort}, []
    for _ in range(5):
        page = client.get(reverse("contacts:list"), query).context["page"]
        seen += [row.pk for row in page.rows]
        if page.after is None:
            break
        query["after"] = str(page.after)
    assert len(seen) == len(set(seen)) == 8
    assert sort != "oldest" or seen == sorted(seen)


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        ("ann", ("(first_name)::text >= 'Ann'", "(last_name)::text >= 'Ann'", "(email)::text >= 'ann'")),
        ("a@x", ("(email)::text >= 'a@x'",)),
        ("+1212", ("(phone)::text >= '+1212'",)),
    ],
)
def test_a_search_is_answered_from_indexes_under_row_level_security(people, now, query, conditions) -> None:
    from django.db import connection

    from contacts import finding

    with tenant_context(people.acme.pk), connection.cursor() as cursor:
        Contact.objects.bulk_create(
            Contact(
                tenant=people.acme,
                first_name=f"P{n}",
                last_name=f"Q{n}",
                email=f"p{n}@x.example",
                phone=f"+1{200 + n % 700}555{n:04d}",
            )
            for n in range(3000)
        )
        for statement in (
            "SET ROLE NONE",
            "ANALYZE contacts_contact",
            "SET ROLE omnify_web",
            "SET LOCAL enable_indexscan = off",
        ):
            cursor.execute(statement)
        plan = finding.found(finding.Filters(q=query), now=now).order_by().explain()
    indexed = "\n".join(line for line in plan.splitlines() if "Index Cond" in line)
    assert all(condition in indexed for condition in conditions), plan


def test_the_list_answers_htmx_with_the_rows_alone(people, now, as_member) -> None:
    make_contact(people.acme, now)
    page = as_member(people.bob).get(reverse("contacts:list"), headers={"HX-Request": "true"})
    assert b"<html" not in page.content
    assert b'id="rows"' in page.content


def test_an_empty_list_says_what_to_do(people, as_member) -> None:
    assert b"Import a list" in as_member(people.bob).get(reverse("contacts:list")).content


def test_the_export_streams_every_contact_as_harmless_text(people, now, as_member) -> None:
    make_contact(people.acme, now, first_name="=cmd()", last_name='A "quoted", name', phone="+12125550100")
    make_contact(people.charlie.tenant, now, first_name="Theirs")
    response = as_member(people.bob).get(reverse("contacts:export"))
    text = b"".join(response).decode()
    assert response.streaming
    assert "'=cmd()" in text
    assert "'+12125550100" in text
    assert '"A ""quoted"", name"' in text
    assert "Theirs" not in text
    assert len(text.strip().splitlines()) == 2
