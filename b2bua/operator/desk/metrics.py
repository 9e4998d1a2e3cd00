"""What Prometheus scrapes: the server's measures under their lasting names.

Owns names, help and labels. A name that stands in a dashboard or an alarm of somebody's is not changed. The measures
are those of `b2bua.io.measures`, as JSON brought them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from b2bua.operator.desk.feed import Feed
from b2bua.operator.desk.processes import used
from b2bua.operator.desk.readiness import reasons

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SIZES: Final = {
    "calls": ("b2bua_calls", "Calls in progress, those that ring among them."),
    "legs": ("b2bua_legs", "Legs of calls in progress."),
    "dialogs": ("b2bua_dialogs", "SIP dialogs."),
    "transactions": (
        "b2bua_transactions",
        "SIP transactions, those that are over and kept for repetitions among them.",
    ),
    "timers": ("b2bua_timers", "Timers that run."),
    "pending": ("b2bua_pending_answers", "Answers that the store and DNS owe; too many, and new calls get 503."),
    "messages": ("b2bua_messages_in_progress", "Text messages on their way."),
    "media ports": ("b2bua_media_ports_leased", "RTP ports that calls have."),
    "connections": ("b2bua_connections", "TCP and TLS connections, open or on their way."),
}
_PACKETS: Final = ("relayed", "strangers", "unwanted", "played", "late", "skipped", "lost")


class Exposition(Collector):
    """One scrape. Without `measures` there is but what the desk itself knows."""

    def __init__(self, measures: Mapping[str, Any] | None, feeds: Sequence[Feed] = ()) -> None:
        self._measures = measures
        self._feeds = feeds

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before it is collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Each family."""
        measures = self._measures
        yield _gauge("b2bua_server_up", "1 while the server answers.", measures is not None)
        yield from _processes({"desk": os.getpid()} if measures is None else _pids(measures))
        yield from _told(self._feeds)
        if measures is None:
            return
        yield from _server(measures)
        yield from _calls(measures["calls"])
        yield from _trunks(measures["trunks"])
        yield from _policies(measures["policies"])
        yield from _media(measures["media"], measures["media_pid"])
        yield _histogram("b2bua_loop_lag_seconds", "How late the event loop was, once a second.", measures["lag"])


def _pids(measures: Mapping[str, Any]) -> dict[str, int]:
    pids = {"server": measures["pid"], "desk": os.getpid()}
    return pids if measures["media_pid"] is None else pids | {"media": measures["media_pid"]}


def _server(measures: Mapping[str, Any]) -> Iterator[Metric]:
    yield _labelled("b2bua_build_info", "The version that runs.", ("version",), [((measures["version"],), 1)])
    yield _gauge("b2bua_start_time_seconds", "When the server was started, since the epoch.", measures["started"])
    yield _gauge("b2bua_ready", "1 while new calls are taken, as /readyz says.", not reasons(measures))
    yield _gauge("b2bua_draining", "1 while the server ends and takes no new calls.", measures["draining"])
    for size, (name, told) in _SIZES.items():
        yield _gauge(name, told, measures["sizes"][size])
    yield _gauge("b2bua_registrations", "Contacts that are registered.", measures["bindings"])
    yield _gauge("b2bua_registered_users", "Accounts with at least one contact registered.", measures["users"])
    events = CounterMetricFamily(
        "b2bua_events", "How often things happened: drops, losses, refusals.", labels=("event",)
    )
    for event, count in sorted(measures["counters"].items()):
        events.add_metric((event,), count)
    yield events
    store = measures["store"]
    waiting = [((kind,), store[kind]) for kind in ("records", "decisions")]
    yield _labelled("b2bua_store_waiting", "What waits to be written.", ("kind",), waiting)
    yield _gauge("b2bua_store_failing", "1 while the store cannot be written.", bool(store["failing"]))
    expiries = [((row["file"],), row["expires"]) for row in measures["certificates"]]
    told = "When a certificate ends, since the epoch."
    yield _labelled("b2bua_certificate_expiry_timestamp_seconds", told, ("file",), expiries)


def _calls(calls: Mapping[str, Any]) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "b2bua_calls_ended", "Calls that are over, by what became of them.", labels=("outcome",)
    )
    for outcome, count in calls["outcomes"].items():
        ended.add_metric((outcome,), count)
    yield ended
    yield _histogram("b2bua_call_setup_seconds", "From the INVITE to its answer.", calls["setup"])
    yield _histogram("b2bua_call_duration_seconds", "From the answer to the end.", calls["duration"])


