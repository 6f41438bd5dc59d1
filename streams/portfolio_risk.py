"""What accounts can lose, as a fold over ticks and order events. Knows no framework.

Two things come of it. Figures of the market (`MarketRisk`) follow from ticks alone, each minute of
market time, and go to the bus: execution checks entries by them. Figures of accounts follow from
those, and from what was held at the moment, so they wait until both are known: live a second for
what is still on its way, in a replay until execution has handled the slice.

Both are pure functions of the minutes before them, the newest prices and positions as of a market
time, so a replay gives what the stream gave, whatever the batches were.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from core.contracts.order import AccountState, ExecutionMarker, PositionState
from core.contracts.regime import RegimeState
from core.contracts.risk import GRACE_US, Correlation, MarketRisk, MarketRiskEnd, MarketRiskMessage
from core.contracts.tick import TickBatch, TickMarker
from core.sections import RiskSettings, RunSettings
from risk import covariance, portfolio, stress, value_at_risk
from risk.covariance import Covariance
from risk.exposure import Feed, Holding
from risk.minutes import MINUTE_US, History, Minutes, Moment
from risk.portfolio import Account, Portfolio
from risk.regimes import UNKNOWN, Regime, Regimes
from risk.stress import Prices, Scenario
from risk.value_at_risk import Scenarios

_MOST_WAITING = 1000


class RiskRows(NamedTuple):
    """What is to be stored of a moment."""

    portfolios: list[Portfolio]
    correlations: list[Correlation]
    regimes: list[RegimeState]


class RiskFold:
    """The state of one bus: feed it messages, then ask for what became of them."""

    _leads = True  # of a state of before shards, too

    def __init__(self, run: RunSettings, settings: RiskSettings) -> None:
        self._run, self._settings = run, settings
        self._replays = run.mode in ("replay", "backtest")
        every_us = (settings.replay_every_s if self._replays else settings.every_s) * 1_000_000
        self._market = Market(run, settings)
        self._minutes = Minutes(settings.window_minutes, every_us)
        self._accounts: dict[str, _Book] = {}
        self._regimes = _Regimes()
        self._newest_us = self._handled_us = self._handled_slice = 0
        self._slices: list[tuple[int, int]] = []  # number and end, not yet handled
        self._unpublished: list[tuple[int, int]] = []
        self._scenarios: Scenarios | None = None

    def use(self, scenarios: Sequence[Scenario], *, leads: bool = True) -> None:
        """From now on these stress scenarios stand in the figures of the market.

        `leads`: False where another shard tells of the market; of its accounts each does.
        """
        self._leads = leads
        self._market.use(scenarios)

    @property
    def accounts(self) -> dict[str, "_Book"]:
        """What is known of each account."""
        return dict(self._accounts)

    def with_accounts(self, accounts: Mapping[str, "_Book"]) -> "RiskFold":
        """Of the same market, and of these accounts."""
        other = copy(self)
        other._accounts = dict(accounts)
        return other

    def ticks(self, batch: TickBatch) -> None:
        """Take ticks of a feed, in order."""
        newest = self._minutes.feed(batch.source, batch.symbol, batch.ticks)
        if self._leads and (not self._replays or self._settings.published):
            self._market.feed(batch)
        if not self._replays:
            self._newest_us = max(self._newest_us, newest)
            self._handled_us = self._newest_us - GRACE_US

    def marker(self, marker: TickMarker) -> None:
        """All ticks of a slice have come."""
        if marker.kind == "slice":
            self._slices.append((marker.slice, marker.ts_event_us))
            self._unpublished.append((marker.slice, marker.ts_event_us))

    def messages(self) -> Iterator[MarketRiskMessage]:
        """The figures of minutes that have ended since the last time."""
        if not self._leads:
            return
        if not self._replays:
            yield from self._market.until(self._handled_us, 0)
        ended, self._unpublished = self._unpublished, []
        for number, end_us in ended if self._settings.published else []:
            yield from self._market.until(end_us, number)
            yield MarketRiskEnd(self._run.run_id, number)

    def event(self, message: object) -> None:
        """Take what execution says of positions, accounts, and how far a replay is."""
        if isinstance(message, PositionState | AccountState):
            book = self._accounts.setdefault(message.account, _Book(self._run, message.account))
            book.take(message)
        elif isinstance(message, ExecutionMarker):
            self._handled_slice = message.slice

    def rows(self) -> Iterator[RiskRows]:
        """What can be said by now of accounts that hold something, or just did."""
        while self._slices and self._slices[0][0] <= self._handled_slice:
            self._handled_us = self._slices.pop(0)[1]
        for moment in self._minutes.until(self._handled_us):
            if moment.closed:
                self._scenarios = None
            portfolios = [p for book in self._accounts.values() for p in self._of(book, moment)]
            closed = moment.closed and self._leads
            regimes = self._regimes_of(moment) if closed else []
            if portfolios or regimes or (closed and not self._replays):
                pairs = self._pairs(moment) if moment.closed else []
                yield RiskRows(portfolios, pairs, regimes)

    def _of(self, book: "_Book", moment: Moment) -> list[Portfolio]:
        account, holdings, changed = book.until(moment.ts_us)
        if account is None or not (holdings or changed):
            return []
        whole, *parts = portfolio.by_strategy(holdings)
        of_account = self._portfolio(account, *whole, moment)
        if len(parts) == 1:
            return [of_account, portfolio.of_only_strategy(of_account, parts[0][0])]
        return [of_account, *(self._portfolio(account, *part, moment) for part in parts)]

    def _portfolio(
        self, account: Account, strategy: str, held: Sequence[Holding], moment: Moment
    ) -> Portfolio:
        return portfolio.portfolio(
            account, strategy, held, moment, self._market_now(), self._settings.stop_out_level
        )

    def _regimes_of(self, moment: Moment) -> list[RegimeState]:
        """Of the feeds whose quarter of an hour has ended; a market that is closed has none."""
        ended = self._regimes.minute(moment)
        return [_stored(self._run, feed, regime) for feed, regime in ended]

    def _market_now(self) -> Scenarios:
        if self._scenarios is None:
            self._scenarios = scenarios(self._minutes.history, self._settings)
        return self._scenarios

    def _pairs(self, moment: Moment) -> list[Correlation]:
        # What is not held needs no scenarios to revalue with.
        now = self._scenarios
        figures = now.covariance if now else estimate(self._minutes.history, self._settings)
        known, sigma, matrix, *_ = figures
        run, at = self._run, moment.ts_us
        return [
            Correlation(
                run.run_id, run.mode, at, *known[i], *known[j],
                correlation=float(matrix[i, j]), sigma=float(sigma[i]),
                other_sigma=float(sigma[j]),
            )
            for i in range(len(known)) for j in range(i, len(known))
        ]  # fmt: skip


def _stored(run: RunSettings, feed: Feed, regime: Regime) -> RegimeState:
    return RegimeState(
        run_id=run.run_id, mode=run.mode, source=feed[0], symbol=feed[1],
        ts_event_us=regime.ts_us, regime=regime.name, level_bp=regime.level_bp,
        lasted_min=regime.lasted_min, fresh=regime.fresh,
    )  # fmt: skip


class _Regimes:
    """Of all feeds, and which each is in."""

    def __init__(self) -> None:
        self._folds: dict[Feed, Regimes] = {}
        self.names: dict[Feed, str] = {}

    def minute(self, moment: Moment) -> list[tuple[Feed, Regime]]:
        """Of the feeds whose quarter of an hour ended before a closed minute."""
        ended = list[tuple[Feed, Regime]]()
        for feed, mid in moment.mids.items():
            if feed not in self._folds:
                self._folds[feed] = Regimes()
            regime = self._folds[feed].minute(moment.ts_us, mid)
            if regime is not None:
                self.names[feed] = regime.name
                ended.append((feed, regime))
        return ended


class Market:
    """Figures of the market, for pre-trade checks: ticks in, a message per minute out."""

    def __init__(
        self, run: RunSettings, settings: RiskSettings, scenarios: Sequence[Scenario] = ()
    ) -> None:
        self._run, self._settings, self._scenarios = run, settings, scenarios
        self._minutes = Minutes(settings.window_minutes, MINUTE_US)
        self._regimes = _Regimes()

    def use(self, scenarios: Sequence[Scenario]) -> None:
        """From now on these stress scenarios."""
        self._scenarios = scenarios

    def feed(self, batch: TickBatch) -> None:
        """Take ticks."""
        self._minutes.feed(batch.source, batch.symbol, batch.ticks)

    def until(self, now_us: int, number: int) -> Iterator[MarketRisk]:
        """Of the minutes that ended by a market time; `number` of a replay's slice."""
        for moment in self._minutes.until(now_us):
            history = self._minutes.history
            self._regimes.minute(moment)
            known = estimate(history, self._settings)
            prices = Prices(moment.ts_us, moment.mids, moment.spreads)
            yield replace(
                message(self._run, moment, number, history, known),
                stress=[stress.shock(s, history.feeds, prices) for s in self._scenarios],
                regimes=[self._regimes.names.get(feed, UNKNOWN) for feed in history.feeds],
            )


