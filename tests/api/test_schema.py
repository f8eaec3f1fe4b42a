"""The OpenAPI document and the page that shows it."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.making import People

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]


@pytest.fixture
def schema() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return generated


def test_the_document_is_valid_and_made_without_a_warning(schema: dict[str, Any]) -> None:
    GENERATOR_STATS.reset()
    generated = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(generated)
    assert not GENERATOR_STATS


def test_no_column_of_the_tenancy_is_in_it(schema: dict[str, Any]) -> None:
    names = {name for each in schema["components"]["schemas"].values() for name in each.get("properties", {})}
    assert names
    assert not names & {"tenant", "tenant_id", "pk", "deleted_at", "digest", "password", "sealed_credentials"}


def test_every_operation_has_a_summary_and_an_id_of_its_own(schema: dict[str, Any]) -> None:
    operations = [item[method] for item in schema["paths"].values() for method in item if method != "parameters"]
    assert all(each["summary"] and each["tags"] for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations) == 17


def test_the_document_may_be_read_by_anyone_and_the_page_by_members(people: People, client: Client) -> None:
    document = client.get("/api/schema/", {"format": "json"})
    assert document.status_code == 200
    assert document.json()["info"]["title"] == "Omnify API"
    assert client.get("/api/docs/").status_code == 302
    client.force_login(people.bob.user)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "/api/v1/enrolments/{sequence}/{contact}/pause/" in text
    assert "style=" not in text
    assert "one of: active, paused, completed, exited, failed" in text
