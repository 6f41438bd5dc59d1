"""Predicted rows to signals: the strategy's entries with stop, horizon and expiry."""

import logging
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.clock import Clock
from core.contracts.signal import OrderSignal, Signal, SignalBatch, signal_ids
from core.contracts.tick import TickMarker
from core.sections import RunSettings
from features.catalog import NAMES
from strategies.desk import Member, same_rule
from strategies.edge import Costs, in_steps, target_share
from strategies.folded import FoldedStrategy, fold, remembers
from strategies.orders_form import asks_orders
from strategies.pairs_form import PairOrdersStrategy, PairsStrategy, sees_several
from strategies.protocol import NOTHING_HELD, Held, Strategy, Targets, entries
from streams.order_signals import OrderDecider
from streams.pair_rows import FeedKey, PairRows, RecentRows
from streams.records import Decided, Memory, Predicted, Sampled, SliceDecided
from streams.stop_distance import stop_distance, stop_distances

_VOLATILITY = NAMES.index("volatility_60s")

#: What is remembered between batches: what each feed holds, by whichever strategy and by each of
#: them (`strategy/feed`), the open slice's signals, and, where a strategy remembers, its states;
#: where one looks at several symbols, their newest rows.
DeciderState = (
    tuple[dict[str, Held], list[Signal]]
    | tuple[dict[str, Held], list[Signal], dict[str, bytes]]
    | tuple[dict[str, Held], list[Signal], dict[str, bytes], dict[FeedKey, RecentRows]]
)


class Decider:
    """Decides for all feeds of one shard, in the order of the bus; on a row each of a desk's
    strategies in its turn.
    """

    def __init__(
        self,
        run: RunSettings,
        members: Sequence[Member],
        clock: Clock | None,
        state: DeciderState | None,
        pairs: PairRows | None = None,
    ) -> None:
        """Go on from a state.

        Args:
            clock: when records are made; None in a replay, where it is the tick's own time.
            pairs: rows of several symbols that another one takes in.
        """
        self._received_ns = list[int]()
        self._models = sorted({member.model for member in members})
        self._latest_ms = max((int(m.signals.expiry_s * 1000) for m in members), default=0)
        self._late = 0
        self._members, self._plain = len(members), list[_Rule]()  # those that only look at rows
        self._special: list[_StrategyDecider] = []  # that remember, or see several symbols
        for member in members:
            self._place(_StrategyDecider(run, member, clock), member)
        known: Any = (*(state or ({}, [])), {}, {})
        self._held, self._slice = dict(known[0]), list(known[1])
        self._remembered: dict[str, bytes] = dict(known[2])
        grouped = {symbol for one in members for group in one.groups for symbol in group}
        self._pairs = pairs or PairRows(grouped, known[3] if grouped else {})

    @property
    def state(self) -> DeciderState:
        """A copy that later decisions do not change."""
        held, signals = dict(self._held), list(self._slice)
        if rows := self._pairs.state:
            return held, signals, dict(self._remembered), rows
        return (held, signals, dict(self._remembered)) if self._remembered else (held, signals)

    def observe(self, sampled: Sequence[Sampled]) -> None:
        """Rows of all feeds up to one moment, before `rows` decides any of them."""
        self._pairs.observe(sampled)

    def rows(self, predicted: Predicted) -> Decided:
        """The signals of one feed's rows; a replay's are also kept for the end of the slice."""
        sampled = predicted.sampled
        if not len(sampled.time_msc):  # most live ticks make no row
            return Decided(predicted, ())
        self._note_late(sampled)
        seen_with = {model: predicted.seen_with(model) for model in self._models}
        signals, memories = list[Signal](), list[Memory]()
        for rule in self._plain:
            signals += rule.signals(seen_with[rule.model], self._held)
        for strategy in self._special:
            if not strategy.trades(sampled.symbol):
                continue
            seen = seen_with[strategy.model]
            if strategy.remembers:
                given, remembered = strategy.remembering(seen, self._remembered, self._held)
                signals += given
                memories += remembered
            elif strategy.sees_several:
                signals += strategy.of_several(seen, self._pairs, self._remembered, self._held)
            else:
                signals += strategy.with_orders(seen, self._remembered, self._held)
        if signals:
            if self._members > 1 or self._special:
                signals.sort(key=attrgetter("time_msc", "seq", "strategy"))  # stable: targets first
            feed = f"{sampled.source}.{sampled.symbol}"
            if targeting := [s for s in signals if not isinstance(s, OrderSignal)]:
                self._held[feed] = self._held[f"{targeting[-1].strategy}/{feed}"]
        if sampled.mode == "replay":
            self._slice.extend(signals)
            self._received_ns += [sampled.received_ns] * len(signals)
        return Decided(predicted, tuple(signals), tuple(memories))

    def _note_late(self, sampled: Sampled) -> None:
        """Ever rarer: of the first, second, fourth, ... batch that nobody decides on."""
        if sampled.late_ms is None or sampled.late_ms[-1] <= self._latest_ms:
            return
        self._late += 1
        if self._late & (self._late - 1) == 0:
            logging.getLogger(__name__).warning(
                "%s.%s: ticks came %.1f s after their market time, %d times so far: too late to"
                " decide on; compare this machine's clock with the terminal's (tickhouse doctor)",
                sampled.source, sampled.symbol, sampled.late_ms[-1] / 1000, self._late,
            )  # fmt: skip

    def _place(self, strategy: "_StrategyDecider", member: Member) -> None:
        """With those that give the same targets, where there are any."""
        if strategy.remembers or strategy.sees_several or strategy.asks_orders:
            self._special.append(strategy)
            return
        for rule in self._plain:
            if rule.model == member.model and same_rule(rule.own, member.strategy):
                rule.strategies.append(strategy)
                return
        self._plain.append(_Rule(member, [strategy]))

    def marker(self, marker: TickMarker) -> SliceDecided | None:
        """At the end of a slice, and of the replay: all its signals, ordered by time and feed."""
        if marker.kind not in ("slice", "end"):
            return None
        signals = sorted(self._slice, key=lambda s: (s.ts_event_us, s.source, s.symbol, s.seq))
        received_ns = tuple(self._received_ns)
        self._slice, self._received_ns = [], []
        end = marker.kind == "end"
        batch = SignalBatch(marker.run_id, marker.slice, marker.ts_event_us, signals, end)
        return SliceDecided(batch, received_ns)


