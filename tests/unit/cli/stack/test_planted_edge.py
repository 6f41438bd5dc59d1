"""Which homes get the planted-edge model by themselves, and which never do."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.stack.planted_edge import BY, comes, drop_outlived
from core import identity
from core.sections import ControlSettings, RunSettings, TerminalSettings
from core.settings import Settings
from models.serving.registry import Promotion, Registry
from models.training import planted_cache


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    controls = ControlSettings(keys=str(tmp_path / "keys"), trust=str(tmp_path / "trust"))
    return Settings(home=str(tmp_path / "home"), controls=controls)


def test_a_new_home_on_the_simulated_market_gets_it(home: Settings):
    assert comes(home)


@pytest.mark.parametrize(
    "section",
    [
        {"terminal": TerminalSettings(kind="real")},
        {"terminal": TerminalSettings(kind="agent")},
        {"terminal": TerminalSettings(address="127.0.0.1:1")},
        {"run": RunSettings(mode="live")},
        {"run": RunSettings(mode="shadow")},
        {"run": RunSettings(strategy="breakout")},
    ],
)
def test_what_is_real_or_elsewhere_or_needs_no_model_never_does(home: Settings, section):
    assert not comes(replace(home, **section))


def test_a_home_with_users_a_foreign_journal_or_a_champion_never_does(home: Settings):
    folder = home.home_path
    (folder / "execution" / "real").mkdir(parents=True)
    assert not comes(home)  # it traded, and not on a simulated account
    (folder / "account.log").touch()
    assert comes(home)
    registry = Registry(folder / "models")
    registry.directory.mkdir()
    registry._write_history([Promotion("a" * 64, "ann", simulated=False)])
    assert not comes(home)
    registry._write_history([])
    (folder / "users").mkdir()
    identity.path_in(folder).touch()
    assert not comes(home)


def test_only_what_up_itself_brought_is_taken_back_when_it_cannot_be_read(home: Settings):
    registry = Registry(home.home_path / "models")
    registry.directory.mkdir(parents=True)
    for by, left in ((BY, 0), ("ann", 1)):
        registry._write_history([Promotion("a" * 64, by, simulated=True)])
        drop_outlived(home)
        assert len(registry.history()) == left


def test_another_market_or_training_is_another_model(home: Settings):
    known = planted_cache.key(home)
    assert planted_cache.key(home) == known
    assert planted_cache.key(replace(home, terminal=TerminalSettings(seed=8))) != known
    assert planted_cache.key(replace(home, models=replace(home.models, rounds=61))) != known
