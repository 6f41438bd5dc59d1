"""A start from a snapshot knows what a start from all records knows, or does not believe it."""

import logging
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.mt5.fence import Fence
from core.contracts.order import EventKind, OrderEvent
from core.errors import JournalError
from core.sections import RunSettings
from core.topics import ORDER_EVENTS
from execution.journal import journal, segments, snapshot, snapshots
from execution.journal.book import Book
from execution.journal.delivered import Delivered, Mark, leave_word
from execution.journal.journal import Journal
from execution.journal.keeper import Keeper
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox, posts_of
from execution.journal.position import Key
from execution.journal.publisher import JournalPublisher
from execution.journal.records import SegmentBegun
from execution.journal.segments import NOTHING, path_of
from execution.journal.witness import Witness
from execution.risk import firm_rules
from execution.risk.activity import Activity
from execution.risk.firm_rules import FirmRules
from tests.support import traded_journal
from tests.support.memory_bus import MemoryBus
from tests.support.waiting import until

SEGMENT = 16_384
TRADES = 12
RUN = RunSettings("live", "live", "acc1", "model")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    opened = Journal(tmp_path / "journal", SEGMENT)
    traded_journal.write(opened, 1, TRADES, rotate_at=10_000)
    opened.close()
    return tmp_path / "journal"


def folded(path: Path) -> tuple[Book, Activity]:
    book, activity = Book(), Activity()
    for place in journal.read(path):
        book.apply(place.record)
        activity.fold(place.record)
    return book, activity


def from_snapshot(path: Path, digest: str) -> tuple[Book, Activity]:
    newest = snapshots.believed(path, digest)
    assert newest is not None
    book, activity = snapshot.restored(newest)
    for place in segments.walk(path, newest.end):
        book.apply(place.record)
        activity.fold(place.record)
    return book, activity


def knowledge(book: Book, activity: Activity, other: Book) -> dict[str, Any]:
    """All that a book answers, asked about whatever another book knows."""
    return {
        "orders": {name: book.orders.get(name) for name in other.orders},
        "counts": {name: book.count(name) for name in other.orders},
        "in": {name in book.orders for name in other.orders},
        "received": {name: book.received(name) for name in other._terms},
        "terms": {name: book._terms.get(name) for name in other._terms},
        "deals": {ticket in book.deals for ticket in other.deals},
        "magics": {magic: book.magics.get(magic) for magic in other.magics},
        "unknown": [
            "x" in book.orders, book.received("x"), 987_654 in book.deals, 7 in book.magics,
            book.orders.get("0" * 30), "f" * 32 in book._received,
        ],
        "plain": [
            book.positions, book.unsettled, book.last, book.marker, book.lease, book.first_us,
            book.latest_us, book.from_future, vars(book.broker), book._turning, book._newest,
            book._newest_us, book._read, book._entries, book._realised, vars(activity),
        ],
    }  # fmt: skip


def test_what_a_snapshot_knows_is_what_all_records_tell(path: Path) -> None:
    book, activity = folded(path)
    digest = snapshots.fold_sealed(path, None)
    assert knowledge(*from_snapshot(path, digest), book) == knowledge(book, activity, book)


def test_what_the_account_refused_as_another_s_is_known_from_it(tmp_path: Path) -> None:
    signal, *submitted = next(traded_journal.trade(999))[:3]
    last = submitted[-1]
    assert isinstance(last, OrderEvent)
    rejected = msgspec.structs.replace(
        last, kind=EventKind.REJECTED, event_id=f"{last.order_id}.3",
        reason=Fence().refusal(1).comment,
    )  # fmt: skip
    opened = Journal(tmp_path / "journal", SEGMENT)
    opened.append([signal, *submitted, rejected])
    traded_journal.write(opened, 1, TRADES, rotate_at=10_000)
    opened.close()
    digest = snapshots.fold_sealed(tmp_path / "journal", None)
    assert from_snapshot(tmp_path / "journal", digest)[0].fenced == {last.order_id}


