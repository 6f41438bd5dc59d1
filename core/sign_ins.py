"""Who is signed in, who guessed wrongly, whose code is used: `<home>/sign-in/state.json`.

One memory for every process that lets people in (live page, API, bot), so that a person signs in
once, a wrong guess at one door counts at all, and a one-time code counts at one of them. What is
kept of a session is a digest of its token, so the file lets nobody in. A file that is damaged is
begun anew: everybody signs in again, and codes of now count no more.
"""

import hashlib
import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from core import checked_json, durable
from core.clock import Clock
from core.file_lock import locked
from core.totp import step_of
from core.watched_file import WatchedFile

SESSION_US = 15 * 60_000_000
_LONGEST_US = 8 * 3_600_000_000  # of one that is renewed by being used
_RENEWED_EVERY_US = 60_000_000  # each time would write the file at each request
_LONGEST_WAIT_S, _FREE_TRIES = 60, 3
_MOST_SESSIONS, _MOST_FAILURES = 1_000, 10_000
_log = logging.getLogger(__name__)


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody signed in. Times are microseconds, UTC; it holds until `until_us`, included.

    `stamp` is of the person's password as it was: another one ends the session.
    """

    name: str
    stamp: str
    began_us: int
    until_us: int


class _Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    count: int
    not_before_us: int


class _State(msgspec.Struct):
    sessions: dict[str, Session] = {}  # by a digest of the token
    failures: dict[str, _Failure] = {}  # by name
    first_step: int = 0  # of one-time codes: earlier ones count for nobody
    steps: dict[str, int] = {}  # the last code that each person used


class SignIns:
    """The memory of a home. Blocks on disk: every change is there when its method returns.

    Every method that changes something raises BusyError, when another process keeps the lock, and
    OSError, when the disk takes nothing; then nothing was changed, so nobody is let in.
    """

    def __init__(self, home: Path, clock: Clock) -> None:
        self._path, self._lock = home / "sign-in" / "state.json", home / "sign-in" / "lock"
        self._clock, self._file = clock, WatchedFile(self._path, 0)
        self._known, self._one_reader = _State(), threading.Lock()

    def begin(self, name: str, stamp: str) -> tuple[str, Session]:
        """A new session, and its token, which nobody can have again."""
        token, now_us = secrets.token_urlsafe(32), self._clock.now_us()
        session = Session(name, stamp, now_us, now_us + SESSION_US)
        with self._changing() as state:
            state.failures.pop(name, None)
            state.sessions = dict(list(_lasting(state, now_us).items())[-_MOST_SESSIONS + 1 :])
            state.sessions[_digest(token)] = session
        return token, session

    def session(self, token: str) -> Session | None:
        """The session of a token; None when there is none, or it has ended.

        One from the future is none: the clock went back, and nobody knows how long it would last.
        """
        session = self._read().sessions.get(_digest(token))
        lasts = session and session.began_us <= self._clock.now_us() <= session.until_us
        return session if lasts else None

    def renew(self, token: str) -> None:
        """A session that is used goes on, for eight hours at most."""
        session = self.session(token)
        now_us = self._clock.now_us()
        if session is None or now_us + SESSION_US - session.until_us < _RENEWED_EVERY_US:
            return
        until_us = min(now_us + SESSION_US, session.began_us + _LONGEST_US)
        with self._changing() as state:
            if _digest(token) in state.sessions:
                lasting = msgspec.structs.replace(session, until_us=until_us)
                state.sessions[_digest(token)] = lasting

    def end(self, token: str) -> None:
        """End a session."""
        if _digest(token) in self._read().sessions:
            with self._changing() as state:
                state.sessions.pop(_digest(token), None)

    def wait_s(self, name: str) -> int:
        """Seconds before this name may be tried again; 0: now."""
        failure, now_us = self._read().failures.get(name), self._clock.now_us()
        if failure is None or now_us >= failure.not_before_us:
            return 0
        # The clock may have gone back: nobody waits longer than one could have had to.
        return min(-((now_us - failure.not_before_us) // 1_000_000), _LONGEST_WAIT_S)

    def failed(self, name: str) -> int:
        """Keep that a name was tried wrongly; seconds until it may be again, twice as long now."""
        with self._changing() as state:
            before = state.failures.get(name)
            count = before.count + 1 if before else 1
            doubled = min(2 ** min(max(count - _FREE_TRIES, 0), 10), _LONGEST_WAIT_S)
            wait_s = doubled if count > 1 else 0
            if len(state.failures) > _MOST_FAILURES:  # names are the caller's: no more than this
                state.failures.pop(next(iter(state.failures)))
            not_before_us = self._clock.now_us() + wait_s * 1_000_000
            state.failures.pop(name, None)  # to the end: what was tried longest ago goes first
            state.failures[name] = _Failure(count, not_before_us)
        return wait_s

    def use_code(self, name: str, step: int) -> bool:
        """Mark a person's one-time code as used; False when it was, or a later one."""
        with self._changing() as state:
            if step <= max(state.steps.get(name, 0), state.first_step):
                return False
            state.steps[name] = step
        return True

    @contextmanager
    def _changing(self) -> Iterator[_State]:
        with locked(self._lock):
            state = self._load()
            yield state
            durable.write(self._path, checked_json.encode(state), durable.PRIVATE)

    def _read(self) -> _State:
        with self._one_reader:
            if self._file.has_changed():
                self._known = self._load()
            return self._known

    def _load(self) -> _State:
        try:
            return checked_json.read(self._path, _State)
        except FileNotFoundError:
            return _State()
        except (OSError, msgspec.DecodeError) as error:
            _log.error("%s is damaged (%s) and is begun anew: all sign in again", self._path, error)
            return _State(first_step=step_of(self._clock.now_us()) + 1)


def _lasting(state: _State, now_us: int) -> dict[str, Session]:
    return {key: one for key, one in state.sessions.items() if one.until_us >= now_us}


def _digest(token: str) -> str:
    # No slow hash and no secret: nobody guesses 256 bits.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
