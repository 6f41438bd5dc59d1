"""Composition: settings, bus and warehouse to a flow, here to that of ticks.

The others are put together in `compose_signals` and `compose_executions`, with the ends that all
flows share from here. Each flow's own parts are imported when it is built.
"""

import math
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bytewax.dataflow import Dataflow

from adapters.bus.base import Bus, Message
from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.writer import Writer
from core import renamed
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Control
from core.contracts.tick import TickMarker
from core.errors import SettingsError, UnavailableError
from core.health import Health
from core.identity import this_user
from core.metrics import Histograms
from core.settings import Settings
from core.topics import CONTROL, TICKS
from streams import deal, layout, shards
from streams.connectors.bus import LIVE_DRAIN_S, BusSource
from streams.connectors.clickhouse import WarehouseSink
from streams.rows import Rows

renamed.install()  # before a recovery store of 0.1 is read

#: A block of these costs the warehouse half of what blocks of 30,000 do, and 10 MB of memory.
_MERGE_ROWS = 131_072
#: Ticks come with their bars, which are made once a block: twice as many cost a third less each.
_MERGE_TICKS = 262_144


def state_directory(settings: Settings, flow: str) -> Path:
    """Where a flow's recovery state lives; a replay's with the run.

    Raises:
        SettingsError: there is one, of another number of shards; or the bus has no one order.
    """
    home = settings.home_path
    base = home / "runs" / settings.run.run_id if settings.run.mode == "replay" else home
    count, bus = shards.of_flow(flow, settings.streams), settings.bus
    if count > 1 and bus.is_kafka and bus.partitions > 1:
        raise SettingsError(
            f"bus.partitions is {bus.partitions} and flow {flow} has {count} shards: a shard reads"
            " one order of all ticks. Set one of the two to 1 (docs/how-to/distributed.md)"
        )
    return layout.of_shard(base / "state", flow, count, settings.streams.shard)


def drain_s(settings: Settings) -> float:
    """How long a flow that is told to stop works off what is on the bus; a replay, all of it."""
    return math.inf if settings.run.mode == "replay" else LIVE_DRAIN_S


def ticks(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: ticks -> tick, tick_quarantine."""
    from streams.flows import ticks as ticks_flow

    count, number = shards.of_flow("ticks", settings.streams), settings.streams.shard
    begun = deal.begin_of(state_directory(settings, "ticks"))
    source = BusSource(
        bus, TICKS, stopping, is_end,
        belongs=partial(ticks_flow.belongs, count, number) if count > 1 else None,
        start_sequence=begun.sequences.get(TICKS.name, 1), drain_s=drain_s(settings),
    )  # fmt: skip
    waits = partial(say_why_it_waits, health, stopping)
    stored = partial(report_stored, bus, shards.names("streams.ticks", count)[number])
    make_ticks = partial(_tick_blocks, settings, waits)
    sink = warehouse_sink(
        settings, "streams.ticks", bus, make_ticks=make_ticks, pending=begun.pending
    )
    return ticks_flow.build(source, sink, stored)


def say_why_it_waits(health: Health, stopping: threading.Event, why: str) -> None:
    """In health, for `status`; "" when it waits no more.

    Raises:
        UnavailableError: the process is to stop, and does not wait any longer.
    """
    if why and stopping.is_set():
        raise UnavailableError(f"stopped while {why}")
    if why:
        health.set("degraded", why)
    elif health.status == "degraded":
        health.set("ready", "ticks")


def _tick_blocks(settings: Settings, waits: Callable[[str], None], writer: Writer) -> TickBlocks:
    """A recording is a file, and may say another thing than a file before it."""
    run, trusted = settings.run, frozenset(settings.streams.corrections)
    home, recorded = settings.home_path, run.mode == "replay"
    corrections = Corrections(
        writer, home, SystemClock(), "streams.ticks", restates=False, waits=waits
    )
    policy = FeedPolicy(
        run.run_id, run.mode, this_user(), lambda source: recorded or source in trusted
    )
    return TickBlocks(writer, corrections, policy)


def warehouse_sink(
    settings: Settings,
    process: str,
    bus: Bus | None = None,
    *,
    every_epoch: bool = False,
    make_ticks: Callable[[Writer], TickBlocks] | None = None,
    pending: dict[str, list[Rows]] | None = None,
) -> WarehouseSink:
    """`process` to its tables; `pending`: rows of former owners that may not be stored."""
    return WarehouseSink(
        lambda: BackgroundWriter(settings.clickhouse, make_ticks=make_ticks),
        _MERGE_TICKS if make_ticks else _MERGE_ROWS,
        every_epoch=every_epoch or settings.run.mode != "replay",
        process=process,
        shards=bus.partitions(TICKS) if bus else 1,
        pending=pending,
    )


def is_end(message: Message) -> bool:
    """A replay's last."""
    return message.key == "marker.end"


def report_stored(bus: Bus, process: str, marker: TickMarker) -> None:
    """Tell the replay that this process has stored all its rows before the marker."""
    detail = "training part stored"
    control = Control("stored", marker.run_id, marker.ts_event_us, process, detail)
    bus.publish(CONTROL, "stored", codec.encode(control), f"{marker.run_id}.stored.{process}")
