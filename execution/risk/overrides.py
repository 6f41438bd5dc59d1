"""What a person allowed for a while: overrides of limits, and releases of throttles.

One file, `<home>/decisions.json`, written whole and synced by the command line after a login. An
override has an approver and an end, and ends by the clock whether or not anybody looks.
"""

from pathlib import Path

import msgspec

from core import durable
from core.errors import InputError


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another value for one limit from a time to a time (microseconds, UTC; the end excluded)."""

    rule: str  # a number among the fields of execution.risk.limits.Limits
    value: float
    account: str
    symbol: str  # "" for every symbol
    by: str
    reason: str
    from_us: int
    until_us: int

    def holds(self, account: str, symbol: str, now_us: int) -> bool:
        """Whether it counts for an order."""
        return (
            self.from_us <= now_us < self.until_us
            and self.account == account
            and self.symbol in ("", symbol)
        )

    def __str__(self) -> str:
        return f"{self.rule}={self.value:g} by {self.by}"


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The throttle of a strategy may open again; "" for every strategy or symbol."""

    account: str
    strategy: str
    symbol: str
    by: str
    reason: str
    ts_us: int


class Overrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file."""

    overrides: list[Override] = []
    releases: list[Release] = []

    def released_us(self, account: str, strategy: str, symbol: str) -> int:
        """When a throttle was last released; 0 for never."""
        times = (
            r.ts_us
            for r in self.releases
            if r.account == account and r.strategy in ("", strategy) and r.symbol in ("", symbol)
        )
        return max(times, default=0)


def path_in(home: Path) -> Path:
    """Where a home's decisions are kept."""
    return home / "decisions.json"


def load(path: Path) -> Overrides:
    """The decisions of a file; none when there is no file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Overrides)
    except FileNotFoundError:
        return Overrides()
    except (OSError, msgspec.DecodeError) as error:
        problem = f"{error}; no override holds until it is mended or removed"
        raise InputError(str(path), problem) from error


def save(path: Path, decisions: Overrides) -> None:
    """Replace the file; whole and on disk when this returns."""
    durable.write(path, msgspec.json.format(msgspec.json.encode(decisions)) + b"\n")
