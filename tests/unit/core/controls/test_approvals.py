"""Strategies and exits of a home whose controls are signed: what was signed runs, not the file."""

import importlib.metadata
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.controls.approvals import (
    edited_strategies,
    exits_content,
    is_signed,
    strategies_folder,
    strategy_holds,
    with_signed_exits,
)
from core.errors import SettingsError
from core.sections import ExitSettings, RunSettings
from core.settings import Settings
from strategies import plugins
from tests.support.signed_home import END_US, SignedHome


@pytest.fixture
def firm(tmp_path: Path) -> SignedHome:
    home = SignedHome(tmp_path, ("ann", "bob"), "firm")
    (home.home / "strategies").mkdir()
    (home.home / "strategies" / "mine.py").write_text("signed")
    return home


def settings_of(home: SignedHome, name: str = "mine", mode: str = "demo") -> Settings:
    run = RunSettings(strategy=name, mode=mode)  # type: ignore[arg-type]
    return Settings(home=str(home.home), run=run, controls=home.settings)


def approve(home: SignedHome) -> None:
    content = plugins.content("mine", home.home / "strategies")
    home.approve(home.sign("strategy", content, "ann", "mine", END_US).number, "bob")


def test_an_edited_strategy_does_not_run_the_signed_one_does(firm: SignedHome) -> None:
    with pytest.raises(SettingsError, match="no signed version"):
        strategies_folder(settings_of(firm), firm.clock)
    approve(firm)
    (firm.home / "strategies" / "mine.py").write_text("edited")
    folder = strategies_folder(settings_of(firm), firm.clock)
    assert (folder / "mine.py").read_text() == "signed"
    assert not folder.is_relative_to(firm.home)
    (folder / "mine.py").write_text("swapped")
    assert (strategies_folder(settings_of(firm), firm.clock) / "mine.py").read_text() == "signed"
    firm.clock.advance(END_US)
    with pytest.raises(SettingsError, match="no signed version"):
        strategies_folder(settings_of(firm), firm.clock)


def test_what_a_strategy_imports_is_signed_with_it(firm: SignedHome) -> None:
    own = firm.home / "strategies"
    (own / "rules").mkdir()
    (own / "rules" / "__init__.py").write_text("")
    (own / "rules" / "size.py").write_text("SIZE = 1\n")
    (own / "mine.py").write_text("from rules.size import SIZE\n")
    approve(firm)
    folder, now = strategies_folder(settings_of(firm), firm.clock), firm.clock.now_us()
    assert (folder / "rules" / "size.py").read_text() == "SIZE = 1\n"
    assert strategy_holds(firm.now(), firm.home, "mine", now)
    assert edited_strategies(firm.now(), firm.home, now) == ""
    (own / "rules" / "size.py").write_text("SIZE = 9\n")
    assert not strategy_holds(firm.now(), firm.home, "mine", now)
    assert "size.py: not as strategy mine was signed (entry 2)" in edited_strategies(
        firm.now(), firm.home, now
    )
    assert strategies_folder(settings_of(firm), firm.clock) == folder
    assert (folder / "rules" / "size.py").read_text() == "SIZE = 1\n"
    approve(firm)
    later = strategies_folder(settings_of(firm), firm.clock)
    assert (later / "rules" / "size.py").read_text() == "SIZE = 9\n"


def test_a_strategy_that_somebody_unpacked_into_the_home_is_not_loaded(firm: SignedHome) -> None:
    (firm.home / "strategies" / "mine.py").rename(firm.home / "strategies" / "theirs.set.json")
    with pytest.raises(SettingsError, match="no signed version"):
        strategies_folder(settings_of(firm, "theirs"), firm.clock)


def test_an_installed_strategy_is_signed_as_well(
    firm: SignedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = importlib.metadata.EntryPoint("theirs", "theirs:Mine", plugins.GROUP)
    monkeypatch.setattr(
        "core.controls.approvals.entry_points",
        lambda group, name: [point] if name == point.name else [],
    )
    with pytest.raises(SettingsError, match="no signed version"):
        strategies_folder(settings_of(firm, "theirs"), firm.clock)


@pytest.mark.parametrize(("name", "mode"), [("ema_cross", "demo"), ("mine", "replay")])
def test_one_that_ships_and_research_need_no_signature(
    firm: SignedHome, name: str, mode: str
) -> None:
    settings = settings_of(firm, name, mode)
    assert strategies_folder(settings, firm.clock) == firm.home / "strategies"


def test_exits_are_those_that_were_signed(firm: SignedHome, tmp_path: Path) -> None:
    wanted = replace(settings_of(firm), exits=ExitSettings(trail_stops=2.0))
    assert with_signed_exits(wanted, firm.clock).exits == ExitSettings()
    entry = firm.sign("exits", exits_content(wanted))
    assert with_signed_exits(wanted, firm.clock).exits == ExitSettings()
    firm.approve(entry.number, "bob")
    assert with_signed_exits(settings_of(firm), firm.clock).exits.trail_stops == 2.0
    plain = replace(wanted, home=str(tmp_path / "plain"))
    assert with_signed_exits(plain, firm.clock).exits.trail_stops == 2.0
    assert (is_signed(plain), is_signed(wanted)) == (False, True)
