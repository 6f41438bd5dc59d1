"""Backups that leave the host: brought back on a bare home, good whatever befalls a later one."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from adapters.offsite import backups, sealed, select
from adapters.offsite.note import read_note
from adapters.offsite.store import ENDING, Store
from cli.stack import offsite_home
from core import checked_json
from core.clock import ManualClock, SystemClock
from core.errors import BusyError, InputError, JournalError, SettingsError, UnavailableError
from core.sections import BackupSettings
from core.settings import Settings, environment_of
from execution.journal import witness
from execution.journal.journal import Journal
from tests.support.s3_server import s3_server
from tests.support.small_disk import fill, small_disk
from tests.support.traded_journal import write
from tests.support.waiting import until
from tests.support.warehouse_server import ROOT, Warehouse, migrated

__all__ = ["small_disk"]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]

TICKS = (
    "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) SELECT 's', 'EURUSD', "
    "toDateTime64('2012-01-01', 6) + number, 0, 1 + number / 1000, 2 FROM numbers(1000)"
)


class Desk(NamedTuple):
    """A home with a warehouse that runs, and where its backups go."""

    server: Warehouse
    settings: Settings

    @property
    def place(self) -> Store:
        return select.select(self.settings.backup, self.settings.home_path)

    def backup(self, clock: SystemClock | ManualClock | None = None) -> str:
        client = self.server.client
        return backups.make(client, self.settings, self.place, clock or SystemClock()).name

    def elsewhere(self, **changes: object) -> "Desk":
        changed = replace(self.settings.backup, **changes)
        return Desk(self.server, replace(self.settings, backup=changed))

    def bring_back(self, home: Path, name: str = "") -> None:
        bare = Settings(home=str(home), backup=self.settings.backup)
        offsite_home.bring_back(replace(bare, clickhouse=replace(
            bare.clickhouse, credentials=str(home / "credentials"))), name)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = migrated(tmp_path_factory.mktemp("home"))
    warehouse.client.command(TICKS)
    home = warehouse.home
    for name, content in {
        "models/m/model.onnx": os.urandom(4 << 20), "audit.log": b"line\n",
        "limits.toml": b"x = 1\n", "controls/entries": b"{}",
    }.items():  # fmt: skip
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    journal = Journal(home / "execution" / "acc1" / "journal")
    write(journal, 1, 10)
    witness.write(witness.path_in(home, "acc1"), journal.synced)
    journal.close()
    yield warehouse
    warehouse.stop()


@pytest.fixture
def desk(server: Warehouse, tmp_path: Path) -> Desk:
    place, key = tmp_path / "elsewhere", tmp_path / "keys" / "backup.key"
    place.mkdir()
    sealed.make_key(key)
    settings = BackupSettings(destination=str(place), keyfile=str(key))
    return Desk(server, Settings(home=str(server.home), backup=settings))


def test_a_drill_brings_it_back_on_a_bare_home_and_compares(desk: Desk, tmp_path: Path) -> None:
    name = desk.backup()
    assert (
        desk.server.client.command(
            "SELECT name FROM offsite_backup FINAL WHERE name = '" + name + "'"
        )
        == name
    )
    before = {path.name for path in tmp_path.iterdir()}
    proved = offsite_home.drill(desk.settings, "", str(tmp_path))
    assert proved.name == name
    assert proved.rows >= 1000
    assert {path.name for path in tmp_path.iterdir()} == before
    note = read_note(desk.settings.home_path)
    assert note.newest is not None
    assert (note.newest.name, note.drilled) == (name, proved)
    assert list((desk.settings.home_path / "backups").glob("offsite-*")) == []


def test_a_bare_home_becomes_what_it_is_of(desk: Desk, tmp_path: Path) -> None:
    with s3_server() as at_server:
        s3 = desk.elsewhere(**{f: getattr(at_server, f) for f in (
            "destination", "s3_endpoint", "s3_access_key", "s3_secret_key")})  # fmt: skip
        s3.backup()
        s3.bring_back(tmp_path / "bare")
    bare = Warehouse(tmp_path / "bare")
    bare.start()
    try:
        assert bare.client.command(
            "SELECT count(), sum(bid) FROM tick"
        ) == desk.server.client.command("SELECT count(), sum(bid) FROM tick")
    finally:
        bare.stop()
    home, source = tmp_path / "bare", desk.settings.home_path
    for name in ("models/m/model.onnx", "audit.log", "limits.toml", "controls/entries"):
        assert (home / name).read_bytes() == (source / name).read_bytes()
    assert (home / "settings" / "in-force.json").exists()
    assert not list((home / "backups").glob("fetched-*"))
    with pytest.raises(BusyError, match="is not bare"):
        desk.bring_back(home)


def test_a_journal_that_lacks_what_was_witnessed_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = witness.path_in(desk.settings.home_path, "acc1")
    before = path.read_bytes()
    known = witness.read(path)
    assert known is not None
    path.write_bytes(
        checked_json.encode(replace(known, end=known.end + 100, records=known.records + 1))
    )
    try:
        name = desk.backup()
    finally:
        path.write_bytes(before)
    with pytest.raises(JournalError):
        offsite_home.drill(desk.settings, name, str(tmp_path))


def test_no_secret_and_no_row_can_be_read_where_it_lies(desk: Desk, tmp_path: Path) -> None:
    name = desk.backup()
    content = (tmp_path / "elsewhere" / name).read_bytes()
    assert b"limits.toml" not in content
    assert (desk.settings.home_path / "credentials" / "warehouse.owner").read_bytes() not in content


def damaged(path: Path, change: str) -> None:
    content = bytearray(path.read_bytes())
    if change == "cut":
        del content[-1000:]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("change", "says"),
    [("key", "another key"), ("cut", "changed or cut off"), ("bit", "was changed")],
)
def test_what_cannot_be_trusted_is_not_brought_back(
    desk: Desk, tmp_path: Path, change: str, says: str
) -> None:
    name = desk.backup()
    if change == "key":
        sealed.make_key(tmp_path / "other.key")
        desk = desk.elsewhere(keyfile=str(tmp_path / "other.key"))
    else:
        damaged(tmp_path / "elsewhere" / name, change)
    with pytest.raises(InputError, match=says):
        desk.bring_back(tmp_path / "bare", name)
    left = [p for p in (tmp_path / "bare").rglob("*") if p.is_file()]
    assert left == []


def test_a_full_or_absent_place_costs_no_backup_that_is_there(
    desk: Desk, small_disk: Path, tmp_path: Path
) -> None:
    full = desk.elsewhere(destination=str(small_disk))
    good = full.backup()
    filler = fill(small_disk, 1)
    with pytest.raises(UnavailableError, match="No space left"):
        full.backup()
    assert "No space left" in read_note(desk.settings.home_path).failed
    filler.unlink()
    assert [one.name for one in full.place.listed()] == [good]
    offsite_home.drill(full.settings, good, str(tmp_path))
    with pytest.raises(UnavailableError, match="is not there"):
        desk.elsewhere(destination=str(tmp_path / "unmounted")).backup()
    assert not (tmp_path / "unmounted").exists()
    full.backup()
    assert read_note(desk.settings.home_path).failed == ""


def killed_at_upload(desk: Desk, place: Path) -> None:
    """A backup of another process, killed while its file grows."""
    given = {
        "TICKHOUSE_HOME": desk.settings.home, **desk.server.environment,
        **environment_of("backup", destination=place, keyfile=desk.settings.backup.keyfile),
    }  # fmt: skip
    slow = """
