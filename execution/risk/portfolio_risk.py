"""What an entry would do to the whole portfolio's risk, against the limits on it.

The stream says each minute of market time how feeds move together (`MarketRisk`); positions and
orders on their way are known here. So every figure is arithmetic in memory: nothing is asked of
the warehouse, and the same message and positions give the same answer live and in a replay.
Prices are those of the message, as in the figures that people see.

Value at risk and expected shortfall are the parametric ones, at 99 % and a day, swap included
(risk/value_at_risk.py). An entry is denied by a limit only when it makes that figure larger; while
figures are older than `max_risk_age_s`, or there are none, every entry is denied. Exits never
come here.
"""

import math
from collections.abc import Iterable
from contextlib import suppress
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.order import DenialReason as Reason
from core.contracts.risk import MarketRisk, StressShock
from execution.risk.checks import Denial
from execution.risk.limits import Limits, LimitsBook
from risk.exposure import ConversionError, Feed, Unit, nights, unit

_CONFIDENCE, _MINUTES, _HOUR = 0.99, 1440, 60
_QUANTILE = NormalDist().inv_cdf(_CONFIDENCE)
_BEYOND = NormalDist().pdf(_QUANTILE) / (1 - _CONFIDENCE)
_DAY_US, _DAY_ROOT = _MINUTES * 60_000_000, math.sqrt(_MINUTES)
Floats = npt.NDArray[np.float64]


class Held(NamedTuple):
    """A position, or an entry on its way; signed lots. The price is that of its entry, 0: now."""

    feed: Feed
    lots: float
    price: float = 0.0


class Risked(NamedTuple):
    """What a portfolio risks, account currency."""

    value_at_risk: float
    expected_shortfall: float
    currency: float  # most held or owed of a currency that is not the account's
    correlated: float  # of all exposures, what moves with one feed
    stress: float  # loss in the worst scenario


class Valued(NamedTuple):
    """A portfolio in money, account currency."""

    exposures: list[float]  # by place of the feed
    currencies: dict[str, float]
    per_night: float  # swap


class _Standing(NamedTuple):
    """What is held, multiplied out: an order then changes one or two places of it."""

    held: list[Held]
    valued: Valued
    risked: Risked  # without what moves with one feed
    pulled: list[float]  # covariance times exposures, by place
    moving: list[float]  # correlation times exposures, by place
    variance: float
    alone: float
    lost: list[float]  # by scenario, without what moves on while nothing can be closed


