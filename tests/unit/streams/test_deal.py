"""The signals flow on one shard, then two, three and one again: what one alone gives, once.

The shards stop at different places of the bus, as they do when processes are killed; a pair's legs
have different owners.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from core.contracts import codec
from core.contracts.order import PositionState
from core.contracts.signal import Signal
from core.contracts.tick import TickBatch
from core.desk import parse
from core.errors import BusyError, SettingsError
from core.metrics import Histograms
from core.sections import RiskSettings, RunSettings
from core.settings import Settings
from core.topics import SIGNALS, TICKS
from models.serving.in_use import Chosen
from strategies.desk import members
from streams import cluster, deal, exposure, layout
from streams.connectors.bus import BusSource
from streams.deal_flows import deal_anew
from streams.decide import Decider
from streams.fitted import fitted
from streams.flows import signals as flow
from streams.portfolio_risk import RiskFold
from streams.predict import ModelInUse
from streams.publish import SignalPublisher
from streams.records import Decided
from streams.sample import Sampler
from streams.shards import Shards, owner
from tests.support.memory_bus import MemoryBus
from tests.support.recordings import recorded_ticks

RUN = RunSettings("live", "demo", "desk", "desk")
#: Of the same hours; two are another's ticks under a name of their own.
SYMBOLS = {"EURUSD": "EURUSD_oanda", "XAUUSD": "XAUUSD_oanda", "NZDUSD": "NZDUSD_oanda",
           "EURCHF": "EURUSD_oanda", "XAGUSD": "XAUUSD_oanda"}  # fmt: skip
DESK = """
[strategies.out]
use = "breakout"

[strategies.apart]
pairs = [["EURUSD", "XAUUSD"]]
"""
APART = """
import numpy as np

from features.catalog import NAMES

SPREAD = NAMES.index("spread_bp")


class Apart:
    name, horizon_s, needs_model = "apart", 30.0, False

    def __init__(self, settings):
        pass

    def pair_targets(self, rows, age_s):
        gap = np.nan_to_num(rows[:, 0, SPREAD] - rows[:, 1, SPREAD]) * (age_s < 10).all(axis=1)
        side = np.sign(gap)[:, None] * np.array([-1, 1])
        return side, np.full(age_s.shape, 0.5), np.full(age_s.shape, 1.0)
