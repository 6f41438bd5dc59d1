"""Positions to money: exposures by feed and by currency, and what nights will cost.

An exposure is what a move of 100 % of a feed's price would gain, account currency: lots times
contract size times mid times the rate of the quote currency. Conversion is a risk of its own: the
profit so far, in quote currency, gains and loses with that currency's pair, to whose exposure it is
added.

A rate is the newest mid of the pair that holds both currencies, of the same source, as pre-trade
checks take it; there are no chains of two pairs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from core.instruments import NEW_YORK, Instrument, instrument

Feed = tuple[str, str]  # source, symbol
_HOUR_US = 3_600_000_000
HORIZONS_US = {"1h": _HOUR_US, "1d": 24 * _HOUR_US}


class Holding(NamedTuple):
    """One position: signed lots, average price of entry."""

    strategy: str
    source: str
    symbol: str
    lots: float
    price: float

    @property
    def feed(self) -> Feed:
        """Source and symbol."""
        return self.source, self.symbol


class Unit(NamedTuple):
    """One lot of a feed at the prices of a moment, account currency."""

    instrument: Instrument
    worth: float  # for a move of 100 %
    per_price: float  # for a move of 1 in price
    mid: float
    pair: Feed | None  # that converts the quote currency
    sign: int  # of the quote currency's value when that pair rises
    night_long: float  # paid for a night, negative when received
    night_short: float


class Exposures(NamedTuple):
    """Account currency. `missing`: why holdings could not be valued; they are in no figure."""

    by_feed: dict[Feed, float]
    by_currency: dict[str, float]
    lots: dict[Feed, float]
    carry: dict[str, float]  # by horizon: swap that will be paid, negative when received
    missing: tuple[str, ...]


class ConversionError(ValueError):
    """A position cannot be valued: its instrument, its price or a rate is not known."""


def rate(
    mids: Mapping[Feed, float], source: str, currency: str, account: str
) -> tuple[float, Feed | None, int]:
    """Account currency for one unit of a currency, its pair, and the sign it moves with.

    Raises:
        ConversionError: no pair of the source holds both.
    """
    if currency == account:
        return 1.0, None, 0
    for symbol, sign in ((currency + account, 1), (account + currency, -1)):
        mid = mids.get((source, symbol), 0.0)
        if mid > 0:
            return (mid if sign > 0 else 1 / mid), (source, symbol), sign
    raise ConversionError(
        f"no rate of {currency} in {account}: {source} quotes neither {currency}{account}"
        f" nor {account}{currency}"
    )


def unit(feed: Feed, mids: Mapping[Feed, float], account: str, at_us: int) -> Unit:
    """One lot of a feed.

    Args:
        feed: source and symbol.
        mids: newest price of each feed.
        account: the account's currency.
        at_us: market time, for the instrument.

    Raises:
        ConversionError: no instrument, no price, or no rate.
    """
    source, symbol = feed
    traded, mid = instrument(symbol, at_us), mids.get(feed, 0.0)
    if traded is None:
        raise ConversionError(f"no instrument {symbol}: tickhouse instruments describes it")
    if mid <= 0:
        raise ConversionError(f"no price of {source} {symbol}")
    value, pair, sign = rate(mids, source, traded.quote, account)
    per_price = traded.contract_size * value
    night = -traded.point * per_price
    return Unit(
        instrument=traded,
        worth=per_price * mid,
        per_price=per_price,
        mid=mid,
        pair=pair,
        sign=sign,
        night_long=night * traded.swap_long,
        night_short=night * traded.swap_short,
    )


def exposures(
    holdings: Iterable[Holding], mids: Mapping[Feed, float], account: str, at_us: int
) -> Exposures:
    """Of holdings at the prices of a moment.

    Args:
        holdings: any order; several of a feed add up.
        mids: newest price of each feed.
        account: the account's currency.
        at_us: market time, for the instruments and the nights ahead.
    """
    feeds: defaultdict[Feed, float] = defaultdict(float)
    currencies: defaultdict[str, float] = defaultdict(float)
    lots: defaultdict[Feed, float] = defaultdict(float)
    per_night, missing = 0.0, dict[str, None]()
    for held in holdings:
        try:
            one = unit(held.feed, mids, account, at_us)
        except ConversionError as error:
            missing[str(error)] = None
            continue
        worth = held.lots * one.worth
        gained = held.lots * one.per_price * (one.mid - held.price)
        feeds[held.feed] += worth
        lots[held.feed] += held.lots
        if one.pair:
            feeds[one.pair] += one.sign * gained
        currencies[one.instrument.base] += worth
        currencies[one.instrument.quote] += gained - worth
        per_night += abs(held.lots) * (one.night_long if held.lots > 0 else one.night_short)
    carry = {h: nights(at_us, at_us + span) * per_night for h, span in HORIZONS_US.items()}
    return Exposures(dict(feeds), dict(currencies), dict(lots), carry, tuple(missing))


def nights(after_us: int, until_us: int) -> int:
    """Nights charged in (after, until]: at 17:00 New York, Monday to Friday, Wednesday's three."""
    hours = range(after_us // _HOUR_US + 1, until_us // _HOUR_US + 1)
    return sum(_charged(hour) for hour in hours)


@lru_cache(maxsize=4096)
def _charged(hour: int) -> int:
    # New York's offset is whole hours, so a rollover is always on a whole UTC hour.
    local = datetime.fromtimestamp(hour * 3600, NEW_YORK)
    if local.hour != 17 or local.weekday() > 4:
        return 0
    return 3 if local.weekday() == 2 else 1
