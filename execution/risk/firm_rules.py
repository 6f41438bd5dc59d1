"""Rules of proprietary trading firms: what an account may lose, and how much is left of it.

Such firms' pages differ in a few points, and each is a field here: what a day's loss counts from,
when and where a day begins, whether the drawdown trails and by which high, and whether closed
profit or floating equity is looked at. A file of limits says them as `[firms.<name>]`, dated by
whoever read the firm's page; nobody vouches for them.

A broker's retail client is under rules of the same kind: initial margin by class of instrument,
closing at half of it, no negative balance (`retail = true`, `execution/risk/retail.py`).

The state is a fold over looks at the account (`fold`), a second apart in live trading and at every
tick in a replay; a look is (time, balance, equity, lots, margin). It needs nothing but its own
past, so that a restart goes on from the record of it in the journal.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from core.contracts.firm import FirmBreach, FirmFigure, FirmState, Least
from execution.risk import firm_day, retail

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Money = Literal["balance", "equity", "higher"]
Breach = Literal["none", "reducing", "halted", "flatten"]
DAILY_LOSS, DRAWDOWN, LOTS = "daily_loss", "drawdown", "open_lots"
CLOSE_OUT, NEGATIVE = "margin_close_out", "negative_balance"
TARGET, DAYS, CONSISTENCY, NEWS = "profit_target", "min_days", "consistency", "news"
OFF = math.inf
_HAIR = 1e-9
#: A commented file of limits with an invented firm.
EXAMPLE = Path(__file__).with_name("firm_example.toml")


class FirmRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one firm says of one kind of account. Money in account currency, shares of 1."""

    dated: date | None = None  # when its page was read; needed
    source: str = ""  # where that page is
    size: float = 0.0  # balance the account began with; 0: the first one seen
    reset: str = "00:00"  # local time at which the firm's day begins
    zone: str = "UTC"  # of that time, an IANA name: Europe/Prague
    daily_loss: float = OFF
    daily_loss_share: float = OFF  # the same, as a share
    daily_loss_share_of: Literal["size", "day"] = "size"  # or of what the day began with
    daily_loss_from: Money = "balance"  # at the day's beginning; higher: of the two
    daily_loss_on: Literal["balance", "equity"] = "equity"  # what may not fall so far
    drawdown: float = OFF
    drawdown_share: float = OFF  # of size
    drawdown_kind: Literal["static", "trailing"] = "static"
    drawdown_high: Literal["day", "account"] = "account"  # the high of days' beginnings, or any
    drawdown_high_of: Money = "equity"
    drawdown_on: Literal["balance", "equity"] = "equity"
    drawdown_stops_at_size: bool = False  # a trailing floor goes no higher than size
    high_before: float = 0.0  # highest before this system traded it; 0: size
    max_order_lots: float = OFF
    max_open_lots: float = OFF  # of all positions, long and short alike
    min_days: int = 0  # days with an entry
    days_before: int = 0  # such days before this system traded it
    consistency: float = OFF  # largest share of the profit that one day may have
    best_day_before: float = 0.0  # largest profit of a day before this system traded it
    profit_target: float = OFF
    profit_target_share: float = OFF  # of size
    news_before_min: float = 0.0  # no entry so long before an event of the calendar,
    news_after_min: float = 0.0  # and after one
    news_importance: Literal["low", "medium", "high"] = "high"  # from this on
    retail: bool = False  # ESMA's measures for retail clients of CFDs
    retail_margins: dict[
        str, float
    ] = {}  # shares of notional by symbol, where its class is not ours
    margin_share: float = 0.1  # of what may be lost that entries leave alone
    at_stops: bool = True  # entries count what this order and open positions lose at their stops
    on_breach: Breach = "halted"  # flatten: halted, and positions are closed
    enforce: bool = True  # false: watched only, nothing is denied or stopped

    def __post_init__(self) -> None:
        firm_day.zone_of(self.zone)
        firm_day.reset_of(self.reset)
        if self.margin_share >= 1:
            raise ValueError(f"margin_share is below 1, not {self.margin_share:g}")
        for symbol, share in self.retail_margins.items():
            if not 0 < share <= 1:
                raise ValueError(
                    f"retail_margins: {symbol} is above 0 and at most 1, not {share:g}"
                )


