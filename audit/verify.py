"""Journal, warehouse and signed roots against each other: the first break of each stream, named.

Three copies in three hands. A changed value shows by its own hash; a row that is gone or stands
elsewhere shows beside the other copy; a past that was rewritten everywhere, with fresh hashes,
shows by the root that was signed before with a key the home does not hold.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from audit import signing
from audit.merkle import Merkle
from audit.remembered import Begin
from audit.seal import Seal, SealedStream, seals, sha256
from audit.streams import Event, EventStream, Linked, Placed, problem_in_chain
from core.errors import TickhouseError

GRACE_US = 600_000_000  # so long may an event be on its way to the warehouse


class Break(NamedTuple):
    """Where two ways to know the same thing part for the first time. `seq` 0: the whole."""

    stream: str
    witness: str  # "journal", "warehouse", "seal <day>"
    seq: int
    problem: str

    def __str__(self) -> str:
        where = f"{self.stream}, event {self.seq}" if self.seq else self.stream
        return f"{where}: {self.witness}: {self.problem}"


class StreamVerdict(NamedTuple):
    """What was compared of one stream, and its first break of each witness."""

    stream: str
    events: int
    stored: int
    pending: int  # journalled a moment ago, not in the warehouse yet
    sealed: int  # days whose root was recomputed
    breaks: tuple[Break, ...]


Stored = Callable[[Event | None], Iterator[Event]]
_FROM_THE_FIRST = Begin()


def verify_stream(
    stream: EventStream,
    stored: Stored,
    sealed: Sequence[Seal],
    now_us: int,
    shipped: int | None = None,
    begin: Begin = _FROM_THE_FIRST,
) -> StreamVerdict:
    """Walk the source once, the warehouse's copy beside it.

    Args:
        stream: the source.
        stored: the warehouse's copy of the stream with this first event; None: it has none.
        sealed: signed days whose signatures are good.
        now_us: what is younger than GRACE_US may still be on its way.
        shipped: of a stream that is brought over now and then, the last event that was; what
            follows it is on its way however old it is.
        begin: what is before it was found whole, and `stored` has what follows it.
    """
    roots = _Roots(stream.name, sealed, begin.seq)
    breaks: dict[str, Break] = {}
    beside: _Beside | None = None
    events = begin.seq
    previous: Linked | None = begin if begin.seq else None

    def report(witness: str, seq: int, problem: str) -> None:
        breaks.setdefault(witness, Break(stream.name, witness, seq, problem))

    try:
        for placed in stream.events(begin.offset):
            event, events = placed.event, events + 1
            if problem := problem_in_chain(event, previous):
                report("journal", event.seq, problem)
                break
            beside = beside or _Beside(stored(event), now_us, shipped)
            if problem := beside.compare(event):
                report("warehouse", beside.seq, problem)
            roots.add(placed, report)
            previous = event
    except TickhouseError as error:
        report("journal", events + 1, str(error))
    if "journal" not in breaks:
        roots.end(events, report)
        beside = beside or _Beside(stored(None), now_us, shipped)
        if problem := beside.rest(events):
            report("warehouse", beside.seq, problem)
    return StreamVerdict(
        stream.name, events, begin.seq + (beside.stored if beside else 0),
        beside.pending if beside else 0, roots.good, tuple(breaks.values()),
    )  # fmt: skip


def check_seals(archive: Path, public_key: Path) -> tuple[list[Seal], list[Break]]:
    """The sealed days whose signature, place in the row and files are good, and what is wrong.

    Raises:
        InputError: a folder is no sealed day, or the key is unusable.
    """
    good, wrong, before = list[Seal](), list[Break](), ""
    for sealed in seals(archive):
        name = f"seal {sealed.root.day}"
        if not signing.fits(public_key, sealed.content, sealed.signature):
            wrong.append(Break("seals", name, 0, "its signature was not made with this key"))
        elif sealed.root.previous != before:
            wrong.append(Break("seals", name, 0, "the seal before it is another, or is gone"))
        else:
            good.append(sealed)
            wrong += _files(sealed, name)
        before = hashlib.sha256(sealed.content).hexdigest()
    return good, wrong


def missing_seals(log: Iterator[Placed], archive: Path) -> list[Break]:
    """Days that the log says were sealed, and whose seal is gone."""
    missing = []
    for placed in log:
        event = placed.event
        if getattr(event, "action", "") == "seal":
            day = getattr(event, "subject", "")
            if not (archive / day / "root.json").exists():
                problem = f"the log says it was sealed (event {event.seq}), and it is gone"
                missing.append(Break("seals", f"seal {day}", 0, problem))
    return missing


def _files(sealed: Seal, name: str) -> list[Break]:
    wrong = []
    for file, expected in sealed.root.files.items():
        path = sealed.folder / file
        if not path.exists():
            wrong.append(Break("seals", name, 0, f"{file} is gone"))
        elif sha256(path) != expected:
            wrong.append(Break("seals", name, 0, f"{file} was changed after it was sealed"))
    return wrong


class _Roots:
    """Recomputes each sealed day's root while the source is walked."""

    def __init__(self, stream: str, sealed: Sequence[Seal], known: int) -> None:
        mine = ((s.root.day, part) for s in sealed for part in s.root.streams)
        self._due = [(str(day), part) for day, part in mine if part.name == stream]
        self._tree = Merkle()
        self.good = self._at = sum(part.last_seq <= known for _, part in self._due) if known else 0

    def add(self, placed: Placed, report: Callable[[str, int, str], None]) -> None:
        """One more event of the source."""
        self._pass_empty()
        if self._at == len(self._due):
            return
        day, part = self._due[self._at]
        event = placed.event
        if event.seq >= part.first_seq:
            self._tree.add(bytes.fromhex(event.hash))
        if event.seq < part.last_seq:
            return
        if self._tree.root() != part.root:
            problem = (
                f"events {part.first_seq} to {part.last_seq} of the journal give another root than"
                f" the one signed: that day was rewritten ({_heads(event, part)})"
            )
            report(f"seal {day}", part.first_seq, problem)
        else:
            self.good += 1
        self._tree, self._at = Merkle(), self._at + 1

    def end(self, events: int, report: Callable[[str, int, str], None]) -> None:
        """The source is over."""
        self._pass_empty()
        if self._at < len(self._due):
            day, part = self._due[self._at]
            problem = f"sealed up to event {part.last_seq}, but the journal ends at {events}"
            report(f"seal {day}", events + 1, problem)

    def _pass_empty(self) -> None:
        while self._at < len(self._due) and self._due[self._at][1].count == 0:
            self._at, self.good = self._at + 1, self.good + 1


