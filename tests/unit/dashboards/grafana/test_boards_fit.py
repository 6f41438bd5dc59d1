"""Boards as a page: panels fill Grafana's grid, say what is empty, and do not refresh too fast."""

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana import style
from dashboards.grafana.__main__ import BOARDS, FOLDER, files
from dashboards.grafana.board import MODES, WIDTH
from dashboards.grafana.clickhouse import _SQL


def board(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return content


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_files_are_what_the_code_makes(path: Path) -> None:
    assert path.read_text() == files()[path], "run python -m dashboards.grafana"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_overlap_nowhere_and_leave_no_hole(name: str) -> None:
    taken = dict[tuple[int, int], str]()
    for panel in board(name)["panels"]:
        grid = panel["gridPos"]
        x, y = grid.get("x", 0), grid.get("y", 0)
        assert x + grid["w"] <= WIDTH, panel["title"]
        cells = {(a, b) for a in range(x, x + grid["w"]) for b in range(y, y + grid["h"])}
        assert not cells & taken.keys(), (panel["title"], taken[min(cells & taken.keys())])
        taken |= dict.fromkeys(cells, panel["title"])
    height = max(y for _, y in taken) + 1
    assert len(taken) == WIDTH * height


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_opens_in_the_mode_that_runs_and_lets_its_panels_answer(name: str) -> None:
    content = board(name)
    assert content["refresh"] == "10s"
    variables = {variable["name"]: variable for variable in content["templating"]["list"]}
    mode = variables["mode"]
    assert "running_mode" in mode["query"]["rawSql"]
    assert all(f"'{known}'" in mode["query"]["rawSql"] for known in MODES)
    assert not mode.get("current")  # the first of the answer: the running one


@pytest.mark.parametrize("name", BOARDS)
def test_an_empty_panel_says_so_in_words(name: str) -> None:
    for panel in board(name)["panels"]:
        says = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "")
        assert bool(says) is (panel["type"] != "table"), panel["title"]  # there it fills cells


def test_words_are_those_of_statements_that_there_are() -> None:
    assert [name for name in style.SAYS if not (_SQL / f"{name}.sql").exists()] == []
