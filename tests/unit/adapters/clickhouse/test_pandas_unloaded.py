"""Rows go in without pandas; frames go in and come out as ever."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.warehouse_server import ROOT, migrated

_SCRIPT = """
import json, sys
from datetime import UTC, datetime
import msgspec
from adapters.clickhouse.client import connect
from core.sections import ClickhouseSettings

client = connect(msgspec.json.decode(sys.argv[1], type=ClickhouseSettings))
names = ["model", "name", "ts_init"]
client.insert("model", [["a", "rows", datetime(2026, 6, 1, tzinfo=UTC)]], column_names=names)
after_rows = "pandas" in sys.modules
frame = client.query_df("SELECT model, name, ts_init FROM model")
after_frame = "pandas" in sys.modules
client.insert_df("model", frame.assign(model="b", name="a frame"))
client.insert("model", frame.assign(model="c"), column_names=names)
rows = client.query("SELECT model, name, toString(ts_init) FROM model ORDER BY model").result_rows
print(json.dumps([after_rows, after_frame, rows]))
"""


@pytest.mark.process
def test_rows_are_inserted_without_pandas_and_frames_with_it(tmp_path: Path) -> None:
    server = migrated(tmp_path)
    try:
        settings = msgspec.json.encode(server.settings).decode()
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _SCRIPT, settings],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr[-3000:]
    after_rows, after_frame, rows = json.loads(done.stdout)
    assert (after_rows, after_frame) == (False, True)
    at = "2026-06-01 00:00:00.000000"
    assert rows == [["a", "rows", at], ["b", "a frame", at], ["c", "rows", at]]
