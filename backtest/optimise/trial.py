"""One trial: parameters to decisions to trades, over rows that were computed once.

A trial decides with the stream's own decider, so its signals are a backtest's whatever the form of
the strategy.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from adapters.simulator.broker.costs import Frictions
from backtest.job import Job
from backtest.optimise.broker import FastBroker, FeedTrade
from backtest.optimise.executed import ExecutedAccount
from backtest.optimise.shared import Feed, SharedMarket
from core.contracts.signal import Signal
from core.errors import SettingsError
from core.settings import Settings
from execution.risk.limits import LimitsBook
from strategies import desk, select
from strategies.desk import Member
from strategies.orders_form import asks_orders
from strategies.parameters import written
from streams.decide import Decider


class Evaluator:
    """Trials of one strategy over shared markets, one account each.

    Raises:
        SettingsError: a strategy that nobody can decide for without more.
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
        if self._member.strategy.needs_model and not job.model:
            raise SettingsError(
                f"strategy {self._one.name!r} decides by a model, and none is chosen: give --model"
                " HASH (tickhouse models list), or train one: tickhouse train"
            )
        self._markets = markets
        self._accounts = [
            ExecutedAccount(market, job) if market.slices
            else FastAccount(market, job.settings, limits, frictions)
            for market in markets
        ]  # fmt: skip

    def trades(self, values: dict[str, float]) -> list[FeedTrade]:
        """The trades that these parameters make, by account."""
        member = self._with(values)
        return [
            trade
            for market, account in zip(self._markets, self._accounts, strict=True)
            for trade in account.trades(self._signals(member, market))
        ]

    def _with(self, values: dict[str, float]) -> Member:
        shared = replace(self._settings.signals, parameters=written(values))
        own = self._one.signal_settings(shared)
        strategy = select.select(self._one.use, own, self._folder)
        return self._member._replace(strategy=strategy, signals=own)

    def _signals(self, member: Member, market: SharedMarket) -> list[Signal]:
        """Of all feeds, one after another."""
        signals = list[Signal]()
        for shared in market.feeds_traded:
            decider = Decider(self._settings.run, (member,), None, None, market.pairs)
            signals += (s for block in shared.blocks for s in decider.rows(block).signals)
        return signals


class FastAccount:
    """Feeds that have nothing in common but the account's name: a broker each."""

    def __init__(
        self, market: SharedMarket, settings: Settings, limits: LimitsBook,
        frictions: Frictions | None,
    ) -> None:  # fmt: skip
        account = settings.run.account
        self._brokers = {
            shared.feed: FastBroker(
                market, shared, settings, limits.of(account, shared.feed[1]), frictions
            )
            for shared in market.feeds_traded
        }

    def trades(self, signals: Sequence[Signal]) -> list[FeedTrade]:
        """By feed, and in the order they closed."""
        by_feed: dict[Feed, list[Signal]] = {feed: [] for feed in self._brokers}
        for signal in signals:
            by_feed[signal.source, signal.symbol].append(signal)
        return [
            FeedTrade(feed, trade)
            for feed, broker in self._brokers.items()
            for trade in broker.trades(by_feed[feed])
        ]


def needs_execution(job: Job, limits: LimitsBook) -> bool:
    """Whether a job's trials need execution itself: `FastBroker` knows one position of one feed."""
    folder = job.settings.home_path / "strategies"
    members = desk.members(job.strategies, job.settings, lambda _use: folder)
    if any(asks_orders(member.strategy) for member in members):
        return True
    account, several = job.settings.run.account, len(job.traded) > 1
    sized = (limits.of(account, symbol).sizing != "fixed" for _, symbol in job.traded)
    return several and any(sized)
