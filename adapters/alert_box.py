"""Alerts on their way to people: the first at once, a flood as one digest, none lost.

What is to be told is on disk before anything is sent, so whoever looks next (`watch` each second,
Dagster's sensor each minute, the next alert) sends what a killed process left, and tries again
what a target did not take. Each target has its own queue: a dead mail server delays no webhook.
A process that is killed between sending and noting it makes one message come twice.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters import alerts
from core import checked_json, durable
from core.clock import Clock
from core.errors import BusyError
from core.file_lock import locked
from core.sections import AlertSettings

_log = logging.getLogger(__name__)
MOST = 1_000  # alerts that wait; of more only the number is told, all are in the log
LISTED = 50  # lines of one digest


class WaitingAlert(msgspec.Struct):
    """One alert that waits, or the same one `count` times. `owed`: kinds of targets.

    sealed: it was sent to somebody, perhaps in vain; when it happens again, that is another one.
    """

    number: int
    title: str
    text: str
    facts: dict[str, str]
    first_us: int
    last_us: int
    owed: list[str]
    count: int = 1
    sealed: bool = False


class _Box(msgspec.Struct):
    next: int = 1
    waiting: list[WaitingAlert] = []
    told_us: dict[str, int] = {}  # when a target last took something
    retry_us: dict[str, int] = {}  # before then a target that failed is left alone
    unlisted: dict[str, int] = {}  # alerts beyond MOST since a target's last digest


class Delivery(NamedTuple):
    """What became of an alert at once: kinds of targets that have it, and that did not take it.

    In neither: it is gathered for that target's next digest.
    """

    sent: tuple[str, ...]
    failed: tuple[str, ...]


class AlertBox:
    """The alerts of one home; any number of processes share it.

    Args:
        settings: targets, and `digest_s`: after a message further ones are gathered that long.
    """

    def __init__(self, home: Path, settings: AlertSettings, clock: Clock) -> None:
        self._path, self._settings, self._clock = home / "alerts.json", settings, clock

    def notify(self, title: str, text: str, facts: Mapping[str, str] | None = None) -> Delivery:
        """Log it, keep it, and send what is due; delivery problems are logged, never raised.

        Raises:
            SettingsError: what is set does not make a target.
        """
        _log.error("%s: %s", title, text)
        kinds = [kind for kind, _ in alerts.targets(self._settings, {})]
        if not kinds:
            return Delivery((), ())
        given = dict(facts or {})
        try:
            with self._open() as box:
                _add(box.state, title, text, given, kinds, self._clock.now_us())
            return self.send_due()
        except (OSError, BusyError) as error:  # a full disk is no reason to be silent
            _log.error("alerts cannot be kept (%s): this one is sent once, now", error)
            sent = [k for k in kinds if alerts.send(self._settings, k, title, text, given)]
            return Delivery(tuple(sent), tuple(k for k in kinds if k not in sent))

    def send_due(self, *, now: bool = False) -> Delivery:
        """Send what is due; `now`: also what is still being gathered, before an end."""
        sent, failed = list[str](), list[str]()
        try:
            with locked(self._path.with_suffix(".sending"), timeout_s=0):
                for kind, _ in alerts.targets(self._settings, {}):
                    due = self._due(kind, now)
                    if due.waiting:
                        (sent if self._send(kind, due) else failed).append(kind)
        except BusyError:
            pass  # somebody else is sending; the rest has its turn next time
        return Delivery(tuple(sent), tuple(failed))

    def _due(self, kind: str, now: bool) -> _Box:
        """A copy of the box with what this target is to be told at this moment."""
        with self._open() as box:
            state, time_us = box.state, self._clock.now_us()
            gathered = state.told_us.get(kind, 0) + round(self._settings.digest_s * 1e6)
            early = time_us < state.retry_us.get(kind, 0) or time_us < gathered
            due = [e for e in state.waiting if kind in e.owed] if now or not early else []
            for entry in due:
                entry.sealed = True
        return msgspec.structs.replace(state, waiting=due)

    def _send(self, kind: str, due: _Box) -> bool:
        title, text, facts = message(due.waiting, due.unlisted.get(kind, 0))
        taken = alerts.send(self._settings, kind, title, text, facts)
        with self._open() as box:
            if taken:
                _note(box.state, kind, due, self._clock.now_us())
            else:
                wait_us = round(self._settings.retry_s * 1e6)
                box.state.retry_us[kind] = self._clock.now_us() + wait_us
        return taken

    def _open(self) -> "_Opened":
        return _Opened(self._path)


class _Opened:
    """The box under its lock; what was changed in the block is on disk at its end."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, locked(path.with_suffix(".lock"))
        self.state = _Box()

    def __enter__(self) -> "_Opened":
        self._lock.__enter__()
        self._before = self._path.read_bytes() if self._path.exists() else b""
        try:
            self.state = checked_json.decode(self._before or b"{}", _Box)
        except msgspec.DecodeError as error:  # of another version: telling goes on from now
            _log.error("%s cannot be read (%s) and is begun anew", self._path, error)
        return self

    def __exit__(self, *error: object) -> None:
        try:
            after = msgspec.json.encode(self.state)
            if error[0] is None and after != self._before:
                durable.write(self._path, after)
        finally:
            self._lock.__exit__(None, None, None)


def message(entries: list[WaitingAlert], unlisted: int = 0) -> tuple[str, str, dict[str, str]]:
    """Title, text and facts: one alert as it is, more as a digest, oldest first."""
    if len(entries) == 1 and entries[0].count == 1 and not unlisted:
        return entries[0].title, entries[0].text, entries[0].facts
    lines = [_line(entry) for entry in entries[:LISTED]]
    left = sum(e.count for e in entries[LISTED:]) + unlisted
    if left:
        lines.append(f"and {left} more; all are in the log")
    total = sum(e.count for e in entries) + unlisted
    return f"Tickhouse: {total} alerts", "\n".join(lines), {"alerts": str(total)}


def _line(entry: WaitingAlert) -> str:
    times = _clock(entry.first_us)
    if entry.count > 1:
        times = f"{times} to {_clock(entry.last_us)}, {entry.count} times"
    return f"{times}: {entry.title.removeprefix('Tickhouse: ')}: {entry.text}"


def _clock(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%H:%M:%S")


def _add(
    box: _Box, title: str, text: str, facts: dict[str, str], kinds: list[str], now_us: int
) -> None:
    for entry in box.waiting:
        if not entry.sealed and (entry.title, entry.text, entry.owed) == (title, text, kinds):
            entry.count, entry.last_us = entry.count + 1, now_us
            return
    if len(box.waiting) >= MOST:
        box.unlisted = {k: box.unlisted.get(k, 0) + 1 for k in {*box.unlisted, *kinds}}
        return
    box.waiting.append(WaitingAlert(box.next, title, text, facts, now_us, now_us, kinds))
    box.next += 1


def _note(box: _Box, kind: str, sent: _Box, now_us: int) -> None:
    """A target has these; what came meanwhile stays."""
    numbers = {entry.number for entry in sent.waiting}
    for entry in box.waiting:
        if entry.number in numbers:
            entry.owed = [k for k in entry.owed if k != kind]
    box.waiting = [entry for entry in box.waiting if entry.owed]
    box.told_us[kind] = now_us
    left = box.unlisted.get(kind, 0) - sent.unlisted.get(kind, 0)
    box.unlisted = {**box.unlisted, kind: max(left, 0)}
    box.retry_us.pop(kind, None)
