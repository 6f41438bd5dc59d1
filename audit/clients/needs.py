"""Which documents the file of a client must hold, and how long each counts: a table with its basis.

Ours are in `needs.toml`; a firm's own in the home replace them by name or add to them, under a
version of their own, as with policies of retention.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import SettingsError

_SHIPPED = Path(__file__).with_name("needs.toml")
Category = Literal["person", "company"]
#: Of a document without an end: the last day that every part of the product can write.
NEVER = date(2199, 12, 31)


class DocumentNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a file must hold."""

    title: str
    basis: str  # what asks for it
    of: tuple[Category, ...]
    kinds: tuple[str, ...]  # documents of which one is enough
    ends: Literal["printed", "issue", "never"]
    days: int  # after its issue, where it ends by that
    warn: int  # days before its end
    version: str
    reviewed: date
    review: date

    def last_day(self, issued: date, printed: date | None) -> date:
        """The last day on which a document counts (UTC, included)."""
        own = issued + timedelta(days=self.days) if self.ends == "issue" else NEVER
        return min(own, printed or NEVER)


def path_in(home: Path) -> Path:
    """Where a firm's own are."""
    return home / "client-needs.toml"


def load(home: Path) -> dict[str, DocumentNeed]:
    """All by name, the firm's own in place of ours.

    Raises:
        SettingsError: the home's file is not as the product's, or a need cannot be.
    """
    ours, own = _read(_SHIPPED), path_in(home)
    theirs = _read(own) if own.exists() else {}
    for name, need in theirs.items():
        if problem := _problem(name, ours.get(name), need):
            raise SettingsError(f"{own}: [{name}]: {problem}")
    return ours | theirs


def of_kind(needs: Mapping[str, DocumentNeed], kind: str) -> list[DocumentNeed]:
    """The needs that a document can fill.

    Raises:
        SettingsError: none.
    """
    fitting = [need for need in needs.values() if kind in need.kinds]
    if not fitting:
        known = ", ".join(sorted({kind for need in needs.values() for kind in need.kinds}))
        raise SettingsError(f"no file needs a document of kind {kind!r}; kinds: {known}")
    return fitting


def end_of_day_us(day: date) -> int:
    """The first microsecond after a day, UTC."""
    following = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return int(following.timestamp()) * 1_000_000


FOREVER_US = end_of_day_us(NEVER)


def _problem(name: str, shipped: DocumentNeed | None, own: DocumentNeed) -> str:
    if not name.isidentifier():
        return "its name is a plain word"
    if not own.of or not own.kinds or not own.basis:
        return "of, kinds and basis say something"
    if not all(kind.isidentifier() for kind in own.kinds):
        return "kinds are plain words"
    if own.ends == "issue" and not 0 < own.days <= 36_500:
        return "what ends by its issue has days from 1 on"
    if own.warn < 0:
        return "warn is days, from 0 on"
    if shipped and own.version == shipped.version and own != shipped:
        return f"another need than ours has another version than {shipped.version!r}"
    return ""


def _read(path: Path) -> dict[str, DocumentNeed]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, DocumentNeed])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; each table is one need as in the product's {_SHIPPED.name}"
        ) from error
