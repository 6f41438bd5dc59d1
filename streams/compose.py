"""Composition: settings, bus and warehouse to the three flows.

Each flow's own parts are imported when it is built: numba and ONNX Runtime take two seconds, and
only the signals flow needs them.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bytewax.dataflow import Dataflow

from adapters.bus.base import Bus, Message
from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.tick_blocks import FeedPolicy, TickBlocks
from adapters.clickhouse.writer import Writer
from core import renamed, session_note
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Control
from core.contracts.risk import MarketRiskMessage
from core.contracts.tick import TickArray, TickMarker
from core.errors import UnavailableError
from core.health import Health
from core.identity import this_user
from core.metrics import Histograms
from core.settings import Settings
from core.topics import CONTROL, HEARTBEATS, MARKET_RISK, ORDER_EVENTS, RISK, TICKS
from streams.connectors.bus import SEVERAL_TOPICS_S, BusSource
from streams.connectors.clickhouse import WarehouseSink

renamed.install()  # before a recovery store of 0.1 is read

if TYPE_CHECKING:
    from streams.flows.executions import RiskParts
    from streams.predict import ModelInUse, ModelState

#: A block of these costs the warehouse half of what blocks of 30,000 do, and 10 MB of memory.
_MERGE_ROWS = 131_072
#: Ticks come with their bars, which are made once a block: twice as many cost a third less each.
_MERGE_TICKS = 262_144


def state_directory(settings: Settings, flow: str) -> Path:
    """Where a flow's recovery state lives; a replay's with the run."""
    home = settings.home_path
    base = home / "runs" / settings.run.run_id if settings.run.mode == "replay" else home
    return base / "state" / flow


def ticks(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: ticks -> tick, tick_quarantine."""
    from streams.flows import ticks as ticks_flow

    source = BusSource(bus, TICKS, stopping, _is_end)
    waits = partial(say_why_it_waits, health, stopping)
    report_stored = partial(_report_stored, bus, "streams.ticks")
    sink = _sink(settings, "streams.ticks", bus, make_ticks=partial(_tick_blocks, settings, waits))
    return ticks_flow.build(source, sink, report_stored)