"""
MINUTES = 24


def ticks_by_second() -> Iterator[list[tuple[str, bytes, int]]]:
    """What each feed quoted in each second: symbol, ticks, offset."""
    offsets = Counter[str]()
    kept = {symbol: recorded_ticks(name).copy() for symbol, name in SYMBOLS.items()}
    begin = max(int(ticks["time_msc"][0]) for ticks in kept.values()) // 1000
    for ticks in kept.values():
        ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    for second in range(begin, begin + 60 * MINUTES):
        batches = []
        for symbol, ticks in kept.items():
            first, end = np.searchsorted(ticks["time_msc"], [second * 1000, second * 1000 + 1000])
            if end > first:
                batches.append((symbol, ticks[first:end].tobytes(), offsets[symbol]))
                offsets[symbol] += int(end - first)
        yield batches


class World:
    """A bus, a home, and all that came out of flows over them."""

    def __init__(self, folder: Path) -> None:
        self.bus, self.states = MemoryBus(), folder / "state"
        self.decided: list[Decided] = []
        self._seconds = ticks_by_second()
        self._home, self._settings = folder, Settings(str(folder), run=RUN)
        (folder / "apart.py").write_text(APART)
        desk = parse(DESK.encode(), "desk")
        self._members = members(desk, self._settings, lambda _use: folder)

    def publish(self, seconds: int) -> None:
        for _, batches in zip(range(seconds), self._seconds, strict=False):
            for symbol, ticks, offset in batches:
                batch = TickBatch("live", "demo", "oanda", symbol, offset, 0, ticks)
                name = f"{symbol}.{offset}"
                self.bus.send(TICKS, f"oanda.{symbol}", codec.encode(batch), name)

    def run(self, count: int, number: int) -> None:
        """One shard, until it has read all there is."""
        shards = Shards(count, (("EURUSD", "XAUUSD"),))
        state = layout.of_shard(self.states, "signals", count, number)
        begun, ending = deal.begin_of(state), Event()
        ending.set()
        dealt: Any = begun.states.get(("decide", "shard-0"), (None, None, None))
        measured = Histograms()
        parts = flow.FlowParts(
            make_sampler=lambda kept: Sampler(
                1000, measured, fitted(kept or dealt[0], shards, number), keep_hours=True
            ),
            make_model=lambda kept: ModelInUse(
                self._home / "models", measured, Chosen(""), kept or dealt[1]
            ),
            make_decider=lambda kept: Decider(RUN, self._members, None, kept or dealt[2]),
            publisher=SignalPublisher(self.bus, measured, count, number),
            to_rows=lambda decided: self.decided.append(decided) or [],  # type: ignore[func-returns-value]
            on_predicted=lambda _predicted: None,
            on_trained_part_stored=lambda _marker: None,
        )
        decode = partial(flow.decode, shards=shards, number=number, dealt=begun)
        source = BusSource(
            self.bus, TICKS, ending, decode=decode, start_sequence=begun.sequences.get("ticks", 1)
        )
        state.parent.mkdir(parents=True, exist_ok=True)
        cluster.run(flow.build(source, parts, _Nowhere()), state, self._settings)

    def rows(self) -> dict[tuple[str, int, int], bytes]:
        """Every feature row, which came once."""
        rows: dict[tuple[str, int, int], bytes] = {}
        for sampled in (decided.predicted.sampled for decided in self.decided):
            names = zip(sampled.time_msc.tolist(), sampled.seq.tolist(), strict=True)
            for n, name in enumerate(names):
                assert (sampled.symbol, *name) not in rows
                rows[sampled.symbol, *name] = sampled.features[n].tobytes()
        return rows

    def signals(self) -> dict[str, list[Signal]]:
        """By feed, in the order of the bus."""
        kept: dict[str, list[Signal]] = {}
        for signal in self.bus.messages(SIGNALS):
            assert isinstance(signal, Signal)
            kept.setdefault(signal.symbol, []).append(signal)
        return kept


class _Nowhere(DynamicSink[Any]):
    def build(self, step_id: str, worker_index: int, worker_count: int) -> "_NowhereAtAll":
        return _NowhereAtAll()


class _NowhereAtAll(StatelessSinkPartition[Any]):
    def write_batch(self, items: list[Any]) -> None:
        """Rows were kept before they came here."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("alone"))
    world.publish(60 * MINUTES)
    world.run(1, 0)
    return world


def test_shards_that_come_and_go_give_what_one_alone_gives(alone: World, tmp_path: Path) -> None:
    assert owner("oanda.EURUSD", 3) != owner("oanda.XAUUSD", 3)
    world = World(tmp_path)
    world.publish(200)
    world.run(1, 0)
    assert deal_anew(world.states, "signals", 2) == 1
    for number in (1, 0):  # the second to run comes further
        world.publish(130)
        world.run(2, number)
    assert deal_anew(world.states, "signals", 3) == 2
    for number in (2, 0, 1):
        world.publish(100)
        world.run(3, number)
    # Dealt twice without having run, and killed in between.
    assert deal_anew(world.states, "signals", 4) == 3
    assert deal_anew(world.states, "signals", 1) == 4
    world.publish(60 * MINUTES)
    world.run(1, 0)
    assert world.rows() == alone.rows()
    assert world.signals() == alone.signals()
    deciding = {(s.strategy, s.symbol) for feed in alone.signals().values() for s in feed}
    assert deciding >= {("apart", "EURUSD"), ("apart", "XAUUSD"), ("out", "NZDUSD")}
    assert {symbol for symbol, _, _ in alone.rows()} == set(SYMBOLS)
    ids = [signal.signal_id for signal in world.bus.messages(SIGNALS)]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids))


def test_state_of_another_number_is_refused_and_none_is_begun_beside_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(20)
    world.run(1, 0)
    for count, number in ((2, 0), (2, 1)):
        with pytest.raises(SettingsError, match=f"tickhouse shards {count}"):
            world.run(count, number)
    with deal.held(world.states / "signals"), pytest.raises(BusyError, match="SIGTERM"):
        deal_anew(world.states, "signals", 2)
    assert [*layout.counts(world.states, "signals")] == [1]


