"""What a replay cannot do is said before anything starts."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.replay import plan
from core.errors import InputError
from core.sections import RunSettings
from core.settings import Settings
from tests.support.signed_home import SignedHome


def test_a_file_whose_rows_are_of_another_symbol_is_refused_at_once(tmp_path):
    path = tmp_path / "EURUSD_x.parquet"
    columns = {
        "symbol": ["EURUSD", "GBPUSD"],
        "time_msc": [1, 2],
        "bid": [1.0] * 2,
        "ask": [1.0] * 2,
    }
    pq.write_table(pa.table(columns), path)
    options = plan.ReplayOptions((path,), None, None, None, 0.0, "model", "")
    with pytest.raises(InputError, match="'GBPUSD', asked for 'EURUSD'"):
        plan.build(options, Settings(home=str(tmp_path)), tmp_path / "scratch")


def ticks(folder: Path) -> Path:
    path = folder / "EURUSD_x.parquet"
    columns = {"symbol": ["EURUSD"] * 2, "time_msc": [1, 2], "bid": [1.0] * 2, "ask": [1.1] * 2}
    pq.write_table(pa.table(columns), path)
    return path


def test_a_replay_takes_the_signed_limits_unless_a_file_is_named(tmp_path):
    signed, file = SignedHome(tmp_path), tmp_path / "other.toml"
    signed.limits("max_lots = 0.5")
    (signed.home / "limits.toml").write_text('version = "e"\n[limits]\nmax_lots = 9.0\n')
    file.write_text('version = "o"\n[limits]\nmax_lots = 2.0\n')
    settings = Settings(
        home=str(signed.home), controls=signed.settings, run=RunSettings(mode="replay")
    )
    options = plan.ReplayOptions((ticks(tmp_path),), None, None, None, 0.0, "model", "")
    taken = plan.build(options, settings, tmp_path / "scratch")
    assert b"max_lots = 0.5" in taken.limits.content
    assert (taken.limits.whence, taken.limits.entry) == ("signed, entry 2 by ann", 2)
    named = plan.build(options._replace(limits=file), settings, tmp_path / "scratch")
    assert named.limits == (file.read_bytes(), str(file), 0)
    (signed.home / "limits.toml").write_text("nobody reads it")
    assert plan.build(options, settings, tmp_path / "scratch").run_id == taken.run_id
    assert named.run_id != taken.run_id
    signed.limits("max_lots = 0.5")  # the same once more: denials name another entry
    assert plan.build(options, settings, tmp_path / "scratch").run_id != taken.run_id
    with pytest.raises(InputError, match="name a limits file"):
        plan.build(options._replace(limits=tmp_path / "none"), settings, tmp_path / "scratch")


def test_without_signed_controls_a_replay_takes_the_file_of_the_home(tmp_path):
    options = plan.ReplayOptions((ticks(tmp_path),), None, None, None, 0.0, "model", "")
    settings = Settings(home=str(tmp_path))
    assert plan.build(options, settings, tmp_path / "scratch").limits.whence == "the settings'"
    (tmp_path / "limits.toml").write_text('version = "a"\n')
    taken = plan.build(options, settings, tmp_path / "scratch").limits
    assert taken == (b'version = "a"\n', str(tmp_path / "limits.toml"), 0)
