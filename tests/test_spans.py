"""Spans: nothing unless somebody listens; then ids and outcomes, never words or addresses."""

import timeit
from collections.abc import Iterator
from typing import Any

import pytest

from omnify.lib import spans
from sequences.watching import watched


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    spans.use(None)


@pytest.fixture
def finished() -> Iterator[Any]:
    """An exporter in memory, on OpenTelemetry's own SDK."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.use(provider.get_tracer("test"))
    yield exporter.get_finished_spans
    provider.shutdown()


def test_off_there_is_one_object_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMNIFY_TRACING", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(spans, "_asked", False)
    with spans.span("send", message=1) as here:
        here.set_attribute("outcome", "accepted")
    assert spans.span("tick") is spans.span("send", message=2)


def test_off_it_costs_next_to_nothing() -> None:
    spans.use(None)

    def one() -> None:
        with spans.span("send", message=1, tenant=2, channel="sms") as here:
            here.set_attribute("outcome", "accepted")

    best = min(timeit.repeat(one, number=2_000, repeat=5)) / 2_000
    assert best < 20e-6  # about a microsecond; a send takes milliseconds


def test_a_span_carries_ids_and_the_outcome(finished: Any) -> None:
    with spans.span(
        "send", tenant=1, message=2, enrollment=None, channel="sms", body="Hello", to="+12125550199"
    ) as here:
        here.set_attribute("outcome", "accepted")
        here.set_attribute("text", "Hello")
    (one,) = finished()
    assert one.name == "omnify.send"
    assert dict(one.attributes) == {
        "omnify.tenant": 1, "omnify.message": 2, "omnify.channel": "sms", "omnify.outcome": "accepted",
    }  # fmt: skip


def test_an_error_is_named_by_its_class_alone(finished: Any) -> None:
    with pytest.raises(ValueError), spans.span("inbound", event=1):
        raise ValueError("somebody's words")
    (one,) = finished()
    assert one.status.description == "ValueError"
    assert "somebody" not in one.to_json()


def test_spans_lie_in_each_other(finished: Any) -> None:
    @spans.spanned("tick")
    def tick() -> None:
        with spans.span("send", message=1):
            pass

    tick()
    inner, outer = finished()
    assert (inner.name, outer.name) == ("omnify.send", "omnify.tick")
    assert inner.parent.span_id == outer.context.span_id


def test_a_send_is_a_span_with_what_came_of_it(finished: Any) -> None:
    class Row:
        channel, enrollment_id, provider = "sms", 9, "twilio"

    class Claim:
        tenant_id, id, message, known = 4, 5, Row(), Row()

    watched(lambda claim, now_of: "unknown")(Claim(), None)
    (one,) = finished()
    assert dict(one.attributes) == {
        "omnify.tenant": 4, "omnify.message": 5, "omnify.enrollment": 9, "omnify.channel": "sms",
        "omnify.provider": "twilio", "omnify.outcome": "unknown",
    }  # fmt: skip


def test_tracing_that_is_asked_for_without_the_package_says_so(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    import sys

    monkeypatch.setenv("OMNIFY_TRACING", "on")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setattr(spans, "_asked", False)
    with spans.span("tick"):
        pass
    assert "omnify[tracing]" in caplog.text
