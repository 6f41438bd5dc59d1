"""Groups of a home's files as retention counts them: a unit is what goes as a whole."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from audit import trail
from core import pseudonyms
from core.settings import Settings

CLIENTS = "client documents"  # in the vault: a folder for each client
GROUPS = (
    "reports", "models", "audit log", "controls", "journals", "sealed", "logs", "backups",
    CLIENTS,
)  # fmt: skip


class Unit(NamedTuple):
    """A file or folder, and the UTC day on which something in it was last written."""

    path: Path
    day: date


def units(settings: Settings, group: str) -> list[Unit]:
    """What a group consists of, oldest first."""
    listed = [Unit(path, _day(path)) for path in _paths(settings, group)]
    return sorted(listed, key=lambda unit: (unit.day, unit.path))


def remove(unit: Unit) -> None:
    """A unit, whole. Read-only folders of sealed versions, too."""
    if unit.path.is_dir():
        for folder in (unit.path, *(p for p in unit.path.rglob("*") if p.is_dir())):
            folder.chmod(0o700)
        shutil.rmtree(unit.path)
    else:
        unit.path.unlink(missing_ok=True)


def _paths(settings: Settings, group: str) -> list[Path]:
    home, reports = settings.home_path, settings.reports.folder
    match group:
        case "reports":
            folder = Path(reports).expanduser().resolve() if reports else home / "reports"
            return sorted(folder.glob("????-??-??"))
        case "sealed":
            return sorted(trail.archive(settings).glob("????-??-??"))
        case "audit log":
            return sorted(home.glob("audit*.log"))
        case "client documents":
            vault = pseudonyms.vault_of(settings.privacy, home)
            return sorted((vault / "papers").glob("p-*")) if vault else []
        case "controls":
            return [home / "controls"] if (home / "controls").exists() else []
        case "journals":
            return sorted((home / "execution").glob("*/journal"))
        case _:  # a folder of the home, by name
            return [path for path in sorted((home / group).glob("*")) if path.name[0] != "."]


def _day(path: Path) -> date:
    inside = [path, *path.rglob("*")] if path.is_dir() else [path]
    newest = max(one.lstat().st_mtime for one in inside)
    return datetime.fromtimestamp(newest, UTC).date()
