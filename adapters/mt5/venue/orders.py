"""A terminal as a trading venue: our orders in, fills out. MetaTrader 5's words end here.

What an order became is always read from the account's history, never from the answer to
`order_send`: so an order whose answer was lost, and that is found later, gives the same fills
to the last bit. An order is recognised by its magic number, symbol and side, and by its comment
when the broker left one that is ours.
"""

from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol import requests
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.symbols import Feed, resolve
from adapters.mt5.venue.recognition import deal_of, fill_of, is_amiss, is_of, is_trade, magic_of
from adapters.mt5.venue.venue import (
    Account,
    Deal,
    Fill,
    Outcome,
    Specification,
    VenueOrder,
    VenuePosition,
    WorkingOrder,
)
from core.errors import UnavailableError

MET = "it met a position that is not ours"
_TINY = 1e-9  # lots: below every step
_FAR_S = 4_102_444_800.0  # 2100: an accepted order may fill after the caller's market time
_DAY_US = 86_400_000_000
_NO_ANSWER = (mt5.TRADE_RETCODE_TIMEOUT, mt5.TRADE_RETCODE_CONNECTION)
_DONE = (mt5.TRADE_RETCODE_DONE, 10008, 10010)  # done, placed, done partially
_REFUSED = (
    mt5.ORDER_STATE_CANCELED, mt5.ORDER_STATE_REJECTED, mt5.ORDER_STATE_EXPIRED,
)  # fmt: skip


