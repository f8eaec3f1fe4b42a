"""Tenants, who works for them, what they must be told, and the ledger of everything that happened."""

from omnify.tenants.models.approval import Approval
from omnify.tenants.models.base import TenantModel
from omnify.tenants.models.ledger import Event, Notification
from omnify.tenants.models.people import ApiKey, Membership, Tenant, User
from omnify.tenants.models.retention import RetentionMark
from omnify.tenants.models.seals import Seal, SealHead, SealState
from omnify.tenants.models.support import SupportVisit

__all__ = [
    "ApiKey",
    "Approval",
    "Event",
    "Membership",
    "Notification",
    "RetentionMark",
    "Seal",
    "SealHead",
    "SealState",
    "SupportVisit",
    "Tenant",
    "TenantModel",
    "User",
]
