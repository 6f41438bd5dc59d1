"""Whether an insert that the engine calls done is stored.

chDB 26.9 swallows what goes wrong in the last step of a streamed insert: on a full disk it says
"done" and stores nothing. So before an insert is acknowledged the engine's own count of failed
inserts is read (two questions). Unchanged since the insert began, none can have failed. Otherwise,
which is rare, the engine is asked for the fate of this very statement; a fate that cannot be found
out counts as a failure: a client may repeat an insert but never get back a lost one.
"""

import re
import time
from typing import Any

from core.errors import WarehouseError

# Asked at every insert, so they are left out of the log of statements.
_UNLOGGED = " SETTINGS log_queries = 0"
_FAILED = "SELECT sum(value) FROM system.events WHERE event = 'FailedInsertQuery'" + _UNLOGGED
# "Done" may come before a failing statement has ended, and is counted.
_RUNNING = (
    "SELECT count() FROM system.processes WHERE query_kind = 'Insert' "
    "AND query_id IN (SELECT query_id FROM system.session_query_ids )" + _UNLOGGED
)
_MOST_LOOKS = 2000
# The statement's place among those of its session, from the end; the last is the question itself.
_IDENTITY = (
    "SELECT query_id FROM system.session_query_ids ORDER BY sequence_number DESC LIMIT 1 OFFSET {}"
)
_ERROR = (
    "SELECT 'Code: ' || code || '. DB::Exception: ' || last_error_message || '. (' || name || ')' "
    "FROM system.errors WHERE query_id = '{}' ORDER BY last_error_time DESC LIMIT 1"
)
_FATE = (
    "SELECT if(type = 'QueryFinish', 'stored', exception) FROM system.query_log "
    "WHERE query_id = '{}' AND type != 'QueryStart' "
    "AND query_kind = 'Insert' AND event_date >= yesterday() LIMIT 1"
)
_ID = re.compile(r"[\w-]+")
_CODE = re.compile(r"Code: (\d+)")
_UNKNOWN = 319


class FailedInserts:
    """The failed inserts of one engine, as far as they are known. Thread-safe."""

    def __init__(self) -> None:
        self._known = 0

    def mark(self) -> int:
        """Where the count stands before an insert begins; too low is harmless."""
        return self._known

    def expect_stored(self, raw: Any, mark: int) -> None:
        """Return if the insert that `raw` (its connection) just ended is stored.

        Raises:
            WarehouseError: the engine's error; 319, it cannot be found out.
        """
        looks = 1
        while _text(raw, _RUNNING) != "0" and looks < _MOST_LOOKS:
            looks += 1
            time.sleep(0.001)
        count = _text(raw, _FAILED) if looks < _MOST_LOOKS else ""
        if count.isdigit() and int(count) == mark:
            return
        self._known = max(self._known, int(count) if count.isdigit() else 0)
        identity = _identity(raw, looks + 1)
        fate = _error(raw, identity) or _logged_fate(raw, identity)
        if fate != "stored":
            raise _failure(fate)


def cause(raw: Any, error: RuntimeError) -> RuntimeError:
    """The engine's own error behind one without a code, by which it breaks off an insert."""
    if _CODE.search(str(error)):
        return error
    text = _error(raw, _identity(raw, 1))
    return RuntimeError(text) if text else error


def _identity(raw: Any, place: int) -> str:
    identity = _text(raw, _IDENTITY.format(place))
    return identity if _ID.fullmatch(identity) else ""


def _error(raw: Any, identity: str) -> str:
    # One row per kind of error, of the last statement that met it: it may be another's by now.
    return _text(raw, _ERROR.format(identity)) if identity else ""


def _logged_fate(raw: Any, identity: str) -> str:
    # On a full disk the log cannot be written either: then nothing is found.
    _text(raw, "SYSTEM FLUSH LOGS query_log")
    return _text(raw, _FATE.format(identity)) if identity else ""


def _failure(text: str) -> WarehouseError:
    text = text or (
        f"Code: {_UNKNOWN}. DB::Exception: Another insert failed meanwhile, and whether this one "
        "is stored cannot be found out: repeat it with the same insert_deduplication_token, and "
        "look at the disk's free space. (UNKNOWN_STATUS_OF_INSERT)"
    )
    code = _CODE.search(text)
    return WarehouseError(text, int(code[1]) if code else _UNKNOWN)


def _text(raw: Any, sql: str) -> str:
    try:
        return bytes(raw.query(sql, "TSVRaw").bytes()).decode().strip()
    except RuntimeError:
        return ""
