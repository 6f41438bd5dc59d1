"""The state at the end of a sealed segment, as one file: what a start begins with.

`journal.state.000012` beside the journal holds what a fold of the segments 1 to 12 gives: what is
open as it is, what is settled as sorted columns (`execution/journal/past.py`). It saves time and
decides nothing: without it, or when it is not the one that the witness saw, segments are folded.
"""

import hashlib
import struct
from collections import deque
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core import durable
from core.contracts.firm import FirmState
from core.contracts.order import EventKind, ExecutionMarker, OrderEvent
from core.contracts.signal import AnySignal, Signal
from core.errors import JournalError
from execution.journal import past_columns
from execution.journal.book import Book
from execution.journal.book_state import Order
from execution.journal.brokerage import Foreign
from execution.journal.past import COLUMNS, RECEIVED, TERMS, Past, order_key, signal_key
from execution.journal.position import Key, Position, Terms
from execution.journal.records import SegmentBegun
from execution.journal.remembered import Deals, Magics, Orders, Received, Signals
from execution.journal.segments import mapped
from execution.journal.working import FirstFilled, Working
from execution.risk.activity import Activity, Equity

_MAGIC = b"TKJSTATE"
_HEAD = struct.Struct("<8sQ")
_KEPT = 10_000  # newest entries of a feed that are remembered, as `Activity` does


class Seen(NamedTuple):
    """A sealed segment as it was when it was folded."""

    size: int  # of the file
    changed_ns: int
    used: int  # bytes of records
    digest: str  # of those


class Broker(msgspec.Struct, frozen=True, array_like=True):
    """Of `Brokerage`."""

    opened: bool
    balance: float
    credit: float
    watermark: int
    latest_us: int
    foreign: dict[int, Foreign]


class Active(msgspec.Struct, frozen=True, array_like=True):
    """Of `Activity`."""

    equity: Equity | None
    sent: list[int]
    answers: list[tuple[int, bool]]
    entries: list[tuple[str, str, str, list[int]]]
    throttled: list[tuple[str, str, str, int]]
    firm: FirmState | None = None
    entered: list[int] = []
    paid: float = 0.0
    profits: list[tuple[str, date, float]] = []  # of a snapshot from before there were desks: none


class State(msgspec.Struct, frozen=True, array_like=True, tag="JournalState/1"):
    """All but the columns. Ids that are not of our making stay here: a column cannot hold them."""

    end: SegmentBegun
    kinds: list[EventKind]
    columns: dict[str, tuple[int, int]]
    seen: list[Seen]  # of each segment
    orders: dict[str, Order]
    positions: dict[int, Position]
    unsettled: dict[str, OrderEvent]
    deals: list[int]
    last: OrderEvent | None
    marker: ExecutionMarker | None
    lease: int
    first_us: int
    latest_us: int
    broker: Broker
    magics: dict[int, str]
    terms: dict[str, Terms]
    turning: list[tuple[Key, str]]
    received: list[str]
    newest: list[tuple[Key, Signal]]
    newest_us: list[tuple[Key, int]]
    read: AnySignal | None
    from_future: int
    entries: list[tuple[str, str, list[int]]]
    realised: list[tuple[Key, float]]
    activity: Active
    foreign_until: int = 0
    working: dict[str, Working] = {}
    fenced: list[str] = []
    residue: list[tuple[str, str, float]] = []
    first_filled: list[tuple[Key, FirstFilled]] = []


class Snapshot(NamedTuple):
    """One that was read, and is whole."""

    path: Path
    digest: str
    state: State
    past: Past

    @property
    def end(self) -> SegmentBegun:
        """Where it holds."""
        return self.state.end


def path_of(journal: Path, segment: int) -> Path:
    """Where the state at a segment's end is kept."""
    return journal.with_name(f"{journal.name}.state.{segment:06d}")


def read(path: Path) -> Snapshot:
    """A snapshot as it was written.

    Raises:
        JournalError: it is not.
    """
    try:
        content = mapped(path)
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        magic, size = _HEAD.unpack_from(content)
        if magic != _MAGIC:
            raise ValueError("it does not begin like one")
        state = _decoder.decode(content[_HEAD.size : _HEAD.size + size])
        return Snapshot(path, digest, state, Past(content, state.columns))
    except (OSError, ValueError, TypeError, KeyError, struct.error, msgspec.MsgspecError) as error:
        raise JournalError(f"{path}: no whole snapshot ({error})") from error


