"""A simulator process and a web server that plays Omnify's webhooks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest

from omnify.simulator.running import RunningSimulator, running_simulator

SID, TOKEN, OURS = "AC" + "1" * 32, "twilio-token", "+14155550100"
VAPI_KEY, VAPI_SECRET, VAPI_HMAC = "vapi-key", "vapi-secret", "vapi-hmac"
POSTMARK_TOKEN, OPENAI_KEY = "postmark-token", "openai-key"
_numbers = count(1000)


@dataclass
class Hit:
    """One request the webhooks got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hooks:
    """A web server that remembers what it is told; `answers[path]` is a list of (status, body) to give, then 200."""

    hits: list[Hit] = field(default_factory=list)
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    port: int = 0

    def url(self, path: str, userinfo: str = "") -> str:
        return f"http://{userinfo + '@' if userinfo else ''}127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path.partition("?")[0] == path]


def _serve(hooks: Hooks) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            hooks.hits.append(Hit(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            planned = hooks.answers.get(self.path.partition("?")[0])
            status, text = planned.pop(0) if planned else (200, "")
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hooks.port = server.server_address[1]
    return server


@pytest.fixture(scope="module")
def webhooks() -> Iterator[Hooks]:
    hooks = Hooks()
    server = _serve(hooks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield hooks
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hooks(webhooks: Hooks) -> Hooks:
    """The web server, with nothing heard yet."""
    webhooks.hits.clear()
    webhooks.answers.clear()
    return webhooks


def accounts(hooks: Hooks) -> dict[str, list[dict[str, Any]]]:
    return {
        "twilio": [
            {
                "account_sid": SID,
                "auth_token": TOKEN,
                "numbers": [{"number": OURS, "sms_url": hooks.url("/sms?tenant=t1")}],
                "messaging_services": {"MG1": [OURS]},
            }
        ],
        "vapi": [
            {
                "api_key": VAPI_KEY,
                "server_url": hooks.url("/vapi/account"),
                "server_secret": VAPI_SECRET,
                "hmac_secret": VAPI_HMAC,
                "phone_number_ids": ["phone-1"],
            }
        ],
        "postmark": [
            {
                "server_token": POSTMARK_TOKEN,
                "tracking_url": hooks.url("/postmark/tracking", "hook:secret"),
                "inbound_url": hooks.url("/postmark/inbound", "hook:secret"),
                "senders": ["@acme.example"],
            }
        ],
        "smtp": [
            {
                "senders": ["@smtp.example"],
                "tracking_url": hooks.url("/smtp/tracking", "hook:secret"),
                "inbound_url": hooks.url("/smtp/inbound", "hook:secret"),
            }
        ],
        "openai": [{"api_key": OPENAI_KEY, "answers": [{"contains": "ping", "content": {"say": "pong"}}]}],
    }


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory, webhooks: Hooks) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        running.client.configure(accounts(webhooks))
        yield running


@pytest.fixture
def sim(simulator: RunningSimulator, hooks: Hooks) -> Iterator[RunningSimulator]:
    """The module's simulator, without faults and with everything before this test settled."""
    yield simulator
    simulator.client.clear()
    assert simulator.client.settled()


@pytest.fixture
def number() -> Callable[[], str]:
    """A telephone number nobody has used yet."""
    return lambda: f"+1212555{next(_numbers):04d}"


def eventually(condition: Callable[[], Any], timeout: float = 5.0) -> Any:
    """The condition's first true value; fails after `timeout` seconds."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"still not true after {timeout} s")
