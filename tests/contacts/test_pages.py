"""Contact pages: for whom they open, what they cost, and that looking changes nothing."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts.importing import jobs
from contacts.models import Company, Consent, Contact, ImportJob, ImportProblem, Interaction, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from tests.making import make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.fixture
def as_member(client: Any, people: Any) -> Any:
    """`as_member(people.bob)` logs the test client in."""

    def enter(member: Any) -> Any:
        client.force_login(member.user)
        return client

    return enter


def make_job(people: Any, **fields: Any) -> ImportJob:
    defaults = {"file_name": "list.csv", "file_path": "imports/none.csv", "file_size": 1, "header": ["Email"], "encoding": "utf-8",
                "samples": [["a@x.example"]], "mapping": {"0": "email"}, "delimiter": ","}  # fmt: skip
    with tenant_context(people.acme.pk):
        return ImportJob.objects.create(**defaults | fields)


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


def test_a_new_contact_is_cleaned_placed_and_recorded(people, as_member) -> None:
    form = {
        "first_name": " Ann ",
        "email": "ANN@x.example",
        "phone": "(212) 555-0100",
        "state": "NY",
        "company": "Acme",
        "tags": "a, b",
    }
    response = as_member(people.bob).post(reverse("contacts:create"), form)
    with tenant_context(people.acme.pk):
        contact = Contact.objects.get()
        assert response.url == contact.get_absolute_url()
        assert (contact.first_name, contact.email, contact.phone, contact.zones, contact.tags) == (
            "Ann", "ann@x.example", "+12125550100", ["America/New_York"], ["a", "b"],
        )  # fmt: skip
        assert contact.company is not None
        assert (
            Event.objects.filter(kind="contact.created", subject_id=contact.pk, actor=f"member:{people.bob.pk}").count()
            == 1
        )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"first_name": "Ann"}, b"otherwise nobody can be reached"), ({"email": "nope"}, b"There is no @ in it."), ({"phone": "12"}, b"Too few digits"),
        ({"email": "a@x.example", "timezone": "Mars"}, b"no time zone we know"), ({"email": "a@x.example", "country": "Narnia"}, b"no country we know"),
        ({"email": "taken@x.example"}, b"has this email address already"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_taken_says_why_beside_the_field(people, now, as_member, form, words) -> None:
    make_contact(people.acme, now, email="taken@x.example")
    response = as_member(people.bob).post(reverse("contacts:create"), form)
    assert response.status_code == 422
    assert words in response.content
    with tenant_context(people.acme.pk):
        assert Contact.objects.count() == 1


def test_editing_forgets_what_was_known_of_the_old_number(people, now, as_member) -> None:
    contact = make_contact(
        people.acme, now, phone_type="mobile", phone_valid=True, zones=["America/New_York"], state="", country=""
    )
    client, url = as_member(people.bob), reverse("contacts:edit", args=[contact.public_id])
    form = {name: value for name, value in client.get(url).context["form"].initial.items() if value is not None}
    client.post(url, form | {"phone": "415 555 0101"})
    with tenant_context(people.acme.pk):
        contact.refresh_from_db()
    assert (contact.phone, contact.phone_type, contact.phone_valid, contact.zones) == (
        "+14155550101",
        "unknown",
        None,
        ["America/Los_Angeles"],
    )
    with tenant_context(people.acme.pk):
        assert "phone" in Event.objects.get(kind="contact.updated").data["fields"]
    client.post(url, form | {"phone": "415 555 0101"})
    with tenant_context(people.acme.pk):
        assert Event.objects.filter(kind="contact.updated").count() == 1


def test_deleting_needs_the_name_erases_the_person_and_keeps_what_they_forbade(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, first_name="Ann", last_name="Lee", phone="+12125550100")
    with tenant_context(people.acme.pk):
        Suppression.objects.create(
            channel="sms", address="+12125550100", reason="opted_out", source="sms", created_at=now
        )
    client, url = as_member(people.bob), reverse("contacts:delete", args=[contact.public_id])
    assert client.post(url, {"name": "Bob"}).status_code == 422
    assert client.post(url, {"name": "ann lee"}).status_code == 302
    assert client.get(contact.get_absolute_url()).status_code == 404
    with tenant_context(people.acme.pk):
        row = Contact.objects.get()
        assert (row.first_name, row.email, row.phone, row.deleted_at is not None) == ("", "", "", True)
        assert Suppression.objects.get().lifted_at is None
        assert Event.objects.filter(kind="contact.deleted", subject_id=row.pk).count() == 1


def test_several_contacts_are_tagged_untagged_and_deleted_at_once(people, now, as_member) -> None:
    rows = [make_contact(people.acme, now) for _ in range(3)]
    client, ids = as_member(people.bob), [row.public_id for row in rows]
    url = reverse("contacts:bulk")
    client.post(url, {"action": "tag", "tag": "vip", "contact": ids[:2]})
    client.post(url, {"action": "untag", "tag": "vip", "contact": ids[:1]})
    with tenant_context(people.acme.pk):
        assert list(Contact.objects.order_by("id").values_list("tags", flat=True)) == [[], ["vip"], []]
    client.post(url, {"action": "delete", "contact": [ids[2], "nonsense"]})
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().count() == 2
    assert client.post(url, {"action": "explode", "contact": ids[:1]}).status_code == 400


def test_chosen_contacts_are_handed_on_to_be_enrolled(people, now, as_member) -> None:
    contact = make_contact(people.acme, now)
    response = as_member(people.bob).post(
        reverse("contacts:bulk"), {"action": "enroll", "contact": [contact.public_id]}
    )
    assert response.url == f"{reverse('sequences:choose')}?who=selected&ids={contact.public_id}"


def test_going_back_never_leads_to_another_site(people, now, as_member) -> None:
    contact = make_contact(people.acme, now)
    form = {"action": "tag", "tag": "x", "contact": [contact.public_id], "next": "https://evil.example/"}
    assert as_member(people.bob).post(reverse("contacts:bulk"), form).url == reverse("contacts:list")


def test_members_note_what_a_person_agreed_to_took_back_or_forbade(people, now, as_member) -> None:
    contact = make_contact(people.acme, now, consents=())
    client, url = as_member(people.bob), reverse("contacts:permission", args=[contact.public_id])
    client.post(url, {"action": "give", "channel": "sms", "kind": "pewc_text"})
    with tenant_context(people.acme.pk):
        assert not Consent.objects.exists()
    client.post(url, {"action": "give", "channel": "sms", "kind": "pewc_text", "source": "Phone call"})
    with tenant_context(people.acme.pk):
        assert Consent.objects.get().source == "Phone call"
    client.post(url, {"action": "revoke", "channel": "sms"})
    client.post(url, {"action": "suppress", "channel": "sms", "source": "Please stop"})
    with tenant_context(people.acme.pk):
        assert Consent.objects.get().revoked_at is not None
        assert Suppression.objects.get().quote == "Please stop"
    assert b"Suppressed" in client.get(contact.get_absolute_url()).content


@pytest.fixture
def own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_the_wizard_leads_from_the_file_to_the_review(people, as_member, own_media) -> None:
    client = as_member(people.bob)
    file = SimpleUploadedFile("../../People é.csv", b"First name,Email,Shoe size\nAnn,ann@x.example,38\n")
    response = client.post(reverse("contacts:import_new"), {"file": file})
    with tenant_context(people.acme.pk):
        job = ImportJob.objects.get()
    assert response.url == reverse("contacts:import_map", args=[job.public_id])
    assert job.file_name == "People é.csv"
    assert b"38" in client.get(response.url).content
    form = {
        "column-0": "first_name",
        "column-1": "email",
        "column-2": "custom",
        "custom-2": "shoes",
        "duplicates": "skip",
        "region": "GB",
        "tags": "a",
    }
    refused = client.post(response.url, form)
    assert refused.status_code == 422
    assert b"Say what these people agreed to" in refused.content
    assert b'value="shoes"' in refused.content
    answer = {"basis": "stated", "channel": ["email"], "kind-email": "email_optin", "source": "Fair"}
    assert client.post(response.url, form | answer).url == reverse("contacts:import_review", args=[job.public_id])
    with tenant_context(people.acme.pk):
        job.refresh_from_db()
    assert (job.state, job.mapping, job.default_region, job.tags) == (
        "reviewing",
        {"0": "first_name", "1": "email", "2": "custom:shoes"},
        "GB",
        ["a"],
    )
    assert job.consent == {"basis": "stated", "channels": {"email": "email_optin"}, "source": "Fair", "text": ""}
    review = client.get(reverse("contacts:import_review", args=[job.public_id]))
    assert b"<progress" in review.content


def test_an_upload_that_is_no_list_is_refused_with_a_sentence(people, as_member, own_media) -> None:
    client = as_member(people.bob)
    file = SimpleUploadedFile("list.csv", b"PK\x03\x04 zipped")
    response = client.post(reverse("contacts:import_new"), {"file": file})
    assert response.status_code == 422
    assert b"Excel workbook" in response.content
    assert client.post(reverse("contacts:import_new"), {}).status_code == 422
    assert not [path for path in own_media.rglob("*") if path.is_file()]


def test_an_upload_beyond_the_limit_is_cut_off(people, as_member, own_media, monkeypatch) -> None:
    monkeypatch.setattr("contacts.uploading.SIZE_LIMIT", 100_000)
    file = SimpleUploadedFile("list.csv", b"email\n" + b"a@x.example\n" * 50_000)
    response = as_member(people.bob).post(reverse("contacts:import_new"), {"file": file})
    assert response.status_code == 422
    assert b"larger than" in response.content


def test_an_upload_without_a_token_is_refused(people, own_media) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people.bob.user)
    file = SimpleUploadedFile("list.csv", b"email\na@x.example\n")
    assert client.post(reverse("contacts:import_new"), {"file": file}).status_code == 403


def test_the_review_shows_counts_and_problems_and_the_refused_rows_download(people, as_member) -> None:
    job = make_job(people, state="reviewed", rows_total=3, count_new=2, count_error=1)
    with tenant_context(people.acme.pk):
        ImportProblem.objects.create(
            job=job, row=4, column="Email", value="=nope", message="There is no @ in it.", raw=["=nope"]
        )
    client = as_member(people.bob)
    page = client.get(reverse("contacts:import_review", args=[job.public_id])).content.decode()
    assert "Import 2 people" in page
    assert "There is no @ in it." in page
    text = b"".join(client.get(reverse("contacts:import_errors", args=[job.public_id]))).decode()
    assert text.endswith("4,Email: There is no @ in it.,'=nope\r\n")


def test_progress_moves_until_the_job_ends_and_then_asks_for_the_page(people, as_member) -> None:
    job = make_job(people, state="importing", rows_total=10, rows_done=4)
    client, url = as_member(people.bob), reverse("contacts:import_progress", args=[job.public_id])
    moving = client.get(url)
    assert "HX-Refresh" not in moving
    assert b'value="4"' in moving.content
    with tenant_context(people.acme.pk):
        ImportJob.objects.update(state="done")
    assert client.get(url)["HX-Refresh"] == "true"


def test_the_import_starts_by_post_and_is_cancelled_by_post(people, as_member) -> None:
    job = make_job(people, state="reviewed", rows_total=1)
    client = as_member(people.bob)
    client.post(reverse("contacts:import_run", args=[job.public_id]))
    with tenant_context(people.acme.pk):
        assert ImportJob.objects.get().state == "importing"
    client.post(reverse("contacts:import_cancel", args=[job.public_id]))
    with tenant_context(people.acme.pk):
        assert ImportJob.objects.get().state == "cancelled"
    assert b"Cancelled" in client.get(reverse("contacts:import_run", args=[job.public_id])).content


def test_the_sample_list_can_be_downloaded_and_uploaded_again(people, as_member, own_media) -> None:
    client = as_member(people.bob)
    content = client.get(reverse("contacts:sample")).content
    response = client.post(reverse("contacts:import_new"), {"file": SimpleUploadedFile("sample.csv", content)})
    assert response.status_code == 302
    with tenant_context(people.acme.pk):
        assert ImportJob.objects.get().rows_total == 40
        assert jobs.guess(ImportJob.objects.get().header, [])[3] == "phone"
