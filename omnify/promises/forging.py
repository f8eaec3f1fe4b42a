"""G8, the first half: requests that no provider made, or not for this tenant, get no row into the table; real ones all do."""

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from omnify.lib.clock import now as clock
from omnify.lib.ids import public_id
from omnify.promises import knocking, scene
from omnify.promises.knocking import GRID_SIGNATURE, Knock, at_the_door, secret_of, with_secret
from omnify.promises.ordering import prove_orders
from omnify.promises.outcome import Outcome
from omnify.simulator.signing import sendgrid_public_key
from omnify.tenants.context import tenant_context
from sequences.models import ProviderEvent, Sender

__all__ = ["prove_forgeries", "prove_orders"]

FORGED = {"quick": 10_000, "full": 100_000}
GENUINE = {"quick": 1_000, "full": 10_000}
SHUT = {400, 403, 404, 405, 413}
WORDS = (
    "Yes please",
    "STOP",
    "a+b=c & d%20e",
    "ünïcödé 👾",
    "",
    " lead",
    "trail ",
    "100% sure?",
    "1+1",
    "C:\\x",
    "é" * 40,
)

Twist = Callable[[Knock, random.Random, "Doors"], Knock]


class Doors:
    """Two tenants with the same providers, and what each provider says to the first."""

    def __init__(self) -> None:
        moment = clock()
        self.ours, self.theirs = (self._senders(scene.make(moment, word=f"{word}forging")) for word in ("our", "their"))
        self.seconds = moment.timestamp()

    def _senders(self, made: scene.Scene) -> dict[str, Sender]:
        senders = dict(made.senders)
        slug = made.tenant.slug
        senders["signed voice"] = self._another(made, senders["voice"], hmac_secret=f"hmac of {slug}")
        key, topic = f"SG.{slug}", {"topic_arn": f"arn:aws:sns:eu-central-1:1:{slug}"}
        public = sendgrid_public_key(key)
        senders["grid"] = self._another(made, senders["email"], "sendgrid", api_key=key, event_public_key=public)
        senders["ses"] = self._another(made, senders["email"], "ses", topic, access_key_id=f"AK{slug}")
        return senders

    def _another(
        self, made: scene.Scene, like: Sender, provider: str = "", config: dict[str, str] | None = None, **secrets: str
    ) -> Sender:
        """A second account of a channel, whose provider signs instead of naming a secret."""
        with tenant_context(made.tenant.pk):
            row = Sender(
                tenant=made.tenant, name="Signed", channel=like.channel, provider=provider or like.provider, address="signed",
                config=config or like.config, simulated=True, is_default=False,
            )  # fmt: skip
            row.set_credentials({**like.credentials, **secrets})
            row.save()
        return row

    def genuine(self, dice: random.Random) -> Knock:
        """One real request, with whatever a provider, a proxy or a person may put into it."""
        sid = "".join(dice.choices(string.hexdigits.lower(), k=32))
        kind = dice.randrange(7)
        if kind == 0:
            fields = {
                "MessageSid": f"SM{sid}",
                "From": "+12125550100",
                "To": "+15005550006",
                "Body": dice.choice(WORDS),
            }
            fields |= {"NumMedia": "0", "ProfileName": dice.choice(WORDS)}
            made = knocking.twilio(
                self.ours["sms"], "inbound", fields, encode=dice.choice((urlencode, _percent, _shuffled))
            )
        elif kind == 1:
            fields = {
                "MessageSid": f"SM{sid}",
                "MessageStatus": dice.choice(("queued", "sent", "delivered")),
                "ErrorCode": "",
            }
            made = knocking.twilio(self.ours["sms"], f"status/{public_id()}", fields)
        elif kind in (2, 3):
            call = {"id": sid, "customer": {"name": dice.choice(WORDS)}}
            message = {"type": "status-update", "status": dice.choice(("ringing", "in-progress")), "call": call}
            made = (
                knocking.vapi(self.ours["signed voice"], message, self.seconds, spaces=dice.random() < 0.5)
                if kind == 2
                else knocking.vapi_by_secret(self.ours["voice"], message)
            )
        elif kind == 4:
            event = {"event": "delivered", "sg_event_id": sid, "sg_message_id": sid, "reason": dice.choice(WORDS)}
            made = knocking.sendgrid(self.ours["grid"], event, self.seconds)
        elif kind == 5:
            told = {"eventType": "Delivery", "mail": {"messageId": sid}, "said": dice.choice(WORDS)}
            made = knocking.sns(self.ours["ses"], told, sid)
        else:
            event = {
                "RecordType": "Delivery",
                "MessageID": sid,
                "Recipient": "p@people.example",
                "Details": dice.choice(WORDS),
            }
            made = knocking.postmark(self.ours["email"], event)
        return _behind_a_proxy(made, dice)


