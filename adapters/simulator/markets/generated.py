"""A generated market, deterministic from (seed, symbol, UTC day), with a declared planted edge.

It has what real quotes have: sessions, an intraday activity curve, bursts, gaps, news with
jumps, spreads that widen around 17:00 New York and at news, repeated milliseconds, a few locked
and crossed quotes. Each day begins where a slow walk over days puts it, whatever days were made
before; ticks that change neither bid nor ask are left out, as a real terminal does.

**The planted edge.** A hidden regime z is 0 most of the time and switches to +1 or -1 (equally
likely) for `ON_S` = 90 s on average, with `OFF_S` = 420 s on average between (both
exponential). While z is on, a tick is an uptick with probability 0.5 + `LEAN` z, `LEAN` = 0.3;
step sizes are such that this imbalance alone moves nothing. What moves the price is a drift
that follows it: every second of z adds `drift` z to the price, spread evenly over the next
`LEAD_S` = 60 s. `drift` is chosen per symbol so that a regime of 60 s moves the price by
`EDGE` = 4 times the cost of a round trip (mean spread and commission of both sides).

To find it: over the last 20 to 60 s count upticks and downticks of the mid; when the share of
upticks is far from a half, the mid return of the next 60 s has that sign and, on average, pays
for the costs. Momentum of the last 60 s helps, for the drift has then begun. Nothing else in
this market predicts anything.

A market that opens lively has regimes by the clock in its first ten minutes, so that whoever has
just started it sees them: z is on for 75 s of every 120, its sign alternating, and no two
symbols begin together.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets.tape import Ticks
from core.errors import SettingsError
from core.instruments import NEW_YORK, Instrument, instrument, is_open

DAY_MSC = 86_400_000
#: Traits of a market: it trades at weekends too; its first minutes have planted regimes.
NEVER_CLOSES, LIVELY = "never_closes", "lively"
_DAY_S = 86_400
_HOUR_S = 3_600

ON_S, OFF_S, LEAN, LEAD_S, EDGE = 90.0, 420.0, 0.3, 60, 4.0
_LIVELY_S, _CYCLE_S, _CYCLE_ON_S, _APART_S = 600, 120, 75, 25

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Profile(NamedTuple):
    """One symbol's market. Prices and sizes in quote currency."""

    price: float  # about which the days walk
    spread: float  # mean
    step: float  # mean size of a tick's move
    rate: float  # mean ticks per open second
    daily: float = 0.006  # relative standard deviation of the days' walk


PROFILES = {
    "EURUSD": Profile(1.10, 0.00008, 0.00002, 3.0),
    "GBPUSD": Profile(1.28, 0.00010, 0.000025, 3.0),
    "NZDUSD": Profile(0.62, 0.00012, 0.000015, 2.0),
    "USDJPY": Profile(148.0, 0.010, 0.0025, 3.0),
    "GBPJPY": Profile(188.0, 0.020, 0.0035, 3.0),
    "XAUUSD": Profile(2300.0, 0.20, 0.035, 6.0, 0.009),
    "BTCUSD": Profile(60_000.0, 14.0, 2.5, 3.0, 0.02),
    "ETHUSD": Profile(3_000.0, 1.2, 0.2, 3.0, 0.02),
}


def profile(symbol: str) -> Profile:
    """A symbol's profile.

    Raises:
        SettingsError: the symbol has none.
    """
    if symbol not in PROFILES:
        known = ", ".join(sorted(PROFILES))
        raise SettingsError(f"no generated market for {symbol!r} (terminal.symbols); has {known}")
    return PROFILES[symbol]


def day_ticks(symbol: str, day: int, seed: int, lively_s: int | None = None) -> Ticks:
    """All ticks of one UTC day (days since 1970), dtype MT5_TICK, times in UTC; maybe none.

    lively_s: Unix time from which regimes go by the clock for ten minutes; None: never.
    """
    shape, known = profile(symbol), instrument(symbol, day * _DAY_S * 1_000_000)
    if known is None:
        return np.zeros(0, MT5_TICK)
    random = np.random.default_rng(_seed(seed, symbol, "day", day))
    news = _news(random, day)
    second, msc = _times(random, shape, known, day, news)
    if not len(second):
        return np.zeros(0, MT5_TICK)
    mid = _mid(
        random=random, shape=shape, known=known, day=day, second=second, news=news, seed=seed,
        lively_s=lively_s,
    )  # fmt: skip
    bid, ask = _quotes(random, shape, known, mid, _widening(day, news)[second])
    return _ticks(day * DAY_MSC + msc, bid, ask, known)


