"""What must hold in every world, whatever happened: checked after each step and at the end."""

from collections import defaultdict

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradePosition
from adapters.mt5.venue.recognition import magic_of
from core.contracts.order import EventKind, OrderEvent
from core.topics import ORDER_EVENTS
from execution.broker import account_history
from execution.journal.position import Key
from tests.simulation import sharing
from tests.simulation.world import LOTS, Violation, World

_CENT = 0.005
Seen = dict[int, tuple[bool, float, float]]  # by position: whether long, its stop, its lots


def after_step(world: World, before: Seen) -> Seen:
    """Exposure within limits; a stop on every position, never looser, at the broker itself.

    What a person opened has no stop of ours, and what a broker did twice exceeds our limits (and
    on a netting account sets the position's stop again): that is left out. Returns the stops, for
    the next step.
    """
    lots: dict[tuple[str, bool], float] = defaultdict(float)
    now = Seen()
    for held in world.broker.positions():
        long = held.type == 0
        if held.sl:
            world.wrong_us.pop(f"naked {held.ticket}", None)
        if held.magic:
            if not (held.sl or sharing.is_given_time(world, held)):
                raise Violation(f"position {held.ticket} has no stop")
            if not (world.shares or (world.netting and world.broker.faults.done_twice)):
                _never_looser(world, held, before)
            now[held.ticket] = long, held.sl, held.volume
            side = long if world.waiting.on else True  # only what waits may open both
            lots[held.symbol, side] = round(lots[held.symbol, side] + held.volume, 8)
    twice = LOTS * len(world.broker.faults.done_twice)
    for waits in world.waiting.ours():
        side = waits.type in (mt5.ORDER_TYPE_BUY_LIMIT, mt5.ORDER_TYPE_BUY_STOP)
        lots[waits.symbol, side] = round(lots[waits.symbol, side] + waits.volume_current, 8)
        if not waits.sl:
            raise Violation(f"order {waits.ticket} would open a position without a stop")
    for (symbol, _), volume in lots.items():
        if volume > LOTS + twice + world.others[symbol] + 1e-9:
            raise Violation(f"{volume} lots of {symbol} are open; the limit is {LOTS}")
    _shares_hold(world)
    if wrong := world.waiting.misplaced() or world.waiting.outlives_its_group():
        raise Violation(wrong)
    if problem := sharing.neglected(world):
        raise Violation(problem)
    if owed := world.trips.check() or world.tenancy.check() or world.firm.check():
        raise Violation(owed)
    return now


def _shares_hold(world: World) -> None:
    """No strategy holds more than its share of the lots, whatever the others do."""
    if world.parts is None:
        return
    most = LOTS / len(world.strategies)
    held: dict[Key, float] = defaultdict(float)
    for position in world.parts.ledger.book.positions.values():
        held[position.key] += position.volume
    for key, volume in held.items():
        if abs(volume) > most + LOTS * len(world.broker.faults.done_twice) + 1e-9:
            raise Violation(f"{key.strategy} holds {volume} of {key.symbol}; its share is {most}")


def _never_looser(world: World, held: TradePosition, before: Seen) -> None:
    long, stop, volume = before.get(held.ticket, (held.type == 0, held.sl, held.volume))
    if world.waiting.on and held.volume > volume:
        return  # a further part of an order that waited: the venue set the order's stop again
    if long == (held.type == 0) and (held.sl - stop) * (1 if long else -1) < -1e-9:
        raise Violation(f"the stop of {held.ticket} loosened from {stop} to {held.sl}")


def flat(world: World) -> None:
    """After a halt that flattens nothing of ours is open or waits, where outcomes are known."""
    if world.parts is None:
        return
    book = world.parts.ledger.book
    blocked = {e.symbol for name, e in book.unsettled.items() if not book.rests(name)}
    held = [p.ticket for p in book.positions.values() if p.key.symbol not in blocked]
    waits = [e.order_id for e in book.unsettled.values() if e.symbol not in blocked]
    if held or waits:
        raise Violation(f"positions {held} and orders {waits} outlived a flatten")