class Readings(NamedTuple):
    """The account at moments in order; each array has shape (n,). Times are microseconds, UTC."""

    time_us: Times
    balance: Floats
    equity: Floats
    lots: Floats  # of all positions, long and short alike
    margin: Floats  # a retail client's initial margin of all positions; 0 where nobody needs it

    def part(self, begin: int, end: int) -> "Readings":
        """Some of them."""
        cut = slice(begin, end)
        return Readings(
            self.time_us[cut], self.balance[cut], self.equity[cut], self.lots[cut], self.margin[cut]
        )


def reading(
    time_us: int, balance: float, equity: float, lots: float = 0.0, margin: float = 0.0
) -> Readings:
    """The account at one moment."""
    values = np.array([balance]), np.array([equity]), np.array([lots]), np.array([margin])
    return Readings(np.array([time_us]), *values)


def opened(rules: FirmRules, firm: str, at: Readings, paid: float = 0.0) -> FirmState:
    """The state of an account that is looked at for the first time."""
    time_us, balance, equity = int(at.time_us[0]), float(at.balance[0]), float(at.equity[0])
    size = rules.size or balance
    high = max(rules.high_before, size)
    return FirmState(
        firm=firm, ts_us=time_us, began_us=time_us, size=size, day_us=day_start(rules, time_us),
        day_balance=balance, day_equity=equity, high_balance=high, high_equity=high,
        day_high_balance=high, day_high_equity=high, days=rules.days_before, traded=False,
        best_day=rules.best_day_before, balance=balance, equity=equity, paid=paid,
    )  # fmt: skip


def fold(
    rules: FirmRules, state: FirmState, looks: Readings, *, paid: float = 0.0,
    entries: Sequence[int] = (), away: bool = False,
) -> tuple[FirmState, tuple[FirmBreach, ...]]:  # fmt: skip
    """The state after looks that are later than it, and what each broke first.

    Args:
        paid: all that was ever paid in less what was paid out; neither gain nor loss.
        entries: times at which positions were opened, at least those since the state.
        away: nobody looked for a while before these looks. What a day then began with is not
            known, and the higher of the last look and the first counts.
    """
    state = _paid(state, paid)
    breaches: list[FirmBreach] = []
    for piece in _days(rules, looks):
        state = _day_of(rules, state, piece, entries, away=away)
        breaches += _broken(rules, state, piece)
        state = _after(rules, state, piece)
    breaches.sort(key=_moment)
    return replace(state, broken=_first((*state.broken, *breaches))), tuple(breaches)


def noted(state: FirmState, breaches: Sequence[FirmBreach]) -> FirmState:
    """The state with breaches that the account's figures alone do not show."""
    return replace(state, broken=_first((*state.broken, *breaches)))


def figures(rules: FirmRules, state: FirmState) -> list[FirmFigure]:
    """What is left before each rule, as of the state.

    `left` is money before a loss breaks its rule, profit that a target still lacks, lots, days
    that are missing, or today's profit before the day has too large a share of all.
    """
    shown = [*_limits(rules, state)]
    target = _smaller(rules.profit_target, rules.profit_target_share, state.size)
    profit = state.balance - state.size
    if target != OFF:
        shown.append(_figure(state, TARGET, target, profit))
    if rules.min_days:
        shown.append(_figure(state, DAYS, rules.min_days, state.days + state.traded))
    if rules.consistency != OFF:
        shown.append(_consistency(rules, state, profit))
    if rules.news_before_min or rules.news_after_min:
        shown.append(_figure(state, NEWS, 0.0, float(any(b.rule == NEWS for b in state.broken))))
    return shown


def room(rules: FirmRules, state: FirmState, balance: float, equity: float) -> list[FirmFigure]:
    """What is left before each limit on what may be lost, for the account as it is now."""
    now = replace(state, balance=balance, equity=equity)
    held = _limits(rules, _with_highs(now, balance, equity))
    return [figure for figure in held if figure.rule in (DAILY_LOSS, DRAWDOWN)]


def day_start(rules: FirmRules, time_us: int) -> int:
    """When the firm's day began that a time lies in. Microseconds, UTC."""
    return firm_day.bounds(rules.zone, rules.reset, time_us)[0]


