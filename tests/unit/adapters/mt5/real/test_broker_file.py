"""HOME/terminal.toml: written, corrected by hand, read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.mt5.real import broker_file
from adapters.mt5.real.broker_file import Broker
from adapters.mt5.real.server_clock import OffsetRule
from core.errors import SettingsError

KNOWN = Broker(
    "icm",
    'Server "1"',
    {"EURUSD": "EURUSD.r", "XAUUSD": "GOLD"},
    [OffsetRule(datetime(2025, 1, 5, 22, tzinfo=UTC), "America/New_York", 25_200)],
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = broker_file.path_in(tmp_path / "new")
    broker_file.save(path, KNOWN)
    assert broker_file.load(path) == KNOWN
    assert [p.name for p in path.parent.iterdir()] == ["terminal.toml"]


def test_without_a_file_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="tickhouse connect"):
        broker_file.load(broker_file.path_in(tmp_path))


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("source", "sauce", "sauce"),
        ('"GOLD"', '"EURUSD.r"', r"EURUSD\.r stands for two"),
        ("25200", "25201", "quarters"),
        ("25200", "'x'", r"clock\[0\]\.ahead_s"),
        ("[symbols]", "[symbols", "terminal.toml"),
    ],
)
def test_a_slip_of_the_pen_is_named(tmp_path: Path, before: str, after: str, problem: str) -> None:
    path = broker_file.path_in(tmp_path)
    broker_file.save(path, KNOWN)
    path.write_text(path.read_text().replace(before, after, 2))
    with pytest.raises(SettingsError, match=problem):
        broker_file.load(path)
