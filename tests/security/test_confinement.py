"""The engine may do anything in its process, and that process can do next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from adapters.clickhouse import client
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


def test_they_reach_no_server(warehouse: Warehouse) -> None:
    asked = f"SELECT * FROM remote('127.0.0.1:{free_port()}', system.one)"
    found = refused(warehouse, f"{asked} SETTINGS connections_with_failover_max_tries = 1")
    assert "Permission denied" in found


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