def _days(rules: FirmRules, looks: Readings) -> Iterator[Readings]:
    """The looks of each of the firm's days."""
    begin = 0
    while begin < len(looks.time_us):
        first = int(looks.time_us[begin])
        _, end_us = firm_day.bounds(rules.zone, rules.reset, first)
        end = int(np.searchsorted(looks.time_us, end_us))
        yield looks.part(begin, end)
        begin = end


def _paid(state: FirmState, paid: float) -> FirmState:
    """Money that was paid in or out moves everything that is counted from."""
    if paid == state.paid:
        return state
    moved = paid - state.paid
    names = (
        "size", "day_balance", "day_equity", "high_balance", "high_equity", "day_high_balance",
        "day_high_equity", "balance", "equity",
    )  # fmt: skip
    return replace(state, paid=paid, **{name: getattr(state, name) + moved for name in names})


def _day_of(
    rules: FirmRules, state: FirmState, piece: Readings, entries: Sequence[int], *, away: bool
) -> FirmState:
    """The state in the day of a piece: what a new one begins with is what was last seen."""
    began = day_start(rules, int(piece.time_us[0]))
    if began > state.day_us:
        traded = state.traded or any(state.day_us <= at < began for at in entries)
        balance, equity = state.balance, state.equity
        best = max(state.best_day, balance - state.day_balance)
        if away:
            balance = max(balance, float(piece.balance[0]))
            equity = max(equity, float(piece.equity[0]))
        state = replace(
            state, day_us=began, day_balance=balance, day_equity=equity, traded=False,
            days=state.days + traded, best_day=best,
            day_high_balance=max(state.day_high_balance, balance),
            day_high_equity=max(state.day_high_equity, equity),
            standing=tuple(name for name in state.standing if name != DAILY_LOSS),
        )  # fmt: skip
    last = int(piece.time_us[-1])
    return replace(
        state, traded=state.traded or any(state.day_us <= at <= last for at in entries)
    )  # fmt: skip


def _broken(rules: FirmRules, state: FirmState, piece: Readings) -> Iterator[FirmBreach]:
    """The first look of a piece at which each limit on losses is broken anew."""
    for name, allowed, floors, values in _floors(rules, state, piece):
        below = values <= floors
        before = np.concatenate([[name in state.standing], below[:-1]])
        begins = below & ~before
        if begins.any():
            at = int(np.argmax(begins))
            limit, observed = _of_floor(allowed, float(floors[at]), float(values[at]))
            yield FirmBreach(name, int(piece.time_us[at]), limit, round(observed, 8))


def _after(rules: FirmRules, state: FirmState, piece: Readings) -> FirmState:
    limits = _floors(rules, state, piece)
    standing = tuple(name for name, _, floors, values in limits if values[-1] <= floors[-1])
    least = tuple(_least(state, limit, piece) for limit in limits)
    state = _with_highs(state, float(piece.balance.max()), float(piece.equity.max()))
    return replace(
        state, ts_us=int(piece.time_us[-1]), balance=float(piece.balance[-1]),
        equity=float(piece.equity[-1]), lots=float(piece.lots[-1]), standing=standing,
        least=least, margin=float(piece.margin[-1]),
    )  # fmt: skip


def _least(state: FirmState, limit: "Floor", piece: Readings) -> Least:
    name, _, floors, values = limit
    left = values - floors
    at = int(np.argmin(left))
    known = next((each for each in state.least if each.rule == name), None)
    if known is not None and known.left <= left[at]:
        return known
    return Least(name, float(left[at]), int(piece.time_us[at]))


def _with_highs(state: FirmState, balance: float, equity: float) -> FirmState:
    return replace(
        state, high_balance=max(state.high_balance, balance),
        high_equity=max(state.high_equity, equity),
    )  # fmt: skip


Floor = tuple[str, float | None, Floats, Floats]