def estimate(history: History, settings: RiskSettings) -> Covariance:
    """How feeds move together, by the settings."""
    return covariance.estimate(
        history.returns if len(history.mids) else np.zeros((0, len(history.feeds))),
        history.feeds, half_life=settings.half_life_minutes, least=settings.least_minutes,
    )  # fmt: skip


def scenarios(history: History, settings: RiskSettings) -> Scenarios:
    """What to revalue with, by the settings."""
    return value_at_risk.scenarios(
        history, estimate(history, settings), half_life=settings.half_life_minutes,
        least=settings.least_minutes,
    )  # fmt: skip


def message(
    run: RunSettings, moment: Moment, number: int, history: History, known: Covariance
) -> MarketRisk:
    """The figures of a minute as execution gets them: all feeds, also those without history."""
    feeds = history.feeds
    places = [feeds.index(feed) for feed in known.known]
    sigma, matrix = np.zeros(len(feeds)), np.zeros((len(feeds), len(feeds)))
    sigma[places] = known.sigma
    matrix[np.ix_(places, places)] = known.correlation
    return MarketRisk(
        run_id=run.run_id, mode=run.mode, ts_event_us=moment.ts_us, slice=number,
        feeds=list(feeds), mids=[moment.mids[feed] for feed in feeds], sigma=sigma.tolist(),
        correlation=matrix.ravel().tolist(), shrinkage=known.shrinkage,
        observations=known.observations,
    )  # fmt: skip


