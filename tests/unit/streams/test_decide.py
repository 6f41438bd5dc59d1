"""From predictions to signals: what opens nothing, and how large the rest is."""

import hashlib
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.clock import ManualClock
from core.contracts.signal import OrderSignal, Signal
from core.contracts.tick import TickMarker
from core.desk import Desk, parse
from core.errors import SettingsError, TickhouseError
from core.sections import RunSettings, SignalSettings
from core.settings import Settings
from features.catalog import NAMES
from models.serving.predictor import Predictions
from strategies.desk import Member, members
from strategies.orders_form import Order, Orders
from strategies.pairs_form import CheckedPairs
from strategies.protocol import ModelStrategy, Targets
from streams.decide import Decider, memory_key
from streams.pair_rows import PairRows
from streams.records import Predicted, Sampled

SETTINGS = SignalSettings(threshold=0.55, slippage_bp=0.1, min_agreement=0.6)
ALONE = Member("model", ModelStrategy(SETTINGS), SETTINGS)


def predicted(
    up: float = 0.8, agreement: float = 0.9, veto: bool = False, edge_bp: float = 5.0,
    share: float = 1.0,
) -> Predicted:  # fmt: skip
    features = np.zeros((1, len(NAMES)), np.float32)
    features[0, NAMES.index("spread_bp")] = 1.0
    sampled = Sampled(
        run_id="r", mode="live", source="sim", symbol="A", received_ns=0,
        time_msc=np.array([60_000]), seq=np.zeros(1, np.uint32), mid=np.ones(1),
        spread=np.full(1, 1e-4), features=features,
    )  # fmt: skip
    p = np.array([[0.9 - up, 0.1, up]], np.float32)
    predictions = Predictions(
        p, np.float32([agreement]), np.array([veto]), np.zeros(1, np.uint32), p[None],
        np.zeros(1, np.uint32),
    )  # fmt: skip
    return Predicted(sampled, "m", predictions, np.array([edge_bp]), share)


def decide(**more: float) -> list[float]:
    decider = Decider(RunSettings(), [ALONE], ManualClock(0), None)
    return [signal.target for signal in decider.rows(predicted(**more)).signals]


def test_an_edge_beyond_costs_opens_as_much_as_it_pays_for() -> None:
    assert decide() == [1.0]
    assert decide(edge_bp=1.6) == [0.5]  # costs 1.1
    assert decide(up=0.05, edge_bp=-5.0) == [-1.0]


@pytest.mark.parametrize(
    "why",
    [{"agreement": 0.5}, {"veto": True}, {"edge_bp": 1.0}, {"up": 0.5}, {"edge_bp": -5.0}],
)
def test_doubt_opens_nothing(why: dict[str, float]) -> None:
    assert decide(**why) == []


def test_a_new_champion_opens_less() -> None:
    assert decide(share=0.5) == [0.5]


def test_confidence_counts_how_far_the_members_agree() -> None:
    decider = Decider(RunSettings(), [ALONE], ManualClock(0), None)
    (signal,) = decider.rows(predicted(up=0.8, agreement=0.75)).signals
    assert signal.confidence == pytest.approx(0.6)


def sampled_rows(symbol: str, rows: int, seed: int) -> Sampled:
    """Rows, one a second, whose moving averages cross now and then."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, len(NAMES))).astype(np.float32)
    features[:, NAMES.index("volatility_60s")] = 3.0
    return Sampled(
        run_id="r", mode="replay", source="sim", symbol=symbol, received_ns=1,
        time_msc=60_000 + 1000 * np.arange(rows), seq=np.zeros(rows, np.uint32),
        mid=np.ones(rows), spread=np.full(rows, 1e-4), features=features,
    )  # fmt: skip


def cut(sampled: Sampled, begin: int, end: int) -> Predicted:
    names = ("time_msc", "seq", "mid", "spread", "features")
    part = sampled._replace(**{name: getattr(sampled, name)[begin:end] for name in names})
    return Predicted(part, "", None)


DESK = parse(
    b"""[strategies.fast]\nuse = "ema_cross"\nsymbols = ["A"]\n[strategies.fast.signals]
