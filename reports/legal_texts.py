"""Which legal text each report was written after, and whether that reading has become old.

Ours are in `legal_texts.toml`; a firm's own later readings in the home replace them, by name.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from core.errors import SettingsError

_SHIPPED = Path(__file__).with_name("legal_texts.toml")
_FRESH = timedelta(days=366)  # twelve months


class LegalText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act as it was read. `consolidated` is a day, or a year of which no more is known."""

    act: str
    says: str
    articles: str
    consolidated: date | int
    review: date  # by when somebody should read it again
    read_by: str = ""  # the person of the firm who read it; "": whoever wrote the report
    removed: str = ""  # since when and by what it is no longer in force

    @property
    def read_as_of(self) -> date:
        """The day up to which amendments can be in the text that was read."""
        known = self.consolidated
        return date(known, 12, 31) if isinstance(known, int) else known

    def problem(self, today: date) -> str:
        """Why it should not be relied on without reading it again; "" when it may be."""
        if self.removed:
            return f"no longer in force: {self.removed}"
        if today - self.read_as_of > _FRESH:
            return "consolidation older than twelve months: later amendments are not covered"
        return f"review was due on {self.review}" if today > self.review else ""


def path_in(home: Path) -> Path:
    """Where a firm's own readings are."""
    return home / "legal_texts.toml"


def load(home: Path) -> dict[str, LegalText]:
    """All texts by name, the firm's own readings in place of ours.

    Raises:
        SettingsError: the home's file is not as `legal_texts.toml` of the product.
    """
    own = path_in(home)
    return _read(_SHIPPED) | (_read(own) if own.exists() else {})


def notes(texts: Sequence[LegalText], today: date) -> tuple[str, ...]:
    """What a report says of its basis, of what was removed since, and of readings too old."""
    standing = [text for text in texts if not text.removed]
    basis = "; ".join(_basis(text) for text in standing)
    gone = "; ".join(f"{text.act} ({text.says}): {text.removed}" for text in texts if text.removed)
    old = "; ".join(
        f"{text.act}: {text.problem(today)}" for text in standing if text.problem(today)
    )
    said = (("Written after", basis), ("No longer in force", gone), ("Warning", old))
    return tuple(f"{begins}: {what}." for begins, what in said if what)


def _basis(text: LegalText) -> str:
    reader = f" (read by {text.read_by})" if text.read_by else ""
    return (
        f"{text.act}, articles {text.articles}, as consolidated {text.consolidated}{reader},"
        f" next review {text.review}"
    )


def _read(path: Path) -> dict[str, LegalText]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, LegalText])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; each table is one text as in the product's {_SHIPPED.name}:"
            " act, says, articles, consolidated, review, and read_by"
        ) from error
