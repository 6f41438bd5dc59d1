"""What can be lost: figures of the market for pre-trade checks, and of each account for people.

Money is in account currency, a loss is positive. Volatilities are of the logarithmic return of a
minute. Feeds stand in the order of `feeds`; matrices are row by row.
"""

import msgspec

#: Live, so long may a tick, and what execution tells of a fill, be on its way: figures of a
#: moment are known so much later, and in a replay count from then on.
GRACE_US = 1_000_000


class StressShock(msgspec.Struct, frozen=True, array_like=True):
    """A scenario for the feeds of a message: what each does, all at once."""

    name: str
    version: str
    moves: list[float]  # share of price by feed
    spreads: list[float]  # share of price by feed, added to the spread: half of it is paid to close
    deviations: float  # of the portfolio over an hour, lost besides: nothing can be closed


class MarketRisk(msgspec.Struct, frozen=True, array_like=True, tag="MarketRisk/1"):
    """How feeds move, from the minutes of market time that ended by `ts_event_us`.

    What a portfolio risks follows from this and from its positions alone. `slice`: of a replay.
    """

    run_id: str
    mode: str
    ts_event_us: int
    slice: int
    feeds: list[tuple[str, str]]  # source, symbol
    mids: list[float]
    sigma: list[float]  # 0: too little history, or never moved
    correlation: list[float]  # shrunk; of a feed without sigma 0
    shrinkage: float
    observations: int
    stress: list[StressShock] = []
    regimes: list[str] = []  # of each feed: calm, normal, wild; unknown for its first two days


class MarketRiskEnd(msgspec.Struct, frozen=True, array_like=True, tag="MarketRiskEnd/1"):
    """No further figures of this slice of a replay will come."""

    run_id: str
    slice: int


MarketRiskMessage = MarketRisk | MarketRiskEnd


class PortfolioRisk(msgspec.Struct, frozen=True):
    """What an account, or one strategy in it (`strategy` not empty), risks at a moment."""

    run_id: str
    mode: str
    account: str
    strategy: str  # "" for the account
    ts_event_us: int
    seq: int  # journal sequence of the newest position that counts
    currency: str
    positions: int
    gross: float  # exposures, long and short alike
    net: float
    correlated: float  # root of e' R e: what remains of exposures after correlation
    concentration: float  # Herfindahl index of exposures by feed: 1 is all in one
    equity: float  # of the account, as the terminal reported it last; 0 while unknown
    margin: float
    stop_out: float  # what can be lost before the broker closes positions; of the account only
    stop_out_days: float  # the same in deviations of a day
    swap_1d: float  # certain cost of the next day's nights
    shrinkage: float
    observations: int  # minutes
    problem: str = ""  # why figures are missing, or what they assume


class ValueAtRisk(msgspec.Struct, frozen=True):
    """One measure of it. `horizon`: 1h or 1d; `confidence`: a share."""

    run_id: str
    mode: str
    account: str
    strategy: str
    ts_event_us: int
    measure: str
    confidence: float
    horizon: str
    value_at_risk: float
    expected_shortfall: float


class FeedExposure(msgspec.Struct, frozen=True):
    """What one feed adds to it."""

    run_id: str
    mode: str
    account: str
    strategy: str
    ts_event_us: int
    source: str
    symbol: str
    lots: float
    exposure: float  # account currency for a move of 100 %
    correlated: float  # of all exposures, what moves with this feed
    contribution: float  # share of the parametric variance
    sigma: float  # of a minute
    mid: float


class CurrencyExposure(msgspec.Struct, frozen=True):
    """What an account holds of a currency, in its own."""

    run_id: str
    mode: str
    account: str
    strategy: str
    ts_event_us: int
    currency: str
    exposure: float


class Correlation(msgspec.Struct, frozen=True):
    """Of a pair of feeds over the minutes before."""

    run_id: str
    mode: str
    ts_event_us: int
    source: str
    symbol: str
    other_source: str
    other_symbol: str
    correlation: float
    sigma: float  # of the first
    other_sigma: float


class StressResult(msgspec.Struct, frozen=True):
    """What a scenario would do to an account's positions as of a moment."""

    run_id: str
    mode: str
    account: str
    strategy: str
    ts_event_us: int
    ts_init_us: int
    scenario: str
    version: str
    profit: float  # negative: a loss
    share: float  # of equity; 0 while that is unknown
    factor: float  # how many times the scenario loses `target` of equity; infinite: never
    target: float
    worst_symbol: str
    untouched: str  # symbols that the scenario says nothing of, comma-separated
