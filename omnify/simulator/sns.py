"""Amazon SNS: messages signed with a certificate that anybody may fetch here, and topics that ask before they deliver.

The certificate is made when it is first needed and kept in memory: after a restart messages name a new one.
Source: docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages".
"""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from omnify.lib.clock import now

FIELDS = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")


@dataclass
class Topics:
    """The signing key, and which topics were confirmed. `base`: where this simulator is reached."""

    base: str = ""
    confirmed: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict)
    _key: rsa.RSAPrivateKey | None = None
    _pem: bytes = b""

    @property
    def key(self) -> rsa.RSAPrivateKey:
        if self._key is None:
            self._key, self._pem = made()
        return self._key

    @property
    def pem(self) -> bytes:
        assert self.key
        return self._pem

    @property
    def certificate_url(self) -> str:
        return f"{self.base}/ses/sns/SimpleNotificationService-{hashlib.md5(self.pem, usedforsecurity=False).hexdigest()}.pem"

    def notification(self, topic: str, message: str, *, version: str = "2", forged: bool = False) -> bytes:
        """A signed message of this topic; a forged one is signed by somebody else."""
        told = {"Type": "Notification", "MessageId": str(uuid.uuid4()), "TopicArn": topic, "Message": message}
        return self.signed(told, version=version, key=made()[0] if forged else None)

    def offer(self, topic: str, *, version: str = "2") -> bytes:
        """The message by which a topic asks whether it may deliver."""
        token = uuid.uuid4().hex
        self.tokens[token] = topic
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
        told = {
            "Type": "SubscriptionConfirmation", "MessageId": str(uuid.uuid4()), "TopicArn": topic, "Token": token,
            "Message": f"You have chosen to subscribe to the topic {topic}.", "SubscribeURL": f"{self.base}/ses/sns/?{query}",
        }  # fmt: skip
        return self.signed(told, version=version)

    def signed(self, told: dict[str, Any], *, version: str = "2", key: rsa.RSAPrivateKey | None = None) -> bytes:
        """The message with its time, version, certificate and signature."""
        told = {"Timestamp": now().isoformat(timespec="milliseconds").replace("+00:00", "Z"), **told}
        text = "".join(f"{name}\n{told[name]}\n" for name in FIELDS if name in told).encode()
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 (SNS's own version 1)
        signature = base64.b64encode((key or self.key).sign(text, padding.PKCS1v15(), digest)).decode()
        more = {"SignatureVersion": version, "Signature": signature, "SigningCertURL": self.certificate_url}
        return json.dumps({**told, **more}).encode()


def made() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key and its certificate, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.simulator.test")])
    start = now() - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=800))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


def headers_of(body: bytes) -> dict[str, str]:
    told = json.loads(body)
    return {
        "content-type": "text/plain; charset=UTF-8", "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": told["Type"], "x-amz-sns-message-id": told["MessageId"],
        "x-amz-sns-topic-arn": told["TopicArn"],
    }  # fmt: skip


async def certificate(request: Request) -> Response:
    topics = request.app.state.world.topics
    if request.path_params["name"] != topics.certificate_url.rpartition("/")[2]:
        return PlainTextResponse("No such certificate.", 404)
    return PlainTextResponse(topics.pem, media_type="application/x-pem-file")


async def confirm(request: Request) -> Response:
    """Somebody fetched the SubscribeURL."""
    topics, query = request.app.state.world.topics, request.query_params
    topic = topics.tokens.get(query.get("Token", ""))
    if query.get("Action") != "ConfirmSubscription" or topic is None or topic != query.get("TopicArn"):
        return PlainTextResponse("<ErrorResponse/>", 400)
    topics.confirmed.add(topic)
    xml = f"<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>{topic}:1</SubscriptionArn>"
    return PlainTextResponse(xml + "</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>", media_type="text/xml")


routes = [
    Route("/ses/sns/", confirm, methods=["GET"]),
    Route("/ses/sns/{name}", certificate, methods=["GET"]),
]