class Figures:
    """One message, ready for use: matrices, and what a lot of each feed is worth.

    Args:
        message: of the stream.
        currency: of the account.
    """

    def __init__(self, message: MarketRisk, currency: str) -> None:
        self.ts_us, self._currency = message.ts_event_us, currency
        self._place = {feed: place for place, feed in enumerate(message.feeds)}
        self._mids = dict(zip(message.feeds, message.mids, strict=True))
        size, sigma = len(message.feeds), np.array(message.sigma)
        self._correlation = np.array(message.correlation).reshape(size, size)
        self._covariance = np.outer(sigma, sigma) * self._correlation
        # A feed without history counts in full, at the largest volatility of any, against us.
        unknown = np.where(sigma > 0, 0.0, sigma.max(initial=0.0))
        self._unknown: list[float] = unknown.tolist()
        self.measures = bool((sigma > 0).any())
        self._stress = _Stress(message.stress, size)
        self._units: dict[Feed, Unit] = {}
        self._nights = nights(self.ts_us, self.ts_us + _DAY_US)
        self._standing = self._stand([])

    def unit(self, feed: Feed) -> Unit:
        """What a lot is worth.

        Raises:
            ConversionError: no price, no instrument, no rate.
        """
        known = self._units.get(feed)
        if known is None:
            known = self._units[feed] = unit(feed, self._mids, self._currency, self.ts_us)
        return known

    def renewed(self, message: MarketRisk) -> "Figures":
        """Those of a newer message, of what was held when these were asked last."""
        newer = Figures(message, self._currency)
        newer.prepare(self._standing.held)
        return newer

    def prepare(self, held: list[Held]) -> None:
        """Value what is held, most of a check's work, before an order asks."""
        if held != self._standing.held:
            with suppress(ConversionError, KeyError):  # the next check meets it too, and denies
                self._standing = self._stand(held)

    def before_and_after(self, held: list[Held], order: Held) -> tuple[Risked, Risked]:
        """What a portfolio risks without and with an order.

        Raises:
            ConversionError: something in it cannot be valued.
            KeyError: a feed is not among the message's.
        """
        now = self._standing
        if held != now.held:  # it seldom changes, and walking through it is most of the work
            now = self._standing = self._stand(held)
        money: dict[int, float] = {}
        currencies = now.valued.currencies.copy()
        per_night = now.valued.per_night + self._add(order, money, currencies)
        at = self._place[order.feed]
        moving = abs(now.moving[at])
        after = self._with(now, money, currencies, per_night, at)
        return now.risked._replace(correlated=moving), after

    def _stand(self, held: list[Held]) -> _Standing:
        valued = self._valued(held)
        exposures = np.array(valued.exposures)
        pulled = self._covariance @ exposures
        variance = float(exposures @ pulled)
        moving: list[float] = (self._correlation @ exposures).tolist()
        alone = sum(abs(m) * u for m, u in zip(valued.exposures, self._unknown, strict=True))
        lost = self._stress.lost(exposures)
        risked = self._risked(valued.currencies, valued.per_night, variance, alone, 0.0, lost)
        return _Standing(
            held=held, valued=valued, risked=risked, pulled=pulled.tolist(), moving=moving,
            variance=variance, alone=alone, lost=lost,
        )  # fmt: skip

    def _with(
        self,
        now: _Standing,
        money: dict[int, float],
        currencies: dict[str, float],
        per_night: float,
        at: int,
    ) -> Risked:
        """What it risks with `money` more by place; `at`: place of the order's feed."""
        variance, alone, lost, correlated = now.variance, now.alone, now.lost, now.moving[at]
        held, unknown = now.valued.exposures, self._unknown
        for place, more in money.items():
            variance += 2.0 * more * now.pulled[place]
            for other, too in money.items():
                variance += more * too * self._covariance.item(place, other)
            larger = abs(held[place] + more) - abs(held[place])
            alone += larger * unknown[place]
            correlated += more * self._correlation.item(at, place)
            lost = self._stress.more(lost, place, more, larger)
        return self._risked(currencies, per_night, variance, alone, abs(correlated), lost)

    def _risked(
        self,
        currencies: dict[str, float],
        per_night: float,
        variance: float,
        alone: float,
        correlated: float,
        lost: list[float],
    ) -> Risked:
        minute = math.sqrt(max(variance, 0.0)) + alone
        day, cost = minute * _DAY_ROOT, self._nights * per_night
        most = 0.0
        for currency, held in currencies.items():
            if currency != self._currency:
                most = max(most, abs(held))
        stress = self._stress.worst(lost, minute)
        return Risked(_QUANTILE * day + cost, _BEYOND * day + cost, most, correlated, stress)

    def _valued(self, portfolio: Iterable[Held]) -> Valued:
        money: dict[int, float] = {}
        currencies: dict[str, float] = {}
        per_night = 0.0
        for one in portfolio:
            per_night += self._add(one, money, currencies)
        exposures = [money.get(place, 0.0) for place in range(len(self._place))]
        return Valued(exposures, currencies, per_night)

    def _add(self, position: Held, money: dict[int, float], currencies: dict[str, float]) -> float:
        """A position's money by place and by currency; its swap a night."""
        feed, lots, price = position
        one = self._units.get(feed) or self.unit(feed)
        place, traded, worth = self._place[feed], one.instrument, lots * one.worth
        gained = lots * one.per_price * (one.mid - price) if price else 0.0
        money[place] = money.get(place, 0.0) + worth
        if one.pair and gained:
            pair = self._place[one.pair]
            money[pair] = money.get(pair, 0.0) + one.sign * gained
        currencies[traded.base] = currencies.get(traded.base, 0.0) + worth
        currencies[traded.quote] = currencies.get(traded.quote, 0.0) + gained - worth
        return lots * one.night_long if lots > 0 else -lots * one.night_short


class _Stress:
    """All scenarios at once."""

    def __init__(self, shocks: list[StressShock], size: int) -> None:
        shape = (len(shocks), size)
        self._moves = np.array([s.moves for s in shocks]).reshape(shape)
        self._spreads = np.array([s.spreads for s in shocks]).reshape(shape) / 2
        self._by_place: list[list[tuple[float, float]]] = [
            list(zip(moves, spreads, strict=True))
            for moves, spreads in zip(self._moves.T.tolist(), self._spreads.T.tolist(), strict=True)
        ]
        # What cannot be closed for an hour moves on meanwhile.
        self._deviations = [s.deviations * math.sqrt(_HOUR) for s in shocks]

    def lost(self, money: Floats) -> list[float]:
        """By scenario, of exposures by place."""
        lost: list[float] = (self._spreads @ np.abs(money) - self._moves @ money).tolist()
        return lost

    def more(self, lost: list[float], place: int, money: float, larger: float) -> list[float]:
        """With more money at a place, whose size grows by `larger`."""
        return [
            one - move * money + spread * larger
            for one, (move, spread) in zip(lost, self._by_place[place], strict=True)
        ]

    def worst(self, lost: list[float], minute: float) -> float:
        """Of all scenarios; 0 when none loses. `minute`: deviation of the portfolio."""
        worst = 0.0
        for one, deviations in zip(lost, self._deviations, strict=True):
            worst = max(worst, one + deviations * minute)
        return worst