def _heads(event: Event, part: SealedStream) -> str:
    same = "last hash the same" if event.hash == part.last_hash else "last hash differs"
    return f"{part.count} events, {same}"


class _Beside:
    """The warehouse's copy, in step with the source."""

    def __init__(self, rows: Iterator[Event], now_us: int, shipped: int | None) -> None:
        self._rows, self._now_us, self._shipped = rows, now_us, shipped
        self._next: Event | None = next(rows, None)
        self.seq = self.stored = self.pending = 0
        self._late: Event | None = None

    def compare(self, event: Event) -> str:
        """How the copy of an event differs; "" when it does not."""
        self.seq = event.seq
        row = self._next
        if row is None:
            return self._not_there(event)
        if row.seq > event.seq:
            return f"the row is missing; the next is number {row.seq}"
        self._next, self.stored = next(self._rows, None), self.stored + 1
        if row == event:
            return ""
        if row.seq < event.seq:
            return f"number {row.seq} stands there more than once"
        return _difference(event, row)

    def rest(self, events: int) -> str:
        """What the copy holds beyond the source."""
        if self._next is None:
            return ""
        self.seq = self._next.seq
        return f"holds events beyond {events}, where the journal ends: that was cut or replaced"

    def _not_there(self, event: Event) -> str:
        waits = self._now_us - event.ts_init_us < GRACE_US
        if self._shipped is not None:
            waits = event.seq > self._shipped
        if not waits:
            return "the row is missing, and none follows"
        self.pending += 1
        return ""


def _difference(event: Event, row: Event) -> str:
    ours, theirs = msgspec.structs.asdict(event), msgspec.structs.asdict(row)
    names = [name for name in ours if ours[name] != theirs[name]]
    shown = ", ".join(f"{n} is {theirs[n]!r}, journalled {ours[n]!r}" for n in names[:3])
    return f"the row was changed: {shown}"
