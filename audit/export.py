"""Brings the log of what people ordered, and signed controls, into the warehouse, each event once.

`audit_event` never replaces rows, so the shipper asks where the table ends and adds what follows.
It refuses to go on from an event that is not the log's: that is for `tickhouse audit verify`.
How far it came stands in the home, so that a row that never came is told from one that is gone.
"""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from audit import control_versions
from core import audit_log, durable
from core.contracts.audit import AuditEvent
from core.errors import InputError
from core.file_lock import locked
from core.sections import ClickhouseSettings

_BLOCK = 5_000
_SHIPPED = "audit-shipped"  # in the home: the number of the last event that the warehouse holds


class Written:
    """How far the files that are brought over were written; equal while nobody wrote."""

    NOTHING: tuple[tuple[int, int], ...] = ()

    def __init__(self, home: Path) -> None:
        self._paths = audit_log.path_in(home), control_versions.path_in(home)

    def now(self) -> tuple[tuple[int, int], ...]:
        """Size and time of the last change of each."""
        return tuple(_state(path) for path in self._paths)


def shipped(home: Path) -> int | None:
    """The last event known to have been stored; None when nothing says so."""
    try:
        return int((home / _SHIPPED).read_text())
    except (FileNotFoundError, ValueError):
        return None


def forget_shipped(home: Path) -> None:
    """The warehouse is another, older one: what it lacks is to be brought over again."""
    (home / _SHIPPED).unlink(missing_ok=True)


def export(client: Client, where: ClickhouseSettings, home: Path) -> int:
    """Bring over what the warehouse lacks; how many events that was.

    Raises:
        InputError: log and warehouse disagree on the last shipped event.
        UnavailableError, WarehouseError: see Writer.
    """
    path = audit_log.path_in(home)
    with locked(home / "audit-ship.lock"):
        last, last_hash = _end(client)
        coming, exported = list[AuditEvent](), 0
        with Writer(where) as writer:
            for event in audit_log.read(path):
                if event.seq == last and event.hash != last_hash:
                    problem = "the warehouse holds another event of this number; see audit verify"
                    raise InputError(str(path), problem, event.seq)
                if event.seq > last:
                    coming.append(event)
                if len(coming) >= _BLOCK:
                    exported += _insert(writer, coming)
            exported += _insert(writer, coming)
            control_versions.export(client, writer, home)
        if (reached := str(last + exported)) != str(shipped(home)):
            durable.write(home / _SHIPPED, reached.encode())
    return exported


def _end(client: Client) -> tuple[int, str]:
    with errors_translated():
        seq, last_hash = client.query(
            "SELECT max(seq), argMax(hash, seq) FROM audit_event WHERE stream = {s:String}",
            parameters={"s": audit_log.PEOPLE},
        ).result_rows[0]
    return int(seq), str(last_hash)


def _insert(writer: Writer, events: list[AuditEvent]) -> int:
    count = len(events)
    if count:
        writer.insert("audit_event", message_columns(events))
        events.clear()
    return count


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
