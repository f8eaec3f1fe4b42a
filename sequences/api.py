"""Sequences and enrolments over the API: the same verbs as the pages."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from omnify.lib.clock import now
from omnify.tenants.api import Conflict, actor
from omnify.tenants.approvals_api import ApprovalOut, waiting
from omnify.tenants.signatures import NeedsSignature
from sequences import enrolling, enrollments
from sequences.models import Enrollment, Sequence, Step
from sequences.models.definition import SequenceStatus
from sequences.models.enrollment import EnrollmentStatus
from sequences.serializers import EnrollIn, EnrollmentOut, EnrollResultOut, SequenceOut, SequenceWithSteps

SEQUENCES, ENROLMENTS = ["Sequences"], ["Enrolments"]
GONE = OpenApiResponse(description="Its state does not allow it; the answer says which state it is in.")


class Sequences(GenericAPIView[Sequence]):
    serializer_class = SequenceOut
    queryset = Sequence._unscoped.none()  # for the schema's sake; get() asks the scoped manager

    @extend_schema(
        operation_id="sequences_list",
        tags=SEQUENCES,
        summary="List sequences, newest first",
        parameters=[OpenApiParameter("status", enum=SequenceStatus.values)],
    )
    def get(self, request: Request) -> Response:
        rows = Sequence.objects.select_related("published")
        if wanted := choice(request, "status", SequenceStatus.values):
            rows = rows.filter(status=wanted)
        return self.get_paginated_response(SequenceOut(self.paginate_queryset(rows), many=True).data)


class OneSequence(GenericAPIView[Sequence]):
    serializer_class = SequenceWithSteps
    queryset = Sequence._unscoped.none()

    @extend_schema(operation_id="sequences_read", tags=SEQUENCES, summary="Read a sequence with its published steps")
    def get(self, request: Request, public_id: UUID) -> Response:
        sequence = get_object_or_404(Sequence.objects.select_related("published"), public_id=public_id)
        sequence.steps = list(Step.objects.filter(version_id=sequence.published_id).order_by("position", "id"))
        return Response(SequenceWithSteps(sequence).data)


class Enrolments(GenericAPIView[Enrollment]):
    serializer_class = EnrollmentOut
    queryset = Enrollment._unscoped.none()

    @extend_schema(
        operation_id="enrolments_list",
        tags=ENROLMENTS,
        summary="List the people of a sequence, or the sequences of a person",
        parameters=[
            OpenApiParameter("sequence", type=UUID, description="This or `contact` is needed."),
            OpenApiParameter("contact", type=UUID),
            OpenApiParameter("status", enum=EnrollmentStatus.values),
        ],
    )
    def get(self, request: Request) -> Response:
        rows = Enrollment.objects.select_related("sequence", "contact", "version", "step")
        sequence, contact = identifier(request, "sequence"), identifier(request, "contact")
        if sequence is None and contact is None:
            raise serializers.ValidationError({"sequence": ["Say which sequence, or which contact."]})
        if sequence is not None:
            rows = rows.filter(sequence=get_object_or_404(Sequence.objects.all(), public_id=sequence))
        if contact is not None:
            rows = rows.filter(contact=get_object_or_404(Contact.objects.alive(), public_id=contact))
        if wanted := choice(request, "status", EnrollmentStatus.values):
            rows = rows.filter(status=wanted)
        return self.get_paginated_response(EnrollmentOut(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="enrolments_create",
        tags=ENROLMENTS,
        summary="Enrol people in a sequence",
        description="Whom the sequence could reach on no channel is left out and counted by the reason.",
        request=EnrollIn,
        responses={
            200: EnrollResultOut,
            202: OpenApiResponse(
                ApprovalOut,
                description="Nobody is enrolled yet: with those of the last hour they are so many that somebody must sign.",
            ),
            409: OpenApiResponse(description="The sequence takes nobody now."),
        },
    )
    def post(self, request: Request) -> Response:
        given = EnrollIn(data=request.data)
        given.is_valid(raise_exception=True)
        sequence = Sequence.objects.filter(public_id=given.validated_data["sequence"]).first()
        if sequence is None:
            raise serializers.ValidationError({"sequence": ["There is no such sequence."]})
        wanted = set(given.validated_data["contacts"])
        ids = list(Contact.objects.alive().filter(public_id__in=wanted).values_list("pk", flat=True))
        try:
            result = enrolling.enroll(sequence, ids, by=actor(request), now=now())
        except NeedsSignature as needed:
            return waiting(request, needed)
        except enrolling.NotEnrollable as error:
            raise Conflict(str(error)) from error
        skipped = dict(result.skipped)
        if unknown := len(wanted) - len(ids):
            skipped["unknown"] = unknown
        return Response(EnrollResultOut({"enrolled": result.enrolled, "skipped": skipped}).data)


class OneEnrolment(GenericAPIView[Enrollment]):
    serializer_class = EnrollmentOut
    queryset = Enrollment._unscoped.none()

    @extend_schema(operation_id="enrolments_read", tags=ENROLMENTS, summary="Read where a person stands in a sequence")
    def get(self, request: Request, sequence: UUID, contact: UUID) -> Response:
        return Response(EnrollmentOut(enrolment_of(sequence, contact)).data)


class _Verb(GenericAPIView[Enrollment]):
    """POST does one thing to one enrolment; 409 when its state does not allow it (any more)."""

    serializer_class = EnrollmentOut
    queryset = Enrollment._unscoped.none()

    def act(self, verb: Callable[..., bool], done: str, sequence: UUID, contact: UUID) -> Response:
        if not verb(enrolment_of(sequence, contact), by=actor(self.request), now=now()):
            found = enrolment_of(sequence, contact)
            raise Conflict(f"It cannot be {done}: it is {found.get_status_display().lower()}{why(found)}.")
        return Response(EnrollmentOut(enrolment_of(sequence, contact)).data)


def documented(name: str, summary: str) -> Callable[..., Any]:
    return extend_schema(
        operation_id=f"enrolments_{name}",
        tags=ENROLMENTS,
        summary=summary,
        request=None,
        responses={200: EnrollmentOut, 409: GONE},
    )


class PauseEnrolment(_Verb):
    @documented("pause", "Pause one person")
    def post(self, request: Request, sequence: UUID, contact: UUID) -> Response:
        return self.act(enrollments.pause_enrollment, "paused", sequence, contact)


class ResumeEnrolment(_Verb):
    @documented("resume", "Resume one person")
    def post(self, request: Request, sequence: UUID, contact: UUID) -> Response:
        return self.act(enrollments.resume_enrollment, "resumed", sequence, contact)


class CancelEnrolment(_Verb):
    @documented("cancel", "Take one person out for good")
    def post(self, request: Request, sequence: UUID, contact: UUID) -> Response:
        return self.act(enrollments.exit_enrollment, "cancelled", sequence, contact)


def enrolment_of(sequence: UUID, contact: UUID) -> Enrollment:
    rows = Enrollment.objects.select_related("sequence", "contact", "version", "step")
    found: Enrollment = get_object_or_404(
        rows, sequence__public_id=sequence, contact__public_id=contact, contact__deleted_at__isnull=True
    )
    return found


def why(enrollment: Enrollment) -> str:
    return f" ({enrollment.status_reason.replace('_', ' ')})" if enrollment.status_reason else ""


def choice(request: Request, name: str, allowed: list[str]) -> str:
    given = request.query_params.get(name, "")
    if given and given not in allowed:
        raise serializers.ValidationError({name: [f"One of: {', '.join(allowed)}."]})
    return given


def identifier(request: Request, name: str) -> UUID | None:
    given = request.query_params.get(name, "")
    try:
        return UUID(given) if given else None
    except ValueError as error:
        raise serializers.ValidationError({name: ["This is no id."]}) from error