horizon_s = 20\nstop_spreads = 3\n[strategies.fast.exits]\ntake_profit_stops = 2
[strategies.breakout]\n[strategies.scripted]\n""",
    "desk.toml",
)


def of_desk(desk: Desk, *, alone: bool = False) -> tuple[Member, ...]:
    all_of_it = members(desk, Settings(), lambda _use: Path("nowhere"))
    return tuple(member._replace(alone=alone or member.alone) for member in all_of_it)


def test_a_strategy_on_a_desk_decides_what_it_decides_alone() -> None:
    feeds = [sampled_rows("A", 900, 1), sampled_rows("B", 900, 2)]
    together = Decider(RunSettings(), of_desk(DESK), None, None)
    decided = [s for feed in feeds for s in together.rows(cut(feed, 0, 900)).signals]
    assert {(s.strategy, s.symbol) for s in decided} == {
        ("fast", "A"), ("breakout", "A"), ("breakout", "B"), ("scripted", "A"), ("scripted", "B"),
    }  # fmt: skip
    for one in of_desk(DESK, alone=True):
        lonely = Decider(RunSettings(), [one], None, None)
        own = [s for feed in feeds for s in lonely.rows(cut(feed, 0, 900)).signals]
        assert own == [s for s in decided if s.strategy == one.name] != []
    assert all(s.take_profit > 0 for s in decided if s.strategy == "fast")


def test_a_desk_decides_the_same_however_rows_are_cut_and_after_every_restart() -> None:
    feed, whole = sampled_rows("A", 600, 3), Decider(RunSettings(), of_desk(DESK), None, None)
    expected = whole.rows(cut(feed, 0, 600)).signals
    state, signals, bounds = None, [], [0, 1, 2, 50, 51, 333, 600]
    for begin, end in pairwise(bounds):
        decider = Decider(RunSettings(), of_desk(DESK), None, state)
        signals += decider.rows(cut(feed, begin, end)).signals
        state = pickle.loads(pickle.dumps(decider.state))
    assert signals == list(expected) != []
    end = Decider(RunSettings(), of_desk(DESK), None, state).marker(TickMarker("r", "end", 1, 0))
    assert end is not None
    assert end.batch.signals == sorted(
        expected, key=lambda s: (s.ts_event_us, s.source, s.symbol, s.seq)
    )


def test_a_strategy_that_begins_alone_goes_on_with_what_the_feed_held() -> None:
    """What the warehouse says was held before is the same as what the stream remembers."""
    feed, desk = sampled_rows("A", 600, 4), Decider(RunSettings(), of_desk(DESK), None, None)
    signals = desk.rows(cut(feed, 0, 600)).signals
    held, _ = desk.state
    newest = max(signals, key=lambda s: (s.ts_event_us, s.seq, s.strategy))
    assert held["sim.A"] == (np.sign(newest.target), newest.horizon_us // 1000)
    for name in DESK.names:
        own = [s for s in signals if s.strategy == name][-1]
        assert held[f"{name}/sim.A"] == (np.sign(own.target), own.horizon_us // 1000)


def test_a_strategy_without_a_model_does_not_see_what_is_predicted() -> None:
    blind = ALONE._replace(model="none")
    assert Decider(RunSettings(), [blind], ManualClock(0), None).rows(predicted()).signals == ()


class Climbing:
    """Remembers the sum of a column, and turns where it changes sign."""

    name, horizon_s, needs_model, state_size = "climbing", 30.0, False, 1

    def step(self, state: Any, row: Any, probabilities: Any) -> tuple[int, float]:
        before, state[0] = state[0], state[0] + row[0]
        return (int(np.sign(state[0])) if before * state[0] < 0 else 0), 0.5


CLIMBING = Member("climbing", Climbing(), SETTINGS, alone=False, version="v1")


def test_what_a_strategy_remembers_outlives_cuts_and_restarts_and_stands_beside_its_signals() -> (
    None
):
    feed = sampled_rows("A", 600, 5)
    whole = Decider(RunSettings(), [CLIMBING, *of_desk(DESK)], None, None).rows(cut(feed, 0, 600))
    own = [signal for signal in whole.signals if signal.strategy == "climbing"]
    assert [memory.signal for memory in whole.memories] == own != []
    state, signals, memories = None, [], []
    for begin, end in pairwise([0, 1, 2, 50, 333, 600]):
        decider = Decider(RunSettings(), [CLIMBING, *of_desk(DESK)], None, state)
        decided = decider.rows(cut(feed, begin, end))
        signals += decided.signals
        memories += decided.memories
        state = pickle.loads(pickle.dumps(decider.state))
    assert signals == list(whole.signals)
    assert memories == list(whole.memories)
    for memory in memories:  # the row alone, from what stands beside its signal
        at = int(np.flatnonzero(feed.time_msc == memory.signal.time_msc)[0])
        remembered = {memory_key(CLIMBING, "sim.A"): memory.state}
        again = Decider(RunSettings(), [CLIMBING], None, ({}, [], remembered))
        assert again.rows(cut(feed, at, at + 1)).signals == (memory.signal,)


def test_a_strategy_that_was_changed_remembers_nothing() -> None:
    feed, before = sampled_rows("A", 100, 6), Decider(RunSettings(), [CLIMBING], None, None)
    before.rows(cut(feed, 0, 50))
    changed = CLIMBING._replace(version="v2")
    after = Decider(RunSettings(), [changed], None, before.state)
    fresh = Decider(RunSettings(), [changed], None, before.state[:2])
    later = cut(feed, 50, 100)
    assert after.rows(later).memories == fresh.rows(later).memories != ()


PAIRS = parse(
    b"""[strategies.gap]\nuse = "pairs"\npairs = [["B", "A"], ["C", "D"]]
