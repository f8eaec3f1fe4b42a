"""The API's addresses, its OpenAPI schema, and the page that shows the schema to people."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from contacts.api import Contacts, OneContact
from contacts.consents_api import ContactConsents
from omnify.tenants import api_schema  # noqa: F401 - registers itself
from omnify.tenants.access import member_required
from omnify.tenants.approvals_api import OneApproval
from sequences.api import (
    CancelEnrolment,
    Enrolments,
    OneEnrolment,
    OneSequence,
    PauseEnrolment,
    ResumeEnrolment,
    Sequences,
)

METHODS = ("get", "post", "patch", "delete")


class Schema(SpectacularAPIView):
    """The OpenAPI document. It describes the API and holds nobody's data, so anyone may read it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


@member_required()
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same schema as a page."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return render(request, "api/docs.html", {"groups": grouped(schema), "base": request.build_absolute_uri("/")[:-1]})


def grouped(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations by tag, as [{name, operations}], with everything a reader needs resolved."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                found.setdefault(item[method]["tags"][0], []).append(operation(schema, address, method, item[method]))
    return [{"name": name, "operations": operations} for name, operations in found.items()]


def operation(schema: dict[str, Any], address: str, method: str, given: dict[str, Any]) -> dict[str, Any]:
    body = given.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = []
    for code, answer in sorted(given.get("responses", {}).items()):
        shape = answer.get("content", {}).get("application/json", {}).get("schema")
        answers.append({"code": code, "text": answer.get("description", ""), "fields": fields(schema, shape)})
    return {
        "id": given["operationId"],
        "method": method.upper(),
        "address": address,
        "summary": given.get("summary", ""),
        "text": given.get("description", ""),
        "parameters": [
            {
                "name": each["name"],
                "in": each["in"],
                "type": kind(schema, each["schema"]),
                "text": each.get("description", ""),
            }
            for each in given.get("parameters", [])
        ],
        "body": fields(schema, body),
        "answers": answers,
    }


def fields(schema: dict[str, Any], shape: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The fields of an object's schema: name, type, whether needed, help."""
    whole = resolved(schema, shape)
    return [
        {
            "name": name,
            "type": kind(schema, each),
            "needed": name in whole.get("required", []),
            "text": each.get("description", ""),
        }
        for name, each in whole.get("properties", {}).items()
    ]


def resolved(schema: dict[str, Any], shape: dict[str, Any] | None) -> dict[str, Any]:
    shape = shape or {}
    if "allOf" in shape and len(shape["allOf"]) == 1:
        shape = {**shape, **shape["allOf"][0]}
    reference = shape.get("$ref", "")
    found: dict[str, Any] = schema["components"]["schemas"][reference.rpartition("/")[2]] if reference else shape
    return found


def kind(schema: dict[str, Any], shape: dict[str, Any]) -> str:
    """A type in words: "text (uuid)", "list of text", "one of: draft, active"."""
    whole = resolved(schema, shape)
    if "oneOf" in whole:
        return " or ".join(dict.fromkeys(kind(schema, each) for each in whole["oneOf"]))
    if "enum" in whole:
        return "one of: " + ", ".join(str(each) for each in whole["enum"] if each not in ("", None))
    name = whole.get("type", "any value")
    if name == "array":
        return f"list of {kind(schema, whole.get('items', {}))}"
    return f"{name} ({whole['format']})" if whole.get("format") else str(name)


app_name = "api"

urlpatterns = [
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("v1/contacts/", Contacts.as_view(), name="contacts"),
    path("v1/contacts/<uuid:public_id>/", OneContact.as_view(), name="contact"),
    path("v1/contacts/<uuid:public_id>/consents/", ContactConsents.as_view(), name="contact_consents"),
    path("v1/approvals/<uuid:public_id>/", OneApproval.as_view(), name="approval"),
    path("v1/sequences/", Sequences.as_view(), name="sequences"),
    path("v1/sequences/<uuid:public_id>/", OneSequence.as_view(), name="sequence"),
    path("v1/enrolments/", Enrolments.as_view(), name="enrolments"),
    path("v1/enrolments/<uuid:sequence>/<uuid:contact>/", OneEnrolment.as_view(), name="enrolment"),
    path("v1/enrolments/<uuid:sequence>/<uuid:contact>/pause/", PauseEnrolment.as_view(), name="enrolment_pause"),
    path("v1/enrolments/<uuid:sequence>/<uuid:contact>/resume/", ResumeEnrolment.as_view(), name="enrolment_resume"),
    path("v1/enrolments/<uuid:sequence>/<uuid:contact>/cancel/", CancelEnrolment.as_view(), name="enrolment_cancel"),
]
