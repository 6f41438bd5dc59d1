"""A journal or audit log that was cut at the end of a record, emptied or replaced is refused."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import audit_log
from core.audit_log import AuditLine
from core.contracts.order import EventKind, OrderEvent
from core.errors import InputError, JournalError
from execution.journal import journal, witness
from execution.journal.frames import Extent
from execution.journal.journal import Journal
from execution.journal.witness import Witness, Witnessed
from tests.support.live_execution import execution
from tests.support.waiting import until

SEGMENT = 4096
ROOT = Path(__file__).parents[2]


def event(number: int) -> OrderEvent:
    return OrderEvent(
        seq=0, event_id=f"o{number}.1", kind=EventKind.DENIED, run_id="r", mode="demo", account="a",
        strategy="s", order_id=f"o{number}", signal_id="sig", source="oanda", symbol="EURUSD",
        ts_event_us=number, ts_init_us=number,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three records, closed, with its witness beside it."""
    opened = Journal(tmp_path / "journal", SEGMENT)
    beside = Witness(opened, tmp_path / "witness" / "w.json")
    beside.start()
    for number in range(3):
        opened.append([event(number)])
    opened.close()
    beside.close()
    return tmp_path / "journal"


def reopened(path: Path) -> list[object]:
    seen = witness.read(path.parent / "witness" / "w.json")
    assert seen is not None
    opened = Journal(path, SEGMENT, witnessed=seen)
    opened.close()
    return list(opened.take())


def test_a_whole_journal_and_one_that_went_on_are_opened(path: Path) -> None:
    assert len(reopened(path)) == 3
    longer = Journal(path, SEGMENT)
    longer.append([event(3)])
    longer.close()  # its witness saw less: it may lag
    assert len(reopened(path)) == 4


@pytest.mark.parametrize("kept", [0, 1, 2])
@pytest.mark.parametrize("filled", [True, False])
def test_a_journal_cut_at_the_end_of_a_record_is_refused_and_left_as_it_is(
    path: Path, kept: int, filled: bool
) -> None:
    content, places = path.read_bytes(), list(journal.read(path))
    end = places[kept - 1].end if kept else 0
    path.write_bytes(content[:end] + (bytes(len(content) - end) if filled else b""))
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"saw record 3 .*tickhouse audit accept") as error:
        reopened(path)
    assert str(path) in str(error.value)
    assert path.read_bytes() == before
    assert len(list(journal.read(path))) == kept  # without a witness it is a whole journal


def test_another_journal_of_the_same_length_is_refused(path: Path) -> None:
    path.unlink()
    other = Journal(path, SEGMENT)
    for number in range(3, 6):
        other.append([event(number)])
    other.close()
    with pytest.raises(JournalError, match="shortened, emptied or replaced"):
        reopened(path)


def test_a_missing_journal_and_a_link_are_refused(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(JournalError, match="is a link"):
        reopened(path)
    path.unlink()
    with pytest.raises(JournalError, match="ends at byte 0 with record 0"):
        reopened(path)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"end":1}', b"\0\xff"])
def test_a_witness_that_is_none_is_refused(path: Path, content: bytes) -> None:
    (path.parent / "witness" / "w.json").write_bytes(content)
    with pytest.raises(JournalError, match=r"w\.json: .*tickhouse audit accept"):
        reopened(path)


def test_what_was_never_synced_is_never_witnessed(tmp_path: Path) -> None:
    opened = Journal(tmp_path / "journal", SEGMENT)
    assert opened.synced == Extent(0, 0, b"")
    opened.append([event(1)])
    assert opened.synced.number == 0
    opened.sync()
    assert opened.synced.number == 1
    opened.append([event(2), event(3)])
    assert opened.synced.number == 1
    opened.close()
    assert opened.synced.number == 3
    assert Witnessed.of(opened.synced) is not None


def test_writing_orders_writes_no_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order path appends and syncs, once: the witness is another thread's."""
    opened = Journal(tmp_path / "journal", SEGMENT)
    beside = Witness(opened, tmp_path / "w.json", every_s=3600.0)
    beside.start()
    synced: list[int] = []
    monkeypatch.setattr("execution.journal.disk._sync", lambda file: synced.append(file))
    opened.append([event(1)])
    opened.sync()
    assert len(synced) == 1
    assert not (tmp_path / "w.json").exists()
    opened.close()
    beside.close()
    assert (tmp_path / "w.json").exists()


