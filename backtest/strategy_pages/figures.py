"""What a shipped strategy did on one recording: the product's own backtest, all costs in."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters.simulator.markets.tickfile import ParquetTicks
from backtest import sharpe
from backtest.job import FeedFile, Job
from backtest.metrics import period_returns
from backtest.portfolio import together
from backtest.run import run
from core.settings import Settings

STRATEGIES = (
    "trend", "breakout", "mean_reversion", "session_breakout", "volatility_target", "ema_cross",
)  # fmt: skip


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


def of(
    path: Path, settings: Settings, strategy: str, trials: int, *, generated: bool = False
) -> Outcome:
    """A strategy over all ticks of a normalised file `SYMBOL_source.parquet`.

    Args:
        trials: results that a reader can choose from, for the deflated ratio.
    """
    file = ParquetTicks(path)
    chosen = msgspec.structs.replace(
        settings, run=msgspec.structs.replace(settings.run, strategy=strategy)
    )
    feed = FeedFile(str(path), file.source, file.symbol)
    job = Job(file.symbol, chosen, (feed,), ((file.source, file.symbol),))
    deposit = settings.terminal.balance
    result = together([run(job)], deposit, trials)
    figures, span = result.figures, result.span_us
    costs = figures.commission + figures.swap + figures.spread_and_slippage
    return Outcome(
        f"{file.source}.{file.symbol}", generated, (span[1] - span[0]) / 86_400e6, figures.trades,
        figures.net_profit, costs, figures.profit_factor, figures.equity_drawdown.maximal,
        _yearly(*period_returns(result.curve, deposit, span)), figures.returns,
        figures.returns_of, figures.deflated_sharpe, trials,
    )  # fmt: skip


def _yearly(_unit: str, per_year: int, returns: sharpe.Floats) -> Yearly | None:
    ratio, limits = sharpe.sharpe(returns), sharpe.interval(returns)
    if ratio is None or limits is None:
        return None
    root = float(per_year) ** 0.5
    return Yearly(ratio * root, limits[0] * root, limits[1] * root)
