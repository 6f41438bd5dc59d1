"""A journal of trades as execution writes them: each opens a position and closes it again."""

from collections.abc import Iterator

from core.contracts.order import AccountState, EventKind, OrderEvent
from core.contracts.signal import Signal, signal_id
from execution.journal.identity import order_id
from execution.journal.journal import Journal
from execution.journal.records import Record

PER_TRADE = 8  # order events
BEGIN_US = 1_772_445_600_000_000
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "EUIX50")
_STEPS = (EventKind.SUBMITTED, EventKind.ACCEPTED, EventKind.FILLED)


def trade(number: int) -> Iterator[list[Record]]:
    """The appends of one trade, `number` from 1; every third signal is denied besides."""
    symbol, now = SYMBOLS[number % len(SYMBOLS)], BEGIN_US + number * 1_000_000
    wanted = _signal(number, symbol, now)
    entry = order_id(wanted.signal_id, "entry")
    leave = order_id(wanted.signal_id, "horizon", f"{number}.0")
    received = _event(entry, 1, EventKind.RECEIVED, wanted, number, "buy", "entry")
    yield [wanted, received, *_order(entry, 1, wanted, number, "buy", "entry")]
    seq = (number - 1) * PER_TRADE + 4
    yield [
        AccountState(
            run_id="live",
            mode="live",
            account="acc1",
            ts_event_us=now,
            ts_init_us=now,
            seq=seq,
            currency="EUR",
            balance=1e5,
            equity=1e5 + number % 97,
            margin=0.0,
        )
    ]
    yield list(_order(leave, 0, wanted, number, "sell", "horizon"))
    other = _signal(-number, symbol, now + 1)
    denied = order_id(other.signal_id, "entry")
    yield [other, _event(denied, 1, EventKind.DENIED, other, number, "buy", "entry")]


def _order(
    name: str, before: int, signal: Signal, number: int, side: str, purpose: str
) -> Iterator[OrderEvent]:
    for count, kind in enumerate(_STEPS, before + 1):
        yield _event(name, count, kind, signal, number, side, purpose)


def _signal(number: int, symbol: str, now: int) -> Signal:
    name = signal_id("live", "model", "sim", symbol, number, 0)
    return Signal(
        signal_id=name, run_id="live", mode="live", account="acc1", strategy="model", source="sim",
        symbol=symbol, ts_event_us=now, ts_init_us=now, time_msc=now // 1000, seq=0, target=1.0,
        reference_price=1.1, stop_price=1.0, horizon_us=now + 60_000_000,
        expires_us=now + 5_000_000, confidence=0.7, model="m", prediction_id="p", take_profit=1.2,
        trail=0.001,
    )  # fmt: skip


def _event(
    name: str, count: int, kind: EventKind, signal: Signal, number: int, side: str, purpose: str
) -> OrderEvent:
    deal = 2 * number + (side == "sell") if kind is EventKind.FILLED else 0
    return OrderEvent(
        seq=0, event_id=f"{name}.{count}", kind=kind, run_id="live", mode="live", account="acc1",
        strategy="model", order_id=name, signal_id=signal.signal_id, source="sim",
        symbol=signal.symbol, ts_event_us=signal.ts_event_us + count,
        ts_init_us=signal.ts_event_us + count, side=side, purpose=purpose, volume=0.1, price=1.1,
        arrival_mid=1.1, stop_price=1.0, limits_version="l", venue_deal=deal, venue_order=deal,
        venue_position=number, commission=-0.1 if deal else 0.0, profit=1.0 if deal else 0.0,
    )  # fmt: skip


def write(journal: Journal, first: int, last: int, rotate_at: int = 0) -> None:
    """Journal trades; go on in the next segment when one has so many bytes."""
    for number in range(first, last + 1):
        for entries in trade(number):
            journal.append(entries)
        if rotate_at and journal.synced.end - journal.sealed.offset > rotate_at:
            journal.rotate()
