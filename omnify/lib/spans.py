"""Spans for OpenTelemetry, around the few things that take time: tick, send, inbound, reconcile.

Off unless configured: OMNIFY_TRACING=on uses whatever tracer provider the process has; OTEL_EXPORTER_OTLP_ENDPOINT also sets
one up that exports there. Needs the extra `omnify[tracing]`. Off, `span()` hands out one object that does nothing.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from omnify.lib import environment

# Ids and words from our own lists; never an address, never what somebody wrote.
ATTRIBUTES = frozenset(
    {"tenant", "enrollment", "message", "event", "channel", "provider", "outcome", "count", "cluster"}
)

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
Opener = Callable[[str, dict[str, Any]], AbstractContextManager[Any]]


class _Nothing:
    """A span that is not there."""

    def __enter__(self) -> "_Nothing":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close; what was raised goes on."""

    def set_attribute(self, name: str, value: object) -> None:
        """Nobody listens."""


_NOTHING = _Nothing()
_opener: Opener | None = None
_asked = False


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """Around a piece of work: `with span("send", message=id) as here: …; here.set_attribute("outcome", state)`.

    Attributes outside ATTRIBUTES are dropped. An exception marks the span with its class, without its words, and goes on.
    """
    if not _asked:
        _ask()
    return _NOTHING if _opener is None else _opener(name, attributes)


def spanned(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: each call is one span of this name."""

    def decorate(work: Callable[P, R]) -> Callable[P, R]:
        @wraps(work)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            with span(name):
                return work(*args, **kwargs)

        return inside

    return decorate


def use(tracer: Any | None) -> None:
    """Opens spans on this OpenTelemetry tracer from now on; None: none are opened."""
    global _opener, _asked
    _asked, _opener = True, None if tracer is None else _opening_on(tracer)


def _ask() -> None:
    """Once a process, at its first span: after a fork, so that the exporter's thread is the worker's own."""
    endpoint = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint and not environment.boolean("OMNIFY_TRACING"):
        use(None)
        return
    try:
        from opentelemetry import trace
    except ImportError:
        logger.error("Tracing is configured, but OpenTelemetry is not installed: pip install 'omnify[tracing]'.")
        use(None)
        return
    if endpoint:
        _export_to_endpoint(trace)
    use(trace.get_tracer("omnify"))


def _export_to_endpoint(trace: Any) -> None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.error("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the exporter is not installed: 'omnify[tracing]'.")
        return
    which = os.environ.get("Q_CLUSTER_NAME") if environment.text("OMNIFY_DB_ROLE") == "system" else "web"
    provider = TracerProvider(resource=Resource.create({"service.name": "omnify", "service.instance.id": which or ""}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _opening_on(tracer: Any) -> Opener:
    from opentelemetry.trace import Status, StatusCode

    @contextmanager
    def open_span(name: str, attributes: dict[str, Any]) -> Iterator[Any]:
        known = {f"omnify.{key}": value for key, value in attributes.items() if key in ATTRIBUTES and value is not None}
        opened = tracer.start_as_current_span(
            f"omnify.{name}", attributes=known, record_exception=False, set_status_on_exception=False
        )
        with opened as here:
            try:
                yield _Here(here)
            except BaseException as error:
                here.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    return open_span


class _Here:
    """The span that is open, letting only known attributes through."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def set_attribute(self, name: str, value: object) -> None:
        if name in ATTRIBUTES:
            self._opened.set_attribute(f"omnify.{name}", value)
