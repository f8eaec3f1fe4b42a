"""The Prometheus exposition of what the database knows: gauges from the vitals row, counters from the tallies.

Right across any number of processes and machines, because none of them keeps a number of its own. Labels are words of our
lists: no tenant, no address, no text.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from omnify.operations.findings import CHANNELS, CLUSTERS, FAILED, OK, Finding, Seen, age_of
from sequences.tally import BUCKETS

DURATIONS = {
    "tick_seconds": "One run of the engine's task: as many ticks as its budget allows.",
    "dispatch_seconds": "One run of a dispatch task.",
    "inbound_seconds": "One run of applying providers' events.",
    "reconcile_seconds": "One round of asking providers what became of uncertain messages.",
}


def exposition(seen: Seen | None, findings: list[Finding], tallies: Mapping[str, float]) -> tuple[str, str]:
    """(text, content type). `seen` None: the database does not answer, and only that is said."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Facts(seen, findings, tallies))
    return generate_latest(registry).decode(), CONTENT_TYPE_LATEST


class Facts(Collector):
    """One scrape."""

    def __init__(self, seen: Seen | None, findings: list[Finding], tallies: Mapping[str, float]) -> None:
        self.seen, self.findings, self.tallies = seen, findings, tallies

    def collect(self) -> Iterator[Metric]:
        checks = GaugeMetricFamily("omnify_check", "0 ok, 1 degraded, 2 failed: /healthz in numbers.", labels=["check"])
        for each in self.findings:
            checks.add_metric([each.name], 0 if each.state == OK else 2 if each.state == FAILED else 1)
        yield checks
        if self.seen is not None:
            yield from self._gauges(self.seen)
            yield from self._counters()

    def _gauges(self, seen: Seen) -> Iterator[Metric]:
        facts = seen.facts
        age = (seen.at - seen.beat_at).total_seconds() if seen.beat_at else float("nan")
        yield _gauge("omnify_pulse_age_seconds", "Since the leading pulse said that it is alive.", age)
        yield _gauge("omnify_clock_drift_seconds", "This machine's clock minus the database's.", seen.drift)
        yield _gauge("omnify_due_enrollments", "People whose next step is due (counted to 10000).", facts.get("due", 0))
        yield _gauge("omnify_due_age_seconds", "Of the one longest due.", age_of(seen, facts.get("oldest_due")) or 0)
        yield _gauge("omnify_unknown_messages", "Messages whose fate is not known.", facts.get("unknown", 0))
        yield _gauge("omnify_unknown_age_seconds", "Of the oldest.", age_of(seen, facts.get("oldest_unknown")) or 0)
        yield _gauge("omnify_held_messages", "Messages that wait for a person's decision.", facts.get("held", 0))
        ready = GaugeMetricFamily(
            "omnify_ready_messages", "Due and not sent yet (counted to 10000).", labels=["channel"]
        )
        oldest = GaugeMetricFamily("omnify_ready_age_seconds", "Of the message longest due.", labels=["channel"])
        for channel in CHANNELS:
            told: Mapping[str, Any] = (facts.get("channels") or {}).get(channel) or {}
            ready.add_metric([channel], told.get("ready", 0))
            oldest.add_metric([channel], age_of(seen, told.get("oldest")) or 0)
        yield ready
        yield oldest
        events = GaugeMetricFamily(
            "omnify_provider_events", "What providers told and is not applied.", labels=["state"]
        )
        waiting = facts.get("events") or {}
        for state, count in (
            ("new", waiting.get("new", 0)),
            ("unmatched", waiting.get("unmatched", 0)),
            ("parked", facts.get("parked", 0)),
        ):
            events.add_metric([state], count)
        yield events
        clusters = GaugeMetricFamily("omnify_cluster_wait_seconds", "How long a canary has waited.", labels=["cluster"])
        waits = {each.name: each.value for each in self.findings}
        for name in CLUSTERS:
            value = waits.get(f"cluster_{name}")
            clusters.add_metric([name], float("nan") if value is None else value)
        yield clusters
        off = GaugeMetricFamily("omnify_switched_off", "1: nothing of this kind is sent.", labels=["switch"])
        for key in ("all", *CHANNELS):
            off.add_metric([key], int(key in seen.switched_off))
        yield off
        for name in ("sealed", "shipped"):
            at = seen.seals.get(f"{name}_at")
            age = (seen.at - datetime.fromisoformat(str(at))).total_seconds() if at else float("nan")
            yield _gauge(f"omnify_ledger_{name}_age_seconds", f"Since the ledger was last {name}.", age)
        last = seen.seals.get("shipped") or 0
        yield _gauge("omnify_ledger_shipped_seal", "The last seal that the sink has taken.", last)
        yield _gauge("omnify_ledger_made_seal", "The last seal that was made.", seen.seals.get("last_made") or 0)

    def _counters(self) -> Iterator[Metric]:
        sends = CounterMetricFamily(
            "omnify_sends", "Messages put on the wire, by what came of it.", labels=["channel", "outcome"]
        )
        for key, value in self.tallies.items():
            name, *labels = key.split("|")
            if name == "sends" and len(labels) == 2:
                sends.add_metric(labels, value)
        yield sends
        for name, text in DURATIONS.items():
            yield self._histogram(name, text)

    def _histogram(self, name: str, text: str) -> Metric:
        family = HistogramMetricFamily(f"omnify_{name}", text)
        running, buckets = 0.0, []
        for bound in (*(str(each) for each in BUCKETS), "+Inf"):
            running += self.tallies.get(f"{name}|le|{bound}", 0.0)
            buckets.append((bound, running))
        family.add_metric([], buckets, self.tallies.get(f"{name}|sum", 0.0))
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
