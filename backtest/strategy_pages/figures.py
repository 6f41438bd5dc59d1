"""What a shipped strategy did on one recording: the product's own backtest, all costs in."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters.simulator.markets.tickfile import ParquetTicks
from backtest import sharpe
from backtest.job import END_OF_TIME_MSC, FeedFile, Job
from backtest.metrics import period_returns
from backtest.portfolio import together
from backtest.run import run
from core.instruments import instrument
from core.settings import Settings

STRATEGIES = (
    "trend", "breakout", "mean_reversion", "session_breakout", "volatility_target", "ema_cross",
    "pairs",
)  # fmt: skip
_PAIRS = "pairs"
_DESK = """[strategies.{name}]
pairs = [["{first}", "{second}"]]
"""


class Yearly(NamedTuple):
    """A yearly Sharpe ratio with its 95 % interval."""

    value: float
    low: float
    high: float


class Outcome(NamedTuple):
    """One strategy on one recording, 0.1 lots on 100,000 USD. Money in USD."""

    feed: str
    generated: bool
    days: float  # of market time, weekends counted
    trades: int
    net: float
    costs: float  # spread, slippage, commission and swap; negative
    profit_factor: float | None
    drawdown: float  # the greatest of equity
    sharpe: Yearly | None
    returns: int  # that it is made of
    returns_of: str  # day or hour
    deflated: float | None  # chance that the ratio is above luck's best of `trials`
    trials: int


def recordings(strategy: str, files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """What a strategy is tried on: each file, or any two of a source in one quote currency."""
    if strategy != _PAIRS:
        return [(path,) for path in files]
    return [pair for pair in combinations(files, 2) if len({*map(_money, pair)}) == 1]


def trials(files: Sequence[Path]) -> int:
    """Results that the pages let a reader choose from."""
    return sum(len(recordings(strategy, files)) for strategy in STRATEGIES)


def of(
    paths: Sequence[Path],
    settings: Settings,
    strategy: str,
    trials: int,
    *,
    generated: bool = False,
) -> Outcome:
    """A strategy over all ticks of normalised files `SYMBOL_source.parquet`, as one account.

    Args:
        trials: results that a reader can choose from, for the deflated ratio.
    """
    feeds = [_feed(path) for path in paths]
    symbols = "-".join(feed.symbol for feed in feeds)
    desk = b""
    if strategy == _PAIRS:
        desk = _DESK.format(name=strategy, first=feeds[0].symbol, second=feeds[1].symbol).encode()
    run_settings = msgspec.structs.replace(settings.run, strategy="desk" if desk else strategy)
    chosen = msgspec.structs.replace(settings, run=run_settings)
    traded = tuple((feed.source, feed.symbol) for feed in feeds)
    job = Job(symbols, chosen, tuple(feeds), traded, desk=desk)
    deposit = settings.terminal.balance
    result = together([run(job)], deposit, trials)
    figures, span = result.figures, result.span_us
    costs = figures.commission + figures.swap + figures.spread_and_slippage
    return Outcome(
        feed=f"{feeds[0].source}.{symbols}", generated=generated,
        days=(span[1] - span[0]) / 86_400e6, trades=figures.trades, net=figures.net_profit,
        costs=costs, profit_factor=figures.profit_factor, drawdown=figures.equity_drawdown.maximal,
        sharpe=_yearly(*period_returns(result.curve, deposit, span)), returns=figures.returns,
        returns_of=figures.returns_of, deflated=figures.deflated_sharpe, trials=trials,
    )  # fmt: skip


def _feed(path: Path) -> FeedFile:
    file = ParquetTicks(path)
    return FeedFile(str(path), file.source, file.symbol)


def _money(path: Path) -> tuple[str, str]:
    """Who quotes a file's symbol, in which currency."""
    feed = _feed(path)
    known = instrument(feed.symbol, END_OF_TIME_MSC * 1000)
    return feed.source, known.quote if known else feed.symbol


def _yearly(_unit: str, per_year: int, returns: sharpe.Floats) -> Yearly | None:
    ratio, limits = sharpe.sharpe(returns), sharpe.interval(returns)
    if ratio is None or limits is None:
        return None
    root = float(per_year) ** 0.5
    return Yearly(ratio * root, limits[0] * root, limits[1] * root)
