"""Worlds in which several strategies share the positions of a netting account, and their promises.

Whoever holds what, it sums to the account's; a strategy's profit is what its own deals bought and
sold for, also where the broker's average says otherwise; and when a symbol is flat, nothing of that
difference is left.
"""

from collections import defaultdict
from typing import TYPE_CHECKING

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradePosition
from core.contracts.order import EventKind, OrderEvent
from core.desk import NETTING
from core.instruments import instrument
from core.topics import ORDER_EVENTS
from execution.journal.virtual import RESIDUE
from tests.simulation.market import SOURCE, SYMBOLS

if TYPE_CHECKING:
    from tests.simulation.world import World

_FILLS = (EventKind.PARTIALLY_FILLED, EventKind.FILLED, EventKind.CLOSED)
_LOST = 0.1  # what rounding may leave to a strategy whenever a symbol is flat
_SOON_US = 8_000_000
_LASTS_US = 40_000_000  # a request that is lost is waited for before the next
Key = tuple[str, str]  # strategy, symbol


def is_given_time(world: "World", held: TradePosition) -> bool:
    """Whether a position without a stop may still get one, or is nobody's of ours.

    The broker's stop may close the whole while an order is on its way that only made it smaller,
    and then opens; execution sees that and gives it one. What a person left of a position that an
    order of ours opened keeps the order's number; that all is theirs is told by the lots at rest.
    """
    ours = world.parts is None or bool(world.parts.ledger.book.of_feed(SOURCE, held.symbol))
    return world.shares and not lasts(world, f"naked {held.ticket}", wrong=ours)


def neglected(world: "World") -> str:
    """A strategy's stop that was reached and did not close, or the broker's that is nobody's."""
    if not world.shares or world.parts is None:
        return ""
    book = world.parts.ledger.book
    mids, there = world.mids(), {held.symbol for held in world.broker.positions()}
    for p in book.positions.values():
        # What the broker's stop has closed is seen with the next look at the account.
        reached = p.key.symbol in there and (mids[p.key[1:]] - p.stop_price) * p.volume < 0
        able = not (p.refused or book.is_blocked(*p.key[1:]) or world.trips.misleads(p.key.symbol))
        if lasts(world, f"kept {p.ticket}", wrong=reached and able, us=_SOON_US):
            return f"{p.key} stays open beyond its stop {p.stop_price}"
    for held in world.broker.positions():
        # A request without an answer is looked for until it can't have arrived, then repeated.
        unanswered = any(p.moving for p in book.of_feed(SOURCE, held.symbol))
        if lasts(world, f"asked {held.ticket}", wrong=unanswered):
            return f"whether the broker's stop of {held.symbol} was moved stays unknown"
        along = [p for p in book.of_feed(SOURCE, held.symbol) if (p.volume > 0) == (held.type == 0)]
        stops = [p.stop_price for p in along]
        farthest = min(stops, default=0.0) if held.type == 0 else max(stops, default=0.0)
        other = (
            not unanswered and bool(farthest) and abs(held.sl - farthest) > SYMBOLS[held.symbol][1]
        )
        room = (mids[SOURCE, held.symbol] - farthest) * (1 if held.type == 0 else -1)
        able = not book.is_blocked(SOURCE, held.symbol) and room > 40 * SYMBOLS[held.symbol][1]
        if lasts(world, f"guard {held.ticket}", wrong=other and able, us=2 * _SOON_US):
            return f"the broker's stop of {held.symbol} is {held.sl}, the farthest {farthest}"
    return ""


def lasts(world: "World", name: str, *, wrong: bool, us: int = _LASTS_US) -> bool:
    """Whether something is wrong for too long, while execution could mend it all the time."""
    faults = world.broker.faults
    able = world.alive and faults.connected and faults.autotrading and world.ticks_flow
    if not wrong or not able or not world.parts or not world.parts.engine.sends:
        world.wrong_us.pop(name, None)
        return False
    return world.now_us - world.wrong_us.setdefault(name, world.now_us) >= us