def at_rest(world: World) -> None:
    """Journal and terminal agree when nothing fails any more and every horizon has passed."""
    assert world.parts is not None
    book = world.parts.ledger.book
    blocked = {event.symbol for event in book.unsettled.values()}
    if problem := sharing.broken(world):
        raise Violation(problem)
    there: dict[int, float] = {
        p.identifier: _signed(p)
        for p in world.broker.positions()
        if p.symbol not in blocked and not world.shares
    }
    ours = {p.ticket: p.volume for p in book.positions.values() if p.key.symbol not in blocked}
    here: dict[int, float] = defaultdict(float, ours)
    for ticket, foreign in book.broker.foreign.items():
        if foreign.symbol not in blocked and not world.shares:
            here[ticket] = round(here[ticket] + foreign.volume, 8)
    if not world.shares and there != {ticket: volume for ticket, volume in here.items() if volume}:
        raise Violation(f"the terminal holds {there}, the journal {dict(here)}")
    if ours:
        raise Violation(f"positions {ours} outlived their horizon")
    theirs = world.tenancy.sent_by_the_other  # it may leave while its orders wait
    known = {magic_of(name) for name in {*book.unsettled, *theirs}}
    if late := [o.ticket for o in world.waiting.ours() if o.magic not in known]:
        raise Violation(f"orders {late} outlived their time")
    _unsettled_are_absent(world)
    _nothing_was_given_up(world)
    if not blocked:
        _money_agrees(world)


def settled(world: World) -> None:
    """A person has settled what was left: nothing is blocked any more."""
    assert world.parts is not None
    book = world.parts.ledger.book
    if book.unsettled:
        raise Violation(f"orders {set(book.unsettled)} were settled by a person and stay unsettled")
    if any(foreign.suspends for foreign in book.broker.foreign.values()):
        raise Violation(f"feeds stay suspended: {book.broker.foreign}")
    at_rest(world)


def _unsettled_are_absent(world: World) -> None:
    assert world.parts is not None
    book = world.parts.ledger.book
    magics = {deal.magic for deal in world.broker.deals() if not deal.entry}  # met nobody else's
    for name in book.unsettled:
        if book.orders[name].kind is not EventKind.UNKNOWN:
            raise Violation(f"order {name} stays {book.orders[name].kind.value}")
        if magic_of(name) in magics and name not in world.broker.faults.done_twice:
            raise Violation(f"order {name} is at the broker and was not found")


def _nothing_was_given_up(world: World) -> None:
    """What is booked as unexpected was done twice, met a position of somebody else, or is an order
    that the terminal refused to us and that another execution sent under the same name.
    """
    opened = {deal.ticket for deal in world.broker.deals() if not deal.entry}
    for message in world.bus.messages(ORDER_EVENTS):
        if not isinstance(message, OrderEvent) or message.purpose != "unexpected":
            continue
        if message.venue_deal not in opened:
            continue
        named = {*world.broker.faults.done_twice, *world.tenancy.sent_by_the_other}
        if not any(name in message.reason for name in named):
            raise Violation(f"given up, and executed after that: {message.reason}")


def _money_agrees(world: World) -> None:
    assert world.parts is not None
    book, deals = world.parts.ledger.book, world.broker.deals()
    after = (deal.ticket for deal in deals if deal.ticket > book.broker.watermark)
    missing = {ticket for ticket in after if ticket not in book.deals}
    if missing:
        raise Violation(f"deals {missing} are not in the journal")
    info = world.broker.terminal.account_info()
    ours, theirs = (book.broker.balance, book.broker.credit), (info.balance, info.credit)
    if any(abs(a - b) > _CENT for a, b in zip(ours, theirs, strict=True)):
        raise Violation(f"the journal says {ours}, the account {theirs}")
    if world.parts.watched.events.problem or world.parts.trading.current.by == account_history.NAME:
        raise Violation(f"the balance agrees, and trading says {world.parts.trading.current}")


def _signed(held: TradePosition) -> float:
    return held.volume if held.type == 0 else -held.volume
