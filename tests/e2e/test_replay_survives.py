"""Processes are killed with SIGKILL in the middle of a replay: the rows are those of a calm run.

One replay gives every process two seeded moments; it may end before a late moment comes, so it
kills at least ten times of sixteen. Another kills right before and, started again, right after each
commit point. A last one repeats the calm run on its home, and adds nothing.
"""

import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.replay_runs import checksums, cut, finished, kill_in_turn, replay, start_replay
from tests.support import new_home

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
SPANS_S = (0.1, 1.2), (1.3, 2.5)
SIDES = "before", "after"
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
#: One member, which is fitted in no time: what is killed here does not care who predicts.
SETTINGS = {"TICKHOUSE_COLLECTOR__SLICE_TICKS": "1250", "TICKHOUSE_MODELS__MEMBERS": "linear"}


class Calm(NamedTuple):
    """Home, result and row checksums of a run."""

    home: Path
    result: dict[str, Any]
    rows: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def arguments(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 8_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 20_000),
    ]
    return [*map(str, files), "--strategy", "scripted", "--train-first", "0.4"]


@pytest.fixture(scope="module")
def calm(arguments, tmp_path_factory):
    """A replay that nobody disturbed."""
    home = new_home.for_replay(tmp_path_factory.mktemp("calm"))
    result = replay(home, arguments, **SETTINGS)
    return Calm(home, result, checksums(home, result["run_id"]))


def test_every_process_killed_at_seeded_moments(arguments, calm, tmp_path):
    moments = random.Random(0)
    process = start_replay(new_home.for_replay(tmp_path), arguments, **SETTINGS)
    killed = kill_in_turn(
        tmp_path, [(name, moments.uniform(*span)) for span in SPANS_S for name in PROCESSES]
    )
    result = finished(process)
    assert len(killed) >= 10, killed
    assert set(killed) == set(PROCESSES)
    assert result["reconciled"]
    assert checksums(tmp_path, result["run_id"]) == calm.rows


def test_every_process_killed_before_and_after_each_of_its_commits(arguments, calm, tmp_path):
    crash_at = ",".join(
        f"{place}.{side}:{count}" for place, count in COMMITS.items() for side in SIDES
    )
    home = new_home.for_replay(tmp_path)
    result = replay(home, arguments, TICKHOUSE_CHAOS__CRASH_AT=crash_at, **SETTINGS)
    reached = {path.name for path in (home / "run").glob("crashed.*")}
    assert reached == {f"crashed.{place}.{side}" for place in COMMITS for side in SIDES}
    assert result["reconciled"]
    assert checksums(home, result["run_id"]) == calm.rows


def test_a_second_run_on_the_same_home_changes_nothing(arguments, calm):
    after = replay(calm.home, arguments, **SETTINGS)
    measured = {"wall_s", "train_s", "train_cpu_s", "total_s", "ticks_per_s", "latency_us"}
    assert {k: v for k, v in calm.result.items() if k not in measured} == {
        k: v for k, v in after.items() if k not in measured
    }
    assert checksums(calm.home, after["run_id"]) == calm.rows
