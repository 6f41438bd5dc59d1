"""What breakers did, chained into the log of orders to trading: a halt by a machine is one too.

Execution must not wait for a lock, so it only says so on the bus; the watcher appends. It reads the
topic from its beginning, and what the log holds already it passes over: nothing that tripped while
the watcher was down is missing.
"""

import threading
from pathlib import Path

import msgspec

from core import audit_log
from core.audit_log import AuditLine
from core.contracts.operations import RiskState

_BY = "breaker "
_ACTIONS = {"halted": "halt", "reducing": "reduce", "active": "resume"}


class BreakerLog:
    """Appends what is new. `see` from one thread.

    Raises:
        InputError: the log of the home is damaged.
    """

    def __init__(self, home: Path) -> None:
        self._home, self._lock = home, threading.Lock()
        self._known = {
            identity
            for event in audit_log.read(audit_log.path_in(home))
            if event.actor.startswith(_BY) and (identity := _identity(event.detail))
        }

    def note(self, state: RiskState) -> bool:
        """Chain a breaker's word; whether it was new. What a person said is chained already."""
        if not state.by.startswith(_BY):
            return False
        identity = f"{state.run_id}.{state.account}.{state.ts_event_us}.{state.state}"
        with self._lock:
            if identity in self._known:
                return False
            audit_log.append(
                self._home,
                AuditLine(
                    ts_us=state.ts_event_us, by=state.by, authenticated=False,
                    action=_ACTIONS[state.state],
                    detail=f"trading of {state.account} is {state.state}", subject=state.account,
                    reason=state.reason, payload={"state_id": identity},
                ),
                state.run_id, state.mode,
            )  # fmt: skip
            self._known.add(identity)
        return True


def _identity(detail: str) -> str:
    try:
        return str(msgspec.json.decode(detail).get("state_id", ""))
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return ""
