"""What the API says of requests for a second signature. Signing is for people, on the page: no key can do it."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from omnify.lib.clock import now
from omnify.tenants.approvals import ask
from omnify.tenants.models.approval import Approval, Decision
from omnify.tenants.signatures import NeedsSignature


class ApprovalOut(serializers.ModelSerializer[Approval]):
    """`decision`: waiting, signed, refused, withdrawn, expired, or changed: things were different by then, ask again."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    decision = serializers.SerializerMethodField()

    class Meta:
        model = Approval
        fields = ("id", "kind", "title", "asked_at", "expires_at", "decision", "decided_at", "applied_at", "outcome")
        read_only_fields = fields

    def get_decision(self, row: Approval) -> str:
        if row.is_waiting:
            return Decision.EXPIRED.value if row.expires_at <= now() else "waiting"
        return str(row.decision)


class OneApproval(GenericAPIView[Approval]):
    serializer_class = ApprovalOut
    queryset = Approval._unscoped.none()  # for the schema's sake; get() asks the scoped manager

    @extend_schema(operation_id="approvals_read", tags=["Approvals"], summary="Read whether a request was signed")
    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(ApprovalOut(get_object_or_404(Approval.objects.all(), public_id=public_id)).data)


def waiting(request: Request, needed: NeedsSignature) -> Response:
    """202: nothing was done, somebody is asked to sign, and here is where to look again."""
    who: Any = request.auth
    return Response(ApprovalOut(ask(needed.wanted, by=who, now=now())).data, status=202)
