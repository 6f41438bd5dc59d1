"""Which version a home is of: `<home>/version.json`, written when a version has taken it over.

Whoever makes something in a new home writes it first (`begin`), so a used home without one is of
0.2.0 or before. The layout counts: two versions of one layout read
each other's homes. A newer one is refused before anything of it is touched.
"""

import contextlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from core import checked_json, durable
from core.errors import SettingsError

LAYOUT = 2  # raise it when a home can no longer be used by the version before
BEFORE = "0.2.0 or before"
_FILE = "version.json"
_SIGNS = ("execution", "warehouse", "bus", "audit.log")  # a home that has been used has one


class HomeVersion(msgspec.Struct, frozen=True):
    """Of a home. `product`: the version that took it over."""

    layout: int
    product: str


def product() -> str:
    """The version that runs."""
    with contextlib.suppress(PackageNotFoundError):
        return version("tickhouse")
    return "of a checkout"


def of(home: Path) -> HomeVersion | None:
    """A home's version; None of a new home.

    Raises:
        SettingsError: the file is not as it was written, or of a newer version.
    """
    path = home / _FILE
    try:
        stands = checked_json.decode(path.read_bytes(), HomeVersion)
    except FileNotFoundError:
        return HomeVersion(1, BEFORE) if _is_used(home) else None
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{path}: {error}. It says which version the home is of: bring it back from a backup,"
            f' or write {{"layout":{LAYOUT},"product":"{product()}"}} if no newer version ran here'
        ) from error
    if stands.layout > LAYOUT:
        raise SettingsError(
            f"{home} was taken over by Tickhouse {stands.product}, and this is {product()}, which"
            f" cannot read it: install {stands.product} or later, or go back with that version's"
            " `tickhouse restore` to the backup it made when it took the home over"
        )
    return stands


def write(home: Path) -> None:
    """This version has the home now."""
    durable.write(home / _FILE, msgspec.json.encode(HomeVersion(LAYOUT, product())))


def begin(home: Path) -> None:
    """Call it before anything is made in a home: a new one is of this version from now on.

    Raises:
        OSError: the disk takes nothing.
    """
    if (home / _FILE).exists() or _is_used(home):
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write(home)


def _is_used(home: Path) -> bool:
    return any((home / name).exists() for name in _SIGNS)
