"""Processes are killed with SIGKILL in the middle of a replay: the rows are those of a calm run.

Two replays give every process a seeded moment; a replay may end before a late moment comes, so
each kills at least five of the eight. Two more replays kill right before and right after each
commit point. A last one repeats the calm run on its home, and adds nothing.
"""

import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.replay_runs import checksums, cut, finished, kill_in_turn, replay, start_replay

pytestmark = [pytest.mark.process, pytest.mark.timeout(600), pytest.mark.heavy(suite="survival")]

PROCESSES = (
    "warehouse",
    "bus",
    "terminal",
    "collector",
    "streams.ticks",
    "streams.signals",
    "streams.executions",
    "execution",
)
COMMITS = {
    "warehouse.insert": 9,
    "terminal.send": 4,
    "collector.publish": 7,
    "collector.marker": 5,
    "streams.signals.publish": 6,
    "streams.ticks.commit": 1,
    "streams.signals.commit": 1,
    "streams.executions.commit": 1,
    "execution.journal": 11,
    "execution.send": 7,
    "execution.publish": 5,
}
SLICES = {"TICKHOUSE_COLLECTOR__SLICE_TICKS": "2500"}


class Calm(NamedTuple):
    """Home, result and row checksums of a run."""

    home: Path
    result: dict[str, Any]
    rows: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def arguments(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 16_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 40_000),
    ]
    return [*map(str, files), "--strategy", "scripted", "--train-first", "0.4"]


@pytest.fixture(scope="module")
def calm(arguments, tmp_path_factory):
    """A replay that nobody disturbed."""
    home = tmp_path_factory.mktemp("calm")
    result = replay(home, arguments, **SLICES)
    return Calm(home, result, checksums(home, result["run_id"]))


@pytest.mark.parametrize("seed", range(2))
def test_every_process_killed_at_a_seeded_moment(seed, arguments, calm, tmp_path):
    random_moments = random.Random(seed)
    process = start_replay(tmp_path, arguments, **SLICES)
    killed = kill_in_turn(tmp_path, {name: random_moments.uniform(0.1, 2.5) for name in PROCESSES})
    result = finished(process)
    assert len(killed) >= 5, killed
    assert result["reconciled"]
    assert checksums(tmp_path, result["run_id"]) == calm.rows


@pytest.mark.parametrize("side", ["before", "after"])
def test_every_process_killed_beside_its_commits(side, arguments, calm, tmp_path):
    crash_at = ",".join(f"{place}.{side}:{count}" for place, count in COMMITS.items())
    result = replay(tmp_path, arguments, TICKHOUSE_CHAOS__CRASH_AT=crash_at, **SLICES)
    reached = {path.name for path in (tmp_path / "run").glob("crashed.*")}
    assert reached == {f"crashed.{place}.{side}" for place in COMMITS}
    assert result["reconciled"]
    assert checksums(tmp_path, result["run_id"]) == calm.rows


def test_a_second_run_on_the_same_home_changes_nothing(arguments, calm):
    after = replay(calm.home, arguments, **SLICES)
    measured = {"wall_s", "train_s", "train_cpu_s", "total_s", "ticks_per_s", "latency_us"}
    assert {k: v for k, v in calm.result.items() if k not in measured} == {
        k: v for k, v in after.items() if k not in measured
    }
    assert checksums(calm.home, after["run_id"]) == calm.rows
