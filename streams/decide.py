"""Predicted rows to signals: the strategy's entries with stop, horizon and expiry."""

from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, cast

import numpy as np

from core.clock import Clock
from core.contracts.signal import OrderSignal, Signal, SignalBatch, signal_id
from core.contracts.tick import TickMarker
from core.sections import RunSettings
from features.catalog import NAMES
from strategies.desk import Member, same_rule
from strategies.edge import Costs, in_steps, target_share
from strategies.folded import FoldedStrategy, fold, remembers
from strategies.orders_form import asks_orders
from strategies.protocol import NOTHING_HELD, Held, Targets, entries
from streams.order_signals import OrderDecider
from streams.records import Decided, Memory, Predicted, SliceDecided
from streams.stop_distance import stop_distance

_VOLATILITY = NAMES.index("volatility_60s")

#: What is remembered between batches: what each feed holds, by whichever strategy and by each of
#: them (`strategy/feed`), the open slice's signals, and, where a strategy remembers, its states.
DeciderState = (
    tuple[dict[str, Held], list[Signal]] | tuple[dict[str, Held], list[Signal], dict[str, bytes]]
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
    ) -> None:
        """`clock`: when records are made; None in a replay, where it is the tick's own time."""
        self._received_ns = list[int]()
        self._rules: list[Member] = []  # one for all that give the same targets
        self._strategies = [
            _StrategyDecider(run, member, clock, self._rule_of(member)) for member in members
        ]
        held, signals, *remembered = state or ({}, [])
        self._held, self._slice = dict(held), list(signals)
        self._remembered: dict[str, bytes] = dict(*remembered)

    @property
    def state(self) -> DeciderState:
        """A copy that later decisions do not change."""
        held, signals = dict(self._held), list(self._slice)
        return (held, signals, dict(self._remembered)) if self._remembered else (held, signals)

    def rows(self, predicted: Predicted) -> Decided:
        """The signals of one feed's rows; a replay's are also kept for the end of the slice."""
        sampled = predicted.sampled
        if not len(sampled.time_msc):  # most live ticks make no row
            return Decided(predicted, ())
        blind = predicted._replace(model="", predictions=None, edge_bp=None)
        signals, memories, targets = list[Signal](), list[Memory](), dict[int, Targets]()
        for strategy in self._strategies:
            if not strategy.trades(sampled.symbol):
                continue
            seen, rule = predicted if strategy.sees_model else blind, strategy.rule
            if strategy.remembers:
                given, remembered = strategy.remembering(seen, self._remembered, self._held)
                signals += given
                memories += remembered
                continue
            if rule not in targets:
                own: Any = self._rules[rule].strategy
                targets[rule] = own.targets(sampled.features, seen.probabilities)
            signals += strategy.signals(seen, targets[rule], self._held)[0]
            signals += strategy.waiting(seen, self._remembered)
        if signals:
            signals.sort(key=attrgetter("time_msc", "seq", "strategy"))  # stable: targets first
            feed = f"{sampled.source}.{sampled.symbol}"
            if targeting := [s for s in signals if not isinstance(s, OrderSignal)]:
                self._held[feed] = self._held[f"{targeting[-1].strategy}/{feed}"]
        if sampled.mode == "replay":
            self._slice.extend(signals)
            self._received_ns += [sampled.received_ns] * len(signals)
        return Decided(predicted, tuple(signals), tuple(memories))

    def _rule_of(self, member: Member) -> int:
        for number, known in enumerate(self._rules):
            if known.sees_model == member.sees_model and same_rule(known.strategy, member.strategy):
                return number
        self._rules.append(member)
        return len(self._rules) - 1

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


