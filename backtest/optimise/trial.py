"""One trial: parameters to decisions to trades, over rows that were computed once.

A trial decides with the stream's own decider, so its signals are a backtest's whatever the form of
the strategy.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from adapters.simulator.broker.costs import Frictions
from backtest.job import Job
from backtest.optimise.broker import FastBroker, FastTrade
from backtest.optimise.shared import Feed, SharedFeed, SharedMarket
from core.contracts.signal import Signal
from core.errors import SettingsError
from execution.risk.limits import Limits, LimitsBook
from strategies import desk, select
from strategies.desk import Member
from strategies.orders_form import asks_orders
from strategies.parameters import written
from streams.decide import Decider


class FeedTrade(NamedTuple):
    """A trade and its feed."""

    feed: Feed
    trade: FastTrade


class Evaluator:
    """Trials of one strategy over shared markets, one account each.

    Raises:
        SettingsError: a strategy that nobody can decide for without more, or sizes that follow
            the equity of an account with several feeds.
    """

    def __init__(
        self, markets: Sequence[SharedMarket], job: Job, limits: LimitsBook,
        frictions: Frictions | None = None,
    ) -> None:  # fmt: skip
        """`job`: any of those that the markets are of."""
        self._settings = job.settings
        self._folder = job.settings.home_path / "strategies"
        (self._one,) = job.strategies.strategies
        (self._member,) = desk.members(job.strategies, job.settings, lambda _use: self._folder)
        if asks_orders(self._member.strategy):
            raise SettingsError(
                f"strategy {self._one.name!r} lets orders wait: `tickhouse optimise` takes"
                " strategies of targets alone; compare backtests instead"
            )
        if self._member.strategy.needs_model and not job.model:
            raise SettingsError(
                f"strategy {self._one.name!r} decides by a model, and none is chosen: give --model"
                " HASH (tickhouse models list), or train one: tickhouse train"
            )
        account = job.settings.run.account
        self._feeds = [
            (market, shared, FastBroker(
                market, shared, job.settings, _sized(limits.of(account, shared.feed[1]), market),
                frictions,
            ))
            for market in markets
            for shared in market.feeds_traded
        ]  # fmt: skip

    def trades(self, values: dict[str, float]) -> list[FeedTrade]:
        """The trades that these parameters make, by feed and in the order they closed."""
        member = self._with(values)
        return [
            FeedTrade(shared.feed, trade)
            for market, shared, broker in self._feeds
            for trade in broker.trades(self._signals(member, market, shared))
        ]

    def _with(self, values: dict[str, float]) -> Member:
        shared = replace(self._settings.signals, parameters=written(values))
        own = self._one.signal_settings(shared)
        strategy = select.select(self._one.use, own, self._folder)
        return self._member._replace(strategy=strategy, signals=own)

    def _signals(self, member: Member, market: SharedMarket, shared: SharedFeed) -> list[Signal]:
        decider = Decider(self._settings.run, (member,), None, None, market.pairs)
        return [signal for block in shared.blocks for signal in decider.rows(block).signals]


def _sized(limits: Limits, market: SharedMarket) -> Limits:
    if limits.sizing != "fixed" and len(market.feeds_traded) > 1:
        raise SettingsError(
            f"the limits in force size by equity ({limits.sizing!r}), which symbols of one account"
            ' share: give --limits with sizing = "fixed", or one symbol'
        )
    return limits
