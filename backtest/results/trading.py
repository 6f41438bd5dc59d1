"""What the shipped strategies would have earned: the product's own backtest, all costs in."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters.simulator.markets.tickfile import ParquetTicks
from backtest.job import FeedFile, Job
from backtest.portfolio import together
from backtest.run import run
from core.settings import Settings

STRATEGIES = ("ema_cross", "breakout")


class Earned(NamedTuple):
    """One strategy on one feed, 0.1 lots on 100,000."""

    feed: str
    strategy: str
    trades: int
    net: float
    costs: float
    profit_factor: float | None
    sharpe: float | None


def of(path: Path, settings: Settings) -> list[Earned]:
    """Each strategy over all ticks of a file."""
    return [_earned(path, settings, name) for name in STRATEGIES]


def _earned(path: Path, settings: Settings, strategy: str) -> Earned:
    file = ParquetTicks(path)
    run_ = msgspec.structs.replace(settings.run, strategy=strategy)
    chosen = msgspec.structs.replace(settings, run=run_)
    feed = FeedFile(str(path), file.source, file.symbol)
    job = Job(file.symbol, chosen, (feed,), ((file.source, file.symbol),))
    figures = together([run(job)], settings.terminal.balance, len(STRATEGIES)).figures
    costs = figures.commission + figures.swap + figures.spread_and_slippage
    return Earned(
        f"{file.source}.{file.symbol}", strategy, figures.trades, figures.net_profit, costs,
        figures.profit_factor, figures.sharpe,
    )  # fmt: skip
