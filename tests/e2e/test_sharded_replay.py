"""The same replay on one process per flow and on four: the same rows, orders, ids and results.

The desk holds what a cut of the symbols could break: a strategy that looks at two symbols which
different shards own, one that remembers, and predictions with features of other symbols.
"""

from pathlib import Path

import pytest

from streams.shards import owner
from tests.e2e.replay_runs import checksums, cut, replay
from tests.support import new_home
from tests.support.pair_strategy import APART

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

MEASURED = {"wall_s", "train_s", "train_cpu_s", "total_s", "ticks_per_s", "latency_us", "stream_s"}
SHARDS = {"TICKHOUSE_STREAMS__SHARDS": "4", "TICKHOUSE_STREAMS__ACCOUNT_SHARDS": "4"}
#: Of a run's other tables, those that every shard writes in, or one of them for all.
MORE = dict.fromkeys(
    (
        "model_event", "kernel_state", "strategy_state", "position", "account_state",
        "portfolio_risk", "value_at_risk", "feed_exposure", "regime", "correlation",
    ),
    "run_id = {run:String}",
)  # fmt: skip
#: One shard of each flow dies: before it says what it decided of a slice, and around its commits.
#: The others are not disturbed, so shards that nobody kills are in this run too.
CRASHES = ",".join(
    (
        "streams.signals.publish.before:3", "streams.ticks.commit.after:1",
        "streams.executions.commit.before:1",
    )
)  # fmt: skip
DESK = """
[strategies.out]
use = "breakout"
share = 0.2

[strategies.counts]
share = 0.2

[strategies.apart]
share = 0.2
pairs = [["EURUSD", "XAUUSD"]]

[strategies.follows]
use = "model"
share = 0.1

[strategies.follows.signals]
threshold = 0.0
min_agreement = 0.0
"""
COUNTS = '''
"""Goes against every tenth row on which the strength index is high."""

from tickhouse import FEATURE_NAMES

RSI = FEATURE_NAMES.index("rsi_14")


class Counts:
    name, horizon_s, needs_model, state_size = "counts", 60.0, False, 1

    def __init__(self, settings):
        pass

    def step(self, state, row, probabilities):
        high = row[RSI] > 60
        state[0] += high
        return (-1 if high and state[0] % 10 == 0 else 0), 0.5
'''


@pytest.fixture(scope="module")
def arguments(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four feeds of the same hours, three of one source."""
    folder = tmp_path_factory.mktemp("ticks")
    kept = {"EURUSD_oanda": 16_000, "XAUUSD_oanda": 20_000, "NZDUSD_oanda": 7_500,
            "EURUSD_fxcm": 12_000}  # fmt: skip
    files = [
        cut(recordings / "ticks" / f"{name}.parquet", folder, 0, rows)
        for name, rows in kept.items()
    ]
    desk = folder / "desk.toml"
    desk.write_text(DESK)
    return [*map(str, files), "--desk", str(desk), "--train-first", "0.4"]


def home_with_strategies(home: Path) -> Path:
    own = new_home.for_replay(home) / "strategies"
    own.mkdir()
    (own / "counts.py").write_text(COUNTS)
    (own / "apart.py").write_text(APART)
    return home


def test_one_process_and_four_of_which_some_are_killed_give_the_same(
    arguments: list[str], tmp_path: Path
) -> None:
    # The pair's legs have different owners, so one shard follows what another decides.
    assert owner("oanda.EURUSD", 4) != owner("oanda.XAUUSD", 4)
    rows, results = {}, {}
    for name, more in (("one", {}), ("four", SHARDS | {"TICKHOUSE_CHAOS__CRASH_AT": CRASHES})):
        home = home_with_strategies(tmp_path / name)
        result = replay(home, arguments, TICKHOUSE_MODELS__MEMBERS="linear", **more)
        rows[name] = checksums(home, result["run_id"], MORE)
        results[name] = {k: v for k, v in result.items() if k not in MEASURED}
    assert len(list((tmp_path / "four" / "run").glob("crashed.*"))) == CRASHES.count(":")
    assert results["one"]["reconciled"]
    assert results["one"]["orders"] > 0
    assert all(count for count, _ in rows["one"].values()), rows["one"]
    assert rows["four"] == rows["one"]
    assert results["four"] == results["one"]