class Venue:
    """Orders, positions and account of one terminal. One thread; every call blocks.

    Args:
        terminal: connected.
        history_s: how far before an order its fills are looked for: a real broker's clock may
            be hours off ours, a simulated one's is not.
    """

    #: Whether several strategies share the account's one position of a symbol.
    shared = False

    def __init__(self, terminal: Terminal, history_s: float = 1.0) -> None:
        self._terminal, self._history_s = terminal, history_s
        self._names = resolve(terminal)
        self._feeds = {name: feed for feed, name in self._names.items()}
        self._specifications: dict[Feed, tuple[Specification, int]] = {}
        self._day = 0
        self._netting: bool | None = None

    def at(self, now_us: int) -> None:
        """The caller's market time, for all calls from now on."""
        self._terminal.at(now_us // 1000)
        if now_us // _DAY_US != self._day:  # reference data is dated
            self._day = now_us // _DAY_US
            self._specifications.clear()

    def claim(self, number: int, holder: str) -> bool:
        """Have no orders taken but ours from now on; False when a newer claim than ours is known.

        True where nobody knows claims: a terminal in this process.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        ask = getattr(self._terminal, "claim", None)
        return ask is None or bool(ask(number, holder))

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """All (source, symbol) the venue quotes."""
        return tuple(self._names)

    def knows(self, source: str, symbol: str) -> bool:
        """Whether the venue quotes this feed."""
        return (source, symbol) in self._names

    def specification(self, source: str, symbol: str) -> Specification | None:
        """Digits and volumes of a feed, asked once a day; None when the venue cannot trade it."""
        specified = self._specified((source, symbol))
        return specified[0] if specified else None

    def send(self, order: VenueOrder) -> Outcome:
        """Send once. `unknown` means that nobody knows: look with `find` before anything else."""
        return self._sent(self._request(order))

    def move_stop(self, held: VenuePosition, stop_price: float) -> Outcome:
        """Ask for another stop of a position, which keeps its take-profit: `done`, or why not."""
        request = requests.stop(held, stop_price, self._names[held.source, held.symbol])
        outcome = self._sent(request)
        if outcome.kind == "rejected":  # its rules may have changed since they were asked for
            self._specifications.pop((held.source, held.symbol), None)
        if outcome.reason.startswith(str(mt5.TRADE_RETCODE_NO_CHANGES)):
            return Outcome("done", outcome.reason)
        return outcome if outcome.kind != "working" else Outcome("done", outcome.reason)

    def working(self) -> tuple[WorkingOrder, ...]:
        """Orders of feeds we know that wait at the venue, whoever sent them.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        orders = self._terminal.orders_get()
        if orders is None:
            raise UnavailableError(f"no orders: {self._terminal.last_error()[1]}")
        return tuple(
            WorkingOrder(
                o.ticket,
                *self._feeds[o.symbol],
                volume=o.volume_current,
                magic=o.magic,
                price=o.price_open,
                stop_price=o.sl,
                take_profit=o.tp,
                expires_s=round(o.time_expiration),
            )
            for o in orders
            if o.symbol in self._feeds
        )

    def cancel(self, order: WorkingOrder) -> Outcome:
        """Take back a working order: `done`, or why not."""
        request = requests.removal(order, self._names[order.source, order.symbol])
        outcome = self._sent(request)
        return outcome if outcome.kind != "working" else Outcome("done", outcome.reason)

    def change(self, order: WorkingOrder, terms: VenueOrder) -> Outcome:
        """Ask for other terms of a working order, price, stops and end: `done`, or why not."""
        specified = self._specified((order.source, order.symbol))
        if specified is None:
            return Outcome("rejected", "the terminal cannot trade it")
        name = self._names[order.source, order.symbol]
        outcome = self._sent(requests.change(order, terms, name, specified[0].digits))
        if outcome.reason.startswith(str(mt5.TRADE_RETCODE_NO_CHANGES)):
            return Outcome("done", outcome.reason)
        return outcome if outcome.kind != "working" else Outcome("done", outcome.reason)

    def find(self, order: VenueOrder, since_us: int) -> Outcome:
        """What the venue knows of an order sent at or after a time.

        `filled` with its fills, when no more will come; `working` while it is on the way, is
        filled in part, or a position shows it without a fill in the history; `rejected` when
        the history has it as finished without a fill (`expired`: one that waited); `met` when it
        is done and some of it met what others hold; `ambiguous`; `absent`; `unknown`.
        """
        name, magic = self._names[order.source, order.symbol], magic_of(order.order_id)
        deals = self._deals(since_us)
        mine = [d for d in deals or () if is_of(d, order, name, shared=self.shared)]
        amiss = [d for d in deals or () if is_amiss(d, order, name)]
        if amiss and not self.shared:
            return self._met(order, mine, amiss, self._finished(since_us) or ())
        filled = round(sum(d.volume for d in mine), 8)
        if len({d.order for d in mine}) > 1 or filled > order.volume + _TINY:
            return Outcome("ambiguous", "more than one order of the venue fits")
        if filled >= order.volume - _TINY:
            return Outcome("filled", "", mine[0].order, tuple(fill_of(d) for d in mine))
        working = self._terminal.orders_get(name)
        held = self._terminal.positions_get(name)
        done = self._finished(since_us)
        if deals is None or working is None or held is None or done is None:
            return Outcome("unknown", f"no answer: {self._terminal.last_error()[1]}")
        if mine:
            complete = any(o.ticket == mine[0].order and _filled(o) <= filled + _TINY for o in done)
            fills = tuple(fill_of(d) for d in mine)
            return Outcome("filled" if complete else "working", "", mine[0].order, fills)
        for o in done:
            if (o.magic, o.symbol) == (magic, name) and o.state in _REFUSED and not _filled(o):
                expired = order.entry != "market" and o.state == mt5.ORDER_STATE_EXPIRED
                ours = order.order_id.startswith(o.comment)  # says nothing that we do not know
                text = f"state {o.state}" if ours else f"state {o.state} {o.comment}"
                return Outcome("expired" if expired else "rejected", text, o.ticket)
        shown = [o.ticket for o in working if o.magic == magic]
        shown += [p.ticket for p in held if p.magic == magic and not order.position]
        return Outcome("working", "", shown[0]) if shown else Outcome("absent")

    def _met(
        self, order: VenueOrder, mine: list[Any], amiss: list[Any], done: tuple[Any, ...]
    ) -> Outcome:
        """Known once one order of the venue has all these deals and will have no more."""
        tickets = {d.order for d in (*mine, *amiss)}
        total = round(sum(d.volume for d in (*mine, *amiss)), 8)
        ended = any(o.ticket in tickets and _filled(o) <= total + _TINY for o in done)
        if len(tickets) > 1 or total > order.volume + _TINY or not ended:
            return Outcome("ambiguous", MET)
        return Outcome("met", MET, amiss[0].order, tuple(fill_of(d) for d in mine))

    def named(self, order: VenueOrder, since_us: int, tickets: tuple[int, ...]) -> Outcome:
        """An order filled by deals that a person names; without fills when they do not fit it."""
        name = self._names[order.source, order.symbol]
        side = mt5.DEAL_TYPE_BUY if order.side == "buy" else mt5.DEAL_TYPE_SELL
        deals = [d for d in self._deals(since_us) or () if d.ticket in tickets]
        fits = len(deals) == len(tickets) and all(
            (d.symbol, d.type) == (name, side) and order.position in (0, d.position_id)
            for d in deals
        )
        if not fits or sum(d.volume for d in deals) > order.volume + _TINY:
            return Outcome("ambiguous", "the named deals do not fit the order")
        return Outcome("filled", "", deals[0].order, tuple(fill_of(d) for d in deals))

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
        closing = [d for d in deals if d.position_id == position and d.entry != mt5.DEAL_ENTRY_IN]
        return tuple(fill_of(d) for d in closing)

    def deals(self, since_us: int) -> tuple[Deal, ...]:
        """The account's history since a time, oldest first: all trades, and money that is none.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        history = self._deals(since_us)
        if history is None:
            raise UnavailableError(f"no history: {self._terminal.last_error()[1]}")
        feeds = {
            d.ticket: self._feeds.get(d.symbol, ("", d.symbol)) for d in history if is_trade(d)
        }
        return tuple(deal_of(d, *feeds.get(d.ticket, ("", ""))) for d in history)

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
            login=info.login, server=info.server, currency=info.currency, balance=info.balance,
            equity=info.equity, margin=info.margin, margin_free=info.margin_free,
            credit=info.credit, netting=_nets(info), digits=info.currency_digits,
        )  # fmt: skip

    @property
    def netting(self) -> bool:
        """Whether the account has one position per symbol. Asked once, for it never changes."""
        if self._netting is None:
            info = self._terminal.account_info()
            if info is None:
                raise UnavailableError(f"no account: {self._terminal.last_error()[1]}")
            self._netting = _nets(info)
        return self._netting

    def _sent(self, request: dict[str, Any]) -> Outcome:
        answer = self._terminal.order_send(request)
        if answer is None or answer.retcode in _NO_ANSWER:
            code, text = (
                self._terminal.last_error() if answer is None else (answer.retcode, answer.comment)
            )
            return Outcome("unknown", f"{code} {text}")
        if answer.retcode not in _DONE:
            return Outcome("rejected", f"{answer.retcode} {answer.comment}")
        return Outcome("working", f"{answer.retcode} {answer.comment}", answer.order)

    def _specified(self, feed: Feed) -> tuple[Specification, int] | None:
        if feed not in self._specifications:
            name = self._names.get(feed)
            info = self._terminal.symbol_info(name) if name else None
            if info is None or info.trade_mode == mt5.SYMBOL_TRADE_MODE_DISABLED:
                return None
            size = info.trade_tick_size
            lot_value = info.trade_tick_value / size if size > 0 else 0.0
            specification = Specification(
                digits=info.digits,
                point=info.point,
                volume_min=info.volume_min,
                volume_max=info.volume_max,
                volume_step=info.volume_step,
                stops_distance=info.trade_stops_level * info.point,
                freeze_distance=info.trade_freeze_level * info.point,
                lot_value=lot_value,
            )
            self._specifications[feed] = specification, requests.filling(info.filling_mode)
        return self._specifications[feed]

    def _request(self, order: VenueOrder) -> dict[str, Any]:
        specified = self._specified((order.source, order.symbol))
        if specified is None:
            raise UnavailableError(f"{order.source} {order.symbol}: the terminal cannot trade it")
        name = self._names[order.source, order.symbol]
        if order.entry != "market":
            return requests.waiting(order, name, specified[0])
        return requests.deal(order, name, *specified)

    def _deals(self, since_us: int) -> tuple[Any, ...] | None:
        begin = max(since_us / 1e6 - self._history_s, 0.0)
        deals = self._terminal.history_deals_get(begin, _FAR_S)
        # A history may list a deal twice after a reconnect; it is one deal all the same.
        return None if deals is None else tuple({d.ticket: d for d in deals}.values())

    def _finished(self, since_us: int) -> tuple[Any, ...] | None:
        begin = max(since_us / 1e6 - self._history_s, 0.0)
        orders: tuple[Any, ...] | None = self._terminal.history_orders_get(begin, _FAR_S)
        return orders

    def _position(self, p: Any) -> VenuePosition:
        source, symbol = self._feeds[p.symbol]
        volume = p.volume if p.type == mt5.POSITION_TYPE_BUY else -p.volume
        # Deals name a position by its identifier, which outlives a reversal; the ticket does not.
        return VenuePosition(
            ticket=p.identifier, source=source, symbol=symbol, volume=volume, price=p.price_open,
            stop_price=p.sl, magic=p.magic, take_profit=p.tp, swap=p.swap,
        )  # fmt: skip


def _filled(order: Any) -> float:
    return round(float(order.volume_initial - order.volume_current), 8)


def _nets(info: Any) -> bool:
    return bool(info.margin_mode != mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING)