def test_a_snapshot_made_from_the_one_before_is_the_same_to_the_byte(path: Path) -> None:
    opened = Journal(path, SEGMENT)
    first = snapshots.believed(path, snapshots.fold_sealed(path, None))
    traded_journal.write(opened, TRADES + 1, 2 * TRADES, rotate_at=10_000)
    opened.close()
    assert first is not None
    step = snapshots.fold_sealed(path, first)
    assert step
    assert snapshots.fold_sealed(path, None) == step
    book, activity = folded(path)
    assert knowledge(*from_snapshot(path, step), book) == knowledge(book, activity, book)


def test_it_goes_on_from_a_snapshot_with_the_events_of_a_journal_read_whole(
    path: Path, tmp_path: Path
) -> None:
    newest = snapshots.believed(path, snapshots.fold_sealed(path, None))
    assert newest is not None
    book, activity = snapshot.restored(newest)
    opened = Journal(path, SEGMENT, since=newest.end)
    outbox = Outbox(Nobody(), opened, RUN)  # type: ignore[arg-type]
    ledger = Ledger(opened, book, outbox, activity)
    for entries in traded_journal.trade(TRADES + 1):
        ledger.record(entries)
    opened.close()
    whole = Journal(tmp_path / "whole", SEGMENT)
    traded_journal.write(whole, 1, TRADES + 1)
    whole.close()
    assert [e.hash for e in journal.events(path)] == [
        e.hash for e in journal.events(tmp_path / "whole")
    ]


class Nobody:
    """Nothing is published here."""


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def forged(path: Path) -> None:
    """Whole by itself: another journal's."""
    other = path.with_name("elsewhere")
    opened = Journal(other, SEGMENT)
    traded_journal.write(opened, 101, 101 + TRADES, rotate_at=10_000)
    opened.close()
    snapshots.fold_sealed(other, None)
    os.replace(snapshot.path_of(other, segments.sealed(other)), path)


@pytest.mark.parametrize("spoil", [damaged, cut, emptied, forged, Path.unlink])
def test_what_the_witness_did_not_see_is_not_believed_and_segments_are_folded(
    path: Path, spoil: Any, caplog: pytest.LogCaptureFixture
) -> None:
    digest = snapshots.fold_sealed(path, None)
    spoil(snapshot.path_of(path, segments.sealed(path)))
    with caplog.at_level(logging.INFO):
        newest = snapshots.at_start(path, digest)
    assert "folded" in caplog.text
    assert newest is not None  # it was made again, from all segments
    assert newest.digest == digest


