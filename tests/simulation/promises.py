"""What must hold in every world, whatever happened: checked after each step and at the end."""

from adapters.mt5.execution import magic_of
from core.contracts.order import EventKind
from tests.simulation.broker import BALANCE
from tests.simulation.market import SYMBOLS
from tests.simulation.world import LOTS, Violation, World

_CENT = 0.005


def after_step(world: World) -> None:
    """Exposure within limits, and a stop on every position, at the broker itself."""
    lots = dict.fromkeys(SYMBOLS, 0.0)
    for held in world.broker.positions():
        if not held.sl:
            raise Violation(f"position {held.ticket} has no stop")
        lots[held.symbol] = round(lots[held.symbol] + held.volume, 8)
    for symbol, volume in lots.items():
        if volume > LOTS + 1e-9:
            raise Violation(f"{volume} lots of {symbol} are open; the limit is {LOTS}")
    if owed := world.trips.check():
        raise Violation(owed)


def at_rest(world: World) -> None:
    """Journal and terminal agree when nothing fails any more and every horizon has passed."""
    assert world.parts is not None
    book = world.parts.ledger.book
    blocked = {event.symbol for event in book.unsettled.values()}
    there = {p.ticket: _signed(p) for p in world.broker.positions() if p.symbol not in blocked}
    here = {p.ticket: p.volume for p in book.positions.values() if p.key.symbol not in blocked}
    if there != here:
        raise Violation(f"the terminal holds {there}, the journal {here}")
    if here:
        raise Violation(f"positions {here} outlived their horizon")
    _unsettled_are_absent(world)
    if not blocked:
        _money_agrees(world)


def settled(world: World) -> None:
    """A person has settled what was left: nothing is blocked any more."""
    assert world.parts is not None
    left = set(world.parts.ledger.book.unsettled)
    if left:
        raise Violation(f"orders {left} were settled by a person and stay unsettled")
    at_rest(world)


def _unsettled_are_absent(world: World) -> None:
    assert world.parts is not None
    book = world.parts.ledger.book
    magics = {deal.magic for deal in world.broker.deals()}
    for name in book.unsettled:
        if book.orders[name].kind is not EventKind.UNKNOWN:
            raise Violation(f"order {name} stays {book.orders[name].kind.value}")
        if magic_of(name) in magics:
            raise Violation(f"order {name} is at the broker and was not found")


def _money_agrees(world: World) -> None:
    assert world.parts is not None
    book, deals = world.parts.ledger.book, world.broker.deals()
    missing = {deal.ticket for deal in deals} - book.deals
    if missing:
        raise Violation(f"deals {missing} are not in the journal")
    ours = sum(book.realised(key) for key in book.traded())
    theirs = world.broker.terminal.account_info().balance - BALANCE
    if abs(ours - theirs) > _CENT:
        raise Violation(f"the journal says {ours:+.2f}, the account {theirs:+.2f}")


def _signed(held: object) -> float:
    volume: float = held.volume  # type: ignore[attr-defined]
    return volume if held.type == 0 else -volume  # type: ignore[attr-defined]