def _floors(rules: FirmRules, state: FirmState, piece: Readings) -> list[Floor]:
    """Of each limit: name, what may be lost or held, the floor and what may not reach it.

    None for what may be lost: the floor itself is the limit.
    """
    floors: list[Floor] = []
    base = _of(rules.daily_loss_from, state.day_balance, state.day_equity)
    share_of = state.size if rules.daily_loss_share_of == "size" else base
    allowed = _smaller(rules.daily_loss, rules.daily_loss_share, share_of)
    if allowed != OFF:
        values = piece.equity if rules.daily_loss_on == "equity" else piece.balance
        floors.append((DAILY_LOSS, allowed, np.full(len(values), base - allowed), values))
    allowed = _smaller(rules.drawdown, rules.drawdown_share, state.size)
    if allowed != OFF:
        values = piece.equity if rules.drawdown_on == "equity" else piece.balance
        floors.append((DRAWDOWN, allowed, _drawdown_base(rules, state, piece) - allowed, values))
    if rules.max_open_lots != OFF:  # so many are allowed, and not a hair more
        most = np.full(len(piece.lots), -_HAIR)
        floors.append((LOTS, rules.max_open_lots, most, rules.max_open_lots - piece.lots))
    if rules.retail:
        flat = np.minimum(piece.equity, 0.0) - _HAIR  # nothing is left to close
        half = np.where(piece.margin > 0, retail.CLOSE_OUT * piece.margin, flat)
        floors.append((CLOSE_OUT, None, half, piece.equity))
        floors.append((NEGATIVE, None, np.full(len(piece.lots), -_HAIR), piece.balance))
    return floors


def _of_floor(allowed: float | None, floor: float, value: float) -> tuple[float, float]:
    """Limit and what is observed: what may be lost and what is, or the floor and what stands."""
    return (round(floor, 8) + 0.0, value) if allowed is None else (allowed, floor + allowed - value)


def _drawdown_base(rules: FirmRules, state: FirmState, piece: Readings) -> Floats:
    """What the drawdown counts from, at each look."""
    count = len(piece.time_us)
    if rules.drawdown_kind == "static":
        return np.full(count, state.size)
    of = rules.drawdown_high_of
    if rules.drawdown_high == "day":
        highs = np.full(count, _of(of, state.day_high_balance, state.day_high_equity))
    else:
        balance = np.maximum(np.maximum.accumulate(piece.balance), state.high_balance)
        equity = np.maximum(np.maximum.accumulate(piece.equity), state.high_equity)
        highs = {"balance": balance, "equity": equity, "higher": np.maximum(balance, equity)}[of]
    if not rules.drawdown_stops_at_size:
        return highs
    allowed = _smaller(rules.drawdown, rules.drawdown_share, state.size)
    return np.asarray(np.minimum(highs, state.size + allowed))


def _limits(rules: FirmRules, state: FirmState) -> Iterator[FirmFigure]:
    now = reading(state.ts_us, state.balance, state.equity, state.lots, state.margin)
    for name, allowed, floors, values in _floors(rules, state, now):
        limit, observed = _of_floor(allowed, float(floors[0]), float(values[0]))
        yield _figure(state, name, limit, observed, float(values[0] - floors[0]))


def _consistency(rules: FirmRules, state: FirmState, profit: float) -> FirmFigure:
    """Today's profit that is left before the day's share of all profit is too large."""
    today = state.balance - state.day_balance
    best = max(state.best_day, today, 0.0)
    share = best / profit if profit > 0 else 0.0
    most, before = rules.consistency, profit - today
    left = OFF if most >= 1 else max(most * before, 0.0) / (1 - most) - today
    return _figure(state, CONSISTENCY, most, share, left)


def _figure(
    state: FirmState, rule: str, limit: float, observed: float, left: float | None = None
) -> FirmFigure:  # fmt: skip
    broken = next((each for each in state.broken if each.rule == rule), None)
    least = next((each for each in state.least if each.rule == rule), None)
    return FirmFigure(
        rule, limit, round(observed, 8) + 0.0, round(limit - observed if left is None else left, 8),
        broken.ts_us if broken else 0, round(least.left, 8) if least else 0.0,
        least.ts_us if least else 0,
    )  # fmt: skip


def _first(breaches: Sequence[FirmBreach]) -> tuple[FirmBreach, ...]:
    """The earliest of each rule."""
    earliest: dict[str, FirmBreach] = {}
    for breach in sorted(breaches, key=_moment):
        earliest.setdefault(breach.rule, breach)
    return tuple(earliest.values())


def _moment(breach: FirmBreach) -> tuple[int, str]:
    return breach.ts_us, breach.rule


def _of(which: Money, balance: float, equity: float) -> float:
    return {"balance": balance, "equity": equity, "higher": max(balance, equity)}[which]


def _smaller(money: float, share: float, of: float) -> float:
    return min(money, share * of) if share != OFF else money
