"""4-reliability §4 D: what a tenant or a stranger names is asked only on the public Internet, checked at connect time."""

import ast
import datetime as dates
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from omnify.lib import outbound
from omnify.lib.outbound import Refused, Unreachable, fetch, is_public
from sequences.transports import smtp
from sequences.transports.base import Outbound
from sequences.transports.base import Refused as NotSent
from tests.test_architecture import SOURCES, named

PUBLIC = "93.184.216.34"
INNER = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.7", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.9",
    "203.0.113.5", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.216.34", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:4136:e378::1",
    "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1",
)  # fmt: skip
OUTER = (PUBLIC, "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e")
# As one would type them; the resolver of the machine reads many of them as loopback or link-local.
WRITTEN = (
    "https://127.0.0.1/", "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/",
    "https://127.1/", "https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/", "https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://[fe80::1]/",
    "https://localhost/", "https://localhost./", "https://LOCALHOST/",
    "http://hook.example/", "https://hook.example:8443/", "https://hook.example:22/", "https://hook.example:0/",
    "https://hook.example:99999/", "ftp://hook.example/", "file:///etc/passwd", "gopher://hook.example/", "//hook.example/",
    "https:///etc/passwd", "https://", "https://user@hook.example/", "https://user:pass@hook.example/",
    "https://hook.example@127.0.0.1/", "https://127.0.0.1#@hook.example/", "https://hook.example\\@127.0.0.1/",
    "https://hook.example%2f@127.0.0.1/", "https://hook.example\r\nHost: inner/", "https://hook.example /",
    "https://hook.example/\x00", "https://①②⑦.⓪.⓪.①/", "https://ｌｏｃａｌｈｏｓｔ/", "https://hook。example/", "https://[::1%25lo]/", "https://[",
)  # fmt: skip