def test_a_deal_that_was_cut_short_is_ended_by_the_next(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish(20)
    world.run(1, 0)
    old = deal.read(world.states, "signals", 1)
    deal.write(old * 2, world.states, "signals")
    (world.states / "signals.2").rename(world.states / "signals.dealt")  # killed after the rename
    with pytest.raises(SettingsError, match="which ends it"):
        world.run(2, 0)
    assert deal_anew(world.states, "signals", 2) == 2
    assert [*layout.counts(world.states, "signals")] == [2]
    assert deal_anew(world.states, "nothing_yet", 2) == 0


ACCOUNTS = ("desk", "alpha", "beta", "gamma", "delta")


def position(account: str, seq: int) -> PositionState:
    return PositionState(
        run_id="live", mode="demo", account=account, strategy="out", source="oanda",
        symbol="EURUSD", ts_event_us=60_000_000, ts_init_us=60_000_000, seq=seq, volume=seq / 10,
        price=1.1, stop_price=0.0, profit_realised=0.0,
    )  # fmt: skip


def test_accounts_keep_their_exposure_and_their_book_wherever_they_go(tmp_path: Path) -> None:
    fold, states = RiskFold(RUN, RiskSettings()), dict[tuple[str, str], Any]()
    for account in ACCOUNTS:
        fold.event(position(account, 3))
        states["exposure", account] = exposure.fold(None, position(account, 3))[0]
    states["risk", "risk"] = fold
    sequences = {"ticks": 70, "order_events": 40, "risk": 5, "heartbeats": 9}
    begun = deal.Begin(sequences, states, {"position": ["a block"]}, {}, {})
    deal.write([begun], tmp_path, "executions")
    pending = []
    for before, count in ((1, 3), (3, 2), (2, 1)):
        assert deal_anew(tmp_path, "executions", count) == before
        held = Counter[str]()
        for number in range(count):
            place = layout.of_shard(tmp_path, "executions", count, number)
            dealt = deal.begin_of(place)
            assert dealt.sequences == sequences
            mine = {account for account in ACCOUNTS if owner(account, count) == number}
            assert set(dealt.states["risk", "risk"].accounts) == mine
            held.update(key for step, key in dealt.states if step == "exposure")
            pending += dealt.pending.get("position", [])
            for account in mine:
                kept = dealt.states["exposure", account]
                assert exposure.fold(kept, position(account, 3))[1] == []  # known already
                assert exposure.fold(kept, position(account, 4))[1][0].net_lots == 0.4
        assert held == Counter(ACCOUNTS)
    assert pending == ["a block"] * 3  # once at each deal


def test_ticks_begin_at_the_earliest_place_and_no_block_is_forgotten(tmp_path: Path) -> None:
    old = [
        deal.Begin({"ticks": place}, {}, {"tick": [f"block {place}"]}, {}, {})
        for place in (90, 80, 85)
    ]
    deal.write(old, tmp_path, "ticks")
    assert deal_anew(tmp_path, "ticks", 2) == 3
    dealt = [deal.begin_of(layout.of_shard(tmp_path, "ticks", 2, number)) for number in (0, 1)]
    assert [one.sequences for one in dealt] == [{"ticks": 80}] * 2
    assert [one.pending for one in dealt] == [
        {"tick": ["block 90", "block 85"]}, {"tick": ["block 80"]}
    ]  # fmt: skip


def test_a_flow_that_had_a_source_for_each_topic_goes_on_where_these_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: dict[tuple[str, str], Any] = {
        ("executions.bus_risk", "risk"): (7, False),
        ("executions.bus_ticks", "ticks"): (9, False),
        ("executions.exposure", "desk"): "a state",
    }
    monkeypatch.setattr(deal, "committed", lambda _: steps)
    assert deal.starts(tmp_path / "executions", "executions") == {"risk": 7, "ticks": 9}
    steps["executions.topics", "topics"] = {"risk": (8, False), "heartbeats": (2, False)}
    assert deal.starts(tmp_path / "executions", "executions") == {
        "risk": 8, "ticks": 9, "heartbeats": 2,
    }  # fmt: skip
    (begin,) = deal.read(tmp_path, "executions", 1)
    assert begin.sequences == {"risk": 8, "ticks": 9, "heartbeats": 2}
    assert begin.states == {("exposure", "desk"): "a state"}
