"""A terminal as a trading venue: our orders in, fills out. MetaTrader 5's words end here.

What an order became is always read from the account's history, never from the answer to
`order_send`: so an order whose answer was lost, and that is found later, gives the same fills
to the last bit. An order is recognised by its magic number, symbol and side, and by its comment
when the broker left one that is ours.
"""

import math
from typing import Any, Literal

import msgspec

from adapters.mt5 import constants as mt5
from adapters.mt5.symbols import Feed, resolve
from adapters.mt5.terminal import Terminal
from core.errors import UnavailableError

COMMENT_MAX = 31
_TINY = 1e-9  # lots: below every step
_FAR_S = 4_102_444_800.0  # 2100: an accepted order may fill after the caller's market time
_DAY_US = 86_400_000_000
_NO_ANSWER = (mt5.TRADE_RETCODE_TIMEOUT, mt5.TRADE_RETCODE_CONNECTION)
_DONE = (mt5.TRADE_RETCODE_DONE, 10008, 10010)  # done, placed, done partially
_REFUSED = (2, 5, 6)  # ORDER_STATE_CANCELED, REJECTED, EXPIRED
_CLOSE_REASONS = {mt5.DEAL_REASON_SL: "stop", mt5.DEAL_REASON_TP: "take_profit", 6: "stop_out"}


class VenueOrder(msgspec.Struct, frozen=True):
    """A market order. Volume in lots, prices in quote currency."""

    order_id: str  # hex digits
    source: str
    symbol: str
    side: Literal["buy", "sell"]
    volume: float
    price: float  # asked for
    stop_price: float = 0.0  # 0: none; only for entries
    tolerance: float = 0.0  # how much worse than `price` a fill may be, in price
    position: int = 0  # venue's ticket of the position to reduce; 0: open one


class Fill(msgspec.Struct, frozen=True):
    """One execution. Money in account currency; `profit` without commission and swap."""

    order: int  # the venue's tickets
    deal: int
    position: int
    time_us: int
    side: Literal["buy", "sell"]
    volume: float
    price: float
    commission: float
    swap: float
    profit: float
    cause: str = ""  # of a broker's own closing: stop, take_profit, stop_out, manual


class Outcome(msgspec.Struct, frozen=True):
    """What became of an order.

    `absent`: the venue answers, and knows nothing of it. `ambiguous`: it answers, and what it
    shows fits more than one order. `unknown`: it does not answer.
    """

    kind: Literal["filled", "working", "rejected", "unknown", "absent", "ambiguous"]
    reason: str = ""
    order: int = 0
    fills: tuple[Fill, ...] = ()


class VenuePosition(msgspec.Struct, frozen=True):
    """One open position; `volume` is signed lots."""

    ticket: int
    source: str
    symbol: str
    volume: float
    price: float
    stop_price: float
    magic: int


class Account(msgspec.Struct, frozen=True):
    """The account, in its own currency."""

    login: int
    server: str
    currency: str
    balance: float
    equity: float
    margin: float
    margin_free: float


class Specification(msgspec.Struct, frozen=True):
    """What may be ordered. Volumes in lots."""

    digits: int
    point: float
    volume_min: float
    volume_max: float
    volume_step: float