def round_trip_cost(shape: Profile, known: Instrument) -> float:
    """Mean spread and the commission of both sides, as a price. Assumes commission in quote."""
    rate = shape.price if known.quote == "JPY" else 1.0  # the shipped commission is in dollars
    return shape.spread + 2 * known.commission / known.contract_size * rate


def _seed(seed: int, symbol: str, purpose: str, day: int) -> int:
    text = f"{seed}|{symbol}|{purpose}|{day}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


@lru_cache(maxsize=64)
def _opening(symbol: str, seed: int, day: int, price: float, daily: float) -> float:
    # A mean-reverting walk written as a moving average of the last 200 days' innovations: any
    # day's opening needs no other day's market.
    innovations = [
        np.random.default_rng(_seed(seed, symbol, "walk", day - back)).standard_normal()
        for back in range(200)
    ]
    weights = daily * 0.97 ** np.arange(200)
    return price * float(np.exp(np.dot(innovations, weights)))


def _news(random: np.random.Generator, day: int) -> Ints:
    """Seconds of the day at which news comes out: 0 to 3 of the usual times, on weekdays."""
    usual = np.array([8 * _HOUR_S + 1800, 12 * _HOUR_S + 1800, 14 * _HOUR_S, 18 * _HOUR_S])
    chosen = usual[random.random(len(usual)) < 0.35]
    return chosen if (day + 3) % 7 < 5 else chosen[:0]


def _open_seconds(session: str, day: int) -> npt.NDArray[np.bool_]:
    hours = [is_open(session, (day * 24 + hour) * _HOUR_S * 1_000_000) for hour in range(24)]
    return np.repeat(hours, _HOUR_S)


def _times(
    random: np.random.Generator, shape: Profile, known: Instrument, day: int, news: Ints
) -> tuple[Ints, Ints]:
    """Second of the day and millisecond of the day of every tick, in time order."""
    second = np.arange(_DAY_S)
    hour = second / _HOUR_S
    # quiet in the Pacific night, busy from London's morning to New York's noon
    curve = 0.55 + 0.9 * np.exp(-(((hour - 9) / 2.5) ** 2)) + np.exp(-(((hour - 14.5) / 2.5) ** 2))
    activity = shape.rate * curve * _bursts(random, news) * _open_seconds(known.session, day)
    for start, length in zip(
        random.integers(0, _DAY_S, 3), random.integers(15, 180, 3), strict=True
    ):
        activity[start : start + length] = 0.0  # a gap
    chosen = np.repeat(second, random.poisson(activity))
    msc = np.sort(chosen * 1000 + random.integers(0, 1000, len(chosen)))
    repeats = np.flatnonzero(random.random(len(msc)) < 0.015)
    repeats = repeats[repeats > 0]
    msc[repeats] = msc[repeats - 1]
    return msc // 1000, msc


def _bursts(random: np.random.Generator, news: Ints) -> Floats:
    """Activity multiplier per second: sudden bursts that decay over half a minute."""
    impulse = np.zeros(_DAY_S)
    starts = random.integers(0, _DAY_S, random.poisson(20))
    impulse[starts] = random.uniform(2, 8, len(starts))
    impulse[news] += 15.0
    kernel = np.exp(-np.arange(180) / 30.0)
    return 1.0 + np.convolve(impulse, kernel)[:_DAY_S]


def _regime(random: np.random.Generator) -> Floats:
    """The hidden z per second: -1, 0 or 1. Begins each day switched off."""
    count = 2 * int(_DAY_S / (ON_S + OFF_S)) + 40
    lengths = np.empty(2 * count)
    lengths[0::2] = random.exponential(OFF_S, count)
    lengths[1::2] = random.exponential(ON_S, count)
    values = np.zeros(2 * count)
    values[1::2] = random.choice([-1.0, 1.0], count)
    return np.repeat(values, np.ceil(lengths).astype(np.int64))[:_DAY_S]


