"""Backups that leave the host: made, listed, thinned, brought back into a folder.

One holds a home's files of one moment and the warehouse as of the moment before, proved by a
restored copy (`adapters.clickhouse.archive`). What the warehouse lacks of the journal it gets from
there at the next start, so the files are taken last. Until the new one is whole nothing old goes.
"""

import hashlib
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import archive
from adapters.clickhouse.client import errors_translated
from adapters.offsite import bundle, sealed
from adapters.offsite.moment import Taken, files_of_one_moment
from adapters.offsite.note import Backup, Note, read_note, write_note
from adapters.offsite.store import ENDING, Store, Stored
from core import secrets
from core.clock import Clock
from core.crashpoint import reach
from core.errors import (
    BusyError,
    InputError,
    SettingsError,
    TickhouseError,
    UnavailableError,
)
from core.file_lock import locked
from core.home_version import product
from core.sections import BackupSettings
from core.settings import Settings


def key_of(settings: BackupSettings, home: Path) -> bytes:
    """The key, which must not be where the backups or the home are.

    Raises:
        SettingsError: there is none, or it lies there.
    """
    if not settings.keyfile:
        raise SettingsError(
            "backup.keyfile is not set: `tickhouse backup keygen FILE` makes one, to be kept twice"
        )
    path = Path(settings.keyfile).expanduser().resolve()
    places = [home, Path(settings.destination).expanduser().resolve()]
    if any(path.is_relative_to(place) for place in places):
        raise SettingsError(f"backup.keyfile {path}: keep it outside the home and its backups")
    return sealed.read_key(path)


def make(client: Client, settings: Settings, store: Store, clock: Clock) -> Backup:
    """Make one, and thin the older ones; the home's note says how it went.

    Raises:
        BusyError: another one is being made.
        TickhouseError: it came to nothing; what was there is as it was.
    """
    home = settings.home_path
    with _alone(home):
        note = read_note(home)
        try:
            key = key_of(settings.backup, home)
            backup = _make(client, settings, store, key, clock)
        except (TickhouseError, OSError) as error:
            note.failed, note.failed_us = str(error), clock.now_us()
            write_note(home, note)
            if isinstance(error, OSError):
                raise UnavailableError(f"no backup was made: {error}") from error
            raise
        write_note(home, Note(backup, note.drilled))
        tell(client, backup)
        thin(store, home, settings.backup.kept)
    return backup


def thin(store: Store, home: Path, kept: int) -> list[str]:
    """Remove this home's backups but the newest; names of those that went."""
    own = [one.name for one in store.listed() if one.name.endswith(f".{home_name(home)}{ENDING}")]
    gone = sorted(own)[:-kept] if kept else []
    for name in gone:
        store.remove(name)
    return gone


def newest(store: Store, name: str = "") -> Stored:
    """The backup of a name, or the newest of all.

    Raises:
        InputError: there is none.
    """
    chosen = [one for one in store.listed() if not name or one.name == name]
    if not chosen:
        raise InputError(
            name or "backup.destination", "holds no such backup: tickhouse backup list"
        )
    return max(chosen)


def fetch(store: Store, name: str, key: bytes, folder: Path) -> bundle.Manifest:
    """Bring one into a new folder: `home/`, `warehouse/`. On an error nothing is left of it.

    Raises:
        InputError: another key, cut off, changed.
        UnavailableError: the place does not answer.
    """
    try:
        plain = sealed.opened(store.get(name), key, name)
        return bundle.unpack(bundle.unpacked(plain, name), folder, name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def note_drill(home: Path, drill: Backup) -> None:
    """Keep that one was brought back and compared."""
    write_note(home, msgspec.structs.replace(read_note(home), drilled=drill))


def _make(client: Client, settings: Settings, store: Store, key: bytes, clock: Clock) -> Backup:
    store.listed()  # before hours of work for a place that is away
    home = settings.home_path
    begun_us = clock.now_us()
    begun = datetime.fromtimestamp(begun_us / 1e6, UTC)
    folder = home / "backups" / f"offsite-{begun:%Y%m%dT%H%M%S%fZ}"
    try:
        manifest = archive.backup(client, folder, f"{begun:%Y-%m-%dT%H:%M:%SZ}")
        if not (folder / "data").exists():
            raise InputError(
                str(folder), "the warehouse is on another machine and wrote there: back it up there"
            )
        reach("backup.offsite.taken")
        beside = [_of(path, folder) for path in _files(folder)]
        _keep_settings(folder / "settings", settings)
        beside += [_of(path, folder, "home") for path in _files(folder / "settings")]
        with files_of_one_moment(home, folder.with_name(f"{folder.name}.home")) as files:
            taken = datetime.fromtimestamp(clock.now_us() / 1e6, UTC)
            name = f"{taken:%Y%m%dT%H%M%S%fZ}.{home_name(home)}{ENDING}"
            plain = bundle.stream([*files, *beside], product(), f"{taken:%Y-%m-%dT%H:%M:%SZ}")
            size = store.put(name, sealed.sealed(bundle.packed(plain), key))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = sum(table.rows for table in manifest.tables.values())
    seconds = (clock.now_us() - begun_us) / 1e6
    taken_us = round(taken.timestamp() * 1e6)
    return Backup("backup", name, taken_us, size, len(files) + len(beside), rows, seconds)


def tell(client: Client, backup: Backup) -> None:
    """A row, for boards and rules. One that is missing makes an alert of a backup that is there."""
    columns = ("name", "ts_event", "size", "files", "row_count", "seconds")
    taken = datetime.fromtimestamp(backup.ts_us / 1e6, UTC)
    row = (backup.name, taken, backup.size, backup.files, backup.rows, backup.seconds)
    with errors_translated():
        client.insert("offsite_backup", [row], column_names=columns)


def _of(path: Path, folder: Path, part: str = "warehouse") -> Taken:
    name = path.relative_to(folder).as_posix()
    return Taken(f"{part}/{name}", path, path.stat().st_size, 0o600)


def _keep_settings(folder: Path, settings: Settings) -> None:
    """What held, for a person to read: settings come from elsewhere at the next start, too."""
    folder.mkdir()
    plain = msgspec.to_builtins(settings)
    for section in (one for one in plain.values() if isinstance(one, dict)):
        section |= dict.fromkeys(section.keys() & secrets.NAMES, "")
    (folder / "in-force.json").write_bytes(msgspec.json.format(msgspec.json.encode(plain)))
    with suppress(FileNotFoundError):
        shutil.copy(Path.cwd() / "tickhouse.toml", folder)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One at a time; what somebody who was killed left in the home goes."""
    lock = locked(home / "offsite.lock", timeout_s=0)
    try:
        lock.__enter__()
    except BusyError as error:
        raise BusyError("another backup of this home is being made: wait for it") from error
    try:
        for left in (home / "backups").glob("offsite-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.__exit__(None, None, None)


def home_name(home: Path) -> str:
    """Tells homes apart that share a destination."""
    return hashlib.blake2b(f"{platform.node()}|{home}".encode(), digest_size=4).hexdigest()
