"""What a contact agreed to, over the API: noted with its evidence, listed, and taken back. It opens nothing that the person closed."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api import TAGS, contact_of
from contacts.models import Consent
from contacts.models.permission import Channel, ConsentKind
from contacts.pacing import TooFast
from contacts.permissions import TakenBackSince, give_consent, revoke_consent
from contacts.serializers_consent import ConsentIn, ConsentOut, ConsentRevocation
from omnify.lib.clock import now
from omnify.tenants.api import Conflict, actor

KINDS = [kind.value for kind in ConsentKind if kind != ConsentKind.NONE]


class ContactConsents(GenericAPIView[Consent]):
    serializer_class = ConsentOut
    queryset = Consent._unscoped.none()  # for the schema's sake; get() asks the scoped manager

    @extend_schema(operation_id="consents_list", tags=TAGS, summary="List what a contact agreed to, newest first")
    def get(self, request: Request, public_id: UUID) -> Response:
        rows = Consent.objects.filter(contact=contact_of(public_id))
        return self.get_paginated_response(ConsentOut(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="consents_note",
        tags=TAGS,
        summary="Note that a contact agreed",
        description="With the words they saw and where. An equal consent in force is answered instead of a second one. "
        "It does not end an opt-out: only the person does, by writing START.",
        request=ConsentIn,
        responses={
            201: ConsentOut,
            409: OpenApiResponse(description="They took it back after `given_at`; or these are a list."),
        },
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        contact, moment = contact_of(public_id), now()
        given = ConsentIn(data=request.data, context={"contact": contact, "now": moment})
        given.is_valid(raise_exception=True)
        try:
            row = give_consent(contact_id=contact.pk, now=moment, actor=actor(request), **given.validated_data)
        except (TakenBackSince, TooFast) as error:
            raise Conflict(str(error)) from error
        return Response(ConsentOut(row).data, status=201)

    @extend_schema(
        operation_id="consents_take_back",
        tags=TAGS,
        summary="Take back what a contact agreed to",
        parameters=[
            OpenApiParameter("channel", enum=Channel.values, required=True),
            OpenApiParameter("kind", enum=KINDS, description="Only this kind; all of the channel when left out."),
        ],
        request=None,
        responses={200: ConsentRevocation},
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        contact = contact_of(public_id)
        asked = ConsentRevocation(data=request.query_params)
        asked.is_valid(raise_exception=True)
        channel, kind = asked.validated_data["channel"], asked.validated_data.get("kind")
        ended = revoke_consent(contact_id=contact.pk, now=now(), actor=actor(request), channel=channel, kind=kind)
        return Response({"channel": channel, "kind": kind, "ended": ended})