class MarketFigures:
    """The newest figures. One thread takes them, another checks by them."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._newest: MarketRisk | None = None
        self._ready: Figures | None = None
        self._regimes: dict[Feed, str] = {}

    def take(self, message: object) -> None:
        """A message of topic `market_risk`; of other runs, and older ones, are left out."""
        known = self._newest
        if not isinstance(message, MarketRisk) or message.run_id != self._run_id:
            return
        if known is None or message.ts_event_us > known.ts_event_us:
            self._regimes = dict(zip(message.feeds, message.regimes, strict=False))
            if self._ready is not None:  # by the thread that has time, before the next order asks
                self._ready = self._ready.renewed(message)
            self._newest = message

    def prepare(self, held: list[Held]) -> None:
        """Value what is held now, by figures that a check has asked for before."""
        if self._ready is not None:
            self._ready.prepare(held)

    def regime(self, feed: Feed, oldest_us: int) -> str:
        """Of a feed; "unknown" as well while the figures are older than `oldest_us`."""
        newest = self._newest
        if newest is None or newest.ts_event_us < oldest_us:
            return "unknown"
        return self._regimes.get(feed, "unknown")

    def at(self, currency: str) -> Figures | None:
        """Ready for an account's currency; None before the first message."""
        newest, ready = self._newest, self._ready
        if newest is None:
            return None
        if ready is None or ready.ts_us < newest.ts_event_us:
            ready = self._ready = Figures(newest, currency)
        return ready


_FIGURES: tuple[tuple[str, str, Reason], ...] = (
    ("max_var_equity", "value_at_risk", Reason.VALUE_AT_RISK),
    ("max_shortfall_equity", "expected_shortfall", Reason.EXPECTED_SHORTFALL),
    ("max_currency_equity", "currency", Reason.CURRENCY_EXPOSURE),
    ("max_correlated_equity", "correlated", Reason.CORRELATED_EXPOSURE),
    ("max_stress_equity", "stress", Reason.STRESS_LOSS),
)


def is_limited(limits: Limits) -> bool:
    """Whether any limit needs these figures."""
    return limits.max_order_var_equity != math.inf or any(
        getattr(limits, name) != math.inf for name, _, _ in _FIGURES
    )


def uses_figures(book: LimitsBook) -> bool:
    """Whether any account or symbol has such a limit: then a replay has to compute them."""
    names = {"max_order_var_equity", *(name for name, _, _ in _FIGURES)}
    tables = [*book.symbols.values(), *book.accounts.values()]
    tables += [t for a in book.accounts.values() for t in a.get("symbols", {}).values()]
    return is_limited(book.base) or any(names & set(table) for table in tables)


def check(
    limits: Limits,
    figures: Figures | None,
    held: list[Held],
    order: Held,
    equity: float,
    now_us: int,
) -> Denial | None:
    """Why an entry may not go, or None. Only asked while a limit on risk is set.

    Args:
        limits: of the order's symbol.
        figures: the newest as of now.
        held: positions, and entries whose outcome is not known yet.
        order: the entry.
        equity: of the account.
        now_us: by the order's clock.
    """
    age = (now_us - figures.ts_us) / 1e6 if figures and figures.measures else math.inf
    if figures is None or age > limits.max_risk_age_s:
        return Denial(Reason.STALE_RISK, limits.max_risk_age_s, age)
    try:
        before, after = figures.before_and_after(held, order)
    except (ConversionError, KeyError):  # a feed that the stream does not know
        return Denial(Reason.NO_CONVERSION_RATE, 1.0, 0.0)
    return _beyond(limits, before, after, max(equity, 0.0))


def _beyond(limits: Limits, before: Risked, after: Risked, equity: float) -> Denial | None:
    added = after.value_at_risk - before.value_at_risk
    most = _in_money(limits.max_order_var_equity, equity)
    if added > most:
        return Denial(Reason.ORDER_RISK, most, added)
    for limit, figure, reason in _FIGURES:
        most, would = _in_money(getattr(limits, limit), equity), getattr(after, figure)
        if would > most and would > getattr(before, figure):
            return Denial(reason, most, would)
    return None


def _in_money(equities: float, equity: float) -> float:
    return math.inf if equities == math.inf else equities * equity
