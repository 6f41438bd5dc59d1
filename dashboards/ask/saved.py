"""Questions that people keep: `<home>/ask/saved.json`, for everybody who may ask.

A statement is kept as its text and judged anew each time somebody runs it, with the rights of who
runs it: a saved question lets nobody read what they may not.
"""

import secrets
from pathlib import Path

import msgspec

from core import checked_json, durable
from core.clock import Clock
from core.errors import InputError
from core.file_lock import locked

_MOST, _LONGEST_NAME, LONGEST_SQL = 1_000, 80, 20_000


class SavedQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One. `question` is as it was asked, "" of one that began as SQL; times are UTC."""

    id: str
    name: str
    question: str
    sql: str
    by: str
    made_us: int


class _File(msgspec.Struct):
    saved: list[SavedQuestion] = []


class SavedQuestions:
    """The saved questions of a home. Blocks on disk.

    Every method raises InputError for a damaged file, or for what cannot be.
    """

    def __init__(self, home: Path, clock: Clock) -> None:
        self._path, self._clock = home / "ask" / "saved.json", clock

    def listed(self) -> list[SavedQuestion]:
        """All, by name."""
        return sorted(self._load().saved, key=lambda one: (one.name.casefold(), one.id))

    def save(self, name: str, question: str, sql: str, by: str) -> SavedQuestion:
        """Keep one; in place of the same person's of that name."""
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise InputError("name", f"give it a name of 1 to {_LONGEST_NAME} letters")
        if not sql.strip() or len(sql) > LONGEST_SQL:
            raise InputError("sql", f"is empty, or longer than {LONGEST_SQL} characters")
        one = SavedQuestion(secrets.token_hex(6), name, question, sql, by, self._clock.now_us())
        with locked(self._path.with_name("lock")):
            others = [s for s in self._load().saved if (s.name, s.by) != (name, by)]
            if len(others) >= _MOST:
                raise InputError("name", f"there are {_MOST} saved questions: remove some")
            self._write([*others, one])
        return one

    def remove(self, which: str, by: str, *, any_of_them: bool) -> None:
        """Remove one's own, or anybody's where `any_of_them`."""
        with locked(self._path.with_name("lock")):
            saved = self._load().saved
            mine = [s for s in saved if s.id == which and (any_of_them or s.by == by)]
            if not mine:
                raise InputError("id", "there is none of yours under it")
            self._write([s for s in saved if s.id != which])

    def _load(self) -> _File:
        try:
            return checked_json.read(self._path, _File)
        except FileNotFoundError:
            return _File()
        except (OSError, msgspec.DecodeError) as error:
            raise InputError(str(self._path), f"{error}; bring it back, or remove it") from error

    def _write(self, saved: list[SavedQuestion]) -> None:
        durable.write(self._path, checked_json.encode(_File(saved)), durable.PRIVATE)
