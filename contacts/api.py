"""Contacts over the API: the same verbs as the pages."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contacts.actions import EmailTaken, OnHold, create_contact, delete_contact, update_contact
from contacts.finding import Filters, found
from contacts.models import Contact
from contacts.serializers import ContactIn, ContactOut
from omnify.lib.clock import now
from omnify.tenants.api import Conflict, actor

TAGS = ["Contacts"]
FILTERS = [
    OpenApiParameter("q", description="Whose name, number or mail address begins so."),
    OpenApiParameter("tag", description="Has this tag."),
    OpenApiParameter(
        "reach", enum=["sms", "email", "voice"], description="Has an address for it that is not suppressed."
    ),
    OpenApiParameter("consent", enum=["sms", "email", "voice"], description="Agreed to this channel."),
    OpenApiParameter("suppressed", enum=["yes"], description="Opted out of some channel."),
    OpenApiParameter("replied", enum=["7", "30", "never"], description="Wrote to us in so many days, or never."),
]


def contact_of(public_id: UUID) -> Contact:
    rows = Contact.objects.alive().select_related("company", "owner__user")
    contact: Contact = get_object_or_404(rows, public_id=public_id)
    return contact


class Contacts(GenericAPIView[Contact]):
    serializer_class = ContactOut
    queryset = Contact._unscoped.none()  # for the schema's sake; get() asks the scoped manager

    @extend_schema(operation_id="contacts_list", tags=TAGS, parameters=FILTERS, summary="List contacts, newest first")
    def get(self, request: Request) -> Response:
        rows = found(Filters.read(request.query_params), now=now()).select_related("company", "owner__user")
        return self.get_paginated_response(ContactOut(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="contacts_create",
        tags=TAGS,
        summary="Add a contact",
        request=ContactIn,
        responses={201: ContactOut, 409: OpenApiResponse(description="Another contact has this mail address.")},
    )
    def post(self, request: Request) -> Response:
        given = ContactIn(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            contact = create_contact({"source": "api"} | given.validated_data, actor=actor(request), now=now())
        except EmailTaken as error:
            raise Conflict(f"{error} Its id is {error.contact.public_id}.") from error
        where = reverse("api:contact", args=[contact.public_id])
        return Response(ContactOut(contact_of(contact.public_id)).data, status=201, headers={"Location": where})


class OneContact(GenericAPIView[Contact]):
    serializer_class = ContactOut
    queryset = Contact._unscoped.none()

    @extend_schema(operation_id="contacts_read", tags=TAGS, summary="Read a contact")
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(ContactOut(contact_of(public_id)).data)

    @extend_schema(
        operation_id="contacts_change",
        tags=TAGS,
        summary="Change a contact",
        request=ContactIn,
        responses={200: ContactOut, 409: OpenApiResponse(description="Another contact has this mail address.")},
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        contact = contact_of(public_id)
        given = ContactIn(contact, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        try:
            update_contact(contact, values, actor=actor(request), now=now())
        except EmailTaken as error:
            raise Conflict(f"{error} Its id is {error.contact.public_id}.") from error
        return Response(ContactOut(contact_of(public_id)).data)

    @extend_schema(
        operation_id="contacts_delete",
        tags=TAGS,
        summary="Delete a contact",
        description="Who they were is erased and they leave all sequences; what they forbade stays.",
        responses={204: None, 409: OpenApiResponse(description="The workspace is under a legal hold.")},
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        try:
            delete_contact(contact_of(public_id), actor=actor(request), now=now())
        except OnHold as hold:
            raise Conflict(str(hold)) from hold
        return Response(status=204)