def _trunks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    def each(name: str, told: str, values: Mapping[str, float | None]) -> Metric:
        known = [((trunk,), value) for trunk, value in values.items() if value is not None]
        return _labelled(name, told, ("trunk",), known)

    yield each("b2bua_trunk_up", "1 while calls go there.", {row["name"]: row["state"] == "up" for row in rows})
    told = "1 while the operator has switched it off."
    yield each("b2bua_trunk_disabled", told, {row["name"]: row["state"] == "disabled" for row in rows})
    told = "1 while we are registered there; not there where we need not be."
    registered = {row["name"]: row["registration"] == "registered" for row in rows if row["registration"] != "off"}
    yield each("b2bua_trunk_registered", told, registered)
    yield each("b2bua_trunk_channels", "Legs that it carries.", {row["name"]: row["channels"] for row in rows})
    told = "Legs that it may carry, where there is a limit."
    yield each("b2bua_trunk_channels_limit", told, {row["name"]: row["limit"] for row in rows})
    told = "What the last check by OPTIONS took."
    yield each("b2bua_trunk_check_seconds", told, {row["name"]: row["latency"] for row in rows})
    told = "Calls that went there: ok were dealt with, failed met silence, a broken transport or 503."
    calls = CounterMetricFamily("b2bua_trunk_calls", told, labels=("trunk", "result"))
    for row in rows:
        calls.add_metric((row["name"], "ok"), row["calls_ok"])
        calls.add_metric((row["name"], "failed"), row["calls_failed"])
    yield calls


def _policies(rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    labels = ("policy", "version", "state")
    known = [((row["name"], row["hash"], row["state"]), row) for row in rows if row["state"] != "refused"]
    told = "When a version of the policy was loaded, since the epoch."
    loaded = [(values, row["since"]) for values, row in known]
    yield _labelled("b2bua_policy_loaded_timestamp_seconds", told, labels, loaded)
    told = "Calls in progress that follow a version."
    yield _labelled("b2bua_policy_calls", told, labels, [(values, row["calls"]) for values, row in known])
    refused = any(row["state"] == "refused" for row in rows)
    yield _gauge("b2bua_policy_refused", "1 while what was read last is wrong, and an older version serves.", refused)


def _media(media: Mapping[str, int], pid: int | None) -> Iterator[Metric]:
    yield _gauge("b2bua_media_up", "1 while the media process is ready.", pid is not None)
    restarts = CounterMetricFamily("b2bua_media_restarts", "How often the media process was started again.")
    restarts.add_metric((), media["restarts"])
    yield restarts
    yield _gauge("b2bua_media_ports", "RTP ports that the media process has.", media.get("ports", 0))
    yield _gauge("b2bua_media_ports_in_use", "RTP ports that relay or play.", media.get("in_use", 0))
    packets = CounterMetricFamily("b2bua_media_packets", "RTP packets, by what became of them.", labels=("fate",))
    for fate in _PACKETS:
        packets.add_metric((fate,), media.get(fate, 0))
    yield packets


def _processes(pids: Mapping[str, int]) -> Iterator[Metric]:
    known = {(name,): usage for name, pid in pids.items() if (usage := used(pid)) is not None}
    seconds = CounterMetricFamily("b2bua_process_cpu_seconds", "Processor time, by process.", labels=("process",))
    for labels, usage in known.items():
        seconds.add_metric(labels, usage.processor)
    yield seconds
    memory = [(labels, usage.memory) for labels, usage in known.items()]
    yield _labelled("b2bua_process_resident_memory_bytes", "Memory, by process.", ("process",), memory)
    descriptors = [(labels, usage.descriptors) for labels, usage in known.items()]
    yield _labelled("b2bua_process_open_fds", "Open file descriptors, by process.", ("process",), descriptors)


def _told(feeds: Sequence[Feed]) -> Iterator[Metric]:
    told = CounterMetricFamily("b2bua_records_told", "Calls whose records were handed on.", labels=("to",))
    failures = CounterMetricFamily("b2bua_records_failures", "Tries to hand records on that failed.", labels=("to",))
    for feed in feeds:
        told.add_metric((feed.name,), feed.told)
        failures.add_metric((feed.name,), feed.failures)
    yield told
    yield failures
    failing = [((feed.name,), float(feed.failing)) for feed in feeds]
    yield _labelled("b2bua_records_failing", "1 while records cannot be handed on, and wait.", ("to",), failing)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _labelled(
    name: str, told: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, value)
    return family


def _histogram(name: str, told: str, shown: Mapping[str, Any]) -> HistogramMetricFamily:
    bounds = [*(repr(float(bound)) for bound in shown["bounds"]), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(shown["counts"])), strict=True))
    return HistogramMetricFamily(name, told, buckets=buckets, sum_value=shown["total"])
