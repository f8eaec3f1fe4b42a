"""The OTLP exporter, as it is configured in production: spans arrive at a receiver, with ids and without anybody's words."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

# What a worker does, with words in it that must not leave: a message's body, an address, an error that quotes one.
WORK = """
import logging
from omnify.lib.spans import span
from sequences.watching import watched

class Row:
    channel, enrollment_id, provider = "sms", 9, "twilio"
    body, to_address = "Canarybody", "+12125550199"

class Claim:
    tenant_id, id, message, known = 4, 5, Row(), Row()

with span("tick", count=3, body="Canarybody"):
    with span("dispatch", channel="sms"):
        watched(lambda claim, now_of: "accepted")(Claim(), None)
try:
    with span("inbound", tenant=4, event=7, text="Canarybody"):
        raise ValueError("Canarybody from +12125550199")
except ValueError:
    pass
"""


class Receiver(ThreadingHTTPServer):
    """An OTLP/HTTP collector on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.bodies: list[tuple[str, str, bytes]] = []


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append((self.path, self.headers["content-type"], body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def work(**environ: str) -> None:
    """A process of its own, as the clusters are: what is left is exported when it ends."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OMNIFY_TRACING"))}
    code = f"import django\ndjango.setup()\n{WORK}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**kept, "DJANGO_SETTINGS_MODULE": "omnify.settings", "NO_PROXY": "127.0.0.1", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Canarybody" not in done.stdout + done.stderr


def spans_in(bodies: list[tuple[str, str, bytes]]) -> dict[str, Any]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = {}
    for path, kind, body in bodies:
        assert (path, kind) == ("/v1/traces", "application/x-protobuf")
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert (told["service.name"], told["service.instance.id"]) == ("omnify", "dispatch")
            found |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
    return found


def told(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_spans_reach_a_collector_with_ids_and_without_words(receiver: Receiver) -> None:
    address = f"http://127.0.0.1:{receiver.server_address[1]}"
    work(OTEL_EXPORTER_OTLP_ENDPOINT=address, OMNIFY_DB_ROLE="system", Q_CLUSTER_NAME="dispatch")
    found = spans_in(receiver.bodies)
    assert set(found) == {"omnify.tick", "omnify.dispatch", "omnify.send", "omnify.inbound"}
    assert told(found["omnify.send"]) == {
        "omnify.tenant": 4, "omnify.message": 5, "omnify.enrollment": 9, "omnify.channel": "sms",
        "omnify.provider": "twilio", "omnify.outcome": "accepted",
    }  # fmt: skip
    assert told(found["omnify.tick"]) == {"omnify.count": 3}
    assert told(found["omnify.inbound"]) == {"omnify.tenant": 4, "omnify.event": 7}
    assert found["omnify.send"].parent_span_id == found["omnify.dispatch"].span_id
    assert found["omnify.dispatch"].parent_span_id == found["omnify.tick"].span_id
    assert (found["omnify.inbound"].status.code, found["omnify.inbound"].status.message) == (2, "ValueError")
    everything = b"".join(body for _, _, body in receiver.bodies)
    assert b"Canarybody" not in everything
    assert b"2125550199" not in everything


def test_nothing_is_exported_unless_configured(receiver: Receiver) -> None:
    work(OMNIFY_DB_ROLE="system", Q_CLUSTER_NAME="dispatch")
    work(OMNIFY_TRACING="on", OMNIFY_DB_ROLE="system", Q_CLUSTER_NAME="dispatch")
    assert receiver.bodies == []