@pytest.mark.process
def test_execution_refuses_a_cut_journal_until_a_person_accepts_it(tmp_path: Path) -> None:
    with execution(tmp_path / "home") as (_, process):
        home, account = tmp_path / "home", "live"
        place, seen = home / "execution" / account / "journal", witness.path_in(home, account)
        until(seen.exists)  # the lease that was taken is a record
        process.send_signal(signal.SIGKILL)
        process.wait()
        place.write_bytes(b"")
        again = started(home)
        assert again.returncode == 2
        assert f"{place} ends at byte 0" in again.stderr
        assert "Traceback" not in again.stderr
        accepted = tickhouse(home, "audit", "accept", "--by", "ann", "--reason", "compared")
        assert accepted.returncode == 0, accepted.stderr
    (line,) = audit_log.read(audit_log.path_in(home))
    assert (line.action, line.actor, line.subject) == ("accept", "ann", account)
    opened = Journal(place, witnessed=witness.read(seen))
    opened.close()


def started(home: Path) -> "subprocess.CompletedProcess[str]":
    """Execution, which ends at once: nothing but its journal was touched."""
    line = [sys.executable, "-m", "execution"]
    return subprocess.run(
        line, env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )


def tickhouse(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "cli.main", *words]
    return subprocess.run(
        line, env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    own = {"TICKHOUSE_HOME": str(home), "TICKHOUSE_RUN__ACCOUNT": "live"}
    return kept | own | {"PYTHONPATH": str(ROOT)}


# -- the audit log -----------------------------------------------------------------------------


def note(home: Path, count: int = 1) -> None:
    for number in range(count):
        audit_log.append(home, AuditLine(number, "ann", False, "halt", "text"))


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_an_audit_log_cut_at_the_end_of_a_line_is_refused(tmp_path: Path, kept: int) -> None:
    note(tmp_path, 3)
    path = audit_log.path_in(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]))
    with pytest.raises(InputError, match="event 3 was witnessed") as error:
        note(tmp_path)
    assert "tickhouse audit accept" in str(error.value)
    audit_log.accept(tmp_path)
    note(tmp_path, 2)
    assert [event.seq for event in audit_log.read(path)] == list(range(1, kept + 3))


def test_a_removed_audit_log_and_a_link_are_refused(tmp_path: Path) -> None:
    note(tmp_path)
    path = audit_log.path_in(tmp_path)
    elsewhere = path.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is empty, and event 1 was witnessed"):
        note(tmp_path)
    path.symlink_to(elsewhere)
    with pytest.raises(InputError, match="it is a link"):
        note(tmp_path)


def test_a_witness_that_stayed_behind_its_audit_log_is_caught_up(tmp_path: Path) -> None:
    """As when the disk was full between a line and its witness."""
    note(tmp_path)
    seen = tmp_path / "witness" / "audit.json"
    early = seen.read_bytes()
    note(tmp_path, 5)
    seen.write_bytes(early)
    note(tmp_path)
    assert len(list(audit_log.read(audit_log.path_in(tmp_path)))) == 7


@pytest.mark.parametrize("content", [b"", b"{}", b"\0\xff"])
def test_a_witness_of_the_audit_log_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    note(tmp_path)
    (tmp_path / "witness" / "audit.json").write_bytes(content)
    with pytest.raises(InputError, match=r"audit\.json: not as it was written"):
        note(tmp_path)
    audit_log.accept(tmp_path)
    note(tmp_path)


def test_a_damaged_audit_log_is_kept_under_another_name_when_accepted(tmp_path: Path) -> None:
    note(tmp_path, 2)
    path = audit_log.path_in(tmp_path)
    content = path.read_bytes().replace(b'"actor":"ann"', b'"actor":"bob"')
    path.write_bytes(content)
    with pytest.raises(InputError, match="hash of its last event does not fit"):
        note(tmp_path)
    audit_log.accept(tmp_path)
    note(tmp_path)
    (kept,) = tmp_path.glob("audit-damaged-*.log")
    assert kept.read_bytes() == content
