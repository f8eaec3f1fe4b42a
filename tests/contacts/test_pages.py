"""Contact pages: for whom they open, what they cost, and that looking changes nothing."""

import pytest
from django.urls import reverse

from contacts.models import Company, Consent, Contact, ImportJob, ImportProblem, Interaction, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from tests.contacts.conftest import make_job
from tests.making import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


def pages_of(contact: Contact, job: ImportJob) -> dict[str, str]:
    """Every address of a row of ours, by name."""
    of_contact = ("contact", "timeline", "edit", "delete", "permission")
    of_job = ("import_map", "import_review", "import_run", "import_progress", "import_cancel", "import_errors")
    return {name: reverse(f"contacts:{name}", args=[contact.public_id]) for name in of_contact} | {
        name: reverse(f"contacts:{name}", args=[job.public_id]) for name in of_job
    }


def everything() -> tuple[int, ...]:
    """How many rows of each kind there are, for all tenants this role may see."""
    return tuple(
        model.objects.count()
        for model in (Contact, Company, Consent, Suppression, Interaction, ImportJob, ImportProblem, Event)
    )


def test_a_stranger_sees_and_changes_nothing_anywhere(people, now, as_member) -> None:
    contact, job = make_contact(people.acme, now, first_name="Secret"), make_job(people)
    client = as_member(people.charlie)
    for name, url in pages_of(contact, job).items():
        assert client.get(url).status_code in (404, 405), name
        assert client.post(url, {"name": str(contact)}).status_code in (404, 405), name
    assert b"Secret" not in client.get(reverse("contacts:list")).content
    assert b"list.csv" not in client.get(reverse("contacts:imports")).content
    client.post(reverse("contacts:bulk"), {"action": "delete", "contact": [contact.public_id]})
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().get().first_name == "Secret"
        assert ImportJob.objects.get().state == "uploaded"


def test_nobody_gets_in_without_logging_in(people, now, client) -> None:
    contact, job = make_contact(people.acme, now), make_job(people)
    names = ("list", "create", "export", "imports", "import_new")
    for url in (*pages_of(contact, job).values(), *(reverse(f"contacts:{name}") for name in names)):
        assert client.get(url).status_code in (302, 405), url


def test_a_viewer_may_look_but_not_touch(people, now, as_member) -> None:
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        type(people.bob).objects.filter(pk=people.bob.pk).update(role="viewer")
    client = as_member(people.bob)
    page = client.get(contact.get_absolute_url())
    assert page.status_code == 200
    assert b"They agreed" not in page.content
    assert client.get(reverse("contacts:list")).status_code == 200
    for name in ("create", "export", "imports", "import_new"):
        assert client.get(reverse(f"contacts:{name}")).status_code == 403, name
    assert (
        client.post(reverse("contacts:bulk"), {"action": "delete", "contact": [contact.public_id]}).status_code == 403
    )


def test_looking_at_any_page_changes_nothing(people, now, as_member) -> None:
    contact, job = make_contact(people.acme, now), make_job(people)
    client = as_member(people.bob)
    with tenant_context(people.acme.pk):
        before = everything()
    names = ("list", "create", "export", "bulk", "imports", "import_new", "sample")
    for url in (*pages_of(contact, job).values(), *(reverse(f"contacts:{name}") for name in names)):
        for method in (client.get, client.head):
            response = method(url)
            if response.streaming:
                list(response)
            assert response.status_code in (200, 302, 405), url
    with tenant_context(people.acme.pk):
        assert everything() == before
        assert ImportJob.objects.get().state == "uploaded"


def test_the_list_costs_the_same_for_one_contact_and_for_thirty(
    people, now, as_member, django_assert_num_queries
) -> None:
    client, url = as_member(people.bob), reverse("contacts:list")
    make_contact(people.acme, now)
    client.get(url)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for n in range(29):
        with tenant_context(people.acme.pk):
            company = Company.objects.create(name=f"Company {n}")
        make_contact(people.acme, now, company=company, owner=people.bob, tags=["a"])
    with django_assert_num_queries(len(one)):
        assert client.get(url).content.count(b'name="contact"') == 30


def test_a_contact_page_costs_the_same_for_one_touch_and_for_thirty(
    people, now, as_member, django_assert_num_queries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    contact, client = make_contact(people.acme, now), as_member(people.bob)

    def touch() -> None:
        with tenant_context(people.acme.pk):
            Interaction.objects.create(contact=contact, channel="sms", direction="inbound", at=now, content_body="Hi")

    touch()
    client.get(contact.get_absolute_url())
    with CaptureQueriesContext(connection) as one:
        client.get(contact.get_absolute_url())
    for _ in range(29):
        touch()
    with django_assert_num_queries(len(one)):
        assert client.get(contact.get_absolute_url()).content.count(b'class="bubble"') == 30


def test_what_a_person_wrote_is_shown_as_text(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, first_name="<b>Ann</b>", custom_fields={"note": "<script>1</script>"})
    with tenant_context(people.acme.pk):
        Interaction.objects.create(
            contact=contact,
            channel="sms",
            direction="inbound",
            at=now,
            content_body='<img src=x onerror=alert(1)> <a hx-get="/x">x</a>',
        )
    html = as_member(people.bob).get(contact.get_absolute_url()).content.decode()
    assert "<img src=x" not in html
    assert "<script>1" not in html
    assert "<b>Ann" not in html
    assert "&lt;img src=x" in html


def test_times_stand_in_the_person_s_own_zone_which_is_named(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, zones=["Asia/Tokyo"])
    with tenant_context(people.acme.pk):
        Interaction.objects.create(contact=contact, channel="sms", direction="outbound", at=now, content_body="Hi")
    html = as_member(people.bob).get(contact.get_absolute_url()).content.decode()
    assert ">01:00</time>" in html  # 16:00 UTC is 1 o'clock of the next day in Tokyo
    assert "Thursday, 19 November 2026" in html
    assert "Asia/Tokyo" in html


def test_older_entries_follow_page_by_page_without_gaps_or_repeats(people, now, as_member) -> None:
    from datetime import timedelta

    contact = make_contact(people.acme, now, consents=())
    with tenant_context(people.acme.pk):
        for n in range(75):
            Interaction.objects.create(
                contact=contact,
                channel="email" if n % 5 else "sms",
                direction="inbound",
                at=now - timedelta(minutes=n // 2),
                content_body=f"text {n}.",
            )
    client, url, seen = as_member(people.bob), reverse("contacts:timeline", args=[contact.public_id]), []
    import html as entities
    import re

    for _ in range(10):
        page = client.get(url).content.decode()
        seen += re.findall(r"text (\d+)\.", page)
        following = re.search(r'hx-get="([^"]+before=[^"]+)"', page)
        if not following:
            break
        url = entities.unescape(following.group(1))
    assert sorted(map(int, seen)) == list(range(75))
    only = client.get(reverse("contacts:timeline", args=[contact.public_id]), {"channel": "sms"}).content.decode()
    assert len(re.findall(r"text (\d+)\.", only)) == 15