def _by_the_clock(regime: Floats, symbol: str, begin: int) -> Floats:
    """The regime with its first minutes from second `begin` of the day on replaced."""
    place = sorted(PROFILES).index(symbol)
    number, second = np.divmod(np.arange(_LIVELY_S) + place * _APART_S, _CYCLE_S)
    sign = np.where(number % 2, -1.0, 1.0)
    at = np.arange(begin, begin + _LIVELY_S)
    today = (at >= 0) & (at < len(regime))
    regime[at[today]] = (sign * (second < _CYCLE_ON_S))[today]
    return regime


def _mid(
    random: np.random.Generator, shape: Profile, known: Instrument, day: int, second: Ints,
    news: Ints, seed: int, lively_s: int | None,
) -> Floats:  # fmt: skip
    """The unrounded mid of every tick."""
    regime = _regime(random)
    if lively_s is not None:
        regime = _by_the_clock(regime, known.symbol, lively_s - day * _DAY_S)
    regime *= _open_seconds(known.session, day)
    lead = np.convolve(regime, np.full(LEAD_S, 1 / LEAD_S))[:_DAY_S]
    lead = np.concatenate([[0.0], lead[:-1]])  # z of this second acts from the next one on
    drift = np.cumsum(lead) * EDGE * round_trip_cost(shape, known) / 60.0
    jumps = np.zeros(_DAY_S)
    jumps[news] = random.normal(0, 25 * shape.step, len(news))
    up_share = 0.5 + LEAN * regime[second]
    up = random.random(len(second)) < up_share
    # the rarer direction makes the larger steps, so that the lean alone has no drift
    size = np.where(up, 1 - up_share, up_share) * 2 * shape.step
    steps = np.where(up, size, -size) * random.uniform(0.5, 1.5, len(second))
    path = np.cumsum(steps) + (drift + np.cumsum(jumps))[second]
    first, last = (
        _opening(known.symbol, seed, d, shape.price, shape.daily) for d in (day, day + 1)
    )
    bridge = np.linspace(0.0, last - first - path[-1], len(path))
    return first + path + bridge


def _widening(day: int, news: Ints) -> Floats:
    """Spread multiplier per second: around 17:00 New York and after news."""
    wide = np.ones(_DAY_S)
    second = np.arange(_DAY_S)
    wide += 4.0 * np.exp(-np.abs(second - _new_york_close(day)) / 300.0)
    for at in news:
        after = second - at
        wide += np.where(after >= -5, 6.0 * np.exp(-np.maximum(after, 0) / 45.0), 0.0)
    return wide


@lru_cache(maxsize=64)
def _new_york_close(day: int) -> int:
    """Second of the UTC day at which it is 17:00 in New York."""
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    close = datetime(date.year, date.month, date.day, 17, tzinfo=NEW_YORK)
    return int(close.timestamp()) - day * _DAY_S


def _quotes(
    random: np.random.Generator, shape: Profile, known: Instrument, mid: Floats, wide: Floats
) -> tuple[Ints, Ints]:
    """Bid and ask in points."""
    count = len(mid)
    level = np.cumsum(random.random(count) < 0.06)  # the spread keeps its level for a while
    noise = np.exp(random.normal(0, 0.15, level[-1] + 1))[level]
    point = known.point
    spread = np.maximum(np.rint(shape.spread * noise * wide / point), 1).astype(np.int64)
    bid = np.rint(mid / point - spread / 2).astype(np.int64)
    odd = random.random(count)
    spread[odd < 0.001] = 0  # locked
    spread[odd < 0.0004] = -1  # crossed
    return bid, bid + spread


def _ticks(msc: Ints, bid: Ints, ask: Ints, known: Instrument) -> Ticks:
    new_bid, new_ask = np.ones(len(bid), bool), np.ones(len(ask), bool)
    new_bid[1:], new_ask[1:] = bid[1:] != bid[:-1], ask[1:] != ask[:-1]
    kept = new_bid | new_ask
    ticks = np.zeros(int(kept.sum()), MT5_TICK)
    scale = 10**known.digits
    ticks["time_msc"], ticks["time"] = msc[kept], msc[kept] // 1000
    ticks["bid"], ticks["ask"] = bid[kept] / scale, ask[kept] / scale
    ticks["flags"] = (2 * new_bid + 4 * new_ask)[kept]
    return ticks
