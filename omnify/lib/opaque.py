"""Row numbers in addresses, unreadable: for the few rows that have no public id of their own.

`path("keys/<opaque:pk>/revoke/", …)` takes and gives plain numbers; the address shows one block of AES under a key made from
SECRET_KEY: the number and eight zero bytes, which only the holder of the key can produce. Nobody learns how many rows there
are, and nobody guesses a neighbour's. An address is for one visit: a new SECRET_KEY makes new ones (the fallbacks still open
old ones).
"""

import hashlib
import uuid

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings
from django.urls import register_converter

_ZEROS = bytes(8)


class OpaqueNumber:
    """A path converter: 32 hexadecimal digits in groups, like any other id of ours."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    def to_python(self, value: str) -> int:
        """The number; ValueError (the address does not exist) for what no key of ours has made."""
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            opener = _cipher(secret).decryptor()
            block = opener.update(uuid.UUID(value).bytes) + opener.finalize()
            if block[8:] == _ZEROS:
                return int.from_bytes(block[:8], "big")
        raise ValueError("Nobody was given this address.")

    def to_url(self, value: int) -> str:
        sealer = _cipher(settings.SECRET_KEY).encryptor()
        return str(uuid.UUID(bytes=sealer.update(int(value).to_bytes(8, "big") + _ZEROS) + sealer.finalize()))


def _cipher(secret: str) -> Cipher[modes.ECB]:
    # One block a number, no two numbers alike: there is nothing a mode with a nonce would hide.
    key = hashlib.sha256(b"omnify.lib.opaque" + secret.encode()).digest()
    return Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305


register_converter(OpaqueNumber, "opaque")
