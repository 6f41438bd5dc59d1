"""Every start is a session: decisions of before a restart are explained by what held then."""

import argparse
import tempfile
from pathlib import Path

import pytest

from cli.commands import explain
from tests.support.life import Feed, Life, of_day
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse

pytestmark = pytest.mark.process

LEAN = """
import numpy as np
from features.catalog import NAMES
from strategies.protocol import Targets

class Lean:
    name = "lean"
    needs_model = False
    horizon_s = {horizon}

    def __init__(self, settings):
        pass

    def targets(self, rows, probabilities):
        lean = np.nan_to_num(rows[:, NAMES.index("bollinger_position")] - 0.5)
        return Targets(-np.sign(lean) * (np.abs(lean) > {beyond}), np.abs(lean).clip(0, 1))
"""


@pytest.fixture
def life(tmp_path):
    """A home whose warehouse runs."""
    server = Warehouse(tmp_path / "home")
    server.home.mkdir()
    server.start()
    try:
        yield Life(server.home, server)
    finally:
        server.stop()


def some(day: int, ticks: int = 3_000) -> Feed:
    return Feed("oanda", "EURUSD", of_day(recorded_ticks("EURUSD_oanda"), day, ticks))


def explained(life: Life, identity: str) -> dict:
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    with tempfile.TemporaryDirectory() as scratch:
        return explain._of_warehouse(parser.parse_args([identity]), life.settings, Path(scratch))


def test_a_decision_is_explained_by_its_own_settings_and_strategy(life):
    life.own("lean", LEAN.format(horizon=60.0, beyond=0.6))
    life.start(run={"strategy": "lean"})
    first = life.trade(some(0))
    life.stop()
    life.own("lean", LEAN.format(horizon=90.0, beyond=0.4))
    life.start(signals={"stop_spreads": 11.0, "expiry_s": 7.0}, features={"sample_ms": 2500})
    second = life.trade(some(1))
    life.stop()
    assert min(len(first), len(second)) > 3
    for signal in (*first, *second):
        told = explained(life, signal.signal_id)
        assert told["same"], (signal.session_id, told["verdict"], told["parts"])
