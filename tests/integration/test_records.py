"""Sealed exports of records: restored and verified from their place and the public key alone."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.offsite.store import RECORDS
from audit import signing
from audit.records import back
from audit.records import export as records
from audit.records.contents import Root
from core.clock import ManualClock
from core.errors import InputError, SettingsError, UnavailableError
from core.sections import ReportSettings
from core.settings import Settings
from tests.support.s3_server import client_of, s3_server
from tests.support.warehouse_server import Warehouse, empty_tables, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]
NOW_US = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1e6)
YESTERDAY = date(2026, 11, 22)
POSITIONS = (
    "INSERT INTO position (mode, account, symbol, ts_event, ts_init) VALUES"
    " ('live', 'a', 'EURUSD', '2018-01-01', '2018-01-01'),"
    " ('live', 'b', 'EURUSD', '2026-11-20', '2026-11-20'),"
    " ('replay', 'd', 'EURUSD', '2012-01-01', '2012-01-01')"
)
LATE = (
    "INSERT INTO position (mode, account, symbol, ts_event, ts_init) VALUES"
    " ('live', 'late', 'EURUSD', '2026-11-20', '2026-11-20')"
)
ONCE = {"insert_deduplicate": 0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    server = migrated(tmp_path_factory.mktemp("records"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def settings(server: Warehouse, tmp_path: Path) -> Settings:
    empty_tables(server)
    server.client.command(POSITIONS, settings=ONCE)
    server.client.command(
        "INSERT INTO signal (mode, account, ts_init, signal_id) VALUES ('live', 'a', '2026-11-21',"
        " 's1')",
        settings=ONCE,
    )
    for name in ("home", "elsewhere", "keys"):
        (tmp_path / name).mkdir()
    public = signing.generate(tmp_path / "keys" / "seal.pem", tmp_path / "home")
    reports = ReportSettings(
        signing_key=str(public.with_suffix("")), public_key=str(public),
        records=str(tmp_path / "elsewhere"),
    )  # fmt: skip
    return Settings(home=str(tmp_path / "home"), clickhouse=server.settings, reports=reports)


def export(server: Warehouse, settings: Settings) -> Root | None:
    return records.export(server.client, settings, YESTERDAY, ManualClock(NOW_US))


def verified(settings: Settings, folder: Path) -> list[Root]:
    place, key = records.place_of(settings), back.public_key(settings)
    return [one.root for one in back.exports(place, key, folder / "unpacked")]


def test_records_come_back_from_their_place_alone_also_those_that_came_late(
    server: Warehouse, settings: Settings, tmp_path: Path
) -> None:
    first = export(server, settings)
    assert first is not None
    assert [(p.table, str(p.day), p.rows) for p in first.parts] == [
        ("position", "2018-01-01", 1), ("position", "2026-11-20", 1), ("signal", "2026-11-21", 1),
    ]  # fmt: skip
    assert export(server, settings) is None
    server.client.command(LATE, settings=ONCE)
    second = export(server, settings)
    assert second is not None
    assert [(str(p.day), p.rows) for p in second.parts] == [("2026-11-20", 2)]
    (settings.home_path / "records.json").unlink()
    assert export(server, settings) is None  # what was exported is read from there again
    [root, other] = verified(settings, tmp_path)
    assert (root.number, other.number) == (1, 2)
    assert other.previous
    before = server.client.query("SELECT * FROM position WHERE mode = 'live' ORDER BY ALL")
    with pytest.raises(InputError, match="table position holds rows"):
        restore(server, settings, tmp_path)
    empty_tables(server)
    assert restore(server, settings, tmp_path) == {"position": 3, "signal": 1}
    after = server.client.query("SELECT * FROM position ORDER BY ALL")
    assert after.result_rows == before.result_rows


def restore(server: Warehouse, settings: Settings, folder: Path) -> dict[str, int]:
    place, key = records.place_of(settings), back.public_key(settings)
    return back.restore(server.client, back.exports(place, key, folder / "unpacked"))


def changed(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PAR1") - 40] ^= 1
    path.write_bytes(content)


Harm = Callable[[list[Path]], None]


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda files: changed(files[0]), "is not what its manifest says|cannot be read"),
        (lambda files: files[0].unlink(), "does not follow"),
        (lambda files: files[0].write_bytes(files[1].read_bytes()), "does not follow"),
        (lambda files: os.truncate(files[1], 3000), "cannot be read|manifest"),
    ],
    ids=["changed", "gone", "swapped", "cut"],
)
def test_an_export_that_was_harmed_is_known(
    server: Warehouse, settings: Settings, tmp_path: Path, harm: Harm, problem: str
) -> None:
    export(server, settings)
    server.client.command(LATE, settings=ONCE)
    export(server, settings)
    harm(sorted((tmp_path / "elsewhere").glob(f"*{RECORDS}")))
    with pytest.raises(InputError, match=problem):
        verified(settings, tmp_path)


def test_another_key_or_no_key_verifies_nothing(
    server: Warehouse, settings: Settings, tmp_path: Path
) -> None:
    export(server, settings)
    other = signing.generate(tmp_path / "keys" / "other.pem", settings.home_path)
    wrong = replace(settings, reports=replace(settings.reports, public_key=str(other)))
    with pytest.raises(InputError, match="not made with this key"):
        verified(wrong, tmp_path)
    bare = replace(settings, reports=ReportSettings(records=settings.reports.records))
    with pytest.raises(SettingsError, match="public_key"):
        verified(bare, tmp_path)
    with pytest.raises(SettingsError, match="signing_key"):
        export(server, bare)
    with pytest.raises(SettingsError, match="not over"):
        records.export(server.client, settings, date(2026, 11, 23), ManualClock(NOW_US))


def test_a_bucket_takes_exports_only_when_it_locks_them_as_long_as_the_policy_asks(
    server: Warehouse, settings: Settings, tmp_path: Path
) -> None:
    with s3_server() as where:
        amazon = client_of(where)
        for name, years in (("short", 1), ("long", 8)):
            amazon.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
            amazon.put_object_lock_configuration(
                Bucket=name,
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": years}},
                },
            )
        elsewhere = replace(settings, backup=where)

        def to(bucket: str) -> Settings:
            return replace(
                elsewhere, reports=replace(settings.reports, records=f"s3://{bucket}/records")
            )

        with pytest.raises(UnavailableError, match="locked not at all, not to 2031-11-22"):
            export(server, to("desk"))
        with pytest.raises(UnavailableError, match="locked only until 2027"):
            export(server, to("short"))
        assert export(server, to("long")) is not None
        [root] = verified(to("long"), tmp_path)
        assert len(root.parts) == 3
