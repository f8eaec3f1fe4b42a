"""Signatures as the providers make them.

Twilio: base64(HMAC-SHA1(auth token, URL + sorted name+value pairs)), twilio.com/docs/usage/webhooks/webhooks-security.
SendGrid: ECDSA on P-256 over timestamp and body, base64; each account's key is made from its API key, so that a restart keeps it.
VAPI: hex(HMAC-SHA256(secret, "{timestamp}.{body}")), the default payload format of its webhook credentials.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def twilio_signature(url: str, params: Mapping[str, str], auth_token: str) -> str:
    """The value of X-Twilio-Signature for a form POST to exactly `url`."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def vapi_signature(timestamp: str, body: bytes, secret: str) -> str:
    """The value of x-signature for a JSON body sent with x-timestamp `timestamp`."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def sendgrid_key(api_key: str) -> ec.EllipticCurvePrivateKey:
    """The key that the simulated SendGrid signs this account's events with."""
    number = int.from_bytes(hashlib.sha512(api_key.encode()).digest()) % (P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def sendgrid_public_key(api_key: str) -> str:
    """Its public half, as SendGrid shows it: what a sender is given to check events with."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(sendgrid_key(api_key).public_key().public_bytes(*form)).decode()


def sendgrid_signature(api_key: str, timestamp: str, body: bytes) -> str:
    """The value of X-Twilio-Email-Event-Webhook-Signature."""
    signed = sendgrid_key(api_key).sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signed).decode()
