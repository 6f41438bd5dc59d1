"""Each top room says what lives in it, where to begin and what it may import, on half a page."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "core", "adapters", "features", "models", "strategies", "streams", "execution", "warehouse",
    "quality", "reports", "audit", "surveillance", "dashboards", "orchestration", "backtest",
    "cli", "tickhouse", "charts", "risk", "bot", "assistant", "api",
    "questions", "dbt", "tests",
)  # fmt: skip
_LONGEST = 20
_QUOTED = re.compile(r"`([^`\s<>]+)`")
_SUFFIXES = (".py", ".sql", ".md", ".toml", ".yml", "/")


def readme(room: str) -> str:
    return (ROOT / room / "README.md").read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_readme_of_at_most_twenty_lines(room: str) -> None:
    lines = readme(room).splitlines()
    assert lines[0] == f"# {room}"
    assert len(lines) <= _LONGEST
    assert "import" in readme(room)


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_that_a_readme_names_is_there(room: str) -> None:
    named = [name for name in _QUOTED.findall(readme(room)) if name.endswith(_SUFFIXES)]
    assert len(named) >= 2
    assert [name for name in named if not (ROOT / room / name).exists()] == []


def test_no_package_is_without_one() -> None:
    importlinter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(importlinter["root_packages"]) <= set(ROOMS)