class _StrategyDecider:
    """One strategy's decisions."""

    def __init__(self, run: RunSettings, member: Member, clock: Clock | None, rule: int) -> None:
        self._run, self._member, self._clock, self.rule = run, member, clock, rule
        self._settings, self._needs_model = member.signals, member.strategy.needs_model
        self._exits, self._name = member.exits, member.name
        self._horizon_ms = int(member.horizon_s * 1000)
        self._horizon_us = int(member.horizon_s * 1e6)
        self._expiry_us = int(member.signals.expiry_s * 1e6)
        self._horizon_s = member.horizon_s
        self.trades, self.sees_model = member.trades, member.sees_model
        self.remembers = remembers(member.strategy)
        self._orders = OrderDecider(run, member, clock) if asks_orders(member.strategy) else None

    def waiting(self, predicted: Predicted, remembered: dict[str, bytes]) -> list[OrderSignal]:
        """Orders that wait, of one feed's rows; what waits now is noted in `remembered`."""
        return self._orders.signals(predicted, remembered) if self._orders else []

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
        if self._orders and folded.orders:
            decided += self._orders.folded(predicted, folded.orders, states)
            decided.sort(key=itemgetter(0))
        memories = [Memory(signal, folded.before[row].tobytes()) for row, signal in decided]
        return [signal for _, signal in decided], memories

    def signals(
        self, predicted: Predicted, targets: Targets, held: dict[str, Held]
    ) -> tuple[list[Signal], list[int]]:
        """Of one feed's rows, and which rows; what it holds now is noted in `held`."""
        if len(targets.direction) == 1 and not targets.direction[0]:  # a live tick, most often
            return [], []
        sampled, targets = predicted.sampled, self._worthwhile(predicted, targets)
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
        """Of the chosen rows; plain numbers are taken out of the arrays together."""
        sampled, at = predicted.sampled, np.asarray(chosen)
        size = np.ones(len(at)) if targets.size is None else targets.size[at]
        columns = (
            sampled.time_msc, sampled.seq, sampled.mid, sampled.spread,
            sampled.features[:, _VOLATILITY], targets.direction, targets.confidence,
        )  # fmt: skip
        rows = zip(*(column[at].tolist() for column in columns), size.tolist(), strict=True)
        return [self._signal(predicted, _Entry(*row)) for row in rows]

    def _signal(self, predicted: Predicted, entry: "_Entry") -> Signal:
        sampled, direction = predicted.sampled, entry.direction
        time_msc, seq, mid = entry.time_msc, entry.seq, entry.mid
        now_us, away = time_msc * 1000, self._stop_distance(entry)
        gain = self._exits.take_profit_stops
        identity = (sampled.run_id, self._name, sampled.source, sampled.symbol)
        predicted_row = ""
        if predicted.predictions is not None:
            predicted_row = f"{sampled.run_id}.{sampled.source}.{sampled.symbol}.{time_msc}.{seq}"
        return Signal(
            signal_id=signal_id(*identity, time_msc, seq),
            run_id=sampled.run_id,
            mode=sampled.mode,
            account=self._run.account,
            strategy=self._name,
            source=sampled.source,
            symbol=sampled.symbol,
            ts_event_us=now_us,
            ts_init_us=self._clock.now_us() if self._clock else now_us,
            time_msc=time_msc,
            seq=seq,
            target=direction * entry.size,
            reference_price=mid,
            stop_price=mid - direction * away,
            horizon_us=now_us + self._horizon_us,
            expires_us=now_us + self._expiry_us,
            confidence=entry.confidence,
            model=predicted.model if self._needs_model else self._name,
            prediction_id=predicted_row,
            take_profit=mid + direction * away * gain if gain else 0.0,
            trail=away * self._exits.trail_stops,
            session_id=self._run.session_id,
        )

    def _stop_distance(self, entry: "_Entry") -> float:
        """Price distance: so many spreads, and at least so many volatilities of the horizon."""
        return stop_distance(
            self._settings, self._horizon_s, entry.mid, entry.spread, entry.volatility_bp
        )


def memory_key(member: Member, feed: str) -> str:
    """Under which a strategy's state of a feed is kept: changed code or settings begin anew."""
    return f"{member.name}/{feed}/{member.version}"


class _Entry(NamedTuple):
    """One chosen row."""

    time_msc: int
    seq: int
    mid: float
    spread: float
    volatility_bp: float
    direction: int
    confidence: float
    size: float
