import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.sections import SignalSettings
from features.catalog import NAMES
from strategies import plugins
from strategies.protocol import select, shipped

GOOD = """
import numpy as np
from strategies.protocol import Targets

class Mine:
    name = "mine"
    needs_model = False
    def __init__(self, settings):
        self.horizon_s = 60
    def targets(self, rows, probabilities):
        return Targets({direction}, np.ones(len(rows)))
"""
ROWS = np.zeros((3, len(NAMES)), np.float32)


def written(folder: Path, text: str, name: str = "mine") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def good(direction: str = "np.ones(len(rows))") -> str:
    return GOOD.replace("{direction}", direction)


def test_a_file_is_installed_and_found_by_its_name(tmp_path):
    given, home = written(tmp_path / "own", good()), tmp_path / "strategies"
    assert plugins.install(str(given), home) == "mine"
    strategy = select("mine", SignalSettings(), home)
    assert (strategy.name, strategy.horizon_s, strategy.needs_model) == ("mine", 60.0, False)
    assert strategy.targets(ROWS, None).direction.tolist() == [1, 1, 1]
    assert strategy.targets(ROWS, None).direction.dtype == np.int8
    assert plugins.names(home) == ["mine"]
    assert plugins.digest("mine", home) != plugins.digest("absent", home) == ""


def test_the_shipped_strategies_are_written_as_a_person_would(tmp_path):
    """Copying one under another name makes a plug-in."""
    text = Path("strategies/ema_cross.py").read_text().replace('"ema_cross"', '"copied"')
    written(tmp_path, text, "copied")
    rows = np.random.default_rng(7).normal(size=(50, len(NAMES))).astype(np.float32)
    rows[:5] = np.nan
    own, ours = (select(n, SignalSettings(), tmp_path) for n in ("copied", "ema_cross"))
    assert own.targets(rows, None).direction.tolist() == ours.targets(rows, None).direction.tolist()
    assert set(ours.targets(rows, None).direction[:5].tolist()) == {0}


def test_breakout_wishes_outside_a_wide_band_only():
    rows = np.zeros((5, len(NAMES)), np.float32)
    rows[:, NAMES.index("bollinger_position")] = [1.2, -0.3, 0.5, 1.2, np.nan]
    rows[:, NAMES.index("bollinger_width_bp")] = [10, 10, 10, 2, 10]
    rows[:, NAMES.index("spread_bp")] = 1.0
    targets = select("breakout", SignalSettings()).targets(rows, None)
    assert targets.direction.tolist() == [1, -1, 0, 0, 0]
    assert np.isfinite(targets.confidence).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class", "line 1: SyntaxError"),
        ("\n\n1 / 0", "line 3: ZeroDivisionError"),
        ("import nothing_of_that_name", "line 1: ModuleNotFoundError"),
        ("x = 1", "0 classes with a method targets"),
        ("class A:\n def targets(self): 1\nclass B(A): pass", "2 classes"),
        ("class A:\n def targets(self): 1", "lacks name, needs_model"),
        (good().replace('"mine"', '"other"'), "named 'other'; name the file other.py"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=r"mine\.py") as refused:
        plugins.install(str(path), tmp_path / "strategies")
    assert said in str(refused.value)
    assert not (tmp_path / "strategies").exists()


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ("np.ones(2)", "3 rows need as many"),
        ("np.full(len(rows), 7)", "a direction is -1, 0 or 1"),
        ("np.full(len(rows), np.nan)", "a direction is -1, 0 or 1"),
        ("rows[:, 10_000]", "targets() failed: IndexError"),
    ],
)
def test_wrong_wishes_become_an_error_and_no_signal(tmp_path, direction, said):
    written(tmp_path, good(direction))
    with pytest.raises(SettingsError) as refused:
        select("mine", SignalSettings(), tmp_path).targets(ROWS, None)
    assert said in str(refused.value)


@pytest.mark.parametrize("horizon", ["0", "-1", "float('nan')", "'soon'", "None"])
def test_a_horizon_that_is_no_time_is_refused(tmp_path, horizon):
    written(tmp_path, good().replace("= 60", f"= {horizon}"))
    with pytest.raises(SettingsError, match="horizon_s"):
        select("mine", SignalSettings(), tmp_path)


def test_an_unknown_name_tells_the_known_ones(tmp_path):
    written(tmp_path, good())
    with pytest.raises(SettingsError, match="known: model, scripted, ema_cross, breakout, mine"):
        select("martingale", SignalSettings(), tmp_path)


def test_a_name_that_ships_cannot_be_taken():
    with pytest.raises(SettingsError, match="ships with Tickhouse"):
        plugins.refuse_taken("my/ema_cross.py", shipped())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        plugins.install(str(tmp_path / "gone.py"), tmp_path)


def test_an_installed_package_brings_a_strategy(tmp_path, monkeypatch):
    point = importlib.metadata.EntryPoint("packed", "packed_strategy:Mine", plugins.GROUP)
    (tmp_path / "packed_strategy.py").write_text(good())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    assert select("packed", SignalSettings()).horizon_s == 60.0