class _Rule:
    """Strategies that give the same targets: asked once a batch."""

    def __init__(self, member: Member, strategies: list["_StrategyDecider"]) -> None:
        self.own: Any = member.strategy
        self.model, self.strategies = member.model, strategies

    def signals(self, predicted: Predicted, held: dict[str, Held]) -> list[Signal]:
        """Of one feed's rows; what each strategy holds now is noted in `held`."""
        sampled = predicted.sampled
        deciding = [one for one in self.strategies if one.trades(sampled.symbol)]
        if not deciding:
            return []
        targets: Targets = self.own.targets(sampled.features, predicted.probabilities)
        if len(targets.direction) == 1:  # a live tick: most often nobody moves
            target, time = int(targets.direction[0]), int(sampled.time_msc[0])
            feed = f"{sampled.source}.{sampled.symbol}"
            deciding = [one for one in deciding if one.moves(feed, target, time, held)]
        signals = list[Signal]()
        for one in deciding:
            signals += one.signals(predicted, targets, held)[0]
        return signals


class _StrategyDecider:
    """One strategy's decisions."""

    def __init__(self, run: RunSettings, member: Member, clock: Clock | None) -> None:
        self._run, self._member, self._clock = run, member, clock
        self._settings, self._needs_model = member.signals, member.strategy.needs_model
        self._exits, self._name = member.exits, member.name
        self._horizon_ms = int(member.horizon_s * 1000)
        self._horizon_us = int(member.horizon_s * 1e6)
        self._expiry_us = int(member.signals.expiry_s * 1e6)
        self._horizon_s = member.horizon_s
        self.trades, self.model = member.trades, member.model
        self.remembers = remembers(member.strategy)
        self.sees_several = sees_several(member.strategy)
        self.asks_orders = asks_orders(member.strategy)
        self._orders = OrderDecider(run, member, clock)

    def remembering(
        self, predicted: Predicted, states: dict[str, bytes], held: dict[str, Held]
    ) -> tuple[list[Signal], list[Memory]]:
        """Signals of a strategy that remembers, with what it had in mind before each."""
        sampled, strategy = predicted.sampled, cast(FoldedStrategy, self._member.strategy)
        key = memory_key(self._member, f"{sampled.source}.{sampled.symbol}")
        state = states.get(key, b"")
        folded = fold(strategy, state, sampled.features, predicted.probabilities)
        states[key] = folded.after
        signals, chosen = self.signals(predicted, folded.targets, held)
        decided: list[tuple[int, Signal]] = list(zip(chosen, signals, strict=True))
        if folded.orders:
            decided += self._orders.folded(predicted, folded.orders, states)
            decided.sort(key=itemgetter(0))
        memories = [Memory(signal, folded.before[row].tobytes()) for row, signal in decided]
        return [signal for _, signal in decided], memories

    def with_orders(
        self, predicted: Predicted, remembered: dict[str, bytes], held: dict[str, Held]
    ) -> list[Signal]:
        """Targets of a strategy that only looks at rows, and its orders that wait."""
        features, strategy = predicted.sampled.features, cast(Strategy, self._member.strategy)
        targets = strategy.targets(features, predicted.probabilities)
        signals = self.signals(predicted, targets, held)[0]
        return [*signals, *self._orders.signals(predicted, remembered)]

    def of_several(
        self, predicted: Predicted, rows: PairRows, remembered: dict[str, bytes],
        held: dict[str, Held],
    ) -> list[Signal]:  # fmt: skip
        """Signals of a strategy that sees several symbols: of the leg whose rows these are."""
        sampled, strategy = predicted.sampled, cast(PairsStrategy, self._member.strategy)
        group, columns = self._member.group_of(sampled.symbol), sampled.features.shape[1]
        together = rows.at(sampled.source, group, sampled.time_msc, columns)
        place = group.index(sampled.symbol)
        targets = strategy.pair_targets(*together).of(place)
        signals = self.signals(predicted, targets, held)[0]
        if not self.asks_orders:
            return signals
        orders = cast(PairOrdersStrategy, strategy).pair_orders(*together)
        return [*signals, *self._orders.given(predicted, orders[place], remembered)]

    def moves(self, feed: str, target: int, time_msc: int, held: dict[str, Held]) -> bool:
        """Whether one row's target may be an entry; what `entries` says, sooner."""
        if not target:
            return False
        key = feed if self._member.alone else f"{self._name}/{feed}"
        before = held.get(key, NOTHING_HELD)
        return time_msc >= before.until_msc or target == -before.direction

    def signals(
        self, predicted: Predicted, targets: Targets, held: dict[str, Held]
    ) -> tuple[list[Signal], list[int]]:
        """Of one feed's rows, and which rows; what it holds now is noted in `held`."""
        sampled, targets = predicted.sampled, self._worthwhile(predicted, targets)
        targets = targets._replace(direction=in_time(sampled, self._expiry_us, targets.direction))
        feed = f"{sampled.source}.{sampled.symbol}"
        own = f"{self._name}/{feed}"
        before = held.get(feed if self._member.alone else own, NOTHING_HELD)
        after, chosen = entries(before, sampled.time_msc, targets.direction, self._horizon_ms)
        if not chosen:
            return [], []
        held[own] = after
        return self._signals(predicted, targets, chosen), chosen

    def _worthwhile(self, predicted: Predicted, targets: Targets) -> Targets:
        """Targets; those from a model only where the models agree and the edge pays."""
        sampled, predictions = predicted.sampled, predicted.predictions
        if not self._needs_model or predictions is None or predicted.edge_bp is None:
            return targets
        costs = Costs(self._settings.slippage_bp)
        share = target_share(sampled.features, predicted.edge_bp, costs)
        pays = np.sign(share) == targets.direction
        sure = ~predictions.veto & (predictions.agreement >= self._settings.min_agreement)
        direction = np.where(pays & sure, targets.direction, 0).astype(np.int8)
        confidence = (targets.confidence * predictions.agreement).astype(np.float32)
        return Targets(direction, confidence, in_steps(np.abs(share) * predicted.share))

    def _signals(
        self, predicted: Predicted, targets: Targets, chosen: Sequence[int]
    ) -> list[Signal]:
        """Of the chosen rows: a column of each field, and a record of each row of them."""
        columns = self._columns(predicted, targets, np.asarray(chosen))
        in_order = [columns[field] for field in Signal.__struct_fields__]
        return list(map(Signal, *in_order))

    def _columns(
        self, predicted: Predicted, targets: Targets, at: npt.NDArray[np.intp]
    ) -> dict[str, Iterable[Any]]:
        """Of every field of a signal, by name: plain numbers, or one value for all rows."""
        sampled, direction = predicted.sampled, targets.direction[at].tolist()
        times, seqs = sampled.time_msc[at].tolist(), sampled.seq[at].tolist()
        mids, away = sampled.mid[at].tolist(), self._stop_distances(sampled, at)
        size = repeat(1.0) if targets.size is None else targets.size[at].tolist()
        sides = list(zip(mids, direction, away, strict=True))
        now_us, gain = [time * 1000 for time in times], self._exits.take_profit_stops
        run_id, identity = sampled.run_id, (self._name, sampled.source, sampled.symbol)
        named: Iterable[str] = repeat("")
        if predicted.predictions is not None:
            place = f"{run_id}.{sampled.source}.{sampled.symbol}"
            by = "" if self._member.sees_champion else f":{predicted.model}"
            named = [f"{place}.{time}.{seq}{by}" for time, seq in zip(times, seqs, strict=True)]
        return {
            "signal_id": signal_ids(run_id, *identity, times, seqs),
            "run_id": repeat(run_id),
            "mode": repeat(sampled.mode),
            "account": repeat(self._run.account),
            "strategy": repeat(self._name),
            "source": repeat(sampled.source),
            "symbol": repeat(sampled.symbol),
            "ts_event_us": now_us,
            "ts_init_us": repeat(self._clock.now_us()) if self._clock else now_us,
            "time_msc": times,
            "seq": seqs,
            "target": [side * share for side, share in zip(direction, size, strict=False)],
            "reference_price": mids,
            "stop_price": [mid - side * far for mid, side, far in sides],
            "horizon_us": [now + self._horizon_us for now in now_us],
            "expires_us": [now + self._expiry_us for now in now_us],
            "confidence": targets.confidence[at].tolist(),
            "model": repeat(predicted.model if self._needs_model else self._name),
            "prediction_id": named,
            "take_profit": [mid + side * far * gain if gain else 0.0 for mid, side, far in sides],
            "trail": [far * self._exits.trail_stops for far in away],
            "session_id": repeat(self._run.session_id),
        }

    def _stop_distances(self, sampled: Sampled, at: npt.NDArray[np.intp]) -> list[float]:
        """Prices: so many spreads, and at least so many volatilities of the horizon."""
        rows = sampled.mid[at], sampled.spread[at], sampled.features[at, _VOLATILITY]
        if len(at) == 1:  # a live tick: a dozen NumPy calls cost more than the rest
            mid, spread, volatility = (float(values[0]) for values in rows)
            return [stop_distance(self._settings, self._horizon_s, mid, spread, volatility)]
        distances: list[float] = stop_distances(self._settings, self._horizon_s, *rows).tolist()
        return distances


def in_time(
    sampled: Sampled, expiry_us: int, direction: npt.NDArray[np.int8]
) -> npt.NDArray[np.int8]:
    """Directions; 0 of rows that were received when their signal would have expired.

    After a start that is the market's past, and after a gap what was missed: a strategy that took
    its own such signals for held would rest for a whole horizon over trades that nobody made.
    """
    late_ms = sampled.late_ms
    if late_ms is None or not (late := late_ms > expiry_us // 1000).any():
        return direction
    return np.where(late, 0, direction).astype(np.int8)


def memory_key(member: Member, feed: str) -> str:
    """Under which a strategy's state of a feed is kept: changed code or settings begin anew."""
    return f"{member.name}/{feed}/{member.version}"
