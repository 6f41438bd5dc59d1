import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from core.sections import SignalSettings
from core.strategy_set import unpack
from features.catalog import NAMES
from strategies import plugins
from strategies.select import select, shipped

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
    with pytest.raises(SettingsError, match=r"known: model, scripted, ema_cross, .*, mine"):
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


WITH_HELPER = "from rules.deep import factor\nimport side\n" + GOOD.replace(
    "= 60", "= 60 * factor() * side.ONE"
)


def made_of_several(folder: Path, factor: int) -> Path:
    path = written(folder, WITH_HELPER.format(direction="np.ones(len(rows))"))
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "__init__.py").write_text("")
    (folder / "rules" / "deep.py").write_text(
        f"from . import number\n\ndef factor():\n    return number.N * {factor}\n"
    )
    (folder / "rules" / "number.py").write_text("N = 1\n")
    (folder / "side.py").write_text("ONE = 1\n")
    return path


def test_modules_next_to_a_strategy_come_with_it(tmp_path):
    given, home = made_of_several(tmp_path / "mine", 2), tmp_path / "home"
    plain = plugins.digest("mine", tmp_path / "mine")
    assert plugins.install(str(given), home) == "mine"
    assert select("mine", SignalSettings(), home).horizon_s == 120.0
    assert plugins.digest("mine", home) == plain
    (home / "rules" / "number.py").write_text("N = 5\n")
    assert plugins.digest("mine", home) != plain, "what it imports decides, too"
    assert select("mine", SignalSettings(), home).horizon_s == 600.0


def test_what_was_kept_of_a_strategy_is_used_as_it_was(tmp_path):
    made_of_several(tmp_path / "then", 2)
    body = plugins.content("mine", tmp_path / "then")
    made_of_several(tmp_path / "then", 7)
    assert select("mine", SignalSettings(), tmp_path / "then").horizon_s == 420.0
    unpack(body, "mine", tmp_path / "explained")
    assert select("mine", SignalSettings(), tmp_path / "explained").horizon_s == 120.0
    assert plugins.content("mine", tmp_path / "explained") == body
    assert select("mine", SignalSettings(), tmp_path / "then").horizon_s == 420.0


def test_an_entry_points_module_is_kept_and_used(tmp_path, monkeypatch):
    point = importlib.metadata.EntryPoint("packed", "packed_rules:Mine", plugins.GROUP)
    (tmp_path / "packed_rules.py").write_text(good())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    body = plugins.content("packed", tmp_path / "home")
    assert b"packed_rules" in body
    (tmp_path / "packed_rules.py").write_text(good().replace("= 60", "= 90"))
    unpack(body, "packed", tmp_path / "explained")
    assert select("packed", SignalSettings(), tmp_path / "explained").horizon_s == 60.0


def test_an_installed_package_is_noted_by_version_and_named_where_it_is_another(tmp_path):
    written(tmp_path / "a", "import pyarrow\n" + good())
    body = plugins.content("mine", tmp_path / "a")
    version = importlib.metadata.version("pyarrow")
    assert f'"pyarrow":"{version}"'.encode() in body
    unpack(body.replace(version.encode(), b"0.1"), "mine", tmp_path / "b")
    with pytest.raises(SettingsError, match=r"with package pyarrow 0\.1.*install pyarrow==0\.1"):
        select("mine", SignalSettings(), tmp_path / "b")


def test_a_file_that_imports_nothing_of_its_own_is_kept_as_it_is(tmp_path):
    path = written(tmp_path, good())
    assert plugins.content("mine", tmp_path) == path.read_bytes()
    assert plugins.content("model", tmp_path) == b""


def test_what_was_kept_is_unpacked_into_its_folder_only(tmp_path):
    made_of_several(tmp_path / "a", 2)
    forged = plugins.content("mine", tmp_path / "a").replace(b'"side"', b'"../../side"')
    with pytest.raises(SettingsError, match="no module"):
        unpack(forged, "mine", tmp_path / "b" / "c")
    assert not (tmp_path / "side.py").exists()