class Wire:
    """A name server of our own, and sockets that only say where they would have gone, except to the public test server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.opened: list[str] = []
        self.server_port = 0
        self._real = socket.getaddrinfo
        monkeypatch.setattr(outbound.socket, "getaddrinfo", self.look_up)
        monkeypatch.setattr(outbound, "connect", self.connect)

    def look_up(self, host: str, port: Any, *args: Any, **options: Any) -> list[Any]:
        if host not in self.answers:
            if host.replace(".", "").isalpha() and host.rstrip(".").lower() != "localhost":
                raise socket.gaierror(socket.EAI_AGAIN, "no answer")
            return self._real(host, port, *args, **options)
        turns = self.answers[host]
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.opened.append(address)
        if not is_public(address):
            raise ConnectionRefusedError("An inner machine was asked.")
        return socket.create_connection(("127.0.0.1", self.server_port), timeout)

    @property
    def inner(self) -> list[str]:
        return [address for address in self.opened if not is_public(address)]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for `name`, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dates.datetime(2020, 1, 1, tzinfo=dates.UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start.replace(year=2099))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Server:
    """A TLS server that gives the next of its answers to each request, and remembers the requests."""

    def __init__(self, pem: Path, answers: list[bytes], drip: float = 0.0) -> None:
        self.requests: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._answers, self._drip = answers, drip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(5)
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            try:
                plain, _ = self._listening.accept()
                with plain, self._context.wrap_socket(plain, server_side=True) as conn:
                    self.requests.append(conn.recv(65_536))
                    for piece in [answer[n : n + 1] for n in range(len(answer))] if self._drip else [answer]:
                        conn.sendall(piece)
                        time.sleep(self._drip)
            except OSError:
                continue

    def close(self) -> None:
        self._listening.close()
        self._thread.join(5)


@pytest.fixture
def serve(tmp_path: Path, wire: Wire) -> Iterator[Any]:
    servers: list[Server] = []

    def start(*answers: bytes, name: str = "hook.example", drip: float = 0.0) -> tuple[Server, ssl.SSLContext]:
        pem = certificate(tmp_path, name)
        server = Server(pem, list(answers), drip)
        servers.append(server)
        wire.server_port = server.port
        wire.answers.setdefault("hook.example", [[PUBLIC]])
        return server, ssl.create_default_context(cafile=str(pem))

    yield start
    for server in servers:
        server.close()


def answer(status: str = "200 OK", body: bytes = b"fine", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def test_the_suite_is_as_large_as_was_promised() -> None:
    assert len(INNER) + len(WRITTEN) >= 60


@pytest.mark.parametrize("address", INNER)
def test_no_inner_address_counts_as_public_nor_is_it_connected_to(wire: Wire, address: str) -> None:
    assert not is_public(address)
    wire.answers["hook.example"] = [[address]]
    with pytest.raises(Refused):
        fetch("https://hook.example/")
    assert wire.opened == []


@pytest.mark.parametrize("address", OUTER)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", WRITTEN)
def test_no_spelling_leads_inside(wire: Wire, url: str) -> None:
    wire.answers["hook.example"] = [[PUBLIC]]
    with pytest.raises(Refused):
        fetch(url)
    assert wire.opened == []


def test_one_inner_answer_among_public_ones_refuses_all_of_them(wire: Wire) -> None:
    wire.answers["hook.example"] = [[PUBLIC, "10.0.0.1"]]
    with pytest.raises(Refused):
        fetch("https://hook.example/")
    assert wire.opened == []


def test_a_name_that_answers_otherwise_the_second_time_is_asked_once_and_connected_to_what_was_checked(
    wire: Wire, serve: Any
) -> None:
    """Rebinding: the check and the connection use one and the same answer."""
    _server, trust = serve(answer())
    wire.answers["hook.example"] = [[PUBLIC], ["169.254.169.254"]]
    assert fetch("https://hook.example/x", trust=trust).body == b"fine"
    assert wire.opened == [PUBLIC]
    with pytest.raises(Refused):
        fetch("https://hook.example/x", trust=trust)
    assert wire.inner == []


def test_a_name_server_that_fails_refuses_instead_of_letting_through(wire: Wire) -> None:
    with pytest.raises(Refused, match="no address"):
        fetch("https://nobody.example/")
    assert wire.opened == []


def test_the_host_is_kept_in_the_request_and_in_the_certificate_check(wire: Wire, serve: Any) -> None:
    server, trust = serve(answer(), answer())
    assert fetch("https://hook.example/path?q=1", trust=trust).status == 200
    assert server.requests[0].startswith(b"GET /path?q=1 HTTP/1.1\r\n")
    assert b"\r\nHost: hook.example\r\n" in server.requests[0]
    assert b"cookie" not in server.requests[0].lower()
    wire.answers["other.example"] = [[PUBLIC]]
    with pytest.raises(Unreachable, match=r"SSL|Connect"):
        fetch("https://other.example/", trust=trust)


def test_a_certificate_nobody_vouches_for_is_refused(serve: Any) -> None:
    serve(answer())
    with pytest.raises(Unreachable):
        fetch("https://hook.example/")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_not_an_order(wire: Wire, serve: Any, status: str) -> None:
    _server, trust = serve(answer(status, location="https://169.254.169.254/"))
    assert fetch("https://hook.example/", trust=trust).status == int(status[:3])
    assert wire.opened == [PUBLIC]


@pytest.mark.parametrize(
    "target", ["https://169.254.169.254/", "http://hook.example/", "https://inner.example/", "//[::1]/"]
)
def test_a_chain_of_redirects_is_checked_at_every_hop(wire: Wire, serve: Any, target: str) -> None:
    wire.answers["inner.example"] = [["10.1.2.3"]]
    server, trust = serve(answer("302 Found", location="/again"), answer("302 Found", location=target))
    with pytest.raises(Refused):
        fetch("https://hook.example/", trust=trust, redirects=3)
    assert len(server.requests) == 2
    assert wire.inner == []


def test_redirects_end(serve: Any) -> None:
    server, trust = serve(*[answer("302 Found", location="/again")] * 6)
    assert fetch("https://hook.example/", trust=trust, redirects=100).status == 302
    assert len(server.requests) == outbound.MOST_REDIRECTS + 1


def test_what_was_for_the_first_host_is_not_sent_to_the_next(serve: Any) -> None:
    server, trust = serve(answer("302 Found", location="/next"), answer())
    fetch("https://hook.example/", trust=trust, redirects=1, headers={"authorization": "Bearer hush"})
    assert b"hush" in server.requests[0]
    assert b"hush" not in server.requests[1]


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_is_left_at_the_limit(serve: Any, chunked: bool) -> None:
    body = b"x" * 70_000
    heading = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11170\r\n" + body
    _server, trust = serve(heading if chunked else answer(body=body))
    with pytest.raises(Unreachable, match="larger"):
        fetch("https://hook.example/", trust=trust)


def test_a_server_that_drips_byte_by_byte_gains_no_time(serve: Any) -> None:
    _server, trust = serve(answer(body=b"x" * 200), drip=0.05)
    began = time.monotonic()
    with pytest.raises(Unreachable):
        fetch("https://hook.example/", trust=trust, seconds=0.6)
    assert time.monotonic() - began < 3


def test_no_proxy_of_the_environment_is_used(wire: Wire, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    _server, trust = serve(answer())
    assert fetch("https://hook.example/", trust=trust).status == 200
    assert wire.opened == [PUBLIC]


def test_what_we_post_can_be_checked_by_its_receiver(now: dates.datetime) -> None:
    body = b'{"kind":"reply"}'
    given = outbound.signature("secret", body, now=now)
    later = now + dates.timedelta(seconds=outbound.SIGNATURE_TOLERANCE + 1)
    assert outbound.signature_holds(given, "secret", body, now=now)
    assert not outbound.signature_holds(given, "secret", body + b" ", now=now)
    assert not outbound.signature_holds(given, "other", body, now=now)
    assert not outbound.signature_holds(given, "secret", body, now=later)
    assert not outbound.signature_holds(given.replace("t=1", "t=2"), "secret", body, now=now)
    for broken in ("", "t=,v1=", "v1=" + "0" * 64, "t=x,v1=y", "t=٣,v1=y"):
        assert not outbound.signature_holds(broken, "secret", body, now=now)


def mail(host: str) -> Outbound:
    return Outbound(
        mark="m", channel="email", to="pat@people.example", sender="a@acme.example", config={"host": host, "port": 25},
        credentials={"password": "x"}, text="hi", callback_base="", valid_for=60,
    )  # fmt: skip


@pytest.mark.parametrize("host", ["10.0.0.5", "127.0.0.1", "localhost", "inner.example", "169.254.169.254", "[::1]"])
@pytest.mark.parametrize("secure", [False, True])
def test_a_tenants_mail_server_is_not_one_of_our_own_machines(wire: Wire, host: str, secure: bool) -> None:
    wire.answers["inner.example"] = [[PUBLIC, "192.168.0.9"]]
    asked = mail(host)
    object.__setattr__(asked, "config", {**asked.config, "use_ssl": secure})
    with pytest.raises(NotSent) as refusal:
        smtp.send(asked)
    assert refusal.value.pause_sender
    assert wire.opened == []


def test_an_inner_mail_server_is_used_only_when_the_machine_s_owner_named_it(wire: Wire, settings: Any) -> None:
    settings.PRIVATE_MAIL_SERVERS = ["Relay.example"]
    wire.answers["relay.example"] = [["10.0.0.25"]]
    with pytest.raises(Exception, match="could not be reached"):  # the test's wire refuses inner machines
        smtp.send(mail("relay.example"))
    assert wire.inner == ["10.0.0.25"]


# Who may speak HTTP, and to whom. Tenants name none of these addresses: they are the providers' and the simulator's own.
MAY_SPEAK_HTTP = {
    "omnify/lib/outbound.py": "the one door to addresses that tenants and strangers name",
    "sequences/transports/": "the providers' fixed addresses, or the simulator's from the settings",
    "sequences/webhooks/certificates.py": "the simulator's certificates on loopback; Amazon's by omnify.lib.outbound",
    "omnify/simulator/": "plays the providers; posts its callbacks to the PUBLIC_URL of this machine",
    "omnify/commands/": "asks the processes of this machine",
    "omnify/bench/": "asks the processes of this machine",
    "omnify/promises/": "asks the processes of this machine",
}
HTTP = {
    "requests",
    "httpx",
    "httpcore",
    "urllib3",
    "aiohttp",
    "http.client",
    "urllib.request",
    "websockets",
    "smtplib",
    "socket",
}
SOCKETS = {
    "omnify/lib/ports.py": "looks for free ports on loopback",
    "sequences/webhooks/link.py": "hangs up on a silent database; opens nothing",
}
# Names error classes only, and opens nothing.
ERRORS_ONLY = {"omnify/tenants/tasks.py", "omnify/tenants/accounts.py"}


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_else_speaks_http(path: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    spoken = {each for each in modules if each in HTTP or each.split(".")[0] in HTTP}
    if named(path) in ERRORS_ONLY:
        spoken = {each for each in spoken if each not in ("smtplib", "smtplib.SMTPException")}
    allowed = named(path).startswith(tuple(MAY_SPEAK_HTTP)) or named(path) in SOCKETS
    assert not spoken or allowed, f"{named(path)} imports {sorted(spoken)}"