[strategies.gap.signals]\nparameters = "ranges=0.25,spreads=0.5,horizon_s=300"
[strategies.scripted]\n""",
    "desk.toml",
)


def three_feeds() -> list[Sampled]:
    """A ticks each second, B a little later and in two of three seconds; C's pair never comes."""
    feeds = [sampled_rows(symbol, 400, seed) for seed, symbol in enumerate("ABC")]
    there = np.arange(400) % 3 != 1
    late = feeds[1]._replace(time_msc=feeds[1].time_msc + 400)
    names = ("time_msc", "seq", "mid", "spread", "features")
    feeds[1] = late._replace(**{name: getattr(late, name)[there] for name in names})
    return feeds


def decided_by_slice(bounds: list[int], arrival: int = 1) -> list[Signal]:
    """Slices of market time, feed after feed as a replay has them, with a restart after each."""
    state, signals, deciding = None, list[Signal](), of_desk(PAIRS)
    for begin, end in pairwise(bounds):
        decider = Decider(RunSettings(), deciding, None, state)
        parts = [
            cut(feed, *np.searchsorted(feed.time_msc, [begin, end]).tolist())
            for feed in three_feeds()[::arrival]
        ]
        decider.observe([part.sampled for part in parts])
        for part in parts:
            signals += decider.rows(part).signals
        state = pickle.loads(pickle.dumps(decider.state))
    return sorted(signals, key=lambda s: (s.ts_event_us, s.symbol, s.strategy))


def test_a_pair_is_decided_the_same_however_the_stream_was_cut_and_after_every_restart() -> None:
    whole = decided_by_slice([0, 10_000_000])
    own = [s for s in whole if s.strategy == "gap"]
    assert {s.symbol for s in own} == {"A", "B"}
    assert decided_by_slice([0, 61_000, 61_700, 63_000, 200_000, 10_000_000]) == whole
    live = list(range(59_000, 180_000, 500))  # half a second at once, as polled
    assert decided_by_slice([0, *live, 10_000_000]) == whole
    assert decided_by_slice([0, *live, 10_000_000], arrival=-1) == whole


class Legs:
    """Of two symbols: the first waits below or above by the second, the second by nothing."""

    horizon_s, needs_model, group_size = 300.0, False, 2

    def pair_orders(self, rows: Any, age_s: Any) -> list[Any]:
        gap = np.nan_to_num(rows[:, 0, 0] - rows[:, 1, 0]) * (age_s < 30).all(axis=1)
        return [Orders(np.sign(gap) * (np.abs(gap) > 0.5), np.abs(gap), life_s=20.0), None]


