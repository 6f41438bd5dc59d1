"""What own orders are watched for: scenarios with parameters, their version, and the next review.

Ours are in `scenarios.toml`; a firm's own in the home replace them by name. Each has a statement in
`sql`, of its name unless two share one, which takes its parameters.
"""

from datetime import date
from importlib import resources
from pathlib import Path

import msgspec

from core.errors import SettingsError

_SHIPPED = Path(__file__).with_name("scenarios.toml")
#: What several scenarios share; it is given the scenario's name.
_SHARED = {"layering": "taken_back", "spoofing": "taken_back"}


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pattern, and how far it must go before a person looks at it."""

    title: str
    says: str
    basis: str  # the practice in the law that it stands for
    version: str  # of the parameters
    reviewed: date
    review: date  # by when a person looks at the parameters again
    assess_days: int  # working days until a person has decided on an alert
    parameters: dict[str, int | float]
    watched: bool = True

    def problem(self, today: date) -> str:
        """Why its parameters should be looked at; "" when they need not."""
        return f"review was due on {self.review}" if today > self.review else ""


def path_in(home: Path) -> Path:
    """Where a firm's own parameters are."""
    return home / "scenarios.toml"


def load(home: Path) -> dict[str, Scenario]:
    """All scenarios by name, the firm's own in place of ours.

    Raises:
        SettingsError: the home's file is not as the product's, names a scenario that there is not,
            changes parameters under our version, or has others than the scenario takes.
    """
    ours, own = _read(_SHIPPED), path_in(home)
    firm = _read(own) if own.exists() else {}
    for name, scenario in firm.items():
        if problem := _problem(ours.get(name), scenario, list(ours)):
            raise SettingsError(f"{own}: [{name}]: {problem}")
    return ours | firm


def statement(name: str) -> str:
    """What finds the scenario in a day's order events."""
    return text_of(_SHARED.get(name, name))


def text_of(file: str) -> str:
    """A statement by the name of its file."""
    return resources.files("surveillance.abuse").joinpath(f"sql/{file}.sql").read_text()


def _problem(shipped: Scenario | None, own: Scenario, names: list[str]) -> str:
    if shipped is None:
        return f"there is no such scenario; there are: {', '.join(names)}"
    if set(own.parameters) != set(shipped.parameters):
        return f"its parameters are {', '.join(shipped.parameters)}"
    if any(not 0 < value < float("inf") for value in own.parameters.values()):
        return "its parameters are numbers above 0"
    if own.version == shipped.version and own.parameters != shipped.parameters:
        return f"other parameters than ours need another version than {shipped.version!r}"
    return "" if own.assess_days > 0 else "assess_days is at least 1"


def _read(path: Path) -> dict[str, Scenario]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Scenario])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; each table is one scenario as in the product's {_SHIPPED.name}"
        ) from error
