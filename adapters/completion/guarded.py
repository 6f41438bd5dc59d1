"""A provider within bounds: not when it keeps failing, not too often in a day, not twice the same.

What is remembered lies in `<home>/ask/provider.json`, for every command is a process of its own.
An answer is kept by what was asked of whom, so another model, schema or question asks anew.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from core import checked_json, durable
from core.clock import Clock
from core.errors import BusyError, UnavailableError
from core.file_lock import locked
from core.sections import AskSettings

Messages = list[dict[str, str]]
_FAILURES, _PAUSE_US, _DAY_US = 3, 60_000_000, 86_400_000_000
_MOST_ANSWERS = 500


class _State(msgspec.Struct):
    day: int = 0
    questions: int = 0
    failures: int = 0  # in a row
    failed_us: int = 0
    answers: dict[str, str] = {}  # the newest last


class Guarded:
    """Asks a provider. Blocking.

    Args:
        complete: one question to it.
    """

    def __init__(
        self, home: Path, settings: AskSettings, clock: Clock,
        complete: Callable[[AskSettings, Messages], str],
    ) -> None:  # fmt: skip
        self._path, self._settings = home / "ask" / "provider.json", settings
        self._clock, self._complete = clock, complete

    def ask(self, messages: Messages) -> str:
        """What it says, or said before.

        Raises:
            UnavailableError: it fails, has failed too often of late, or was asked enough today.
            SettingsError: its address must not be asked.
        """
        key = self._key(messages)
        with self._changing() as state:
            if key in state.answers:
                return state.answers[key]
            self._admit(state)
            self._write(state)
        try:
            text = self._complete(self._settings, messages)
        except UnavailableError:
            with self._changing() as state:
                state.failures, state.failed_us = state.failures + 1, self._clock.now_us()
                self._write(state)
            raise
        with self._changing() as state:
            state.failures = 0
            state.answers[key] = text
            while len(state.answers) > _MOST_ANSWERS:
                state.answers.pop(next(iter(state.answers)))
            self._write(state)
        return text

    def _admit(self, state: _State) -> None:
        now_us = self._clock.now_us()
        since_us = now_us - state.failed_us
        if state.failures >= _FAILURES and 0 <= since_us < _PAUSE_US:
            wait_s = -((since_us - _PAUSE_US) // 1_000_000)
            raise UnavailableError(f"the provider failed {state.failures} times: wait {wait_s} s")
        if state.day != now_us // _DAY_US:
            state.day, state.questions = now_us // _DAY_US, 0
        if state.questions >= self._settings.per_day:
            many = f"{state.questions} questions today (ask.per_day)"
            raise UnavailableError(f"the provider had {many}: tomorrow again")
        state.questions += 1  # also of what fails: it may have cost all the same

    def _key(self, messages: Messages) -> str:
        subject = [self._settings.provider, self._settings.model, messages]
        return hashlib.sha256(msgspec.json.encode(subject)).hexdigest()

    @contextmanager
    def _changing(self) -> Iterator[_State]:
        """The state, while no other process has it; of a damaged file, one that knows nothing."""
        try:
            with locked(self._path.with_name("provider.lock")):
                try:
                    state = checked_json.read(self._path, _State)
                except (OSError, msgspec.DecodeError):
                    state = _State()
                yield state
        except BusyError as error:
            raise UnavailableError(str(error)) from error

    def _write(self, state: _State) -> None:
        try:
            durable.write(self._path, checked_json.encode(state), durable.PRIVATE)
        except OSError as error:  # what cannot be counted is not asked
            raise UnavailableError(f"{self._path} cannot be written: {error}") from error
