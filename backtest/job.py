"""What one process computes, and what comes back: values that travel between processes.

A job is one account over some feeds and one span of market time. Ticks before the span warm the
features up, so a job that begins in the middle of a recording sees the feature rows that a run
over all of it would have seen there.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.simulator.broker.costs import Frictions
from backtest.candles import FeedCandles
from core.contracts.firm import FirmRecord
from core.contracts.operations import RiskState
from core.contracts.order import OrderEvent
from core.contracts.signal import Signal
from core.desk import Desk, one_alone, parse
from core.settings import Settings
from execution.risk.run_rules import RunRules
from features.catalog import FEATURES
from streams.rows import Rows

#: Whether a feature of one symbol is made from other symbols of its source.
ACROSS_SYMBOLS = any(feature.family == "peers" for feature in FEATURES)
END_OF_TIME_MSC = 4_102_444_800_000  # 2100-01-01


class FeedFile(msgspec.Struct, frozen=True):
    """One feed as a normalised parquet file."""

    path: str
    source: str
    symbol: str


class Job(msgspec.Struct, frozen=True):
    """One account's backtest.

    Attributes:
        name: of the job within its run, for people.
        settings: as a replay would have them; `run` says run_id, mode, account and strategy.
        feeds: files whose ticks are the market; those in `traded` also give signals, the others
            only convert currencies.
        from_msc, to_msc: the span, Unix milliseconds; the end is left out.
        model: SHA-256 of an artefact in HOME/models, "" when nothing predicts.
        frictions: of the modelled broker; None for the replay's.
        bucket_us: the curve keeps one point of each such span.
        limits: a limits file's bytes; None: those in force.
        limits_entry: the signed entry that these bytes are; 0 when nobody signed them.
        rules: of a firm, and the calendar; None: as those limits say.
        desk: a desk file's bytes, where `settings.run.strategy` says so.
        risk: whether to say what could be lost, each minute in which anything is held.
    """

    name: str
    settings: Settings
    feeds: tuple[FeedFile, ...]
    traded: tuple[tuple[str, str], ...]
    from_msc: int = 0
    to_msc: int = END_OF_TIME_MSC
    model: str = ""
    frictions: Frictions | None = None
    bucket_us: int = 1_000_000
    limits: bytes | None = None
    limits_entry: int = 0
    rules: RunRules | None = None
    desk: bytes = b""
    risk: bool = False

    @property
    def strategies(self) -> Desk:
        """Which strategies trade.

        Raises:
            InputError: the desk has a mistake.
        """
        return parse(self.desk, "desk") if self.desk else one_alone(self.settings.run.strategy)

    @property
    def sampled(self) -> tuple[tuple[str, str], ...]:
        """Feeds that need feature rows: with columns that look across symbols, the sources' all."""
        if not ACROSS_SYMBOLS:
            return self.traded
        sources = {source for source, _ in self.traded}
        return tuple((f.source, f.symbol) for f in self.feeds if f.source in sources)


class Trade(msgspec.Struct, frozen=True):
    """One position, or the part of it that one fill closed. Money in account currency.

    Attributes:
        cause: what closed it: horizon, opposite, stop, ..., or `end` when the data ended first.
        profit: of the price move, without commission and swap.
        cost: what spread, slippage and latency took against the mid at the decision.
        mfe, mae: the best and the worst its floating profit ever was (0 or better, 0 or worse).
    """

    source: str
    symbol: str
    side: str
    volume: float
    opened_us: int
    price: float
    closed_us: int
    exit_price: float
    cause: str
    profit: float
    commission: float
    swap: float
    cost: float
    mfe: float
    mae: float
    notional: float
    signal_id: str
    order_id: str
    strategy: str = ""

    @property
    def net(self) -> float:
        """After commission and swap; rounded, for a sum of cents may be 1e-17 instead of 0."""
        return round(self.profit + self.commission + self.swap, 8)


class Drawdown(msgspec.Struct, frozen=True):
    """Drawdowns as MT5's tester names them, account currency and share of the peak."""

    absolute: float = 0.0  # deposit minus the lowest value
    maximal: float = 0.0  # the greatest fall in money,
    maximal_share: float = 0.0  # and what share of its peak that one was
    relative: float = 0.0  # the greatest fall as a share of its peak,
    relative_money: float = 0.0  # and what that one was in money


class Curve(NamedTuple):
    """Equity and balance at the last tick of each span of `bucket_us`, where they changed."""

    time_us: npt.NDArray[np.int64]
    equity: npt.NDArray[np.float64]
    balance: npt.NDArray[np.float64]


class JobOutcome(NamedTuple):
    """What a job found. `events` and `signals` are those a replay would have made."""

    job: Job
    events: list[OrderEvent]
    signals: list[Signal]
    trades: list[Trade]
    curve: Curve
    equity_drawdown: Drawdown
    balance_drawdown: Drawdown
    counts: dict[str, int]
    first_us: int
    last_us: int
    seconds: dict[str, float]
    trips: tuple[RiskState, ...] = ()  # breakers that stopped entries, to the end
    candles: tuple[FeedCandles, ...] = ()  # of the traded feeds, for the page
    firm: FirmRecord | None = None  # how it ended under its firm's rules; None without any
    risk: tuple[Rows, ...] = ()  # what could be lost, as rows of the tables it has in a replay


def counted(**counts: Any) -> dict[str, int]:
    """Counts as plain integers: NumPy's do not go into JSON."""
    return {name: int(value) for name, value in counts.items()}