def legs_by_slice(bounds: list[int]) -> list[Signal]:
    own: Any = CheckedPairs("legs", Legs())
    member = Member("legs", own, SETTINGS, groups=(("B", "A"),), symbols=("B", "A"))
    state, signals = None, list[Signal]()
    for begin, end in pairwise(bounds):
        decider = Decider(RunSettings(), [member], None, state)
        parts = [
            cut(feed, *np.searchsorted(feed.time_msc, [begin, end]).tolist())
            for feed in three_feeds()[:2]
        ]
        decider.observe([part.sampled for part in parts])
        for part in parts:
            signals += decider.rows(part).signals
        state = pickle.loads(pickle.dumps(decider.state))
    return sorted(signals, key=lambda s: (s.ts_event_us, s.symbol))


def test_orders_of_a_pair_wait_the_same_however_the_stream_was_cut() -> None:
    whole = legs_by_slice([0, 10_000_000])
    assert {s.symbol for s in whole} == {"B"}
    assert {type(s) for s in whole} == {OrderSignal}
    assert {s.action for s in whole if isinstance(s, OrderSignal)} == {"place", "cancel"}
    live = list(range(59_000, 180_000, 500))
    assert legs_by_slice([0, *live, 10_000_000]) == whole


@pytest.mark.parametrize(
    ("given", "problem"),
    [([None], "of 1 symbols"), ("ab", "not Orders"), (3, "failed")],
)
def test_orders_of_a_pair_without_a_form_are_said(given: Any, problem: str) -> None:
    class Wrong(Legs):
        def pair_orders(self, rows: Any, age_s: Any) -> Any:
            return given

    own: Any = CheckedPairs("wrong", Wrong())
    member = Member("wrong", own, SETTINGS, groups=(("B", "A"),), symbols=("B", "A"))
    decider = Decider(RunSettings(), [member], None, None)
    feeds = three_feeds()[:2]
    decider.observe(feeds)
    with pytest.raises(SettingsError, match=problem):
        decider.rows(cut(feeds[1], 0, 50))


def test_legs_of_a_pair_go_opposite_ways_and_see_what_both_were_two_seconds_before() -> None:
    feeds = three_feeds()
    rows = PairRows("AB", {})
    rows.observe(feeds)
    seen, age_s = rows.at("sim", ("A", "B", "Z"), np.array([62_999, 63_000]), len(NAMES))
    assert (seen[0, 0] == feeds[0].features[0]).all()  # of 60.000, not of 61.000
    assert (seen[1, 0] == feeds[0].features[1]).all()
    assert (seen[:, 1] == feeds[1].features[0]).all()  # of 60.400; it has none in second 61
    assert np.isnan(seen[:, 2]).all()
    assert age_s.ravel().tolist() == pytest.approx([2.999, 2.599, np.inf, 2.0, 2.6, np.inf])
    decided = [s for s in decided_by_slice([0, 10_000_000]) if s.strategy == "gap"]
    first = {symbol: next(s for s in decided if s.symbol == symbol) for symbol in "AB"}
    assert np.sign(first["A"].target) == -np.sign(first["B"].target)


def test_only_the_last_seconds_of_each_feed_are_remembered() -> None:
    decider = Decider(RunSettings(), of_desk(PAIRS), None, None)
    feeds = three_feeds()
    decider.observe([feeds[0], cut(feeds[1], 0, 5).sampled, feeds[2]])
    kept: Any = decider.state[-1]
    lengths = {key[1]: len(rows.time_msc) for key, rows in kept.items()}
    assert lengths == {"A": 10, "B": 5, "C": 10}  # B's own, however far the others are


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('use = "pairs"', "it looks at several symbols at once"),
        ('use = "pairs"\npairs = [["A", "B", "C"]]', "takes 2 symbols"),
        ('use = "ema_cross"\npairs = [["A", "B"]]', "looks at one symbol at a time"),
        ('use = "pairs"\npairs = [["A"]]', "two symbols at least"),
        ('use = "pairs"\npairs = [["A", "B"], ["C", "A"]]', "a symbol is named twice"),
        ('use = "pairs"\npairs = [["A", "B"]]\nsymbols = ["A"]', "leave `symbols` out"),
        ('use = "pairs"\npairs = ["A", "B"]', "Expected `array`"),
    ],
)
def test_what_is_wrong_with_pairs_is_said(text: str, problem: str) -> None:
    with pytest.raises(TickhouseError, match=problem):
        of_desk(parse(f"[strategies.one]\n{text}\n".encode(), "desk.toml"))


