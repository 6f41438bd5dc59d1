"""Bugs planted on purpose, each a slip that somebody could make: the simulation must find them.

`within` is the number of seeds, from 0 on, among which one must fail. `make simulate-bugs` runs
them all; the test suite runs those that are found soonest.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec.structs import replace

from adapters.mt5.fence import Fence
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Outcome
from core.contracts.order import EventKind as Kind
from execution import compose
from execution.breakers.breakers import Breakers
from execution.broker.account_history import AccountHistory
from execution.broker.closings import Closings
from execution.broker.order_changes import OrderChanges
from execution.broker.reconcile import Reconciler
from execution.broker.residues import Residues
from execution.broker.shared_closings import SharedClosings
from execution.broker.working_orders import WorkingOrders
from execution.journal import events, frames, lifecycle, segments, virtual
from execution.journal.book import Book
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.lease import Lease
from execution.live import Live
from execution.order_path import exits, sizing, trailing, waiting
from execution.order_path.engine import Engine
from execution.order_path.shared_stops import SharedStops
from execution.risk import checks as risk
from execution.risk import controls, firm_entry, trading_state
from execution.risk.drawdown import DrawdownLadder
from execution.risk.firm_watch import FirmWatch


class Bug(NamedTuple):
    """One planted bug: what replaces `name` of `owner`."""

    text: str
    owner: Any
    name: str
    planted: Callable[[Any], Any]  # from what is there to what takes its place
    within: int


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The bug is in the engine while the block runs."""
    with patch.object(bug.owner, bug.name, bug.planted(getattr(bug.owner, bug.name))):
        yield


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: lambda *args, **kw: value


def _resends(settle: Any) -> Any:
    def wrong(self: Reconciler, submitted: Any, answer: Outcome) -> bool:
        if answer.kind == "unknown":
            answer = self._venue.send(events.venue_order(submitted, self._collar))
        return bool(settle(self, submitted, answer))

    return wrong


def _sends_again_at_start(at_start: Any) -> Any:
    def wrong(self: Reconciler) -> None:
        for submitted in list(self._ledger.book.unsettled.values()):
            self._venue.send(events.venue_order(submitted, self._collar))
        at_start(self)

    return wrong


def _whole(filled: Any) -> Any:
    def wrong(submitted: Any, fill: Any, kind: Any, now_us: int) -> Any:
        return replace(filled(submitted, fill, kind, now_us), volume=submitted.volume)

    return wrong


def _naked(venue_order: Any) -> Any:
    return lambda *args: replace(venue_order(*args), stop_price=0.0)


def _free(closed: Any) -> Any:
    return lambda *args: replace(closed(*args), commission=0.0)


def _blind(plan: Any) -> Any:
    return lambda target, lots, held, rules: plan(target, lots, (), rules)


def _last_only(deals: Any) -> Any:
    return lambda *args: deals(*args)[-1:]


def _trades_only(take: Any) -> Any:
    def wrong(self: Any, deal: Any, **kw: Any) -> None:
        if deal.entry:
            take(self, deal, **kw)

    return wrong


def _both_ways(wanted: Any) -> Any:
    return lambda position, *rest: wanted(replace(position, stop_price=0.0), *rest)


def _keeps_prefix(scan: Any) -> Any:
    return lambda *args: list(scan(*args))[:-1]


def _open_loop(init: Any) -> Any:
    def wrong(self: Any, *args: Any, **kw: Any) -> None:
        init(self, *args, **{**kw, "careful": False})

    return wrong


def _early(init: Any) -> Any:
    def wrong(self: Any, *args: Any, **kw: Any) -> None:
        init(self, *args, **{**kw, "late_s": 0.0})

    return wrong


def _unsynced(_: Any) -> Any:
    def wrong(self: Journal, file: Any, data: bytes) -> int:
        file.write(bytes(self._segment), 0)
        file.sync(whole=True)
        file.write(data, 0)
        return self._segment

    return wrong


def _forgets_unsettled(restored: Any) -> Any:
    def wrong(since: Any) -> Any:
        book, activity = restored(since)
        book.unsettled.clear()
        return book, activity

    return wrong


def _ends_unhalted(_: Any) -> Any:
    def wrong(self: Live) -> None:
        if self._p.lease is not None:
            self._p.lease.check()

    return wrong


def _nearest(_: Any) -> Any:
    def wrong(stops: Any, net: float) -> float:
        real = [stop for stop in stops if stop]
        return max(real, default=0.0) if net > 0 else min(real, default=0.0)

    return wrong


def _bookless(_: Any) -> Any:
    return lambda self, following: list(following)


