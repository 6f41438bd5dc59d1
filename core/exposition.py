"""The product's own metrics on `/metrics`: fixed names, and plain numbers that are read when asked.

Whoever works counts in integers of its own and says them in `measured()`; nothing is called, locked
or allocated while it works. A source is held weakly: what has ended is no longer told. Times are
told as such (`..._timestamp_seconds`), so that lag is Prometheus' own `time() - x`.
"""

import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from prometheus_client import REGISTRY
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from core.metrics import Histograms, bucket_upper_ns


class Named(NamedTuple):
    """What a metric is called and means."""

    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    help: str
    labels: tuple[str, ...]


COUNTER, GAUGE = CounterMetricFamily, GaugeMetricFamily
STAGES = "tickhouse_stage_seconds"
_BOUNDS_S = (*(step * 10.0**power for power in range(-6, 1) for step in (1.0, 2.5, 5.0)), 10.0)

#: Every metric but the stages; a name never changes its meaning. docs/reference/metrics.md
METRICS = {
    "tickhouse_ticks_total": Named(
        COUNTER, "Ticks taken from the terminal, kept or refused", ("source", "symbol")
    ),
    "tickhouse_tick_newest_timestamp_seconds": Named(
        GAUGE, "Market time of the newest kept tick", ("source", "symbol")
    ),
    "tickhouse_bus_sent_messages_total": Named(
        COUNTER, "Messages that the bus has stored, by their topic", ("topic",)
    ),
    "tickhouse_bus_unsent_messages": Named(
        GAUGE, "Messages that wait for the bus, by their topic", ("topic",)
    ),
    "tickhouse_warehouse_blocks_total": Named(COUNTER, "Blocks of rows stored", ()),
    "tickhouse_warehouse_bytes_total": Named(COUNTER, "Bytes of those blocks", ()),
    "tickhouse_warehouse_retries_total": Named(
        COUNTER, "Inserts that the warehouse did not answer", ()
    ),
    "tickhouse_warehouse_cancelled_total": Named(
        COUNTER, "Statements that a client left before it had the answer", ("user",)
    ),
    "tickhouse_signals_total": Named(COUNTER, "Signals published", ("strategy",)),
    "tickhouse_order_events_total": Named(
        COUNTER, "Journalled order events taken to the bus: orders by outcome", ("kind", "purpose")
    ),
    "tickhouse_denials_total": Named(COUNTER, "Orders denied by our own rules", ("rule",)),
    "tickhouse_journal_unsent_messages": Named(GAUGE, "Journalled, and not yet on the bus", ()),
    "tickhouse_equity": Named(GAUGE, "Equity as the terminal reports it", ("account", "currency")),
    "tickhouse_balance": Named(
        GAUGE, "Balance as the terminal reports it", ("account", "currency")
    ),
    "tickhouse_drawdown_ratio": Named(GAUGE, "Share of the highest equity that is lost", ()),
}


class Sample(NamedTuple):
    """One number; labels in the order of `METRICS`. Equal labels of several sources add up."""

    name: str
    labels: tuple[str, ...]
    value: float


class Source(Protocol):
    """Who counts."""

    def measured(self) -> Iterable[Sample]:
        """The numbers now; called from another thread."""
        ...


_sources: "weakref.WeakSet[Source]" = weakref.WeakSet()
_stages: "weakref.WeakSet[Histograms]" = weakref.WeakSet()
_lock = threading.Lock()


def expose(source: Source) -> None:
    """Tell its numbers from now on, as long as it lives."""
    with _lock:
        _sources.add(source)


def expose_stages(histograms: Histograms) -> None:
    """Tell how long stages took, as long as they are measured."""
    with _lock:
        _stages.add(histograms)


class _Product:
    """What prometheus_client asks at each scrape."""

    def collect(self) -> Iterator[Metric]:
        """Families with samples; those of this process alone."""
        with _lock:
            sources, stages = tuple(_sources), tuple(_stages)
        yield from _families(sample for source in sources for sample in source.measured())
        if latencies := _latencies(stages):
            yield latencies

    def describe(self) -> Iterator[Metric]:
        """Names of all, so that nothing else takes one."""
        yield from (named.kind(name, named.help) for name, named in METRICS.items())


def _families(samples: Iterable[Sample]) -> Iterator[Metric]:
    sums: dict[str, dict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
    for sample in samples:
        sums[sample.name][sample.labels] += sample.value
    for name, by_labels in sums.items():
        named = METRICS[name]
        family = named.kind(name, named.help, labels=named.labels)
        for labels, value in by_labels.items():
            family.add_metric(labels, value)
        yield family


def _latencies(measured: Iterable[Histograms]) -> Metric | None:
    totals: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for histograms in measured:
        for stage, counts in histograms.totals().items():
            for bucket, count in counts.items():
                totals[stage][bucket] += count
    family = HistogramMetricFamily(
        STAGES, "How long a stage took (core/metrics.py)", labels=["stage"]
    )
    for stage, counts in totals.items():
        family.add_metric([stage], _cumulative(counts), _sum_s(counts))
    return family if totals else None


def _cumulative(counts: dict[int, int]) -> list[tuple[str, float]]:
    bounds = [(f"{bound:g}", bound) for bound in _BOUNDS_S] + [("+Inf", float("inf"))]
    seconds = [(bucket_upper_ns(bucket) / 1e9, count) for bucket, count in counts.items()]
    return [(name, float(sum(n for s, n in seconds if s <= bound))) for name, bound in bounds]


def _sum_s(counts: dict[int, int]) -> float:
    """Within 3 %: what a bucket holds counts as its upper end."""
    return sum(bucket_upper_ns(bucket) * count for bucket, count in counts.items()) / 1e9


REGISTRY.register(_Product())
