"""Every call that trading makes, tried once on a demo account: what a terminal and its broker do.

The same script runs on a real terminal and on the simulated one (`trial_verdict.py` compares). It
trades the smallest volumes, observes in words that do not depend on prices, and closes what it
opened, whatever happens in between.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol import requests
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.symbols import resolve
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import Outcome, Side, VenueOrder, VenuePosition, WorkingOrder
from core.errors import UnavailableError

Observed = dict[str, str]
#: The parts of a trial, in order; each is a method of Trial.
PARTS = (
    "prices", "entry", "stops", "second", "partial", "fillings", "refusals", "reconnect", "flat",
    "books",
)  # fmt: skip
_AGO_S = 120.0
_AGREES_S = 60.0
_TINY = 1e-9
_DONE = ("filled", "ambiguous")
_NOBODYS = 3_999_999_999  # a ticket that no broker has given yet
_FILLINGS = (
    ("FOK", mt5.SYMBOL_FILLING_FOK, mt5.ORDER_FILLING_FOK),
    ("IOC", mt5.SYMBOL_FILLING_IOC, mt5.ORDER_FILLING_IOC),
)


class Trial:
    """One run of the script.

    Args:
        terminal: connected, in our names and UTC; logged in to a demo account without positions.
        source: the broker's name in our tables.
        symbol: ours; its market is open.
        patience_s: how long a fill may take to show in the history.
    """

    def __init__(
        self, terminal: Terminal, source: str, symbol: str, patience_s: float = 10.0
    ) -> None:
        self._terminal, self._source, self._symbol = terminal, source, symbol
        self._venue, self._patience_s = Venue(terminal, history_s=86_400.0), patience_s
        terms = self._venue.specification(source, symbol)
        if terms is None:
            raise UnavailableError(f"{source} {symbol}: the terminal cannot trade it")
        self._terms, self._small = terms, terms.volume_min
        self._name = resolve(terminal)[source, symbol]
        self._began_us = time.time_ns() // 1000
        self._balance = self._venue.account().balance
        self._before = frozenset[int]()  # deals of before, by ticket: a deposit just now is one
        self._before = frozenset(deal.ticket for deal in self._deals())
        self.observed: Observed = {}
        self.send_ms: list[float] = []  # how long `order_send` took
        self._entered = 0  # entries that were filled

    def run(self, began: Callable[[str], None] = lambda part: None) -> Observed:
        """All parts; what is open at the end is closed. `began` is told each part's name."""
        try:
            for part in PARTS:
                began(part)
                with self._noting(part):
                    getattr(self, f"_{part}")()
        finally:
            with contextlib.suppress(UnavailableError):
                self._close_all()
        return self.observed

    def _prices(self) -> None:
        tick, now_s = self._terminal.symbol_info_tick(self._name), time.time()
        self._note("newest tick", _agrees(tick.time_msc / 1000 - now_s) if tick else "none")
        counted = self._terminal.copy_ticks_from(
            self._name, now_s - _AGO_S, 100_000, mt5.COPY_TICKS_ALL
        )
        if counted is None or not len(counted):
            self._note("ticks from a time", "none")
            return
        times = counted["time_msc"].astype(np.int64)
        self._note("ticks from a time", "in order" if (np.diff(times) >= 0).all() else "unordered")
        spanned = self._terminal.copy_ticks_range(
            self._name, times[0] / 1000, times[-1] / 1000, mt5.COPY_TICKS_ALL
        )
        same = spanned is not None and np.array_equal(spanned["time_msc"], times)
        self._note("ticks of a span", "the same" if same else "others")

    def _entry(self) -> None:
        order = self._entering("buy", 2 * self._small, stopped=True)
        margin = self._venue.margin(order)
        self._note("margin", "positive" if margin and margin > 0 else str(margin))
        self._send("entry", order)
        held = self._held()
        self._note("position", "one" if len(held) == 1 else f"{len(held)}")
        if held:
            exits = held[0].stop_price, held[0].take_profit
            wanted = (
                round(order.stop_price, self._terms.digits),
                round(order.take_profit, self._terms.digits),
            )
            self._note("stop and take-profit", "as asked" if _near(exits, wanted) else str(exits))

    def _stops(self) -> None:
        (held,) = self._held()
        wanted = round(held.stop_price * 0.999, self._terms.digits)
        self._note("moved stop", _said(self._venue.move_stop(held, wanted)))
        (moved,) = self._held()
        kept = _near((moved.stop_price, moved.take_profit), (wanted, held.take_profit))
        self._note("stop after moving", "as asked" if kept else "another")
        self._note("the same stop again", _said(self._venue.move_stop(moved, wanted)))
        beyond = round(moved.price * 1.05, self._terms.digits)
        self._note("stop beyond the price", _said(self._venue.move_stop(moved, beyond)))
        self._note("least distance of stops", f"{self._terms.stops_distance / self._terms.point:g}")

    def _second(self) -> None:
        self._send("second entry", self._entering("buy", self._small))
        self._note("positions after it", f"{len(self._held())}")

    def _partial(self) -> None:
        first = self._held()[0]
        before = first.volume
        self._send("partial close", self._closing(first, self._small))
        left = [p for p in self._held() if p.ticket == first.ticket]
        kept = left and abs(left[0].volume - (before - self._small)) < _TINY
        self._note("volume after it", "the rest" if kept else f"{[p.volume for p in left]}")
        self._note("its stop after it", "kept" if left and left[0].stop_price else "gone")

    def _fillings(self) -> None:
        info = self._terminal.symbol_info(self._name)
        for name, bit, filling in _FILLINGS:
            if not info.filling_mode & bit:
                self._note(f"filling {name}", "not offered")
                continue
            order = self._entering("buy", self._small)
            request = requests.deal(order, self._name, self._terms, filling)
            answer = self._terminal.order_send(request)
            self._note(f"filling {name}", "no answer" if answer is None else f"{answer.retcode}")
            self._entered += self._settled(order)[0].kind in _DONE

    def _refusals(self) -> None:
        half = self._entering("buy", self._small / 2)
        self._note("half the least volume", _said(self._venue.send(half)))
        nobody = VenuePosition(
            _NOBODYS, self._source, self._symbol, self._small, self._price("buy"), 0, 0
        )
        self._note("closing what is not there", _said(self._venue.send(self._closing(nobody))))
        absent = WorkingOrder(_NOBODYS, self._source, self._symbol, self._small, 0)
        self._note("removing what is not there", self._venue.cancel(absent).kind)
        self._note("working orders", f"{len(self._venue.working())}")

    def _reconnect(self) -> None:
        before = self._venue.account(), self._held()
        self._terminal.shutdown()
        if not self._terminal.initialize():
            raise UnavailableError(f"not again: {self._terminal.last_error()}")
        after = self._venue.account(), self._held()
        same = before[0].login == after[0].login and [p.ticket for p in before[1]] == [
            p.ticket for p in after[1]
        ]
        self._note("after connecting again", "the same" if same else "another account or positions")

    def _flat(self) -> None:
        if self._venue.netting:
            return self._close_all()
        held = self._held()[0]
        self._send("closing", self._closing(held))
        return self._close_all()

    def _books(self) -> None:
        """History and balance; both may lag behind the last closing."""
        self._note("left open", f"{len(self._held())}")
        ends = time.monotonic() + self._patience_s
        while (cents := self._unexplained_cents()) and time.monotonic() < ends:
            time.sleep(0.1)
        self._note("balance", "follows from the deals" if not cents else f"{cents} cents off")
        deals = self._deals()
        self._note("history", "once" if len({d.ticket for d in deals}) == len(deals) else "doubled")
        own = [d for d in deals if d.symbol == self._name]
        more = len({d.order for d in own if d.entry == mt5.DEAL_ENTRY_IN}) - self._entered
        self._note("entries done", "once each" if not more else f"{more:+} beside those sent")
        off = max((abs(d.time_msc / 1000 - time.time()) for d in own), default=0.0)
        spent = time.time() - self._began_us / 1e6
        self._note("time of deals", _agrees(max(off - spent, 0.0)))

    def _unexplained_cents(self) -> int:
        unique = {d.ticket: d for d in self._deals()}.values()
        money = sum(float(d.profit + d.commission + d.swap + d.fee) for d in unique)
        return round((self._venue.account().balance - self._balance - money) * 100)

    def _deals(self) -> tuple[Any, ...]:
        since = self._began_us / 1e6
        deals = self._terminal.history_deals_get(since - 1.0, since + 86_400.0)
        if deals is None:
            raise UnavailableError(f"no history: {self._terminal.last_error()}")
        return tuple(deal for deal in deals if deal.ticket not in self._before)

    def _entering(self, side: Side, volume: float, *, stopped: bool = False) -> VenueOrder:
        price = self._price(side)
        away = 0.01 * price if side == "buy" else -0.01 * price
        return VenueOrder(
            uuid.uuid4().hex, self._source, self._symbol, side, round(volume, 8), price,
            stop_price=price - away if stopped else 0.0, tolerance=0.005 * price,
            take_profit=price + 2 * away if stopped else 0.0,
        )  # fmt: skip

    def _closing(self, held: VenuePosition, volume: float = 0.0) -> VenueOrder:
        side: Side = "sell" if held.volume > 0 else "buy"
        return VenueOrder(
            uuid.uuid4().hex, self._source, self._symbol, side,
            round(volume or abs(held.volume), 8), self._price(side),
            tolerance=0.005 * self._price(side), position=held.ticket,
        )  # fmt: skip

    def _price(self, side: Side) -> float:
        tick = self._terminal.symbol_info_tick(self._name)
        if tick is None:
            raise UnavailableError(f"no price of {self._symbol}: {self._terminal.last_error()}")
        return float(tick.ask if side == "buy" else tick.bid)

    def _send(self, name: str, order: VenueOrder) -> None:
        began = time.perf_counter()
        answer = self._venue.send(order)
        self.send_ms.append((time.perf_counter() - began) * 1e3)
        self._note(f"{name}: answer", _said(answer))
        outcome, waits = self._settled(order)
        self._note(f"{name}: becomes", outcome.kind)
        self._entered += outcome.kind in _DONE and not order.position
        if outcome.kind != "filled":
            return
        filled = round(sum(f.volume for f in outcome.fills), 8)
        whole = abs(filled - order.volume) < _TINY
        self._note(f"{name}: volume", "whole" if whole else "in part")
        self._note(f"{name}: in the history", "later than the answer" if waits else "at once")
        deals = [d for d in self._deals() if d.ticket in {f.deal for f in outcome.fills}]
        marks = all(d.magic == magic_of(order.order_id) for d in deals)
        self._note(f"{name}: our number", "kept" if marks else "changed")
        words = all(d.comment == order.order_id[: requests.COMMENT_MAX] for d in deals)
        self._note(f"{name}: our comment", "kept" if words else "changed")

    def _settled(self, order: VenueOrder) -> tuple[Outcome, int]:
        """What became of an order, and how often it had to be asked for again."""
        ends, waits = time.monotonic() + self._patience_s, 0
        while True:
            outcome = self._venue.find(order, self._began_us)
            if outcome.kind in ("filled", "rejected", "ambiguous") or time.monotonic() > ends:
                return outcome, waits
            waits += 1
            time.sleep(0.1)

    def _held(self) -> tuple[VenuePosition, ...]:
        held = self._venue.positions()
        return tuple(p for p in held if (p.source, p.symbol) == (self._source, self._symbol))

    def _close_all(self) -> None:
        ends = time.monotonic() + self._patience_s
        while (held := self._held()) and time.monotonic() < ends:
            order = self._closing(held[0])
            if self._venue.send(order).kind != "rejected":
                self._settled(order)

    @contextlib.contextmanager
    def _noting(self, part: str) -> Iterator[None]:
        """A part that cannot go on is an observation too."""
        try:
            yield
        except (UnavailableError, ValueError, IndexError, AttributeError, TypeError) as error:
            self._note(f"{part}: broken off", f"{type(error).__name__}: {error}")

    def _note(self, name: str, value: str) -> None:
        self.observed[name] = value


def _said(outcome: Outcome) -> str:
    """Kind, and for a refusal the broker's code."""
    code = outcome.reason.split(" ", 1)[0]
    return f"rejected {code}" if outcome.kind == "rejected" else outcome.kind


def _agrees(ahead_s: float) -> str:
    """How a time of the broker stands to our clock."""
    if abs(ahead_s) <= _AGREES_S:
        return "agrees with our clock"
    return f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} our clock"


def _near(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return all(abs(a - b) < 1e-9 * max(abs(a), 1.0) for a, b in zip(first, second, strict=True))
