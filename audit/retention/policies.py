"""How long what a home holds is kept: a table of policies, each with its basis.

Ours are in `policies.toml`; a firm's own in the home replace them by name or add to them, under a
version of their own. With signed controls the firm's file counts as it was signed, or not at all.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from core.clock import Clock
from core.controls.approvals import controls_of, is_signed
from core.errors import SettingsError
from core.settings import Settings

_SHIPPED = Path(__file__).with_name("policies.toml")
#: What never goes: chained, so that taking from it breaks what is left, or what other records and
#: running processes refer to, however old it is. `*` for any letters.
LASTING = (
    "audit_event", "order_event", "control_version", "audit log", "controls", "journals", "sealed",
    "client documents",  # whose five years begin when the client ends: by `tickhouse privacy erase`
    "run", "session", "session_part", "content", "model", "models", "instrument", "reference_*",
    "tick_claim", "retention_*", "schema_migration",
)  # fmt: skip
NEVER = "chained, or referred to by what is kept, and never destroyed"
_LONGEST = 99


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long some tables and groups of files are kept at least, and what follows."""

    title: str
    says: str
    basis: str  # what asks for it
    years: int  # 0: nothing does
    then: Literal["keep", "destroy"]
    version: str  # of the numbers
    reviewed: date
    review: date  # by when a person reads the basis again
    tables: tuple[str, ...] = ()  # names, `*` for any letters
    files: tuple[str, ...] = ()  # groups of `audit.retention.files`

    def cutoff(self, today: date) -> date:
        """The day before which it no longer asks for anything; years are the calendar's."""
        return years_before(today, self.years)


def years_before(day: date, years: int) -> date:
    """The same day years before; of a 29 February the 28th: kept longer, never shorter."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def path_in(home: Path) -> Path:
    """Where a firm's own policies are."""
    return home / "retention.toml"


def load(home: Path) -> dict[str, Policy]:
    """All policies by name, the firm's own in place of ours, as the files say.

    Raises:
        SettingsError: the home's file is not as the product's, or a policy cannot be.
    """
    own = path_in(home)
    return _with(own.read_bytes() if own.exists() else b"", own)


def in_force(settings: Settings, clock: Clock) -> dict[str, Policy]:
    """All policies that count: where controls are signed, ours and what was signed of the firm's.

    Raises:
        SettingsError: see `load`.
    """
    home = settings.home_path
    if not is_signed(settings):
        return load(home)
    controls = controls_of(settings, clock)
    version = controls.version("retention", "", max(clock.now_us(), controls.newest_us))
    signed = controls.content(version) if version else None
    return _with(signed or b"", path_in(home))


def content(home: Path) -> bytes:
    """What a person signs: the firm's file as it is, when it can be read.

    Raises:
        SettingsError: there is none, or it cannot hold.
    """
    own = path_in(home)
    if not own.exists():
        raise SettingsError(f"{own} is not there: write the firm's policies into it first")
    load(home)
    return own.read_bytes()


def by_table(policies: Mapping[str, Policy], tables: Iterable[str]) -> dict[str, str]:
    """The policy of each table: a full name before one with `*`, and the longest of several.

    A table that no policy names is left out.
    """
    named = {}
    for table in tables:
        matching = [
            (pattern == table, policy.years, name)
            for name, policy in policies.items()
            for pattern in policy.tables
            if fnmatchcase(table, pattern)
        ]
        if matching:
            named[table] = max(matching)[2]
    return named


def lasting_of(policy: Policy) -> list[str]:
    """Tables and files of a policy that are never destroyed."""
    return [name for name in (*policy.tables, *policy.files) if is_lasting(name)]


def is_lasting(name: str) -> bool:
    """Whether a table or group of files is never destroyed."""
    return any(fnmatchcase(name, pattern) for pattern in LASTING)


def _with(firm: bytes, own: Path) -> dict[str, Policy]:
    ours = _read(_SHIPPED.read_bytes(), _SHIPPED)
    theirs = _read(firm, own)
    for name, policy in theirs.items():
        if problem := _problem(ours.get(name), policy):
            raise SettingsError(f"{own}: [{name}]: {problem}")
    return ours | theirs


def _problem(shipped: Policy | None, own: Policy) -> str:
    if not 0 <= own.years <= _LONGEST:
        return f"years are 0 to {_LONGEST}"
    if own.then == "destroy" and not own.years:
        return "what has no years is not destroyed: give years, or then = 'keep'"
    if own.then == "destroy" and any("*" in table for table in own.tables):
        return "what is destroyed is named in full: no * in tables"
    if own.then == "destroy" and (lasting := lasting_of(own)):
        return f"{', '.join(lasting)}: {NEVER}: then = 'keep'"
    if not own.basis:
        return "its basis is empty: say what asks for it"
    if shipped and own.version == shipped.version and own != shipped:
        return f"another policy than ours needs another version than {shipped.version!r}"
    return ""


def _read(content: bytes, path: Path) -> dict[str, Policy]:
    try:
        return msgspec.toml.decode(content, type=dict[str, Policy])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; each table is one policy as in the product's {_SHIPPED.name}"
        ) from error
