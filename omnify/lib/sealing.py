"""Secrets at rest: AES-256-GCM with the row's context as associated data, so a ciphertext moved elsewhere does not open."""

import base64
import hashlib
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class CannotOpen(Exception):
    """The ciphertext is damaged, was made with a key we no longer have, or belongs to another context."""


def _keys() -> list[tuple[str, bytes]]:
    from django.conf import settings

    secrets = [settings.CREDENTIALS_KEY, *settings.CREDENTIALS_KEY_FALLBACKS]
    return [
        (hashlib.sha256(secret.encode()).hexdigest()[:8], hashlib.sha256(b"omnify sealing " + secret.encode()).digest())
        for secret in secrets
    ]


def seal(value: dict[str, Any], *, context: str) -> str:
    """`value` (JSON) encrypted with the current key, as `v1.<key id>.<base64 of nonce and ciphertext>`."""
    key_id, key = _keys()[0]
    nonce = os.urandom(12)
    ciphertext = AESGCM(key).encrypt(nonce, json.dumps(value).encode(), context.encode())
    return f"v1.{key_id}.{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def open_sealed(sealed: str, *, context: str) -> dict[str, Any]:
    """The value sealed under this very `context`; raises CannotOpen otherwise."""
    version, _, rest = sealed.partition(".")
    key_id, _, blob = rest.partition(".")
    key = dict(_keys()).get(key_id)
    if version != "v1" or key is None:
        raise CannotOpen(
            "These credentials were sealed with a key that is not configured. Set CREDENTIALS_KEY_FALLBACKS or enter them again."
        )
    raw = base64.urlsafe_b64decode(blob)
    try:
        return json.loads(AESGCM(key).decrypt(raw[:12], raw[12:], context.encode()))
    except InvalidTag:
        raise CannotOpen("These credentials do not belong to this row, or are damaged. Enter them again.") from None