def test_a_desk_without_pairs_has_the_versions_of_before() -> None:
    one = DESK.strategies[0]
    content = msgspec.json.decode(msgspec.json.encode(one))
    del content["pairs"]
    expected = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:12]
    assert one.version == expected
    assert msgspec.structs.replace(one, pairs=(("A", "B"),)).version != expected


def test_a_pairs_symbol_that_is_not_collected_is_refused() -> None:
    with pytest.raises(SettingsError, match="symbol D is not collected"):
        PAIRS.refuse_unknown_symbols(("A", "B", "C"))


class Waits:
    """Targets and orders of two names, by the rows alone."""

    name, horizon_s, needs_model = "waits", 120.0, False

    def targets(self, rows: Any, _probabilities: Any) -> Targets:
        return Targets((rows[:, 0] > 1.5).astype(np.int8), np.ones(len(rows), np.float32))

    def orders(self, rows: Any, _probabilities: Any) -> list[Orders]:
        wants = np.sign(rows[:, 1]) * (np.abs(rows[:, 1]) > 1.0)
        away = np.abs(rows[:, 2]) * 10
        return [
            Orders(wants, away, name="dip", life_s=30.0, cancel=rows[:, 3] > 1.5),
            Orders(-wants, away, name="top", life_s=60.0, entry="stop", stop_bp=away + 1),
        ]


class Remembers(Waits):
    """The same, asked row by row; counts what it saw."""

    name, state_size = "remembers", 1

    def step(self, state: Any, row: Any, _probabilities: Any) -> tuple[int, float]:
        state[0] += 1
        return int(row[0] > 1.5), 1.0

    def step_orders(self, state: Any, row: Any, probabilities: Any) -> list[Order]:
        return [
            Order(
                int(one.direction[0]), float(one.away_bp[0]), name=one.name, life_s=one.life_s,
                entry=one.entry, cancel=bool(one.cancel is not None and one.cancel[0]),
                stop_bp=None if one.stop_bp is None else float(one.stop_bp[0]),
            )
            for one in self.orders(row[None], probabilities)
        ]  # fmt: skip


def waiting_desk() -> list[Member]:
    own: list[Any] = [Waits(), Remembers()]
    return [Member(one.name, one, SETTINGS, alone=False) for one in own]


def test_orders_are_the_same_in_a_batch_row_by_row_and_after_a_restart() -> None:
    rows = sampled_rows("EURUSD", 800, 4)
    whole = Decider(RunSettings(), waiting_desk(), None, None).rows(Predicted(rows, "", None))
    state, given, memories = None, list[Any](), list[Any]()
    for n in range(800):
        part = Sampled(*(
            value[n : n + 1] if isinstance(value, np.ndarray) else value for value in rows
        ))  # fmt: skip
        decider = Decider(RunSettings(), waiting_desk(), None, state)
        decided = decider.rows(Predicted(part, "", None))
        given += decided.signals
        memories += decided.memories
        state = pickle.loads(pickle.dumps(decider.state)) if n % 7 == 0 else decider.state
    assert given == list(whole.signals)
    assert memories == list(whole.memories)
    assert len({s.signal_id for s in given}) == len(given) > 50


def test_one_that_remembers_asks_for_what_the_columns_say() -> None:
    rows = sampled_rows("EURUSD", 2_000, 6)
    decided = Decider(RunSettings(), waiting_desk(), None, None).rows(Predicted(rows, "", None))
    of = {
        name: [
            msgspec.structs.replace(s, strategy="", signal_id="", model="")
            for s in decided.signals
            if s.strategy == name
        ]
        for name in ("waits", "remembers")
    }
    assert of["waits"] == of["remembers"]
    kinds = {(s.name, s.action) for s in of["waits"] if isinstance(s, OrderSignal)}
    assert kinds == {(n, a) for n in ("dip", "top") for a in ("place", "cancel")}
    assert {s.signal_id for s in decided.signals} == {
        m.signal.signal_id for m in decided.memories
    } | {s.signal_id for s in decided.signals if s.strategy == "waits"}