def prove_forgeries(scale: str, seed: int) -> Outcome:
    """Tried: forged requests, and real ones that must not be mistaken for forged. Failed: forged ones with a row or with any
    answer but a refusal, and real ones without a row."""
    with knocking.certified():
        return _tried(scale, seed)


def _tried(scale: str, seed: int) -> Outcome:
    dice, doors = random.Random(seed), Doors()  # noqa: S311 (a proof must be repeatable, not secret)
    real = [doors.genuine(dice) for _ in range(GENUINE[scale])]
    accepted = at_the_door(real)
    stored = ProviderEvent.objects.all_tenants().count()
    forged = list(_forgeries(real, doors, dice, FORGED[scale]))
    statuses = at_the_door([knock for _, knock in forged])
    answers = Counter(statuses)
    # A message of SNS's that names a certificate nobody has is neither believed nor refused: SNS is asked to come again.
    through = Counter(
        name
        for (name, knock), status in zip(forged, statuses, strict=True)
        if status not in SHUT and not (status == 503 and "/hooks/ses/" in knock.path)
    )
    new = ProviderEvent.objects.all_tenants().count() - stored
    let_in = through.total()
    shut_out = sum(status != 200 for status in accepted) + max(len(real) - stored, 0)
    note = f"{len(forged)} forged ({dict(sorted(answers.items()))}), {len(real)} real, seed {seed} {dict(through) or ''}".strip()
    return Outcome(len(forged) + len(real), max(new, let_in) + shut_out, note)


def _forgeries(real: list[Knock], doors: Doors, dice: random.Random, count: int) -> Iterator[tuple[str, Knock]]:
    made = 0
    while made < count:
        original = dice.choice(real)
        name, twist = dice.choice(TWISTS)
        changed = twist(original, dice, doors)
        if _means_the_same(changed, original):
            continue
        made += 1
        yield name, changed


def _means_the_same(one: Knock, other: Knock) -> bool:
    """Whether the change changed nothing that the provider vouches for: then it is no forgery."""
    if (one.path, one.headers, one.method) != (other.path, other.headers, other.method):
        return False
    if "/hooks/twilio/" in one.path:
        # The signature is over the set of parameters, however they are written.
        return set(_pairs(one.body)) == set(_pairs(other.body))
    if "/hooks/ses/" in one.path and one.body.strip() == other.body.strip():
        return True  # values are signed, not how they are written
    # Postmark's password and VAPI's plain secret say who speaks, not what: their body is vouched for by TLS alone.
    vouched = one.header("x-signature") or one.header(GRID_SIGNATURE) or "/hooks/ses/" in one.path
    return one.body == other.body or not vouched


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _percent(fields: dict[str, str]) -> str:
    return urlencode(fields, quote_via=quote)


def _shuffled(fields: dict[str, str]) -> str:
    return urlencode(sorted(fields.items(), key=lambda pair: pair[0][::-1]))


def _behind_a_proxy(knock: Knock, dice: random.Random) -> Knock:
    """What stands between us and a provider changes Host and adds headers; none of it is signed."""
    if dice.random() < 0.5:
        return knock
    return knock.having(
        host=dice.choice(("10.0.0.3:8000", "inner.example")), x_forwarded_proto="https", via="1.1 proxy"
    )


SECRETS = ("x-twilio-signature", "x-signature", "x-vapi-secret", "authorization", GRID_SIGNATURE)


