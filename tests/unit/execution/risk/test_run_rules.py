"""A run's own account is under the firm of the settings' account, or under a chosen one."""

from pathlib import Path

import pytest

from core import calendar
from core.calendar import CalendarContent, CalendarEvent
from core.errors import InputError
from core.sections import ExecutionSettings
from core.settings import Settings
from execution.risk import run_rules
from execution.risk.limits import of_settings
from execution.risk.limits_file import freeze, frozen
from execution.risk.run_rules import RunRules

LIMITS = b"""version = "t"
[accounts.simulated]
firm = "f"
[firms.f]
dated = 2026-11-01
daily_loss = 500.0
[firms.news]
dated = 2026-11-01
news_before_min = 2.0
enforce = false
"""


def settings(home: Path) -> Settings:
    return Settings(home=str(home))


def test_a_run_is_under_the_firm_of_the_settings_account(tmp_path: Path) -> None:
    rules = run_rules.chosen(settings(tmp_path), LIMITS)
    assert rules == RunRules("f")
    freeze(LIMITS, tmp_path)
    run_rules.freeze(rules, tmp_path)
    named = frozen("replay-1", of_settings(ExecutionSettings()), tmp_path).rules.firm
    assert named is not None
    assert (named[0], named[1].daily_loss) == ("f", 500.0)


def test_a_chosen_firm_that_looks_at_news_takes_the_calendar_along(tmp_path: Path) -> None:
    assert run_rules.chosen(settings(tmp_path), LIMITS, "news") == RunRules("news")
    event = CalendarEvent("c", "1", 0, 1, "USD", "high", "X")
    calendar.save(calendar.path_in(tmp_path), CalendarContent([event]))
    rules = run_rules.chosen(settings(tmp_path), LIMITS, "news")
    assert rules.calendar == calendar.path_in(tmp_path).read_bytes()
    assert len(rules.shaping) == 2
    assert run_rules.chosen(settings(tmp_path), LIMITS, "") == RunRules()
    run = tmp_path / "run"
    run_rules.freeze(rules, run)
    assert calendar.load(calendar.path_in(run)).events == [event]


def test_without_rules_nothing_shapes_a_run(tmp_path: Path) -> None:
    for content in (None, b'version = "t"\n'):
        assert run_rules.chosen(settings(tmp_path), content).shaping == ()


def test_a_firm_that_nobody_knows_and_a_damaged_calendar_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \[firms.g\]; known: f, news"):
        run_rules.chosen(settings(tmp_path), LIMITS, "g")
    with pytest.raises(InputError, match="no limits file is in force"):
        run_rules.chosen(settings(tmp_path), None, "g")
    calendar.path_in(tmp_path).write_bytes(b"{")
    with pytest.raises(InputError, match="import again"):
        run_rules.chosen(settings(tmp_path), LIMITS, "news")
