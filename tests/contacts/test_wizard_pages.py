"""The import wizard's pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts.importing import jobs
from contacts.models import ImportJob, ImportProblem
from omnify.tenants.context import tenant_context
from tests.contacts.conftest import make_job

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


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