def broken(world: "World") -> str:
    """What does not hold of lots and profit; "" for nothing. Nothing may be unsettled."""
    if not world.shares or world.parts is None:
        return ""
    return _lots(world) or _closings(world) or _profit(world) or _residue(world)


def _lots(world: "World") -> str:
    assert world.parts is not None
    book = world.parts.ledger.book
    there: dict[str, float] = defaultdict(float)
    for held in world.broker.positions():
        there[held.symbol] += held.volume if held.type == 0 else -held.volume
    for symbol in SYMBOLS:
        known = book.account_lots(SOURCE, symbol)
        if not book.is_blocked(SOURCE, symbol) and round(there[symbol] - known, 8):
            held_by = {p.key.strategy: p.volume for p in book.of_feed(SOURCE, symbol)}
            return f"the account holds {there[symbol]} {symbol}, the strategies {held_by}"
    return ""


def _closings(world: "World") -> str:
    """What a person closes is the strategies' to lose while others hold nothing of the symbol.

    Where the broker did something twice, what nobody asked for may be closed, too.
    """
    if world.broker.faults.done_twice:
        return ""
    closing = {d.ticket for d in world.broker.deals() if d.entry == mt5.DEAL_ENTRY_OUT}
    ours = {event.venue_deal for event in _events(world) if event.kind is EventKind.CLOSED}
    theirs: dict[str, float] = defaultdict(float)
    for event in _events(world):
        if event.kind is not EventKind.BOOKED or not event.volume:
            continue
        alone = event.purpose == "manual" and event.venue_deal in closing - ours
        if alone and not theirs[event.symbol]:
            return f"deal {event.venue_deal} closed {event.volume} {event.symbol} of nobody"
        signed = event.volume if event.side == "buy" else -event.volume
        theirs[event.symbol] = round(theirs[event.symbol] + signed, 8)
    return ""


def _profit(world: "World") -> str:
    """Of strategies that hold nothing now: what they sold for, less what they bought for."""
    assert world.parts is not None
    paid: dict[Key, float] = defaultdict(float)
    booked: dict[Key, float] = defaultdict(float)
    counted: dict[Key, int] = defaultdict(int)
    for event in _events(world):
        key = event.strategy, event.symbol
        if event.kind in _FILLS:
            traded = instrument(event.symbol, event.ts_event_us)
            assert traded is not None
            sign = 1 if event.side == "sell" else -1
            paid[key] += sign * event.volume * event.price * traded.contract_size
            counted[key] += 1
        if event.kind in _FILLS or event.purpose == RESIDUE:
            booked[key] += event.profit
    open_ = {(p.key.strategy, p.key.symbol) for p in world.parts.ledger.book.positions.values()}
    for key in booked.keys() - open_:
        allowed = 0.01 * counted[key] + _LOST
        if key[0] != NETTING and abs(paid[key] - booked[key]) > allowed:
            return f"{key} won {paid[key]:.2f} by its own deals, {booked[key]:.2f} is booked"
    return ""


def _residue(world: "World") -> str:
    """Nothing is left once a symbol is flat, unless others traded it between: theirs stays."""
    assert world.parts is not None
    book = world.parts.ledger.book
    traded_by_others = {e.symbol for e in _events(world) if e.kind is EventKind.BOOKED and e.volume}
    for symbol in SYMBOLS.keys() - traded_by_others:
        left = book.residue.get((SOURCE, symbol), 0.0)
        if left and not book.of_feed(SOURCE, symbol):
            return f"{symbol} is flat, and {left} is left to no strategy"
    return ""


def _events(world: "World") -> list[OrderEvent]:
    """Each once, however often it was told."""
    messages = world.bus.messages(ORDER_EVENTS)
    return list({m.event_id: m for m in messages if isinstance(m, OrderEvent)}.values())