def test_an_order_has_its_price_and_exits_on_their_sides_in_the_symbols_digits() -> None:
    rows = sampled_rows("EURUSD", 500, 8)
    rows = rows._replace(time_msc=rows.time_msc + 1_700_000_000_000)  # reference data is dated
    decided = Decider(RunSettings(), waiting_desk()[:1], None, None).rows(Predicted(rows, "", None))
    orders = [s for s in decided.signals if isinstance(s, OrderSignal)]
    placed, gone = ([s for s in orders if s.action == a] for a in ("place", "cancel"))
    assert {(s.entry, s.target > 0) for s in placed} == {
        ("limit", True), ("limit", False), ("stop", True), ("stop", False),
    }  # fmt: skip
    for s in placed:
        below = (s.target > 0) == (s.entry == "limit")
        away = s.reference_price - s.entry_price
        assert (away if below else -away) > -1e-5
        assert (s.stop_price < s.entry_price) == (s.target > 0)
        assert [s.entry_price, s.stop_price] == [round(s.entry_price, 5), round(s.stop_price, 5)]
        assert s.ts_event_us < s.expires_us < s.horizon_us
    assert {(s.target, s.stop_price, s.entry_price) for s in gone} == {(0.0, 0.0, 0.0)}


def test_orders_from_a_model_wait_only_where_its_members_agree() -> None:
    class Model(Waits):
        needs_model = True

        def targets(self, rows: Any, _probabilities: Any) -> Targets:
            return Targets(np.zeros(len(rows), np.int8), np.ones(len(rows), np.float32))

        def orders(self, rows: Any, _probabilities: Any) -> list[Orders]:
            return [Orders(np.ones(len(rows)), np.ones(len(rows)), life_s=30.0)]

    own: Any = Model()
    for more, sizes in (({}, [1.0]), ({"veto": True}, []), ({"share": 0.5}, [0.5])):
        decider = Decider(RunSettings(), [Member("m", own, SETTINGS)], None, None)
        assert [s.target for s in decider.rows(predicted(**more)).signals] == sizes


def test_what_came_too_late_to_trade_is_decided_by_nobody_and_held_by_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk: list[Any] = [*of_desk(DESK), *waiting_desk()]
    rows, half = sampled_rows("A", 1_200, 9), 600
    past = rows._replace(late_ms=np.where(np.arange(1_200) < half, 2_001, 2_000))
    decider = Decider(RunSettings(), desk, None, None)
    since = decider.rows(Predicted(past, "", None)).signals
    never = Decider(RunSettings(), desk, None, None)
    never.rows(Predicted(past._replace(late_ms=np.full(1_200, 9_000)), "", None))
    assert {s.time_msc >= rows.time_msc[half] for s in since} == {True}
    assert {s.strategy for s in since} == {m.name for m in desk}
    assert (never.state[0], never.state[1]) == ({}, [])
    assert "compare this machine's clock" in caplog.text
    at = cut(rows, half, 1_200)  # as if nothing had been before; memories fold over all rows
    fresh = Decider(RunSettings(), desk, None, None).rows(at).signals
    assert [s for s in since if s.strategy in ("fast", "waits")] == [
        s for s in fresh if s.strategy in ("fast", "waits")
    ]


def test_a_late_row_still_takes_an_order_back() -> None:
    class Cancels(Waits):
        def orders(self, rows: Any, _probabilities: Any) -> list[Orders]:
            back = np.arange(len(rows)) % 2 == 1
            return [Orders(np.where(back, 0, 1), np.full(len(rows), 5.0), cancel=back, life_s=30.0)]

    own: Any = Cancels()
    decider = Decider(RunSettings(), [Member("w", own, SETTINGS)], None, None)
    rows = sampled_rows("A", 4, 1)._replace(late_ms=np.array([0, 9_000, 9_000, 9_000]))
    signals: list[Any] = list(decider.rows(Predicted(rows, "", None)).signals)
    assert [s.action for s in signals] == ["place", "cancel"]
