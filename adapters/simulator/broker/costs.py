"""What trading costs, as pure functions: latency, slippage, money of a move, swap nights.

Latency and slippage are drawn from a hash of the feed, the side, the leg, the caller's market
time and the seed: the same decision gives the same fill whatever its process, schedule or run was.
"""

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from adapters.mt5.protocol.results import TradeRequest
from core.instruments import NEW_YORK

_HOUR_MSC = 3_600_000


class Frictions(msgspec.Struct, frozen=True):
    """How the modelled broker answers.

    `latency_ms`: uniform between both. With `slip_probability` a fill is worse than the quote
    by up to `slip_spreads` times the spread (uniform); never better.
    """

    latency_ms: tuple[int, int] = (20, 120)
    slip_probability: float = 0.3
    slip_spreads: float = 0.2


class Draw(msgspec.Struct, frozen=True):
    """The friction of one request: milliseconds, and slippage as a share of the spread."""

    latency_ms: int
    slip_spreads: float


def draw(frictions: Frictions, request: TradeRequest, source: str, at_msc: int, seed: int) -> Draw:
    """Friction of a request to a feed's broker sent at market time `at_msc` (milliseconds)."""
    leg = "out" if request.position else "in"
    text = f"{seed}|{source}|{request.symbol}|{request.type}|{leg}|{request.action}|{at_msc}"
    digest = hashlib.blake2b(text.encode(), digest_size=24).digest()
    slow, slips, far = (int.from_bytes(digest[i : i + 8], "big") / 2**64 for i in (0, 8, 16))
    least, most = frictions.latency_ms
    slip = far * frictions.slip_spreads if slips < frictions.slip_probability else 0.0
    return Draw(least + int(slow * (most - least + 1)), slip)


def quote_profit(long: bool, volume: float, contract: float, opened: float, closed: float) -> float:
    """Profit of a move in quote currency: lots times contract size times the price change."""
    return (closed - opened if long else opened - closed) * volume * contract


def money(amount: float) -> float:
    """An amount in account currency, rounded to cents as the broker books it."""
    return round(amount, 2) + 0.0  # + 0.0: never minus zero


def next_rollover(after_msc: int) -> int:
    """The first rollover after a time; milliseconds."""
    return _next_rollover(after_msc // _HOUR_MSC)[0]


def nights(after_msc: int, until_msc: int) -> list[tuple[int, int]]:
    """Rollovers in (after, until]: time (milliseconds) and nights charged.

    Rollover is at 17:00 New York, Monday to Friday; Wednesday's counts three, for the weekend.
    """
    rollovers = []
    time, count = _next_rollover(after_msc // _HOUR_MSC)
    while time <= until_msc:
        rollovers.append((time, count))
        time, count = _next_rollover(time // _HOUR_MSC)
    return rollovers


@lru_cache(maxsize=4096)
def _next_rollover(hour: int) -> tuple[int, int]:
    # The first rollover after the beginning of a UTC hour: it is always on a whole UTC hour.
    local = datetime.fromtimestamp(hour * 3600, NEW_YORK)
    day = local.date()
    if local.hour >= 17:
        day += timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    time = datetime(day.year, day.month, day.day, 17, tzinfo=NEW_YORK)
    return int(time.timestamp()) * 1000, 3 if day.weekday() == 2 else 1
