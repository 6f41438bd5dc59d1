"""dbt knows who reads what: an exposure for every report and every board, of all that they read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.__main__ import BOARDS
from reports.base import Report
from reports.catalog import REPORTS
from tests.support.board_panels import targets

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "dbt" / "models"
_SQL = (".py", ".sql")  # where queries stand
#: Views with parameters are questions to a view without.
_QUESTIONS = {"lineage_of": "lineage", "lineage_between": "lineage"}


def exposures() -> dict[str, dict[str, Any]]:
    listed = yaml.safe_load((MODELS / "marts" / "_exposures.yml").read_text())["exposures"]
    return {exposure["name"]: exposure for exposure in listed}


def known() -> Iterator[str]:
    """Everything that an exposure may depend on, as dbt writes it."""
    for path in MODELS.rglob("*.yml"):
        content = yaml.safe_load(path.read_text()) or {}
        yield from (f"ref('{model['name']}')" for model in content.get("models", []))
        for source in content.get("sources", []):
            for table in source["tables"]:
                yield f"source('{source['name']}', '{table['name']}')"


def read_by(board: str) -> set[str]:
    """Marts as refs, tables by their names; the engine's own are left out."""
    references = set()
    for _title, _panel, sql in targets(board):
        within = set(re.findall(r"(\w+) AS \(", sql))
        named = re.findall(r"\b(?:FROM|JOIN)\s+(\$\{marts\}\.)?(\w+(?:\.\w+)?)", sql)
        for mart, name in named:
            if name not in within and not name.startswith("system."):
                references.add(f"ref('{name}')" if mart else _QUESTIONS.get(name, name))
    return references


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_exposure_is_what_its_panels_read(board: str) -> None:
    exposure = exposures()[f"board_{board}"]
    assert exposure["type"] == "dashboard"
    depends = {re.sub(r"source\('\w+', '(\w+)'\)", r"\1", on) for on in exposure["depends_on"]}
    assert depends == read_by(board)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_reports_exposure_is_every_mart_it_is_made_from(report: Report) -> None:
    exposure = exposures()[f"report_{report.name.replace('-', '_')}"]
    assert exposure["label"] == f"Report: {report.title}"
    assert set(exposure["depends_on"]) == {f"ref('{mart}')" for mart in report.marts}


def test_what_a_report_says_on_paper_comes_from_the_marts_of_its_exposure() -> None:
    texts = [path.read_text() for path in (ROOT / "reports").rglob("*") if path.suffix in _SQL]
    said = set(re.findall(r"\{db\}\.(\w+)", "\n".join(texts)))
    assert said <= {mart for report in REPORTS.values() for mart in report.marts}


def test_no_exposure_is_of_what_is_gone() -> None:
    wanted = {f"board_{board}" for board in BOARDS}
    wanted |= {f"report_{name.replace('-', '_')}" for name in REPORTS}
    named = {name for name in exposures() if name.startswith(("board_", "report_"))}
    assert named == wanted
    depends = {on for exposure in exposures().values() for on in exposure["depends_on"]}
    assert depends <= set(known())
