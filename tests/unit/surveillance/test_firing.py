"""When an alert fires, is told again, is silenced and is over; and that silence is not health."""

import pytest

from core.sections import RuleSettings, RunSettings
from surveillance.alert import notice_of, row_of
from surveillance.firing import Change, Measure, Silence, Standing, step
from surveillance.rules import EVERY, RULES, Rule, limit_of, parameters, statement, statement_with

S = 1_000_000
SETTINGS = RuleSettings(repeat_s=3600)


def round_of(
    standing: Standing, at_s: float, *values: float, rule: str = "drawdown", quiet: str = ""
) -> list[Change]:
    silences = [Silence(rule, quiet, 1_000 * S, "ann", "known")] if quiet else []
    rows = [Measure(rule, f"acc{n}", value) for n, value in enumerate(values, 1)]
    return step(standing, {rule: rows}, SETTINGS, silences, round(at_s * S))


def kinds(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.kind, change.alert.subject) for change in changes]


def test_above_the_limit_for_the_whole_time_fires_once_and_resolves() -> None:
    standing: Standing = {}
    assert round_of(standing, 100, 0.06) == []
    assert round_of(standing, 129, 0.07) == []
    assert kinds(round_of(standing, 130, 0.08)) == [("fired", "acc1")]
    assert round_of(standing, 135, 0.09) == []
    assert kinds(round_of(standing, 140, 0.05)) == [("resolved", "acc1")]  # at the limit: not above
    assert standing == {}


def test_a_value_that_fell_between_begins_anew() -> None:
    standing: Standing = {}
    round_of(standing, 100, 0.06)
    assert round_of(standing, 120, 0.01) == []  # it had not fired: nobody hears of it
    round_of(standing, 125, 0.06)
    assert round_of(standing, 150, 0.06) == []
    assert kinds(round_of(standing, 155, 0.06)) == [("fired", "acc1")]


def test_each_subject_fires_for_itself_and_one_that_is_gone_is_over() -> None:
    standing: Standing = {}
    assert kinds(round_of(standing, 1, 70, 10, rule="feed_stale")) == [("fired", "acc1")]
    assert kinds(round_of(standing, 6, 75, 90, rule="feed_stale")) == [("fired", "acc2")]
    assert kinds(round_of(standing, 11, rule="feed_stale")) == [
        ("resolved", "acc1"), ("resolved", "acc2"),
    ]  # fmt: skip


def test_a_rule_that_did_not_answer_keeps_its_alerts() -> None:
    standing: Standing = {}
    round_of(standing, 1, 70, rule="feed_stale")
    assert step(standing, {}, SETTINGS, [], 6 * S) == []
    assert len(standing) == 1


def test_it_is_told_again_until_somebody_acknowledges() -> None:
    standing: Standing = {}
    round_of(standing, 1, 70, rule="feed_stale")
    assert round_of(standing, 3_600, 70, rule="feed_stale") == []
    assert kinds(round_of(standing, 3_601, 70, rule="feed_stale")) == [("fires still", "acc1")]
    standing["feed_stale", "acc1"].acknowledged_by = "ann"
    assert round_of(standing, 9_000, 70, rule="feed_stale") == []


@pytest.mark.parametrize(
    ("subject", "at_s", "silenced"), [("acc1", 1, True), ("acc2", 1, False), ("acc1", 1_001, False)]
)
def test_a_silence_holds_for_its_subject_and_its_time(
    subject: str, at_s: int, silenced: bool
) -> None:
    (change,) = round_of({}, at_s, 70, rule="feed_stale", quiet=subject)
    assert (change.kind, change.silenced) == ("fired", silenced)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.name)
def test_a_rule_says_what_and_what_to_do(rule: Rule) -> None:
    assert limit_of(rule, SETTINGS) >= 0
    fired = step({}, {rule.name: [Measure(rule.name, "it", 1e6)]}, SETTINGS, [], S * 10_000)
    later = [Change("fired", change.alert, False) for change in fired] or None
    if later is None:  # it holds first
        standing: Standing = {}
        step(standing, {rule.name: [Measure(rule.name, "it", 1e6)]}, SETTINGS, [], 0)
        later = [Change("fired", alert, False) for alert in standing.values()]
    row = row_of(later[0], RunSettings())
    assert row.detail.startswith("it: ")
    assert rule.remedy in row.detail
    notice = notice_of(later[0], SETTINGS)
    assert notice.title == rule.title
    assert notice.facts is not None
    assert notice.facts["runbook"].startswith("http://127.0.0.1:8050/runbooks#")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_statement_for_others_has_no_parameter_left(rule: Rule) -> None:
    text = statement_with(rule, SETTINGS)
    assert "{" not in text
    for name, value in parameters(SETTINGS).items():
        assert (f"{{{name}:" in statement(rule)) <= (str(value) in text)
