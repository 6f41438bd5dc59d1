"""Composition of the flow of signals: settings, what is signed and the desk to its steps.

What numba and ONNX Runtime belong to is imported when the flow is built: it takes seconds.
"""

import threading
from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from bytewax.dataflow import Dataflow

from adapters.bus.base import Bus
from core import session_note
from core.clock import SystemClock
from core.contracts.tick import TickArray
from core.desk import Desk
from core.health import Health
from core.metrics import Histograms
from core.settings import Settings
from core.topics import TICKS
from streams import deal, shards
from streams.compose import drain_s, is_end, report_stored, state_directory, warehouse_sink
from streams.connectors.bus import BusSource
from streams.shards import Shards

if TYPE_CHECKING:
    from features.own import LoadedFeature
    from strategies.desk import Member
    from streams.decide import Decider, DeciderState
    from streams.predict import ModelInUse, ModelState
    from streams.rebuild_own import Moment
    from streams.sample import Sampler, SamplerState


class InForce(NamedTuple):
    """What a session decides by."""

    settings: Settings  # with the exits that were signed
    desk: Desk
    members: Sequence["Member"]
    features: Sequence["LoadedFeature"]

    @property
    def cut(self) -> Shards:
        """How the flow is cut, with the symbols that strategies see together."""
        groups = sorted({tuple(group) for member in self.members for group in member.groups})
        return Shards(shards.of_flow("signals", self.settings.streams), tuple(groups))

    @property
    def needs_champion(self) -> bool:
        """Whether any strategy decides by it."""
        return any(one.strategy.needs_model and one.sees_champion for one in self.members)


def signals(
    settings: Settings,
    bus: Bus,
    stopping: threading.Event,
    histograms: Histograms,
    health: Health,
) -> Dataflow:
    """bus: ticks -> feature, prediction, signal; bus: signals."""
    from features.compiled import compile_apart

    compile_apart()  # before what follows imports the kernel

    from streams.announce import Announcer
    from streams.flows import signals as signals_flow
    from streams.publish import SignalPublisher
    from streams.signal_rows import decided_rows

    force = in_force(settings)
    run, number, cut = settings.run, settings.streams.shard, force.cut
    begun = deal.begin_of(state_directory(settings, "signals"))
    steps = Steps(force, bus, histograms, health, begun)
    announcer = Announcer(bus, run, steps.clock, stopping) if steps.clock else None
    process = shards.names("streams.signals", cut.total)[number]
    parts = signals_flow.FlowParts(
        make_sampler=steps.sampler,
        make_model=steps.model,
        make_decider=steps.decider,
        publisher=SignalPublisher(bus, histograms, cut.total, number),
        to_rows=lambda decided: decided_rows(run, decided, steps.clock),
        on_predicted=announcer.note if announcer else lambda _predicted: None,
        on_trained_part_stored=partial(report_stored, bus, process),
    )
    source = BusSource(
        bus, TICKS, stopping, is_end,
        decode=partial(signals_flow.decode, shards=cut, number=number, dealt=begun),
        start_sequence=begun.sequences.get(TICKS.name, 1), drain_s=drain_s(settings),
    )  # fmt: skip
    sink = warehouse_sink(settings, "streams.signals", bus, pending=begun.pending)
    return signals_flow.build(source, parts, sink)


def in_force(settings: Settings) -> InForce:
    """What is signed, or set, now.

    Raises:
        SettingsError: it is not what the session was begun with, or names what there is not.
    """
    from core.controls import desks, own_features
    from core.controls.approvals import with_signed_exits
    from core.controls.entry import sha256
    from features import own
    from strategies import desk

    clock = SystemClock()
    named = desks.in_force(settings, clock)
    folder_of = cache(lambda use: desks.folder_of(settings, use, SystemClock()))
    features = own.use(own.of_folder(own_features.folder_of(settings, clock)))
    kept = own_features.content(settings, clock)
    session_note.check(settings, desk.digest(named, folder_of), sha256(kept) if kept else "")
    settings = with_signed_exits(settings, clock)
    if settings.run.mode != "replay":
        named.refuse_unknown_symbols(settings.terminal.symbols)
    return InForce(settings, named, desk.members(named, settings, folder_of), features)


class Steps:
    """Makes each step of the flow, with the memory of before a restart or of former owners."""

    def __init__(
        self, force: InForce, bus: Bus, histograms: Histograms, health: Health, dealt: deal.Begin
    ) -> None:
        self._force, self._bus, self._histograms, self._health = force, bus, histograms, health
        self._settings, self._replayed = force.settings, force.settings.run.mode == "replay"
        self._dealt = dealt.states.get(("decide", "shard-0"), (None, None, None))
        self.clock = None if self._replayed else SystemClock()

    def sampler(self, state: "SamplerState | None") -> "Sampler":
        """From ticks to rows of features."""
        from streams.fitted import fitted
        from streams.rebuild import current_state
        from streams.rebuild_own import with_own_features
        from streams.sample import Sampler

        every_ms, features = self._settings.features.sample_ms, self._force.features
        own = fitted(state or self._dealt[0], self._force.cut, self._settings.streams.shard)
        known = current_state(own, self._stored_ticks, every_ms)
        known = with_own_features(known, features, self._stored_ticks, self._began)
        return Sampler(every_ms, self._histograms, known, keep_hours=True, features=features)

    def model(self, state: "ModelState | None") -> "ModelInUse":
        """Live, the files decide which one; in a replay, the last marker did."""
        from features import own
        from features.catalog import NAMES
        from models.serving.in_use import Chosen
        from streams.champion import ChampionWatch, chosen_now
        from streams.predict import ModelInUse
        from streams.rebuild import current_past

        models, named = self._settings.home_path / "models", self._force.desk.named_models
        known = current_past(state or self._dealt[1], len(NAMES) + len(own.in_use()))
        use = partial(
            ModelInUse, models, self._histograms, state=known, on_problem=self._report_problem,
            named=named,
        )  # fmt: skip
        if self._replayed or not self._force.needs_champion:
            return use(chosen=Chosen(known.model if known and self._replayed else ""))
        signals = self._settings.signals
        changes = ChampionWatch(self._bus, models, signals, self._report_problem)
        return use(chosen=chosen_now(models, signals), changes=changes)

    def decider(self, state: "DeciderState | None") -> "Decider":
        """From rows and predictions to signals."""
        from streams.decide import Decider

        return Decider(self._settings.run, self._force.members, self.clock, state or self._dealt[2])

    def _report_problem(self, problem: str) -> None:
        # Still ready: it decides with the members that are left.
        self._health.set("ready", problem or "signals")

    def _stored_ticks(self, source: str, symbol: str, first: int, last: int) -> Iterator[TickArray]:
        from adapters.clickhouse import client
        from adapters.clickhouse.tick_reader import read_ticks

        return read_ticks(client.connect(self._settings.clickhouse), source, symbol, first, last)

    def _began(self, source: str, symbol: str) -> "Moment | None":
        from adapters.clickhouse import client
        from streams.rebuild_own import began_in_run

        run_id = self._settings.run.run_id
        return began_in_run(client.connect(self._settings.clickhouse), run_id, source, symbol)