def _one_character(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    name, value = secret_of(knock, SECRETS)
    # Behind the scheme; and not the last ones, where base64 has bits that stand for nothing.
    at = dice.randrange(value.find(" ") + 1, max(len(value) - 4, value.find(" ") + 2))
    other = dice.choice([char for char in "abcXYZ0189" if char != value[at]])
    return with_secret(knock, name, value[:at] + other + value[at + 1 :])


def _no_secret(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    gone = with_secret(knock, secret_of(knock, SECRETS)[0], None)
    return gone.having(
        **{dice.choice(SECRETS).replace("-", "_"): dice.choice(("", " ", "None", "null", "0", "Basic", "Basic Og=="))}
    )


def _cut_or_doubled(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    name, value = secret_of(knock, SECRETS)
    twisted = dice.choice(
        (value[: len(value) // 2], value + value, value[::-1], value + "=", value.swapcase(), f"{value},{value}")
    )
    return with_secret(knock, name, twisted)


def _body_byte(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    body = bytearray(knock.body)
    body[dice.randrange(len(body))] = dice.randrange(256)
    return knock.like(body=bytes(body))


def _body_more(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    more = dice.choice(
        (b"&Extra=1", b"&AccountSid=AC0", b"&Body=other", b" ", b"\n", b"&From=%2B19005550000", b"}", b"\x00")
    )
    return knock.like(
        body=dice.choice((knock.body + more, more + knock.body, knock.body[:-1], b"", knock.body * 2 + more))
    )


def _other_address(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    """Replayed at another tenant's door, or at another of our own."""
    keys = [each.webhook_key for senders in (doors.theirs, doors.ours) for each in senders.values()]
    parts = knock.path.split("/")
    parts[3] = dice.choice([*(key for key in keys if key != parts[3]), "0" * 32, "x"])
    return knock.like(path="/".join(parts))


def _other_way(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    if "/hooks/twilio/" not in knock.path:
        here = knock.path.split("/")[2]
        there = dice.choice([each for each in ("vapi", "postmark", "twilio", "sendgrid", "ses") if each != here])
        return knock.like(path=knock.path.replace(f"/{here}/", f"/{there}/"))
    base = "/".join(knock.path.split("/")[:4])
    ways = [
        "inbound",
        "status",
        f"status/{public_id()}",
        "status/",
        "inbound/",
        "voice",
        "inbound?a=1",
        "inbound?bodySHA256=" + "0" * 64,
    ]
    return knock.like(path=f"{base}/{dice.choice(ways)}")


def _signed_by_a_stranger(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    """Made by the holder of another tenant's secret, for our address."""
    ours, theirs = doors.ours, doors.theirs
    if "/hooks/twilio/" in knock.path:
        fields = dict(_pairs(knock.body))
        made = knocking.twilio(_with(theirs["sms"], ours["sms"]), knock.path.split("/", 4)[4], fields)
        return made.like(path=knock.path)
    if knock.header(GRID_SIGNATURE):
        return knocking.sendgrid(theirs["grid"], {"event": "x"}, doors.seconds).like(path=knock.path)
    if "/hooks/ses/" in knock.path:  # Amazon signs everybody's topics with one certificate
        return knocking.sns(theirs["ses"], {"eventType": "Send"}, f"theirs{dice.random()}").like(path=knock.path)
    if knock.header("x-signature"):
        made = knocking.vapi(theirs["signed voice"], {"call": {"id": "x"}, "type": "hang"}, doors.seconds)
        return made.like(path=knock.path)
    if knock.header("x-vapi-secret"):
        return knock.having(x_vapi_secret=str(theirs["voice"].credentials["webhook_secret"]))
    return knock.having(authorization=knocking.postmark(theirs["email"], {}).header("authorization"))


def _with(sender: Sender, key_of: Sender) -> Sender:
    """The sender with its own secrets and another's address."""
    copy = Sender(tenant_id=sender.tenant_id, config=sender.config, webhook_key=key_of.webhook_key)
    copy.sealed_credentials = sender.sealed_credentials
    return copy


def _stale(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    """Really signed, but at another time; or at a time that is none."""
    if knock.header(GRID_SIGNATURE):
        off = dice.choice((-1, 1)) * dice.randrange(1200, 10_000_000)
        return knocking.sendgrid(doors.ours["grid"], {"event": "x", "sg_event_id": f"{off}"}, doors.seconds + off)
    if "/hooks/ses/" in knock.path:
        at = dice.choice(("2020-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z", "yesterday", "0"))
        return knocking.sns(doors.ours["ses"], {"eventType": "Send"}, f"stale{dice.random()}", at=at)
    if not knock.header("x-signature"):
        return _no_secret(knock, dice, doors)
    if dice.random() < 0.5:
        off = dice.choice((-1, 1)) * dice.randrange(360, 10_000_000)
        message = {"type": "status-update", "status": "ringing", "call": {"id": f"stale{dice.random()}"}}
        return knocking.vapi(doors.ours["signed voice"], message, doors.seconds + off).like(path=knock.path)
    return knock.having(
        x_timestamp=dice.choice(("", "0", "-1", "9" * 40, "٣٤", "1e9", "NaN", str(round(doors.seconds) + 1)))
    )


def _other_form(knock: Knock, dice: random.Random, doors: Doors) -> Knock:
    if "/hooks/twilio/" in knock.path:
        return knock.having(
            content_type=dice.choice(("application/json", "text/plain", "multipart/form-data; boundary=x", ""))
        )
    return knock.like(method=dice.choice(("GET", "PUT", "HEAD", "PATCH", "DELETE", "OPTIONS")))


TWISTS: list[tuple[str, Twist]] = [
    ("one character", _one_character), ("no secret", _no_secret), ("cut or doubled", _cut_or_doubled), ("a byte", _body_byte),
    ("more or less", _body_more), ("another door", _other_address), ("another way", _other_way),
    ("another's secret", _signed_by_a_stranger), ("another time", _stale), ("another form", _other_form),
]  # fmt: skip


def twists() -> dict[str, Any]:
    """The kinds of forgery by name, for the tests."""
    return dict(TWISTS)
