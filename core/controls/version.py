"""A signed version of a control, in force or waiting, and why an entry does not count."""

from typing import NamedTuple

from core.controls.entry import Entry
from core.controls.rules import Need


class Version(NamedTuple):
    """A signed version of a control. `from_us`: since when it holds; 0: it does not yet."""

    entry: Entry
    raises: bool
    needs: Need
    approved_by: str = ""
    due_us: int = 0  # when a delay ends
    from_us: int = 0

    def holds(self, now_us: int) -> bool:
        """Whether it has not ended; the end is excluded."""
        return not self.entry.until_us or now_us < self.entry.until_us


class Void(Exception):  # noqa: N818  # an outcome
    """An entry that is genuine and must not count. The message says why."""


class Broken(Exception):  # noqa: N818
    """An entry that is not genuine. The message says why."""
