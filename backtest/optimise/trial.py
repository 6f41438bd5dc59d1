"""One trial: parameters to decisions to trades, over rows that were computed once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from adapters.simulator.broker.costs import Frictions
from backtest.optimise.broker import Decision, FastBroker, FastTrade
from backtest.optimise.shared import Feed, SharedMarket, SharedRows
from core.errors import SettingsError
from core.settings import Settings
from execution.risk.limits import Limits, LimitsBook
from features.catalog import NAMES
from strategies import protocol
from strategies.entry_rows import entry_rows
from strategies.folded import remembers
from strategies.orders_form import asks_orders
from strategies.pairs_form import sees_several
from strategies.parameters import written
from strategies.protocol import Strategy, Targets
from streams.stop_distance import stop_distance

Rows = npt.NDArray[np.float32]

_BLOCK = 8_192  # rows
_VOLATILITY = NAMES.index("volatility_60s")


class FeedTrade(NamedTuple):
    """A trade and its feed."""

    feed: Feed
    trade: FastTrade


class Evaluator:
    """Trials of one strategy over shared markets, one account each.

    Raises:
        SettingsError: a strategy that needs a model, a trailing stop, sizes that follow equity.
    """

    def __init__(
        self, markets: Sequence[SharedMarket], settings: Settings, limits: LimitsBook,
        frictions: Frictions | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._folder = settings.home_path / "strategies"
        if settings.exits.trail_stops:
            raise SettingsError("optimise follows no trailing stop: unset exits.trail_stops")
        account = settings.run.account
        self._feeds = [
            (shared, FastBroker(
                market, shared, settings, _fixed(limits.of(account, shared.feed[1])), frictions
            ))
            for market in markets
            for shared in market.feeds_traded
        ]  # fmt: skip

    def trades(self, values: dict[str, float]) -> list[FeedTrade]:
        """The trades that these parameters make, by feed and in the order they closed."""
        strategy = self._strategy(values)
        return [
            FeedTrade(shared.feed, trade)
            for shared, broker in self._feeds
            for trade in broker.trades(self._decisions(strategy, shared.rows))
        ]

    def _strategy(self, values: dict[str, float]) -> Strategy:
        chosen = replace(self._settings.signals, parameters=written(values))
        strategy: Strategy = protocol.select(self._settings.run.strategy, chosen, self._folder)
        if remembers(strategy):
            raise SettingsError(
                f"strategy {strategy.name!r} remembers (it has step, not targets): `tickhouse"
                " optimise` takes strategies without a memory; compare backtests instead"
            )
        if asks_orders(strategy):
            raise SettingsError(
                f"strategy {strategy.name!r} lets orders wait: `tickhouse optimise` takes"
                " strategies of targets alone; compare backtests instead"
            )
        if sees_several(strategy):
            raise SettingsError(
                f"strategy {strategy.name!r} looks at several symbols at once: `tickhouse optimise`"
                " takes strategies over one; compare backtests instead"
            )
        if strategy.needs_model:
            raise SettingsError(
                f"strategy {strategy.name!r} needs a model: `tickhouse search` looks for a model's"
                " settings, `tickhouse optimise` for parameters of rules without one"
            )
        return strategy

    def _decisions(self, strategy: Strategy, rows: SharedRows) -> list[Decision]:
        if not len(rows.time_msc):
            return []
        targets = _targets(strategy, rows.features)
        horizon_ms = int(strategy.horizon_s * 1000)
        chosen = entry_rows(rows.time_msc, targets.direction, horizon_ms)
        return [self._decision(strategy, rows, targets, index) for index in chosen.tolist()]

    def _decision(
        self, strategy: Strategy, rows: SharedRows, targets: Targets, index: int
    ) -> Decision:
        time, mid = int(rows.time_msc[index]), float(rows.mid[index])
        direction, gain = int(targets.direction[index]), self._settings.exits.take_profit_stops
        away = stop_distance(
            self._settings.signals, strategy.horizon_s, mid, float(rows.spread[index]),
            float(rows.features[index, _VOLATILITY]),
        )  # fmt: skip
        return Decision(
            time, direction * (1.0 if targets.size is None else float(targets.size[index])),
            mid - direction * away, mid + direction * away * gain if gain else 0.0,
            time + int(strategy.horizon_s * 1e6) // 1000,
        )  # fmt: skip


def _targets(strategy: Strategy, features: Rows) -> Targets:
    """Block by block: what stays within the processor's cache costs a third."""
    blocks = range(0, len(features), _BLOCK)
    parts = [strategy.targets(features[start : start + _BLOCK], None) for start in blocks]
    sizes = [part.size for part in parts if part.size is not None]
    return Targets(
        np.concatenate([part.direction for part in parts]),
        np.zeros(0, np.float32),  # fixed lots ask for no confidence
        np.concatenate(sizes) if sizes else None,
    )


def _fixed(limits: Limits) -> Limits:
    if limits.sizing != "fixed":
        raise SettingsError(
            f"optimise sizes by fixed lots, and the limits in force say {limits.sizing!r}: give"
            ' --limits with sizing = "fixed"'
        )
    return limits