def test_one_that_contradicts_its_segments_is_not_believed(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forged(snapshot.path_of(path, 2))
    digest = snapshot.read(snapshot.path_of(path, 2)).digest  # and the witness was changed with it
    assert snapshots.believed(path, digest) is None
    assert "contradicts its segments" in caplog.text


def test_a_segment_touched_since_it_was_folded_is_read_again(path: Path) -> None:
    digest = snapshots.fold_sealed(path, None)
    os.utime(path, ns=(1, 1))  # a copied home
    assert snapshots.believed(path, digest) is not None
    content = bytearray(path.read_bytes())
    content[5_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalError, match="does not go on where journal ends"):
        snapshots.at_start(path, digest)


def test_the_clock_set_back_by_a_day_across_a_rotation_changes_nothing(tmp_path: Path) -> None:
    """Segments and snapshots go by numbers; times are read, and never compared."""
    whole, path = tmp_path / "whole", tmp_path / "journal"
    numbers = [90_001, 90_002, 3_601, 3_602]  # seconds: the third is a day before the second
    for place, rotates in ((whole, False), (path, True)):
        opened = Journal(place, SEGMENT)
        for number in numbers:
            traded_journal.write(opened, number, number)
            if rotates:
                opened.rotate()
                os.utime(path_of(place, segments.count(place)), (number, number))
        opened.close()
    assert [e.hash for e in journal.events(path)] == [e.hash for e in journal.events(whole)]
    book, activity = folded(whole)
    digest = snapshots.fold_sealed(path, None)
    assert knowledge(*from_snapshot(path, digest), book) == knowledge(book, activity, book)


def test_only_what_the_bus_lacks_is_read_again(path: Path) -> None:
    newest = snapshots.believed(path, snapshots.fold_sealed(path, None))
    opened = Journal(path, SEGMENT)
    traded_journal.write(opened, TRADES + 1, TRADES + 1)
    everything = list(posts_of(opened, RUN))
    events = list(journal.events(path))
    for event in (events[5], events[newest.end.seq - 1] if newest else events[9], events[-3]):
        mark = Mark(event.seq, event.hash)
        lacking = [post.name for post in posts_of(opened, RUN, mark, newest)]
        assert lacking == [p.name for p in everything][-len(lacking) :]
        assert event.event_id not in str(lacking).replace(f"{event.event_id}.position", "")
        assert f"live.acc1.{events[-1].event_id}" in lacking
    other = Mark(events[5].seq, "another journal's")
    assert list(posts_of(opened, RUN, other, newest))[-len(everything) :] == everything
    ahead = Mark(events[-1].seq + 50, "another journal's")
    assert list(posts_of(opened, RUN, ahead, newest))[-len(everything) :] == everything
    opened.close()


@pytest.mark.process
def test_beside_a_running_journal_snapshots_are_made_and_witnessed(tmp_path: Path) -> None:
    path, seen = tmp_path / "journal", tmp_path / "witness" / "w.json"
    opened = Journal(path, SEGMENT)
    beside = Witness(opened, seen, every_s=3600.0)
    keeper = Keeper(opened, beside, None, every_s=0.01)
    beside.start()
    keeper.start()
    traded_journal.write(opened, 1, 4)
    opened.rotate()
    until(lambda: seen.exists() and b"snapshot" in seen.read_bytes())
    traded_journal.write(opened, 5, 6)
    opened.rotate()
    until(lambda: not snapshot.path_of(path, 1).exists())  # the next was witnessed
    keeper.close()
    opened.close()
    beside.close()
    digest = msgspec.json.decode(seen.read_bytes())["snapshot"]
    newest = snapshots.at_start(path, digest)
    assert newest is not None
    assert (newest.digest, newest.end.segment) == (digest, 2)


@pytest.mark.process
def test_a_segment_that_cannot_be_folded_gets_no_snapshot_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal"
    opened = Journal(path, SEGMENT)
    traded_journal.write(opened, 1, 4)
    opened.rotate()
    damaged = bytearray(path_of(path, 1).read_bytes())
    damaged[200] ^= 0xFF
    path_of(path, 1).write_bytes(damaged)
    beside = Witness(opened, tmp_path / "w.json", every_s=3600.0)
    keeper = Keeper(opened, beside, None, every_s=0.01)
    keeper.start()
    until(lambda: "no snapshot of segment 1" in caplog.text)
    keeper.close()
    opened.close()
    assert beside.snapshot == ""
    assert not snapshot.path_of(path, 1).exists()


@pytest.mark.process
@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_while_it_is_made_the_next_start_makes_it(path: Path, place: str) -> None:
    program = (
        "import sys; from pathlib import Path; from core import crashpoint\n"
        "from execution.journal import snapshots\n"
        f"crashpoint.arm_for('execution', 'execution.snapshot.{place}:1', Path(sys.argv[1]).parent)"
        "\nsnapshots.main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -9
    newest = snapshots.at_start(path, "")
    assert newest is not None
    book, activity = folded(path)
    assert knowledge(*from_snapshot(path, newest.digest), book) == knowledge(book, activity, book)


def test_without_sealed_segments_there_is_nothing_to_begin_with(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", SEGMENT).close()
    assert snapshots.at_start(tmp_path / "journal", "") is None
    assert snapshots.at_start(tmp_path / "none", "") is None
    assert snapshots.fold_sealed(tmp_path / "journal", None) == ""


def test_a_position_open_across_the_end_of_a_segment_is_open_after_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    opened = Journal(path, SEGMENT)
    signal_and_entry, account, leaving, _ = traded_journal.trade(1)
    opened.append(signal_and_entry)
    opened.append(account)
    opened.rotate()
    digest = snapshots.fold_sealed(path, None)
    opened.append(leaving)
    opened.close()
    newest = snapshots.believed(path, digest)
    assert newest is not None
    book, _ = snapshot.restored(newest)
    assert [p.ticket for p in book.of(Key("model", "sim", "GBPUSD"))] == [1]
    book, activity = from_snapshot(path, digest)
    assert not book.positions
    assert newest.end != NOTHING
    assert activity.equity is not None


def delivered_all(bus: MemoryBus, opened: Journal, path: Path, newest: Any) -> bool:
    """One start and its publisher: whether all that waited was delivered."""
    noted = Delivered(path)
    again = partial(_lacking, opened, noted, newest)
    publisher = JournalPublisher(bus, RUN, again, delivered=noted)
    outbox = Outbox(bus, opened, RUN, publisher)
    book, activity = snapshot.restored(newest)
    Ledger(opened, book, outbox, activity)
    outbox.resume(noted.mark(), newest)
    outbox.publish()
    return publisher.deliver()


def _lacking(opened: Journal, noted: Delivered, newest: Any) -> Any:
    return posts_of(opened, RUN, noted.mark(), newest)


def test_a_start_sends_only_what_bus_and_warehouse_lack(path: Path) -> None:
    digest, known = snapshots.fold_sealed(path, None), list(journal.events(path))
    newest = snapshots.believed(path, digest)
    assert newest is not None
    opened = Journal(path, SEGMENT)
    traded_journal.write(opened, TRADES + 1, TRADES + 1)
    opened.close()
    events = list(journal.events(path))
    marks = [Mark(e.seq, e.hash) for e in (events[-1], events[-4], known[-1], known[4])]
    for mark in marks:
        for word in (False, True):
            bus = MemoryBus()
            for note in path.parent.glob("*.json"):
                note.unlink()
            path.with_name("published.json").write_bytes(
                msgspec.json.encode(marks[0] if word else mark)
            )
            if word:  # the bus has all of it, the warehouse has not
                leave_word(path, mark)
            again = Journal(path, SEGMENT, since=newest.end)
            assert delivered_all(bus, again, path, newest)
            sent = [m.seq for m in bus.messages(ORDER_EVENTS) if isinstance(m, OrderEvent)]
            assert sent == list(range(mark.seq + 1, len(events) + 1))
            assert Delivered(path).mark().seq == marks[0].seq  # and the next start sends nothing
            again.close()


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 20, b'{"seq":9,"hash":"of another"}'])
def test_without_a_note_that_fits_all_is_sent(path: Path, content: bytes) -> None:
    newest = snapshots.believed(path, snapshots.fold_sealed(path, None))
    path.with_name("published.json").write_bytes(content)
    opened = Journal(path, SEGMENT, since=newest.end if newest else NOTHING)
    bus = MemoryBus()
    assert delivered_all(bus, opened, path, newest)
    opened.close()
    sent = {m.seq for m in bus.messages(ORDER_EVENTS) if isinstance(m, OrderEvent)}
    assert sent == {e.seq for e in journal.events(path)}


def test_what_a_firm_says_of_the_account_is_in_it(tmp_path: Path) -> None:
    first = firm_rules.reading(7, 100.0, 90.0)
    activity, state = Activity(), firm_rules.opened(FirmRules(daily_loss=5.0), "f", first)
    activity.firm, activity.entered, activity.paid = state, [8, 9], -3.5
    kept = snapshot._state(SegmentBegun(1, 2, 3, 4, "h", "d"), Book(), activity, [])
    read = snapshot._active(snapshot._decoder.decode(snapshot._encoder.encode(kept)).activity)
    assert (read.firm, read.entered, read.paid) == (state, [8, 9], -3.5)
