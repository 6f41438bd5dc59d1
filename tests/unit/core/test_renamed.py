"""What people wrote and flows stored under 0.1 goes on: old names lead to what took their place."""

import hashlib
import pickle
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from core import renamed
from core.contracts.tick import TickBatch
from core.metrics import Histograms
from core.sections import RunSettings, SignalSettings
from strategies.desk import Member
from strategies.select import select
from streams import compose
from streams.connectors.bus import SourcePosition
from streams.decide import Decider
from streams.records import Predicted
from streams.sample import Sampler

_ROOT = Path(__file__).parents[3]
#: What the flows of 0.1 kept in their recovery stores, and what they made of the ticks after it.
_LEFT = _ROOT / "tests" / "golden" / "recovery_0_1.bin"


@pytest.mark.parametrize("old", renamed.PROCESSES)
def test_the_old_path_of_a_process_starts_what_took_its_place(old: str) -> None:
    line = [sys.executable, "-m", old, "--help"]
    done = subprocess.run(line, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert f"python -m {renamed.PROCESSES[old]} from 0.2 on" in done.stderr
    assert done.returncode == 0 or "TICKHOUSE" in done.stderr or "run" in done.stderr


def test_a_recovery_store_of_0_1_goes_on_bit_for_bit() -> None:
    assert compose  # which lets the old names be found
    left = pickle.loads(zlib.decompress(_LEFT.read_bytes()))
    sampled_state, model_state, decided_state = pickle.loads(left["out"]["state"])
    sampler = Sampler(1000, Histograms(), sampled_state)
    strategy = select("scripted", SignalSettings())
    run = RunSettings("run", "live", "acc", "scripted")
    member = Member("scripted", strategy, SignalSettings())
    decider = Decider(run, [member], None, decided_state)
    batch = TickBatch("run", "live", "oanda", "EURUSD", 2000, 0, left["out"]["next"])
    (rows,) = sampler.rows(batch, 0)
    signals = decider.rows(Predicted(rows, "", None)).signals
    expected = left["expected"]
    assert hashlib.sha256(rows.features.tobytes()).hexdigest() == expected["features"]
    assert [signal.signal_id for signal in signals] == expected["signals"]
    assert [signal.target for signal in signals] == expected["targets"]
    assert model_state.events == (("m", "missing", "x"),)
    assert [b.symbol for b in sampled_state.waiting] == ["XAUUSD"]
    position = pickle.loads(left["out"]["position"])
    assert position == SourcePosition(41, False)
    (pending,) = pickle.loads(left["out"]["pending"])["tick"]
    assert pending.table == "tick"


def test_a_strategy_written_for_0_1_is_loaded_and_gives_its_targets(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(
        "import numpy as np\n"
        "from models.strategy import Wishes\n"
        "class Old:\n"
        "    name, needs_model = 'old', False\n"
        "    def __init__(self, settings):\n"
        "        self.horizon_s = 60\n"
        "    def wishes(self, rows, probabilities):\n"
        "        return Wishes(np.ones(len(rows)), np.ones(len(rows)))\n"
    )
    strategy = select("old", SignalSettings(), tmp_path)
    assert strategy.targets(np.zeros((3, 50), np.float32), None).direction.tolist() == [1, 1, 1]
