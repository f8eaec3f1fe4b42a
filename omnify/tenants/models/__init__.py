"""Tenants, who works for them, what they must be told, and the ledger of everything that happened."""

from omnify.tenants.models.base import TenantModel
from omnify.tenants.models.ledger import Event, Notification
from omnify.tenants.models.people import ApiKey, Membership, Tenant, User
from omnify.tenants.models.seals import Seal, SealHead, SealState

__all__ = [
    "ApiKey",
    "Event",
    "Membership",
    "Notification",
    "Seal",
    "SealHead",
    "SealState",
    "Tenant",
    "TenantModel",
    "User",
]
