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
from core.errors import SettingsError, UnavailableError
from core.health import Health
from core.identity import this_user
from core.metrics import Histograms
from core.settings import Settings
from core.topics import CONTROL, HEARTBEATS, MARKET_RISK, ORDER_EVENTS, RISK, TICKS
from streams import deal, layout, shards
from streams.connectors.bus import SEVERAL_TOPICS_S, BusSource
from streams.connectors.clickhouse import WarehouseSink
from streams.rows import Rows
from streams.shards import Shards

renamed.install()  # before a recovery store of 0.1 is read

if TYPE_CHECKING:
    from strategies.desk import Member
    from streams.flows.executions import RiskParts
    from streams.predict import ModelInUse, ModelState

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
        bus, TICKS, stopping, _is_end,
        belongs=partial(ticks_flow.belongs, count, number) if count > 1 else None,
        start_sequence=begun.sequences.get(TICKS.name, 1),
    )  # fmt: skip
    waits = partial(say_why_it_waits, health, stopping)
    report_stored = partial(_report_stored, bus, shards.names("streams.ticks", count)[number])
    make_ticks = partial(_tick_blocks, settings, waits)
    sink = _sink(settings, "streams.ticks", bus, make_ticks=make_ticks, pending=begun.pending)
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
    from streams.fitted import fitted
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
    number, cut = settings.streams.shard, _cut(settings, members)
    begun = deal.begin_of(state_directory(settings, "signals"))
    dealt = begun.states.get(("decide", "shard-0"), (None, None, None))
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
                current_state(
                    fitted(state or dealt[0], cut, number),
                    stored_ticks,
                    settings.features.sample_ms,
                ),
                features,
                stored_ticks,
                began,
            ),
            keep_hours=True,
            features=features,
        ),
        make_model=lambda state: _model(
            settings,
            bus,
            histograms,
            state or dealt[1],
            needs_model,
            report_problem,
            named.named_models,
        ),
        make_decider=lambda state: Decider(run, members, clock, state or dealt[2]),
        publisher=SignalPublisher(bus, histograms, cut.total, number),
        to_rows=lambda decided: decided_rows(run, decided, clock),
        on_predicted=announcer.note if announcer else lambda _predicted: None,
        on_trained_part_stored=partial(
            _report_stored, bus, shards.names("streams.signals", cut.total)[number]
        ),
    )
    decode = partial(signals_flow.decode, shards=cut, number=number, dealt=begun)
    start = begun.sequences.get(TICKS.name, 1)
    source = BusSource(bus, TICKS, stopping, _is_end, decode, start_sequence=start)
    sink = _sink(settings, "streams.signals", bus, pending=begun.pending)
    return signals_flow.build(source, parts, sink)


def _cut(settings: Settings, members: Sequence["Member"]) -> Shards:
    """How the signals flow is cut, with the symbols that strategies see together."""
    groups = sorted({tuple(group) for member in members for group in member.groups})
    return Shards(shards.of_flow("signals", settings.streams), tuple(groups))


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

    count, number = shards.of_flow("executions", settings.streams), settings.streams.shard
    ours = partial(executions_flow.belongs, count, number) if count > 1 else None
    begun = deal.begin_of(state_directory(settings, "executions"))
    sources = [
        (
            topic.name,
            BusSource(
                bus, topic, stopping, wait_s=SEVERAL_TOPICS_S, belongs=ours,
                start_sequence=begun.sequences.get(topic.name, 1),
            ),
        )
        for topic in (ORDER_EVENTS, RISK, HEARTBEATS)
    ]  # fmt: skip
    sink = _sink(settings, "streams.executions", every_epoch=True, pending=begun.pending)
    exposed = settings.run.mode != "replay" and not settings.bus.is_kafka
    risk = _risk(settings, bus, stopping, begun) if settings.risk.enabled else None
    known = {key: state for (step, key), state in begun.states.items() if step == "exposure"}
    return executions_flow.build(sources, sink, exposed=exposed, risk=risk, known=known)


def _risk(
    settings: Settings, bus: Bus, stopping: threading.Event, dealt: deal.Begin
) -> "RiskParts":
    """What can be lost, from ticks and order events."""
    from risk.stress import available
    from streams.flows.executions import RiskParts
    from streams.portfolio_risk import RiskFold

    scenarios = available(settings.home_path)

    def publish(figures: MarketRiskMessage) -> None:
        bus.send(MARKET_RISK, "market", codec.encode(figures))

    def begun(state: RiskFold | None) -> RiskFold:
        kept = state or dealt.states.get(("risk", "risk"))
        fold = kept or RiskFold(settings.run, settings.risk)
        fold.use(scenarios, leads=settings.streams.shard == 0)
        return fold

    start = dealt.sequences.get(TICKS.name, 1)
    source = BusSource(bus, TICKS, stopping, wait_s=SEVERAL_TOPICS_S, start_sequence=start)
    return RiskParts(source, begun, publish)


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
    pending: dict[str, list[Rows]] | None = None,
) -> WarehouseSink:
    return WarehouseSink(
        lambda: BackgroundWriter(settings.clickhouse, make_ticks=make_ticks),
        _MERGE_TICKS if make_ticks else _MERGE_ROWS,
        every_epoch=every_epoch or settings.run.mode != "replay",
        process=process,
        shards=bus.partitions(TICKS) if bus else 1,
        pending=pending,
    )


def _is_end(message: Message) -> bool:
    return message.key == "marker.end"


def _report_stored(bus: Bus, process: str, marker: TickMarker) -> None:
    """Tell the replay that this process has stored all its rows before the marker."""
    detail = "training part stored"
    control = Control("stored", marker.run_id, marker.ts_event_us, process, detail)
    bus.publish(CONTROL, "stored", codec.encode(control), f"{marker.run_id}.stored.{process}")
