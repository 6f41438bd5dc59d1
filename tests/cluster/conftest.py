"""What is replayed on the clusters, and what comes out where nobody disturbs it."""

import sys

import pytest

from tests.cluster import paced
from tests.e2e.replay_runs import checksums, cut, replay

TICKHOUSE = [sys.executable, "-m", "cli.main", "replay"]


@pytest.fixture(scope="session")
def arguments(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 12_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 24_000),
    ]
    return [*map(str, files), "--strategy", "scripted"]


@pytest.fixture(scope="session")
def calm(arguments, tmp_path_factory):
    """Row checksums of a replay through NATS that nobody disturbed."""
    home = tmp_path_factory.mktemp("calm")
    result = replay(home, arguments, **paced.SLICES)
    assert result["orders"] > 0
    return checksums(home, result["run_id"])


@pytest.fixture
def running():
    """Starts a paced replay; one that a failed test left is ended."""
    known = []

    def run(home, arguments, settings, command=TICKHOUSE):
        known.append(paced.started(home, [*command, *arguments], settings))
        return known[-1]

    yield run
    for process in known:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=120)
