"""Predicted rows to signals: the strategy's entries with stop, horizon and expiry."""

import numpy as np

from core.clock import Clock
from core.contracts.signal import Signal, SignalBatch, signal_id
from core.contracts.tick import TickMarker
from core.sections import ExitSettings, RunSettings, SignalSettings
from features.catalog import NAMES
from strategies.edge import Costs, in_steps, target_share
from strategies.protocol import NOTHING_HELD, Held, Strategy, Targets, entries
from streams.records import Decided, Predicted, SliceDecided
from streams.stop_distance import stop_distance

_VOLATILITY = NAMES.index("volatility_60s")

NO_EXITS = ExitSettings()

#: What is remembered between batches: what each feed holds, and the open slice's signals.
DeciderState = tuple[dict[str, Held], list[Signal]]


class Decider:
    """Decides for all feeds of one shard, in the order of the bus."""

    def __init__(
        self,
        run: RunSettings,
        settings: SignalSettings,
        strategy: Strategy,
        clock: Clock | None,
        state: DeciderState | None,
        exits: ExitSettings = NO_EXITS,
    ) -> None:
        """`clock`: when records are made; None in a replay, where it is the tick's own time."""
        self._clock, self._received_ns = clock, list[int]()
        self._run, self._settings, self._strategy, self._exits = run, settings, strategy, exits
        self._held, self._slice = state if state else ({}, [])

    @property
    def state(self) -> DeciderState:
        """A copy that later decisions do not change."""
        return dict(self._held), list(self._slice)

    def rows(self, predicted: Predicted) -> Decided:
        """The signals of one feed's rows; a replay's are also kept for the end of the slice."""
        sampled = predicted.sampled
        feed = f"{sampled.source}.{sampled.symbol}"
        targets = self._targets(predicted)
        horizon_ms = int(self._strategy.horizon_s * 1000)
        held = self._held.get(feed, NOTHING_HELD)
        self._held[feed], chosen = entries(held, sampled.time_msc, targets.direction, horizon_ms)
        signals = tuple(self._signal(predicted, targets, index) for index in chosen)
        if sampled.mode == "replay":
            self._slice.extend(signals)
            self._received_ns += [sampled.received_ns] * len(signals)
        return Decided(predicted, signals)

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

    def _targets(self, predicted: Predicted) -> Targets:
        """The strategy's; those from a model only where the models agree and the edge pays."""
        sampled, predictions = predicted.sampled, predicted.predictions
        targets = self._strategy.targets(sampled.features, predicted.probabilities)
        if not self._strategy.needs_model or predictions is None or predicted.edge_bp is None:
            return targets
        costs = Costs(self._settings.slippage_bp)
        share = target_share(sampled.features, predicted.edge_bp, costs)
        pays = np.sign(share) == targets.direction
        sure = ~predictions.veto & (predictions.agreement >= self._settings.min_agreement)
        direction = np.where(pays & sure, targets.direction, 0).astype(np.int8)
        confidence = (targets.confidence * predictions.agreement).astype(np.float32)
        return Targets(direction, confidence, in_steps(np.abs(share) * predicted.share))

    def _signal(self, predicted: Predicted, targets: Targets, index: int) -> Signal:
        sampled, settings = predicted.sampled, self._settings
        time_msc, seq = int(sampled.time_msc[index]), int(sampled.seq[index])
        direction, mid = int(targets.direction[index]), float(sampled.mid[index])
        now_us, away = time_msc * 1000, self._stop_distance(predicted, index)
        gain = self._exits.take_profit_stops
        identity = (sampled.run_id, self._strategy.name, sampled.source, sampled.symbol)
        row = f"{sampled.run_id}.{sampled.source}.{sampled.symbol}.{time_msc}.{seq}"
        return Signal(
            signal_id=signal_id(*identity, time_msc, seq),
            run_id=sampled.run_id,
            mode=sampled.mode,
            account=self._run.account,
            strategy=self._strategy.name,
            source=sampled.source,
            symbol=sampled.symbol,
            ts_event_us=now_us,
            ts_init_us=self._clock.now_us() if self._clock else now_us,
            time_msc=time_msc,
            seq=seq,
            target=direction * (1.0 if targets.size is None else float(targets.size[index])),
            reference_price=mid,
            stop_price=mid - direction * away,
            horizon_us=now_us + int(self._strategy.horizon_s * 1e6),
            expires_us=now_us + int(settings.expiry_s * 1e6),
            confidence=float(targets.confidence[index]),
            model=predicted.model if self._strategy.needs_model else self._strategy.name,
            prediction_id=row if predicted.probabilities is not None else "",
            take_profit=mid + direction * away * gain if gain else 0.0,
            trail=away * self._exits.trail_stops,
            session_id=self._run.session_id,
        )

    def _stop_distance(self, predicted: Predicted, index: int) -> float:
        """Price distance: so many spreads, and at least so many volatilities of the horizon."""
        sampled = predicted.sampled
        mid, spread = float(sampled.mid[index]), float(sampled.spread[index])
        volatility_bp = float(sampled.features[index, _VOLATILITY])
        horizon_s = self._strategy.horizon_s
        return stop_distance(self._settings, horizon_s, mid, spread, volatility_bp)