def write(
    journal: Path, end: SegmentBegun, book: Book, activity: Activity, before: Past | None,
    seen: list[Seen],
) -> str:  # fmt: skip
    """Keep the state at the end of a segment, whole or not at all; its digest.

    Raises:
        OSError: the disk takes nothing.
    """
    merged = past_columns.merged(before, _settled(book))
    state = _state(end, book, activity, seen)
    size, places = 0, dict.fromkeys(COLUMNS, (0, 0))
    while True:  # the places stand in the head, whose size they change
        head = _encoder.encode(msgspec.structs.replace(state, columns=places))
        begin = _aligned(_HEAD.size + len(head))
        if begin == size:
            break
        size = begin
        places = _places(merged, begin)
    parts = [_HEAD.pack(_MAGIC, len(head)), head]
    at = _HEAD.size + len(head)
    for name, (begin, _) in places.items():
        column = merged[name].tobytes()
        parts += [bytes(begin - at), column]
        at = begin + len(column)
    content = b"".join(parts)
    durable.write(path_of(journal, end.segment), content, durable.PRIVATE)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def restored(snapshot: Snapshot) -> tuple[Book, Activity]:
    """The state at its end, to fold on."""
    state, past, book = snapshot.state, snapshot.past, Book()
    book.orders = Orders(state.orders, past, state.kinds)
    book.positions, book.unsettled = dict(state.positions), dict(state.unsettled)
    book.working = dict(state.working)
    book.deals = Deals(state.deals, past)
    book.last, book.marker, book.lease = state.last, state.marker, state.lease
    book.first_us, book.latest_us = state.first_us, state.latest_us
    book.foreign_until, book.fenced = state.foreign_until, set(state.fenced)
    book.residue = {(source, symbol): amount for source, symbol, amount in state.residue}
    book.first_filled = dict(state.first_filled)
    for name in Broker.__struct_fields__:
        setattr(book.broker, name, getattr(state.broker, name))
    book._magics, book._terms = Magics(state.magics, past), Signals(state.terms, past)
    book._turning, book._received = dict(state.turning), Received(state.received, past)
    book._newest, book._newest_us = dict(state.newest), dict(state.newest_us)
    book._read, book.from_future = state.read, state.from_future
    book._entries = {(a, b): deque(times) for a, b, times in state.entries}
    book._realised = dict(state.realised)
    return book, _active(state.activity)


def _active(state: Active) -> Activity:
    activity = Activity()
    activity.equity = state.equity
    activity._sent.extend(state.sent)
    activity._answers.extend(state.answers)
    for *key, times in state.entries:
        activity._entries[key[0], key[1], key[2]] = deque(times, maxlen=_KEPT)
    activity._throttled = {(a, b, c): at for a, b, c, at in state.throttled}
    activity.firm, activity.entered, activity.paid = state.firm, state.entered, state.paid
    activity._profits = {name: (day, profit) for name, day, profit in state.profits}
    return activity


def _state(end: SegmentBegun, book: Book, activity: Activity, seen: list[Seen]) -> State:
    broker = Broker(**{name: getattr(book.broker, name) for name in Broker.__struct_fields__})
    return State(
        end=end, kinds=list(EventKind), columns={}, seen=seen,
        orders={n: o for n, o in book.orders.items() if order_key(n) is None},
        positions=book.positions, unsettled=book.unsettled,
        deals=[ticket for ticket in book.deals if not _fits(ticket)],
        last=book.last, marker=book.marker, lease=book.lease, first_us=book.first_us,
        latest_us=book.latest_us, broker=broker,
        magics={m: n for m, n in book.magics.items() if order_key(n) is None},
        terms={n: t for n, t in book._terms.items() if signal_key(n) is None},
        turning=list(book._turning.items()),
        received=[n for n in book._received if signal_key(n) is None],
        newest=list(book._newest.items()), newest_us=list(book._newest_us.items()),
        read=book._read, from_future=book.from_future,
        entries=[(a, b, list(times)[-_KEPT:]) for (a, b), times in book._entries.items()],
        realised=list(book._realised.items()),
        activity=Active(
            equity=activity.equity, sent=list(activity._sent), answers=list(activity._answers),
            entries=[(*key, list(times)) for key, times in activity._entries.items()],
            throttled=[(*key, at) for key, at in activity._throttled.items()],
            firm=activity.firm, entered=activity.entered, paid=activity.paid,
            profits=[(name, *known) for name, known in activity._profits.items()],
        ),
        foreign_until=book.foreign_until, working=book.working, fenced=sorted(book.fenced),
        residue=[(*feed, amount) for feed, amount in book.residue.items()],
        first_filled=list(book.first_filled.items()),
    )  # fmt: skip


def _settled(book: Book) -> dict[str, list[Any]]:
    """What memory has of orders, signals, deals and magic numbers, as columns."""
    kinds = {kind: number for number, kind in enumerate(EventKind)}
    added: dict[str, list[Any]] = {name: [] for name in COLUMNS}

    def row(table: str, *values: Any) -> None:
        names = [name for name in COLUMNS if name == table or name.startswith(f"{table}_")]
        for name, value in zip(names, values, strict=True):
            added[name].append(value)

    for name, order in book.orders.items():
        if key := order_key(name):
            row("order", *key, kinds[order.kind], order.count)
    for name in book._received | book._terms.keys():
        if key := signal_key(name):
            terms = book._terms.get(name)
            known = RECEIVED * (name in book._received) | TERMS * (terms is not None)
            row("signal", *key, known, *(terms or (0, 0.0, 0.0)))
    for ticket in filter(_fits, book.deals):
        row("deal", ticket)
    for magic, name in book.magics.items():
        if key := order_key(name):
            row("magic", magic, *key)
    return added


def _fits(ticket: int) -> bool:
    return 0 <= ticket < 1 << 64


def _places(columns: dict[str, past_columns.Array], begin: int) -> dict[str, tuple[int, int]]:
    places = {}
    for name in COLUMNS:
        places[name] = begin, len(columns[name])
        begin = _aligned(begin + columns[name].nbytes)
    return places


def _aligned(size: int) -> int:
    return -(-size // 8) * 8


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)
