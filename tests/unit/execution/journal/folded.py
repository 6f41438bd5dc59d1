"""Records of one order, and books that some were folded into."""

from msgspec.structs import replace

from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import Signal
from execution.journal.book import Book
from execution.journal.position import Key
from tests.support import replays

KEY = Key("scripted", "oanda", "EURUSD")


def a_signal(name: str, horizon_us: int = 60) -> Signal:
    signal = replays.signal("oanda", "EURUSD", (1000, 1.1, 1.1001), 1.0)
    return replace(signal, signal_id=name, horizon_us=horizon_us)


def event(kind: Kind, order: str = "o1", **more: object) -> OrderEvent:
    record = OrderEvent(
        seq=0, event_id="", kind=kind, run_id="r1", mode="replay", account="a", order_id=order,
        signal_id="s1", ts_event_us=10, ts_init_us=10, side="buy", purpose="entry", volume=0.1,
        price=1.1, **KEY._asdict(),
    )  # fmt: skip
    return replace(record, **more)


def opened(position: int = 7, deal: int = 1, order: str = "o1", **more: object) -> list[OrderEvent]:
    fill = {"venue_deal": deal, "venue_position": position, **more}
    return [
        event(Kind.SUBMITTED, order),
        event(Kind.ACCEPTED, order),
        event(Kind.FILLED, order, **fill),
    ]


def exit_event(kind: Kind, order: str, deal: int, **more: object) -> OrderEvent:
    return event(
        kind, order, side="sell", purpose="horizon", venue_position=7, venue_deal=deal, **more
    )


def fold(*records: object) -> Book:
    book = Book()
    for record in records:
        book.apply(record)  # type: ignore[arg-type]
    return book
