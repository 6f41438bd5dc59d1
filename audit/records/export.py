"""Records as sealed exports elsewhere: Parquet by table and day, rooted, signed, chained.

An export holds every day of a table under a policy with years that is new or counts otherwise than
when it was exported before. Its root names each file by SHA-256, the Merkle root over them, and the
export before. Nothing there is ever replaced or thinned: that is what its lock is for.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from adapters.offsite import bundle, select
from adapters.offsite.backups import home_name
from adapters.offsite.moment import Taken
from adapters.offsite.store import RECORDS, Store
from audit import signing
from audit.merkle import Merkle
from audit.records import back
from audit.records.contents import FOLDER, LAYOUT, ROOT, SIGNATURE, Known, Part, Root
from audit.records.days import columns_of, days, parquet
from audit.retention.policies import Policy, by_table, in_force, years_before
from audit.retention.tables import Table, tables
from core import checked_json, durable
from core.clock import Clock
from core.errors import InputError, SettingsError, UnavailableError
from core.file_lock import locked
from core.home_version import product
from core.settings import Settings

_LATE = timedelta(days=35)  # so many days are compared again each time, for rows that came late


def place_of(settings: Settings) -> Store:
    """Where exports go.

    Raises:
        SettingsError: it is not set, or in the home.
    """
    where = settings.reports.records
    if not where:
        raise SettingsError(
            "reports.records is not set: name a folder on another disk, or s3://bucket/prefix"
        )
    chosen = replace(settings.backup, destination=where)
    return select.select(chosen, settings.home_path, RECORDS)


def export(client: Client, settings: Settings, through: date, clock: Clock) -> Root | None:
    """Export what is new or differs, up to a UTC day that is over; None: nothing is.

    Raises:
        SettingsError: no place, no signing key, or a day that is not over.
        UnavailableError: the place does not answer, is full, or does not lock what it takes.
        BusyError: another export of this home is being made.
    """
    home, key = settings.home_path, settings.reports.signing_key
    if not key:
        raise SettingsError("reports.signing_key is not set: tickhouse audit keygen FILE")
    if through >= datetime.fromtimestamp(clock.now_us() / 1e6, UTC).date():
        raise SettingsError(f"{through} is not over yet (UTC)")
    place = place_of(settings)
    with locked(home / "records.lock", timeout_s=0), tempfile.TemporaryDirectory() as temporary:
        known, folder = _known(settings, place), Path(temporary)
        root = _written(client, settings, through, clock, known, folder)
        if root is None:
            return None
        content = msgspec.json.format(msgspec.json.encode(root)) + b"\n"
        (folder / ROOT).write_bytes(content)
        (folder / SIGNATURE).write_bytes(signing.sign(Path(key).expanduser(), home, content))
        name = f"{root.number:06d}.{root.home}{RECORDS}"
        place.put(name, bundle.stream(_files(folder, root), product(), str(through)))
        _check_lock(place, name, root, through)
        known.add(root, content)
        durable.write(_note(home), checked_json.encode(known), durable.PRIVATE)
    return root


def _written(
    client: Client, settings: Settings, through: date, clock: Clock, known: Known, folder: Path
) -> Root | None:
    policies = in_force(settings, clock)
    every = [table for table in tables(client) if table.time]
    named = by_table(policies, [table.name for table in every])
    columns, parts, years = dict[str, tuple[str, ...]](), list[Part](), 0
    for table in every:
        policy = policies.get(named.get(table.name, ""))
        if policy is None or not policy.years:
            continue
        names = columns_of(client, table.name)
        if changed := list(_changed(client, table, names, through, known, policy)):
            columns[table.name], years = names, max(years, policy.years)
            parts += [_part(client, table, names, part, folder) for part in changed]
    if not parts:
        return None
    return Root(
        layout=LAYOUT,
        number=known.number + 1,
        home=home_name(settings.home_path),
        made_us=clock.now_us(),
        through=through,
        years=years,
        columns=columns,
        parts=tuple(parts),
        root=_merkle(parts),
        previous=known.sha256,
    )


def _merkle(parts: list[Part]) -> str:
    tree = Merkle()
    for part in parts:
        tree.add(bytes.fromhex(part.sha256))
    return tree.root()


def _changed(
    client: Client, table: Table, columns: tuple[str, ...], through: date, known: Known,
    policy: Policy,
) -> Iterator[Part]:  # fmt: skip
    """Days that are new or count otherwise; of one that is past its policy nothing is said anew."""
    before = known.parts.get(table.name, {})
    since = through - _LATE if before else None
    for part in days(client, table, columns, since, through):
        kept = not before or part.day >= policy.cutoff(through)
        if kept and before.get(str(part.day)) != (part.rows, part.checksum):
            yield part


def _part(client: Client, table: Table, columns: tuple[str, ...], part: Part, folder: Path) -> Part:
    content = parquet(client, table, columns, part.day)
    path = folder / table.name / f"{part.day}.parquet"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return replace(
        part, file=f"{table.name}/{path.name}", sha256=hashlib.sha256(content).hexdigest()
    )


def _files(folder: Path, root: Root) -> Iterator[Taken]:
    for name in (ROOT, SIGNATURE, *(part.file for part in root.parts)):
        path = folder / name
        yield Taken(f"{FOLDER}/{name}", path, path.stat().st_size, 0o400)


def _check_lock(place: Store, name: str, root: Root, through: date) -> None:
    """A server of S3's API says until when it lets nobody change what it took; a folder cannot."""
    says = getattr(place, "locked_until", None)
    if says is None:
        return
    until, wanted = says(name), years_before(through, -root.years)
    if until is None or until.date() < wanted:
        place.remove(name)
        how_long = f"only until {until:%Y-%m-%d}" if until else "not at all"
        raise UnavailableError(
            f"{name} was locked {how_long}, not to {wanted}, and was taken back: give the bucket"
            f" object lock with a default retention of {root.years} years or more"
        )


def _known(settings: Settings, place: Store) -> Known:
    """From the home, where it says what the place shows; else read from there again."""
    mine = f".{home_name(settings.home_path)}{RECORDS}"
    there = sum(one.name.endswith(mine) for one in place.listed())
    try:
        known = checked_json.read(_note(settings.home_path), Known)
    except (OSError, msgspec.DecodeError):
        known = Known()
    if known.number > there:
        raise InputError(
            settings.reports.records, f"{known.number} exports were made, {there} are there"
        )
    if known.number == there:
        return known
    known = Known()
    with tempfile.TemporaryDirectory() as temporary:
        public = back.public_key(settings)
        for one in back.exports(place, public, Path(temporary), home_name(settings.home_path)):
            known.add(one.root, one.content)
    return known


def _note(home: Path) -> Path:
    return home / "records.json"
