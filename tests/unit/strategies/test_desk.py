"""What a desk is made of, as one text: kept, unpacked, and the same strategies again."""

from pathlib import Path

import numpy as np
import pytest

from core.desk import of_names, one_alone, parse
from core.errors import SettingsError
from core.settings import Settings
from strategies import desk, plugins
from tests.unit.strategies.test_plugins import ROWS, good, written

TEXT = b'[strategies.one]\nuse = "mine"\n[strategies.two]\nuse = "mine"\n[strategies.breakout]\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return written(tmp_path / "home", good("np.full(len(rows), -1)")).parent


def test_what_was_kept_decides_as_it_did(home: Path, tmp_path: Path) -> None:
    named = parse(TEXT, "desk.toml")
    body = desk.content(named, lambda _use: home)
    written(home, good("np.ones(len(rows))"))  # changed since
    text = desk.kept(body)
    assert text is not None
    again, there = desk.unpacked(text, tmp_path / "kept"), tmp_path / "kept"
    assert again == parse(TEXT, "desk.toml")
    strategies = desk.members(again, Settings(), lambda use: there / use)
    assert [m.name for m in strategies] == ["one", "two", "breakout"]
    assert [m.alone for m in strategies] == [False] * 3
    assert strategies[0].strategy.targets(ROWS, None).direction.tolist() == [-1] * len(ROWS)
    assert desk.content(again, lambda use: there / use) == body
    assert desk.digest(named, lambda _use: home) != desk.digest(again, lambda use: there / use)


def test_one_alone_is_kept_as_before_there_were_desks(home: Path) -> None:
    assert desk.content(one_alone("mine"), lambda _use: home) == plugins.content("mine", home)
    assert desk.content(one_alone("breakout"), lambda _use: home) == b""
    assert desk.digest(one_alone("breakout"), lambda _use: home) == ""
    assert desk.kept(plugins.content("mine", home)) is None
    assert desk.kept(b"") is None


def test_an_unknown_strategy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no strategy 'nope'; known: model"):
        desk.members(of_names("breakout,nope"), Settings(), lambda _use: tmp_path)


def test_settings_of_its_own_reach_the_strategy(tmp_path: Path) -> None:
    text = b'[strategies.a]\nuse = "scripted"\n[strategies.a.signals]\nhorizon_s = 77\n'
    (one,) = desk.members(parse(text, "d"), Settings(), lambda _use: tmp_path)
    assert one.strategy.horizon_s == 77.0
    assert np.isclose(one.signals.horizon_s, 77.0)
