"""Signatures as the providers make them.

Twilio: base64(HMAC-SHA1(auth token, URL + sorted name+value pairs)), twilio.com/docs/usage/webhooks/webhooks-security.
VAPI: hex(HMAC-SHA256(secret, "{timestamp}.{body}")), the default payload format of its webhook credentials.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def twilio_signature(url: str, params: Mapping[str, str], auth_token: str) -> str:
    """The value of X-Twilio-Signature for a form POST to exactly `url`."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def vapi_signature(timestamp: str, body: bytes, secret: str) -> str:
    """The value of x-signature for a JSON body sent with x-timestamp `timestamp`."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
