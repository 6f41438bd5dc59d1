"""The engine may do anything in its process, and that process can do next to nothing."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from msgspec.structs import replace

from adapters.clickhouse import client
from core import identity
from tests.support.servers import free_port
from tests.support.warehouse_server import ROOT, Warehouse, warehouse
from warehouse import confinement

__all__ = ["warehouse"]

_CONFINED = subprocess.run(
    [sys.executable, "-c", "from warehouse.confinement import enter; print(enter([], []))"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.strip()  # fmt: skip
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(bool(_CONFINED), reason=f"nothing is given up here: {_CONFINED}"),
]


def refused(warehouse: Warehouse, sql: str) -> str:
    with pytest.raises(DatabaseError) as caught:
        warehouse.client.command(sql)
    return str(caught.value)


def test_the_owner_s_statements_write_no_file_outside_the_home(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen.csv"
    insert = f"INSERT INTO FUNCTION file('{stolen}', 'CSV', 'a Int8') SELECT 1"
    assert "Permission denied" in refused(warehouse, insert)
    assert "Permission denied" in refused(
        warehouse, f"BACKUP DATABASE tickhouse TO File('{stolen}')"
    )
    assert "Permission denied" in refused(warehouse, f"SELECT 1 INTO OUTFILE '{stolen}'")
    assert not stolen.exists()


def test_they_read_no_file_of_the_user(warehouse: Warehouse, tmp_path: Path) -> None:
    secret = tmp_path / "id_ed25519"
    secret.write_text("private")
    assert "Permission denied" in refused(warehouse, f"SELECT file('{secret}')")
    reading = f"SELECT * FROM file('{secret}', 'LineAsString')"
    assert "private" not in refused(warehouse, reading)


@pytest.mark.parametrize(
    "path", ["credentials/bus.owner", "credentials/warehouse.owner", "control.json", "audit.log"]
)
def test_of_the_home_they_read_its_data_only(warehouse: Warehouse, path: str) -> None:
    secret = warehouse.home / path
    secret.parent.mkdir(exist_ok=True)
    if not secret.exists():
        secret.write_text("private")
    assert "Permission denied" in refused(warehouse, f"SELECT file('{secret}')")
    reading = f"SELECT * FROM file('{secret}', 'LineAsString')"
    assert "Permission denied" in refused(warehouse, reading)


def test_people_added_changed_and_removed_are_noticed_all_the_same(warehouse: Warehouse) -> None:
    path = identity.path_in(warehouse.home)
    for password in ("correct horse", "battery staple"):
        identity.save(path, {"ann": identity.new_user("ann", "analyst", password)})
        as_ann = replace(warehouse.settings, user="ann", password=password)
        ann = client.connect(as_ann)
        assert ann.query("SELECT 1").result_rows == [(1,)]
        ann.close()
    path.unlink()
    assert "516" in _told_to("ann", warehouse)


def _told_to(name: str, warehouse: Warehouse) -> str:
    headers = {"X-ClickHouse-User": name, "X-ClickHouse-Key": "battery staple"}
    request = urllib.request.Request(f"{warehouse.url}/?query=SELECT+1", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as answer:
        return str(answer.headers)


def test_settings_in_the_folder_it_is_started_in_hold(tmp_path: Path) -> None:
    (tmp_path / "tickhouse.toml").write_text("[warehouse]\nnever_heard_of = 1\n")
    line = [sys.executable, "-m", "warehouse", "--home", str(tmp_path / "home"), "--port", "0"]
    done = subprocess.run(
        line, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "never_heard_of" in done.stderr


def test_they_reach_no_server(warehouse: Warehouse) -> None:
    query = f"SELECT * FROM remote('127.0.0.1:{free_port()}', system.one)"
    refusal = refused(warehouse, f"{query} SETTINGS connections_with_failover_max_tries = 1")
    assert "Permission denied" in refusal


def test_what_is_there_and_what_is_not_may_both_be_named(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "from warehouse import confinement\n"
        "kept, other = map(pathlib.Path, sys.argv[1:])\n"
        "assert confinement.enter([kept, kept / 'absent'], list(confinement.code())) == ''\n"
        "(kept / 'mine').write_text('1')\n"
        "for act in (lambda: (other / 'x').write_text('1'), lambda: list(other.iterdir())):\n"
        "    try: act()\n"
        "    except PermissionError: continue\n"
        "    raise SystemExit('not refused')\n"
    )
    kept, other = tmp_path / "kept", tmp_path / "other"
    kept.mkdir()
    other.mkdir()
    line = [sys.executable, "-c", program, str(kept), str(other)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (kept / "mine").read_text() == "1"


def test_elsewhere_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert confinement.enter([], []) == "only Linux has Landlock"


def test_formats_with_a_schema_of_their_own_leave_no_file(warehouse: Warehouse) -> None:
    reader = client.connect(warehouse.settings_of("board"))
    for shape in ("ProtobufSingle", "CapnProto"):
        with pytest.raises(DatabaseError):
            reader.command(f"SELECT 1 AS a FORMAT {shape}")
    assert not list((warehouse.home / "warehouse" / "tmp").iterdir())
