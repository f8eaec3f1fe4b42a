"""Secrets at rest: AES-256-GCM with the row's context as associated data, so a ciphertext moved elsewhere does not open.

A sealed text says which environment and which key made it: what production sealed opens in production alone, even where
somebody copied the key together with the database.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class CannotOpen(Exception):
    """The ciphertext is damaged, was made with a key we no longer have, or belongs to another context or environment."""


def _keys(environment: str) -> list[tuple[str, bytes]]:
    """(id, key) of the current secret and of those it replaced. Each environment has keys of its own."""
    from django.conf import settings

    secrets = [settings.CREDENTIALS_KEY, *settings.CREDENTIALS_KEY_FALLBACKS]
    purpose = f"omnify sealing {environment} ".encode() if environment else b"omnify sealing "
    return [
        (hashlib.sha256(secret.encode()).hexdigest()[:8], hashlib.sha256(purpose + secret.encode()).digest())
        for secret in secrets
    ]


def seal(value: dict[str, Any], *, context: str) -> str:
    """`value` (JSON) encrypted with the current key, as `v2.<environment>.<key id>.<base64 of nonce and ciphertext>`."""
    from django.conf import settings

    key_id, key = _keys(settings.ENVIRONMENT)[0]
    nonce = os.urandom(12)
    ciphertext = AESGCM(key).encrypt(nonce, json.dumps(value).encode(), context.encode())
    return f"v2.{settings.ENVIRONMENT}.{key_id}.{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def open_sealed(sealed: str, *, context: str) -> dict[str, Any]:
    """The value sealed under this very `context`; raises CannotOpen otherwise. Texts of the first form (v1) name no
    environment and still open, until `manage.py reseal` has renewed them."""
    from django.conf import settings

    version, _, rest = sealed.partition(".")
    environment, _, rest = rest.partition(".") if version == "v2" else ("", "", rest)
    key_id, _, blob = rest.partition(".")
    if version == "v2" and environment != settings.ENVIRONMENT:
        raise CannotOpen(
            f"These credentials were sealed in the environment {environment!r} and do not open in {settings.ENVIRONMENT!r}. "
            "Enter credentials of this environment's own."
        )
    key = dict(_keys(environment)).get(key_id)
    if version not in ("v1", "v2") or key is None:
        raise CannotOpen(
            "These credentials were sealed with a key that is not configured. Set CREDENTIALS_KEY_FALLBACKS or enter them again."
        )
    try:
        raw = base64.urlsafe_b64decode(blob)
        value: dict[str, Any] = json.loads(AESGCM(key).decrypt(raw[:12], raw[12:], context.encode()))
    except (InvalidTag, binascii.Error, ValueError):
        raise CannotOpen("These credentials do not belong to this row, or are damaged. Enter them again.") from None
    return value


def is_sealed(text: str) -> bool:
    """Whether a text has the shape of a sealed one."""
    return text.startswith(("v1.", "v2.")) and text.count(".") >= 2


def is_current(sealed: str) -> bool:
    """Whether it was sealed with the current key of this environment."""
    from django.conf import settings

    return sealed.startswith(f"v2.{settings.ENVIRONMENT}.{_keys(settings.ENVIRONMENT)[0][0]}.")


def vouch(text: str, *, purpose: str) -> str:
    """`<key id>.<HMAC-SHA256 in hex>` of a text under the current key: who has the database alone cannot make one."""
    from django.conf import settings

    key_id, key = _keys(settings.ENVIRONMENT)[0]
    return f"{key_id}.{_mac(key, purpose, text)}"


def vouched(text: str, given: str, *, purpose: str) -> bool | None:
    """Whether `given` is the vouch of this very text; None when it was made with a key that we no longer have."""
    from django.conf import settings

    key_id, _, mac = given.partition(".")
    key = dict(_keys(settings.ENVIRONMENT)).get(key_id)
    return None if key is None else hmac.compare_digest(mac, _mac(key, purpose, text))


def _mac(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"omnify {purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()