import sys, time
from adapters.offsite import bundle
packed = bundle.packed
def slowly(plain):
    for block in packed(plain):
        yield block
        time.sleep(0.05)
bundle.packed = slowly
from cli.main import main
sys.exit(main(["backup", "offsite"]))
"""
    process = subprocess.Popen([sys.executable, "-c", slow], cwd=ROOT, env=os.environ | given)
    try:
        until(lambda: any(p.stat().st_size for p in place.glob(".*.unfinished")), 120)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_one_that_is_killed_while_it_uploads_leaves_the_one_before(
    desk: Desk, tmp_path: Path
) -> None:
    good, place = desk.backup(), tmp_path / "elsewhere"
    killed_at_upload(desk, place)
    assert [one.name for one in desk.place.listed()] == [good]
    assert list(place.glob(".*.unfinished"))
    again = desk.backup()
    assert [one.name for one in desk.place.listed()] == [good, again]
    assert {p.name for p in place.iterdir()} == {good, again}
    assert list((desk.settings.home_path / "backups").glob("offsite-*")) == []


def test_of_two_at_once_one_says_that_the_other_is_at_it(desk: Desk) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Waiting(ManualClock):
        def now_us(self) -> int:
            begun.set()
            go_on.wait(60)
            return super().now_us()

    names: list[str] = []
    first = threading.Thread(
        target=lambda: names.append(desk.backup(Waiting(1_800_000_000_000_000)))
    )
    first.start()
    assert begun.wait(60)
    try:
        with pytest.raises(BusyError, match="another backup of this home"):
            desk.backup()
    finally:
        go_on.set()
        first.join()
    assert [one.name for one in desk.place.listed()] == names


def test_the_newest_stay_and_those_of_another_home_too(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / f"20200101T000000000000Z.00000000{ENDING}"
    other.write_bytes(b"of another home")
    kept = desk.elsewhere(kept=1)
    kept.backup()
    newest = kept.backup()
    assert [one.name for one in desk.place.listed()] == [other.name, newest]


def test_a_key_beside_the_backups_or_in_the_home_is_refused(desk: Desk, tmp_path: Path) -> None:
    for place in (tmp_path / "elsewhere" / "k", desk.settings.home_path / "k"):
        with pytest.raises(SettingsError, match="outside the home and its backups"):
            desk.elsewhere(keyfile=str(place)).backup()
    with pytest.raises(SettingsError, match="keygen"):
        desk.elsewhere(keyfile="").backup()