class _Book:
    """What an account holds, as of a market time: changes wait until theirs has come."""

    def __init__(self, run: RunSettings, account: str) -> None:
        self._run, self._name = run, account
        self._waiting: list[PositionState | AccountState] = []
        self._held: dict[tuple[str, str, str], Holding] = {}
        self._account: AccountState | None = None
        self._currency = ""
        self._seq = self._taken = 0
        self._was_holding = False

    def take(self, message: PositionState | AccountState) -> None:
        """A change, in order; what came before changes nothing."""
        if isinstance(message, PositionState):
            if message.seq <= self._taken:
                return
            self._taken = message.seq
        else:
            self._currency = message.currency
        self._waiting.append(message)
        if len(self._waiting) > _MOST_WAITING:  # a weekend: the account is told, no tick comes
            newest = self._waiting[-1]
            self._waiting = [
                m for m in self._waiting if isinstance(m, PositionState) or m is newest
            ]

    def until(self, ts_us: int) -> tuple[Account | None, list[Holding], bool]:
        """The account, what it holds, and whether it has held something since the last time."""
        due = [m for m in self._waiting if m.ts_event_us <= ts_us]
        self._waiting = [m for m in self._waiting if m.ts_event_us > ts_us]
        changed = self._was_holding
        for message in due:
            if isinstance(message, PositionState):
                changed = True
                self._hold(message)
            else:
                self._account = message
        self._was_holding = bool(self._held)
        return self._as_of_now(), list(self._held.values()), changed

    def _hold(self, state: PositionState) -> None:
        self._seq = state.seq
        key = state.strategy, state.source, state.symbol
        if state.volume:
            self._held[key] = Holding(*key, state.volume, state.price)
        else:
            self._held.pop(key, None)

    def _as_of_now(self) -> Account | None:
        if not self._currency:
            return None
        run, known = self._run, self._account
        equity, margin = (known.equity, known.margin) if known else (0.0, 0.0)
        return Account(
            run.run_id, run.mode, self._name, self._currency, equity, margin, self._seq
        )  # fmt: skip
