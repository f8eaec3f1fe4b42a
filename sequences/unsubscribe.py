"""The links under a mail: one ends all further mail with one click (RFC 8058), one shows what else may be chosen. A signed token,
no log-in, no expiry."""

from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.core import signing

_SALT = "omnify.unsubscribe"


class Identified(Protocol):
    """A message, or anything else that knows whose it is and which."""

    @property
    def tenant_id(self) -> int: ...
    @property
    def public_id(self) -> UUID: ...


def token_for(message: Identified) -> str:
    """The token that names this message: signed, so nobody can unsubscribe a neighbour; valid as long as the key is."""
    return signing.Signer(salt=_SALT).sign_object([message.tenant_id, message.public_id.hex])


def read(token: str) -> tuple[int, UUID] | None:
    """(tenant id, message's public id) of a token we signed; None for any other text."""
    try:
        tenant_id, mark = signing.Signer(salt=_SALT).unsign_object(token)
        return int(tenant_id), UUID(mark)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def link_for(message: Identified) -> str:
    return f"{settings.PUBLIC_URL}/u/{token_for(message)}"


def preferences_link_for(message: Identified) -> str:
    return f"{settings.PUBLIC_URL}/p/{token_for(message)}"
