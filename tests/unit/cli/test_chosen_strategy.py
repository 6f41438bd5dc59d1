"""Which strategies a command line starts, and what is refused before anything does."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.chosen_strategy import chosen_desk
from core import desk
from core.errors import InputError, ModelError, SettingsError
from core.sections import ModelSettings, RunSettings, TerminalSettings
from core.settings import Settings
from models.serving.registry import Registry
from models.training.train import fit
from tests.support.datasets import planted_dataset
from tests.support.signed_home import SignedHome

TEXT = b'[strategies.a]\nuse = "breakout"\nsymbols = ["EURUSD"]\n[strategies.scripted]\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return Settings(str(home))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_bytes(TEXT)
    return path


def test_without_a_word_and_a_file_everything_is_as_it_was(settings: Settings) -> None:
    assert chosen_desk(None, None, settings) == (settings, desk.one_alone("model"))
    before = replace(settings, run=RunSettings(strategy="not there"))
    assert chosen_desk(None, None, before, trades=True)[0] == before, "its process says so"


def test_the_homes_desk_holds_unless_a_strategy_is_named(settings: Settings) -> None:
    desk.path_in(settings.home_path).write_bytes(TEXT)
    chosen, one = chosen_desk(None, None, settings)
    assert (chosen.run.strategy, one.names) == ("desk", ("a", "scripted"))
    chosen, one = chosen_desk("breakout", None, settings)
    assert (chosen.run.strategy, one.alone) == ("breakout", True)
    chosen, one = chosen_desk("breakout, ema_cross", None, settings, trades=True)
    assert (chosen.run.strategy, one.names) == ("breakout,ema_cross", ("breakout", "ema_cross"))


def test_up_puts_a_file_where_every_process_finds_it(settings: Settings, file: Path) -> None:
    chosen_desk(None, file, settings)
    assert not desk.path_in(settings.home_path).exists(), "a replay has a copy of its own"
    chosen, one = chosen_desk(None, file, settings, trades=True)
    assert (chosen.run.strategy, one.names) == ("desk", ("a", "scripted"))
    assert desk.path_in(settings.home_path).read_bytes() == TEXT


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((b"breakout", b"nope"), "no strategy 'nope'"),
        ((b"EURUSD", b"EURSEK"), "EURSEK is not collected"),
        ((b"symbols", b"symbol"), "did you mean 'symbols'"),
    ],
)
def test_a_desk_that_cannot_trade_starts_nothing(settings, file: Path, change, problem) -> None:
    file.write_bytes(TEXT.replace(*change))
    with pytest.raises((SettingsError, InputError), match=problem):
        chosen_desk(None, file, settings, trades=True)


def test_a_file_and_names_at_once_are_refused(settings: Settings, file: Path) -> None:
    with pytest.raises(SettingsError, match="only one of them"):
        chosen_desk("breakout", file, settings)


def test_live_on_a_real_terminal_needs_an_approval(settings: Settings, file: Path) -> None:
    file.write_bytes(TEXT + b'mode = "live"\n')
    real = replace(settings, run=RunSettings(mode="live"), terminal=TerminalSettings(kind="real"))
    with pytest.raises(SettingsError, match="strategy scripted: mode live without an approval"):
        chosen_desk(None, file, real, trades=True)
    file.write_bytes(TEXT + b'mode = "shadow"\n')
    chosen_desk(None, file, real, trades=True)


def test_where_a_desk_is_signed_another_file_changes_nothing(tmp_path: Path, file: Path) -> None:
    signed = SignedHome(tmp_path)
    settings = replace(
        Settings(str(signed.home)), controls=signed.settings, run=RunSettings(mode="live")
    )
    with pytest.raises(SettingsError, match="a signed desk holds here"):
        chosen_desk(None, file, settings, trades=True)
    assert not desk.path_in(signed.home).exists()


def test_a_model_that_a_strategy_names_is_opened_before_anything_starts(
    settings: Settings, file: Path
) -> None:
    shape = ModelSettings(5.0, 2, 1, threads=1, members=("xgboost",))
    model = fit(planted_dataset(), "r", shape, simulated=True)
    registry, name = Registry(settings.home_path / "models"), model.card.sha256
    file.write_bytes(TEXT.replace(b"[strategies.scripted]", b'model = "%s"' % name[:12].encode()))
    with pytest.raises(ModelError, match=f"no model begins with '{name[:12]}'"):
        chosen_desk(None, file, settings)
    registry.save(model)
    chosen_desk(None, file, settings)
    (gone,) = registry.directory.glob("*.onnx")
    gone.unlink()
    with pytest.raises(ModelError, match="train again or roll back"):
        chosen_desk(None, file, settings)


def test_symbols_seen_together_see_no_model(settings: Settings, file: Path) -> None:
    file.write_text('[strategies.pairs]\npairs = [["A", "B"]]\nmodel = "0123456789ab"\n')
    with pytest.raises(SettingsError, match="sees no model: take `model` away"):
        chosen_desk(None, file, settings)
