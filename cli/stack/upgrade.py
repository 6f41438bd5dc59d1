"""Takes over a home of the version before: a copy first, and a way back to it.

The copy is the whole home as it stood, with nothing running: parts of tables, which never change,
as second names of the same files, so that it costs no space; all else copied. `<home>/upgrade.json`
names it from before it is made until the home is taken over: whoever is killed in between goes on
there, and copies nothing twice.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import checked_json, durable, home_version
from core.crashpoint import reach
from core.errors import InputError, SettingsError
from execution.journal import segments

_NOTE = "upgrade.json"
_MARK = "home.json"  # in a copy
_PART = re.compile(r".+_\d+_\d+_\d+(_\d+)?")
#: Not of the home as it stood: what runs, what was written to be read once, and the copies.
_LEFT_OUT = ("backups", "run", "logs", _NOTE)


class Taking(msgspec.Struct, frozen=True):
    """What is going on: `to` is "" while a copy is brought back."""

    copy: str
    came_from: str
    to: str


class Copied(msgspec.Struct, frozen=True):
    """What a copy is of."""

    product: str
    taken_at: str  # UTC, ISO 8601
    entries: tuple[str, ...]


def begin(home: Path) -> Taking | None:
    """Copy a home of the version before, unless that was done; None when there is none to take.

    Call it with the home's lock held and nothing running.

    Raises:
        SettingsError: the home is of a newer version, or on its way back to an older one.
        OSError: the disk takes no copy; the home is as it was.
    """
    stands, note = home_version.of(home), under_way(home)
    if note is not None and not note.to:
        raise SettingsError(
            f"{home} is on its way back to Tickhouse {note.came_from}, and not all of it is there:"
            f" run `tickhouse restore {note.copy}` again"
        )
    home_version.begin(home)
    if stands is None or stands.layout == home_version.LAYOUT:
        (home / _NOTE).unlink(missing_ok=True)  # it was killed after its last step
        return None
    if note is None:
        note = Taking(str(_new_folder(home)), stands.product, home_version.product())
        durable.write(home / _NOTE, msgspec.json.encode(note))
    reach("up.upgrade.noted")
    if not Path(note.copy).exists():
        _copy(home, Path(note.copy), stands.product)
    return note


def finish(home: Path) -> None:
    """All of it works under this version: the home is taken over."""
    reach("up.upgrade.migrated")
    home_version.write(home)
    reach("up.upgrade.written")
    (home / _NOTE).unlink(missing_ok=True)


def under_way(home: Path) -> Taking | None:
    """The taking over, or the way back, that has begun and is not finished."""
    try:
        return checked_json.decode((home / _NOTE).read_bytes(), Taking)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{home / _NOTE}: {error}. It says at which copy of the home an upgrade, or the way"
            f" back, was: remove it, bring the home back from the newest of"
            f" {home / 'backups'}/home-* (tickhouse restore COPY --replace), and start again"
        ) from error


def is_copy(folder: Path) -> bool:
    """Whether a folder is a copy of a home, and not a backup of a warehouse."""
    return (folder / _MARK).is_file()


def bring_back(home: Path, folder: Path, *, replace: bool = False) -> Copied:
    """Make a home what its copy is; killed, it is to be called again.

    Call it with the home's lock held and nothing running.

    Raises:
        InputError: no whole copy; or the account was traded since, and `replace` is not given.
    """
    try:
        copied = checked_json.decode((folder / _MARK).read_bytes(), Copied)
    except msgspec.DecodeError as error:
        raise InputError(str(folder / _MARK), f"{error}; no whole copy, take another") from error
    note = under_way(home)
    if not replace and (note is None or note.to):
        _refuse_loss(home, folder)
    note = Taking(str(folder), copied.product, "")
    durable.write(home / _NOTE, msgspec.json.encode(note))
    reach("restore.home.noted")
    for path in sorted(home.iterdir()):
        if path.name not in _LEFT_OUT:
            _remove(path)
    reach("restore.home.removed")
    for name in copied.entries:
        _copy_entry(folder / name, home / name)
    _sync(home)
    reach("restore.home.copied")
    (home / _NOTE).unlink()
    return copied


def _refuse_loss(home: Path, folder: Path) -> None:
    """Orders that the copy does not know would be forgotten with their positions open."""
    for journal in sorted((home / "execution").glob("*/journal")):
        then = folder / journal.relative_to(home)
        now = sum(1 for _ in segments.walk(journal))
        before = sum(1 for _ in segments.walk(then)) if then.exists() else 0
        if now > before:
            raise InputError(
                str(folder),
                f"the account {journal.parent.name} has {now - before} records since it was copied,"
                " which would be forgotten: what they opened stays open at the broker. Close it,"
                " then go back with --replace",
            )


def _new_folder(home: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = (f"home-{stamp}{ending}" for ending in ("", *(f"-{n}" for n in range(2, 100))))
    return next(f for name in names if not (f := home / "backups" / name).exists())


def _copy(home: Path, folder: Path, came_from: str) -> None:
    for left in folder.parent.glob(".home-*.tmp"):
        shutil.rmtree(left)  # of one who was killed
    unfinished = folder.with_name(f".{folder.name}.tmp")
    unfinished.mkdir(parents=True, mode=0o700)
    entries = tuple(sorted(p.name for p in home.iterdir() if p.name not in _LEFT_OUT))
    for name in entries:
        _copy_entry(home / name, unfinished / name)
    reach("up.upgrade.copying")
    taken_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    durable.write(unfinished / _MARK, msgspec.json.encode(Copied(came_from, taken_at, entries)))
    _sync(unfinished)
    durable.rename(unfinished, folder)
    reach("up.upgrade.copied")


def _copy_entry(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, copy_function=_copy_file)
    elif not source.is_socket():
        _copy_file(str(source), str(target))


def _copy_file(source: str, target: str) -> None:
    """A file of a table's part never changes: it gets another name, as ClickHouse's FREEZE does."""
    if "warehouse" in Path(source).parts and _PART.fullmatch(Path(source).parent.name):
        try:
            os.link(source, target, follow_symlinks=False)
            return
        except OSError:  # another disk
            pass
    shutil.copy2(source, target, follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(folder: Path) -> None:
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    durable.sync_directory(folder)


def _files(folder: Path) -> Iterator[Path]:
    """What was copied and not linked: what is linked was on disk before."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
            yield path
