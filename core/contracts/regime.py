"""A feed's regime after a quarter of an hour, as stored."""

import msgspec


class RegimeState(msgspec.Struct, frozen=True):
    """See `risk.regimes.Regime`; `ts_event_us` is the quarter's end, market time."""

    run_id: str
    mode: str
    source: str
    symbol: str
    ts_event_us: int
    regime: str  # calm, normal, wild; unknown for a feed's first two days
    level_bp: float
    lasted_min: float
    fresh: float