BUGS = (
    Bug("a lost answer is answered by sending again", Reconciler, "settle", _resends, 20),
    Bug("what was submitted is sent again at start", Reconciler, "at_start",
        _sends_again_at_start, 200),
    Bug("the journal is not synced before the send", Ledger, "sync", _always(None), 20),
    Bug("the journal is never synced", Journal, "sync", _always(None), 20),
    Bug("two appends may be unsynced at once", Journal, "__init__", _open_loop, 400),
    Bug("a torn append counts as damage", frames, "_lacks_sector", _always(False), 200),
    Bug("the last whole record is thrown away at start", segments, "scan", _keeps_prefix, 100),
    Bug("entries carry no stop", events, "venue_order", _naked, 20),
    Bug("neither halts nor unsettled orders deny an entry", risk, "ENTRY",
        lambda checks: checks[2:], 400),
    Bug("a halt that comes while journalling is missed", Engine, "_halted_since",
        _always(False), 400),
    Bug("signals seen before are traded again", Book, "received", _always(False), 50),
    Bug("an unsettled order blocks nothing", Book, "is_blocked", _always(False), 200),
    Bug("what is held is forgotten when sizing", sizing, "plan", _blind, 50),
    Bug("what the broker did by itself is not taken up", Closings, "entries", _always([]), 50),
    Bug("unsettled orders are looked for only at start", Reconciler, "again", _always(None), 50),
    Bug("an order is given up before it can have arrived", Reconciler, "__init__", _early, 600),
    Bug("a partial fill counts as a whole one", events, "filled", _whole, 200),
    Bug("commission of broker's closings is not booked", events, "closed", _free, 50),
    Bug("of the account's history only the newest deal is read", Venue, "deals", _last_only, 50),
    Bug("money that is no trade is not booked", AccountHistory, "_take", _trades_only, 50),
    Bug("a difference of the balance halts at once", AccountHistory, "_lasts", _always(True), 100),
    Bug("a trailing stop follows the price both ways", trailing, "wanted", _both_ways, 100),
    Bug("positions have no horizon", exits.Retries, "due", _always([]), 20),
    Bug("refused exits are named like the first attempt", Book, "_refuse", _always(None), 100),
    Bug("a partly filled order is done", lifecycle, "UNSETTLED",
        lambda kinds: kinds - {Kind.ACCEPTED}, 400),
    Bug("the ladder of drawdown trips nothing", DrawdownLadder, "check", _always(None), 200),
    Bug("breakers trip nothing", Breakers, "_trip", _always(None), 100),
    Bug("a signer is believed that it lowers risk", controls, "raises", _always(False), 100),
    Bug("files are obeyed where people sign", controls, "is_signed", _always(False), 50),
    Bug("a resume lifts what trips after the clock went back", trading_state, "replace",
        lambda replaced: lambda order, **_: order, 400),
    Bug("a segment counts before its first record is synced", Journal, "_begin", _unsynced, 20),
    Bug("a snapshot forgets unsettled orders", compose, "restored", _forgets_unsettled, 50),
    Bug("the terminal takes orders under an older lease", Fence, "admits", _always(True), 100),
    Bug("a lease is taken from who is alive", Lease, "_free",
        lambda _: lambda self, place: place.read(60.0), 100),
    Bug("who lost the lease goes on", Lease, "check", _always(None), 100),
    Bug("what waits is taken back by nobody", WorkingOrders, "withdraw", _always(False), 50),
    Bug("what waits does not count against the full position", waiting, "_along",
        _always(0.0), 100),
    Bug("others of a group wait on when one is filled", Book, "is_beaten",
        _always(False), 1000),
    Bug("a change is taken as made and never sent", OrderChanges, "_once",
        _always(Outcome("done")), 50),
    Bug("the book forgets what waits", Book, "_wait", _always(None), 50),
    Bug("profit of who shares a position is the broker's", Residues, "beside", _bookless, 200),
    Bug("stops of who shares a position are kept by nobody", SharedStops, "due",
        _always([]), 4000),
    Bug("the nearest stop of who shares a position stands at the broker", virtual, "guard",
        _nearest, 600),
    Bug("a person's closing of a shared position is nobody's", SharedClosings, "_reducing",
        _always(0.0), 400),
    Bug("a firm's breach stops nothing", FirmWatch, "_stop", _always(None), 200),
    Bug("a firm's lots are not counted", firm_entry, "_lots", _always(None), 200),
    Bug("who lost the lease ends and halts nothing", Live, "_keep_lease", _ends_unhalted, 200),
)  # fmt: skip
