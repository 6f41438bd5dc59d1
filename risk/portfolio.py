"""The figures of an account at a moment, from prices, positions and the market's scenarios alone.

A pure function: the stream, a replay, a backtest and a script over `tick` give the same figures
for the same moment.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from core.contracts.risk import CurrencyExposure, FeedExposure, PortfolioRisk, ValueAtRisk
from risk import exposure
from risk import value_at_risk as measures
from risk.exposure import Exposures, Holding
from risk.minutes import Moment
from risk.value_at_risk import Scenarios

_DAY_ROOT = measures.HORIZONS["1d"] ** 0.5


class Account(NamedTuple):
    """Whose it is, and as the terminal reported it last."""

    run_id: str
    mode: str
    account: str
    currency: str
    equity: float = 0.0
    margin: float = 0.0
    seq: int = 0  # journal sequence of the newest position that counts


class Portfolio(NamedTuple):
    """All figures of one account or strategy at one moment: rows of four tables."""

    summary: PortfolioRisk
    values: list[ValueAtRisk]
    feeds: list[FeedExposure]
    currencies: list[CurrencyExposure]


def portfolio(
    account: Account,
    strategy: str,
    holdings: Sequence[Holding],
    moment: Moment,
    market: Scenarios,
    stop_out_level: float,
) -> Portfolio:
    """What these holdings risk.

    Args:
        account: the figures of a strategy (`strategy` not empty) have no distance to stop-out.
        strategy: whose holdings these are; "" for all of the account.
        holdings: of the moment.
        moment: prices.
        market: scenarios of the minutes that ended by then.
        stop_out_level: share of margin at which the broker closes positions.
    """
    held = exposure.exposures(holdings, moment.mids, account.currency, moment.ts_us)
    problem, values = "; ".join(held.missing), []
    if not problem:
        try:
            values = measures.figures(held.by_feed, market, held.carry)
        except ValueError as error:
            problem = str(error)
    named = (account.run_id, account.mode, account.account, strategy, moment.ts_us)
    strangers = sorted(s for (_, s) in set(held.by_feed) - set(market.covariance.known))
    if strangers and not problem:
        problem = f"without history, at the largest volatility: {', '.join(strangers)}"
    return Portfolio(
        _summary(
            account=account,
            strategy=strategy,
            positions=len(holdings),
            moment=moment,
            held=held,
            market=market,
            stop_out_level=stop_out_level,
            problem=problem,
        ),
        [
            ValueAtRisk(*named, f.measure, f.confidence, f.horizon, f.tail.var, f.tail.es)
            for f in values
        ],
        _feeds(named, held, moment, market),
        [CurrencyExposure(*named, c, v) for c, v in sorted(held.by_currency.items())],
    )


def of_only_strategy(whole: Portfolio, strategy: str) -> Portfolio:
    """The figures of the strategy that holds all of an account: the account's, less its equity."""
    named = partial(replace, strategy=strategy)
    return Portfolio(
        named(whole.summary, equity=0.0, margin=0.0, stop_out=0.0, stop_out_days=0.0),
        [named(value) for value in whole.values],
        [named(feed) for feed in whole.feeds],
        [named(currency) for currency in whole.currencies],
    )


def _summary(
    account: Account, strategy: str, positions: int, moment: Moment, held: Exposures,
    market: Scenarios, stop_out_level: float, problem: str,
) -> PortfolioRisk:  # fmt: skip
    money = np.array([held.by_feed.get(f, 0.0) for f in market.covariance.known])
    correlated = max(float(money @ market.covariance.correlation @ money), 0.0) ** 0.5
    deviation = max(float(money @ market.covariance.matrix @ money), 0.0) ** 0.5 * _DAY_ROOT
    sizes = [abs(v) for v in held.by_feed.values()]
    gross = sum(sizes)
    room = (
        account.equity - stop_out_level * account.margin if not strategy and account.equity else 0.0
    )
    return PortfolioRisk(
        run_id=account.run_id, mode=account.mode, account=account.account, strategy=strategy,
        ts_event_us=moment.ts_us, seq=account.seq, currency=account.currency, positions=positions,
        gross=gross, net=sum(held.by_feed.values()), correlated=correlated,
        concentration=sum(v * v for v in sizes) / gross**2 if gross else 0.0,
        equity=0.0 if strategy else account.equity, margin=0.0 if strategy else account.margin,
        stop_out=room, stop_out_days=room / deviation if deviation else 0.0,
        swap_1d=held.carry["1d"], shrinkage=market.covariance.shrinkage,
        observations=market.covariance.observations, problem=problem,
    )  # fmt: skip


def _feeds(
    named: tuple[str, str, str, str, int], held: Exposures, moment: Moment, market: Scenarios
) -> list[FeedExposure]:
    known, covariance = market.covariance.known, market.covariance
    money = np.array([held.by_feed.get(f, 0.0) for f in known])
    moving = dict(zip(known, (covariance.correlation @ money).tolist(), strict=True))
    sigma = dict(zip(known, covariance.sigma.tolist(), strict=True))
    shares = measures.contributions(held.by_feed, covariance) if known else {}
    return [
        FeedExposure(
            *named, *feed, lots=held.lots.get(feed, 0.0), exposure=value,
            correlated=moving.get(feed, value), contribution=shares.get(feed, 0.0),
            sigma=sigma.get(feed, 0.0), mid=moment.mids[feed],
        )
        for feed, value in sorted(held.by_feed.items())
    ]  # fmt: skip


def by_strategy(holdings: Sequence[Holding]) -> list[tuple[str, list[Holding]]]:
    """The account's as a whole ("") first, then each strategy's own."""
    names = sorted({h.strategy for h in holdings})
    return [("", list(holdings)), *((n, [h for h in holdings if h.strategy == n]) for n in names)]
