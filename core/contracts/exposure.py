"""What an account holds and how often it speaks to its broker, after each change."""

import msgspec


class ExposureRate(msgspec.Struct, frozen=True, array_like=True, tag="ExposureRate/1"):
    """One symbol's exposure and the account's sum and message rate, at a moment of market time."""

    run_id: str
    mode: str
    account: str
    source: str
    symbol: str
    ts_event_us: int
    seq: int  # journal sequence after which it holds
    net_lots: float  # of the symbol, over strategies
    net_notional: float  # lots times contract size times average entry, quote currency
    gross_lots: float  # of the account: all positions, long and short alike
    messages_1s: int  # orders, changes and cancellations sent in the second before
    messages_60s: int
