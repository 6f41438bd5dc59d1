"""Scenarios: each has a statement that takes its parameters; a firm's own replace ours, by rule."""

import re
from datetime import date
from pathlib import Path

import pytest

from core.errors import SettingsError
from surveillance.abuse import scenarios

SPAN = {"mode", "day", "start", "end", "scenario"}  # that a scan names beside them
OURS = scenarios.load(Path("/nowhere"))
OWN = """
[cancel_ratio]
title = "High cancel ratio"
says = "ours"
basis = "point 4(f)"
version = "firm-1"
reviewed = 2026-12-01
review = 2027-12-01
assess_days = 1
parameters = { orders = 20, ratio = 0.8 }
"""


@pytest.mark.parametrize("name", OURS)
def test_a_statement_takes_the_parameters_of_its_scenario_and_no_other(name: str) -> None:
    taken = set(re.findall(r"\{(\w+):\w+", scenarios.statement(name)))
    assert taken - SPAN == set(OURS[name].parameters)
    assert {"mode", "start", "end"} <= taken


def test_parameters_are_reviewed_once_a_year() -> None:
    for scenario in OURS.values():
        assert (scenario.review - scenario.reviewed).days <= 366
        assert scenario.problem(scenario.review) == ""
        assert scenario.problem(date(2030, 1, 1)) == f"review was due on {scenario.review}"


def test_a_firm_s_own_parameters_replace_ours_under_their_own_version(tmp_path: Path) -> None:
    scenarios.path_in(tmp_path).write_text(OWN)
    loaded = scenarios.load(tmp_path)
    assert loaded["cancel_ratio"].parameters == {"orders": 20, "ratio": 0.8}
    assert loaded["layering"] == OURS["layering"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (OWN.replace("cancel_ratio", "front_running"), "no such scenario"),
        (OWN.replace("ratio = 0.8", "share = 0.8"), "its parameters are orders, ratio"),
        (OWN.replace("0.8", "0"), "above 0"),
        (OWN.replace("0.8", "nan"), "above 0"),
        (OWN.replace("0.8", "inf"), "above 0"),
        (OWN.replace("firm-1", "2026-11"), "need another version than '2026-11'"),
        (OWN.replace("assess_days = 1", "assess_days = 0"), "at least 1"),
        (OWN.replace("review = 2027-12-01", 'review = "soon"'), "review"),
        ("[layering", "scenarios.toml"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    scenarios.path_in(tmp_path).write_text(text)
    with pytest.raises(SettingsError, match=re.escape(problem)):
        scenarios.load(tmp_path)