class Venue:
    """Orders, positions and account of one terminal. One thread; every call blocks.

    Args:
        terminal: connected.
        history_s: how far before an order its fills are looked for: a real broker's clock may
            be hours off ours, a simulated one's is not.
    """

    def __init__(self, terminal: Terminal, history_s: float = 1.0) -> None:
        self._terminal, self._history_s = terminal, history_s
        self._names = resolve(terminal)
        self._feeds = {name: feed for feed, name in self._names.items()}
        self._specifications: dict[Feed, tuple[Specification, int]] = {}
        self._day = 0

    def at(self, now_us: int) -> None:
        """The caller's market time, for all calls from now on."""
        self._terminal.at(now_us // 1000)
        if now_us // _DAY_US != self._day:  # reference data is dated
            self._day = now_us // _DAY_US
            self._specifications.clear()

    def knows(self, source: str, symbol: str) -> bool:
        """Whether the venue quotes this feed."""
        return (source, symbol) in self._names

    def specification(self, source: str, symbol: str) -> Specification | None:
        """Digits and volumes of a feed, asked once a day; None when the venue cannot trade it."""
        found = self._specified((source, symbol))
        return found[0] if found else None

    def send(self, order: VenueOrder) -> Outcome:
        """Send once. `unknown` means that nobody knows: look with `find` before anything else."""
        answer = self._terminal.order_send(self._request(order))
        if answer is None or answer.retcode in _NO_ANSWER:
            code, text = (
                self._terminal.last_error() if answer is None else (answer.retcode, answer.comment)
            )
            return Outcome("unknown", f"{code} {text}")
        if answer.retcode not in _DONE:
            return Outcome("rejected", f"{answer.retcode} {answer.comment}")
        return Outcome("working", f"{answer.retcode} {answer.comment}", answer.order)

    def find(self, order: VenueOrder, since_us: int) -> Outcome:
        """What the venue knows of an order sent at or after a time.

        `filled` with its fills, when no more will come; `working` while it is on the way, is
        filled in part, or a position shows it without a fill in the history; `rejected` when
        the history has it as finished without a fill; `ambiguous`; `absent`; `unknown`.
        """
        name, magic = self._names[order.source, order.symbol], magic_of(order.order_id)
        deals = self._deals(since_us)
        mine = [d for d in deals or () if _is_of(d, order, name, magic)]
        filled = round(sum(d.volume for d in mine), 8)
        if len({d.order for d in mine}) > 1 or filled > order.volume + _TINY:
            return Outcome("ambiguous", "more than one order of the venue fits")
        if filled >= order.volume - _TINY:
            return Outcome("filled", "", mine[0].order, tuple(_fill(d) for d in mine))
        working = self._terminal.orders_get(name)
        held = self._terminal.positions_get(name)
        done = self._finished(since_us)
        if deals is None or working is None or held is None or done is None:
            return Outcome("unknown", f"no answer: {self._terminal.last_error()[1]}")
        if mine:
            whole = any(o.ticket == mine[0].order and _filled(o) <= filled + _TINY for o in done)
            fills = tuple(_fill(d) for d in mine)
            return Outcome("filled" if whole else "working", "", mine[0].order, fills)
        for o in done:
            if (o.magic, o.symbol) == (magic, name) and o.state in _REFUSED and not _filled(o):
                return Outcome("rejected", f"state {o.state} {o.comment}", o.ticket)
        shown = [o.ticket for o in working if o.magic == magic]
        shown += [p.ticket for p in held if p.magic == magic and not order.position]
        return Outcome("working", "", shown[0]) if shown else Outcome("absent")

    def named(self, order: VenueOrder, since_us: int, tickets: tuple[int, ...]) -> Outcome:
        """An order filled by deals that a person names; without fills when they do not fit it."""
        name = self._names[order.source, order.symbol]
        side = mt5.DEAL_TYPE_BUY if order.side == "buy" else mt5.DEAL_TYPE_SELL
        found = [d for d in self._deals(since_us) or () if d.ticket in tickets]
        fits = len(found) == len(tickets) and all(
            (d.symbol, d.type) == (name, side) and order.position in (0, d.position_id)
            for d in found
        )
        if not fits or sum(d.volume for d in found) > order.volume + _TINY:
            return Outcome("ambiguous", "the named deals do not fit the order")
        return Outcome("filled", "", found[0].order, tuple(_fill(d) for d in found))

    def positions(self) -> tuple[VenuePosition, ...]:
        """All open positions of feeds we know, oldest first.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        held = self._terminal.positions_get()
        if held is None:
            raise UnavailableError(f"no positions: {self._terminal.last_error()[1]}")
        return tuple(self._position(p) for p in held if p.symbol in self._feeds)

    def closings(self, position: int, since_us: int) -> tuple[Fill, ...]:
        """Fills that reduced a position since a time, whoever asked for them, oldest first.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        deals = self._deals(since_us)
        if deals is None:
            raise UnavailableError(f"no history: {self._terminal.last_error()[1]}")
        found = [d for d in deals if d.position_id == position and d.entry != mt5.DEAL_ENTRY_IN]
        return tuple(_fill(d) for d in found)

    def margin(self, order: VenueOrder) -> float | None:
        """Margin an order would take; None when the venue has no rate to convert it."""
        action = mt5.ORDER_TYPE_BUY if order.side == "buy" else mt5.ORDER_TYPE_SELL
        name = self._names[order.source, order.symbol]
        return self._terminal.order_calc_margin(action, name, order.volume, order.price)

    def account(self) -> Account:
        """The account now.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        info = self._terminal.account_info()
        if info is None:
            raise UnavailableError(f"no account: {self._terminal.last_error()[1]}")
        return Account(
            info.login, info.server, info.currency, info.balance, info.equity, info.margin,
            info.margin_free,
        )  # fmt: skip

    def _specified(self, feed: Feed) -> tuple[Specification, int] | None:
        if feed not in self._specifications:
            name = self._names.get(feed)
            info = self._terminal.symbol_info(name) if name else None
            if info is None or info.trade_mode == mt5.SYMBOL_TRADE_MODE_DISABLED:
                return None
            made = Specification(
                info.digits, info.point, info.volume_min, info.volume_max, info.volume_step
            )
            self._specifications[feed] = made, _filling(info.filling_mode)
        return self._specifications[feed]

    def _request(self, order: VenueOrder) -> dict[str, Any]:
        found = self._specified((order.source, order.symbol))
        if found is None:
            raise UnavailableError(f"{order.source} {order.symbol}: the terminal cannot trade it")
        rules, filling = found
        request: dict[str, Any] = {
            "action": mt5.TRADE_ACTION_DEAL,
            "symbol": self._names[order.source, order.symbol],
            "volume": order.volume,
            "type": mt5.ORDER_TYPE_BUY if order.side == "buy" else mt5.ORDER_TYPE_SELL,
            "price": round(order.price, rules.digits),
            "deviation": math.ceil(order.tolerance / rules.point),
            "type_filling": filling,
            "type_time": mt5.ORDER_TIME_GTC,
            "magic": magic_of(order.order_id),
            "comment": order.order_id[:COMMENT_MAX],
        }
        if order.stop_price:
            request["sl"] = round(order.stop_price, rules.digits)
        if order.position:
            request["position"] = order.position
        return request

    def _deals(self, since_us: int) -> tuple[Any, ...] | None:
        begin = max(since_us / 1e6 - self._history_s, 0.0)
        found = self._terminal.history_deals_get(begin, _FAR_S)
        # A history may list a deal twice after a reconnect; it is one deal all the same.
        return None if found is None else tuple({d.ticket: d for d in found}.values())

    def _finished(self, since_us: int) -> tuple[Any, ...] | None:
        begin = max(since_us / 1e6 - self._history_s, 0.0)
        found: tuple[Any, ...] | None = self._terminal.history_orders_get(begin, _FAR_S)
        return found

    def _position(self, p: Any) -> VenuePosition:
        source, symbol = self._feeds[p.symbol]
        volume = p.volume if p.type == mt5.POSITION_TYPE_BUY else -p.volume
        return VenuePosition(p.ticket, source, symbol, volume, p.price_open, p.sl, p.magic)


def magic_of(order_id: str) -> int:
    """The number that carries an order's id: its first 31 bits, never 0."""
    return int(order_id[:8], 16) & 0x7FFF_FFFF or 1


def _is_of(deal: Any, order: VenueOrder, name: str, magic: int) -> bool:
    side = mt5.DEAL_TYPE_BUY if order.side == "buy" else mt5.DEAL_TYPE_SELL
    if (deal.magic, deal.symbol, deal.type) != (magic, name, side):
        return False
    if (deal.entry == mt5.DEAL_ENTRY_IN) != (order.position == 0):
        return False
    if deal.reason in _CLOSE_REASONS:
        return False
    # Brokers truncate, rewrite or drop comments: one that names another order of ours decides.
    foreign = len(deal.comment) >= 8 and set(deal.comment) <= set("0123456789abcdef")
    return not foreign or order.order_id.startswith(deal.comment)


def _filled(order: Any) -> float:
    return round(float(order.volume_initial - order.volume_current), 8)


def _fill(deal: Any) -> Fill:
    return Fill(
        deal.order, deal.ticket, deal.position_id, deal.time_msc * 1000,
        "buy" if deal.type == mt5.DEAL_TYPE_BUY else "sell", deal.volume, deal.price,
        deal.commission, deal.swap, deal.profit, _CLOSE_REASONS.get(deal.reason, "manual"),
    )  # fmt: skip


def _filling(modes: int) -> int:
    if modes & mt5.SYMBOL_FILLING_FOK:
        return mt5.ORDER_FILLING_FOK
    if modes & mt5.SYMBOL_FILLING_IOC:
        return mt5.ORDER_FILLING_IOC
    return mt5.ORDER_FILLING_RETURN