def signals(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: ticks -> feature, prediction, signal; bus: signals."""
    from adapters.clickhouse import client
    from adapters.clickhouse.tick_reader import read_ticks
    from core.controls import desks, own_features
    from core.controls.approvals import with_signed_exits
    from core.controls.entry import sha256
    from features import own
    from strategies import desk
    from streams.announce import Announcer
    from streams.decide import Decider
    from streams.flows import signals as signals_flow
    from streams.publish import SignalPublisher
    from streams.rebuild import current_state
    from streams.rebuild_own import Moment, began_in_run, with_own_features
    from streams.sample import Sampler
    from streams.signal_rows import decided_rows

    run, named = settings.run, desks.in_force(settings, SystemClock())
    folder_of = cache(lambda use: desks.folder_of(settings, use, SystemClock()))
    features = own.use(own.of_folder(own_features.folder_of(settings, SystemClock())))
    kept = own_features.content(settings, SystemClock())
    session_note.check(settings, desk.digest(named, folder_of), sha256(kept) if kept else "")
    settings = with_signed_exits(settings, SystemClock())
    if run.mode != "replay":
        named.refuse_unknown_symbols(settings.terminal.symbols)
    members = desk.members(named, settings, folder_of)
    needs_model = any(one.strategy.needs_model and one.sees_champion for one in members)
    clock = None if run.mode == "replay" else SystemClock()
    announcer = Announcer(bus, run, clock, stopping) if clock else None

    def stored_ticks(source: str, symbol: str, first: int, last: int) -> Iterator[TickArray]:
        return read_ticks(client.connect(settings.clickhouse), source, symbol, first, last)

    def began(source: str, symbol: str) -> Moment | None:
        return began_in_run(client.connect(settings.clickhouse), run.run_id, source, symbol)

    def report_problem(problem: str) -> None:
        # Still ready: it decides with the members that are left.
        health.set("ready", problem or "signals")

    parts = signals_flow.FlowParts(
        make_sampler=lambda state: Sampler(
            settings.features.sample_ms,
            histograms,
            with_own_features(
                current_state(state, stored_ticks, settings.features.sample_ms),
                features,
                stored_ticks,
                began,
            ),
            keep_hours=True,
            features=features,
        ),
        make_model=lambda state: _model(
            settings, bus, histograms, state, needs_model, report_problem, named.named_models
        ),
        make_decider=lambda state: Decider(run, members, clock, state),
        publisher=SignalPublisher(bus, histograms),
        to_rows=lambda decided: decided_rows(run, decided, clock),
        on_predicted=announcer.note if announcer else lambda _predicted: None,
        on_trained_part_stored=partial(_report_stored, bus, "streams.signals"),
    )
    source = BusSource(bus, TICKS, stopping, _is_end, signals_flow.decode)
    return signals_flow.build(source, parts, _sink(settings, "streams.signals", bus))


def _model(
    settings: Settings,
    bus: Bus,
    histograms: Histograms,
    state: "ModelState | None",
    needed: bool,
    report_problem: Callable[[str], None],
    named: Sequence[str],
) -> "ModelInUse":
    """Live, the files decide which one; in a replay, the last marker did. `named`: the desk's."""
    from features import own
    from features.catalog import NAMES
    from models.serving.in_use import Chosen
    from streams.champion import ChampionWatch, chosen_now
    from streams.predict import ModelInUse
    from streams.rebuild import current_past

    models, replayed = settings.home_path / "models", settings.run.mode == "replay"
    known = current_past(state, len(NAMES) + len(own.in_use()))
    if replayed or not needed:
        held = Chosen(known.model if known and replayed else "")
        return ModelInUse(models, histograms, held, known, on_problem=report_problem, named=named)
    changes = ChampionWatch(bus, models, settings.signals, report_problem)
    now = chosen_now(models, settings.signals)
    return ModelInUse(models, histograms, now, known, changes, report_problem, named)


def executions(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: order_events, risk, heartbeats -> their tables, and what follows from order events."""
    from streams.flows import executions as executions_flow

    sources = [
        (topic.name, BusSource(bus, topic, stopping, wait_s=SEVERAL_TOPICS_S))
        for topic in (ORDER_EVENTS, RISK, HEARTBEATS)
    ]
    sink = _sink(settings, "streams.executions", every_epoch=True)
    exposed = settings.run.mode != "replay" and not settings.bus.is_kafka
    risk = _risk(settings, bus, stopping) if settings.risk.enabled else None
    return executions_flow.build(sources, sink, exposed=exposed, risk=risk)


def _risk(settings: Settings, bus: Bus, stopping: threading.Event) -> "RiskParts":
    """What can be lost, from ticks and order events."""
    from risk.stress import available
    from streams.flows.executions import RiskParts
    from streams.portfolio_risk import RiskFold

    scenarios = available(settings.home_path)

    def publish(figures: MarketRiskMessage) -> None:
        bus.send(MARKET_RISK, "market", codec.encode(figures))

    def begun(state: RiskFold | None) -> RiskFold:
        fold = state or RiskFold(settings.run, settings.risk)
        fold.use(scenarios)
        return fold

    return RiskParts(BusSource(bus, TICKS, stopping, wait_s=SEVERAL_TOPICS_S), begun, publish)


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


def _sink(
    settings: Settings,
    process: str,
    bus: Bus | None = None,
    *,
    every_epoch: bool = False,
    make_ticks: Callable[[Writer], TickBlocks] | None = None,
) -> WarehouseSink:
    return WarehouseSink(
        lambda: BackgroundWriter(settings.clickhouse, make_ticks=make_ticks),
        _MERGE_TICKS if make_ticks else _MERGE_ROWS,
        every_epoch=every_epoch or settings.run.mode != "replay",
        process=process,
        shards=bus.partitions(TICKS) if bus else 1,
    )


def _is_end(message: Message) -> bool:
    return message.key == "marker.end"


def _report_stored(bus: Bus, process: str, marker: TickMarker) -> None:
    """Tell the replay that this process has stored all its rows before the marker."""
    detail = "training part stored"
    control = Control("stored", marker.run_id, marker.ts_event_us, process, detail)
    bus.publish(CONTROL, "stored", codec.encode(control), f"{marker.run_id}.stored.{process}")
