"""`boards check` against a stand-in: a good verdict, and each thing that can be wrong named."""

from pathlib import Path

import pytest

from cli.main import main
from dashboards.grafana import screenshots
from dashboards.grafana.__main__ import BOARDS
from dashboards.grafana.check import Finding, check, verdict
from tests.support.grafana import TOKEN, Grafana, Rows, grafana, one_row

__all__ = ["grafana"]


def bad(findings: list[Finding]) -> dict[str, str]:
    return {finding.part: finding.says for finding in findings if finding.state == "bad"}


def test_all_is_good_and_the_command_says_so_in_one_line(
    grafana: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    line = ["boards", "check", "--url", grafana.url, "--token-file", str(token)]
    assert main(line) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith(f"VERDICT good: {grafana.url}, grafana version 12.3.3")
    assert sum(line.startswith("good  board ") for line in lines) == len(BOARDS)
    assert TOKEN not in "".join(lines)


def test_statements_arrive_with_their_variables_chosen_and_macros_left(grafana: Grafana) -> None:
    statements = list[str]()

    def answer(sql: str) -> Rows:
        statements.append(sql)
        return one_row(sql)

    grafana.answer = answer
    assert bad(list(check(grafana.url, TOKEN))) == {}
    assert not [sql for sql in statements if "${" in sql or "$__conditionalAll" in sql]
    assert [sql for sql in statements if "$__timeFilter(" in sql]
    assert [sql for sql in statements if "WHERE mode = 'demo'" in sql]


def test_another_version_is_named(grafana: Grafana) -> None:
    grafana.version, grafana.plugin = "11.6.1", "4.0.2"
    findings = list(check(grafana.url, TOKEN))
    assert bad(findings) == {
        "grafana": "version 11.6.1: supported is 12.3",
        "plugin": "version 4.0.2: supported is 4.14",
    }
    assert "grafana: version 11.6.1" in verdict(grafana.url, findings)


def test_a_missing_plugin_is_named(grafana: Grafana) -> None:
    grafana.plugin = ""
    assert list(bad(list(check(grafana.url, TOKEN)))) == ["plugin"]


def test_a_wrong_token_ends_the_list_and_is_not_shown(grafana: Grafana) -> None:
    findings = list(check(grafana.url, "glsa_other"))
    assert "refuses the token" in bad(findings)["push"]
    assert "glsa" not in verdict(grafana.url, findings)
    assert len(findings) == 2


def test_a_place_without_a_grafana_is_named() -> None:
    (finding,) = check("http://127.0.0.1:9", TOKEN)
    assert finding.state == "bad"


def test_a_panel_that_fails_is_named_with_the_warehouses_words(grafana: Grafana) -> None:
    def answer(sql: str) -> Rows:
        if "fct_denial_outcome" in sql:
            raise ValueError("Code: 81. DB::Exception: Database tickhouse_marts does not exist")
        return one_row(sql)

    grafana.answer = answer
    problem = bad(list(check(grafana.url, TOKEN)))
    assert list(problem) == ["board trading"]
    assert "What the denied would have made: Code: 81" in problem["board trading"]


def test_panels_without_rows_are_told_and_are_nothing_bad(grafana: Grafana) -> None:
    grafana.answer = lambda sql: [] if "FROM tick_quarantine" in sql else one_row(sql)
    findings = list(check(grafana.url, TOKEN))
    assert bad(findings) == {}
    (note,) = [finding.says for finding in findings if finding.state == "note"]
    assert note == "no rows in a day: Ticks refused, Quarantine"


def test_an_alert_that_fires_one_that_is_missing_and_cancelled_queries_are_named(
    grafana: Grafana,
) -> None:
    grafana.rules["Drawdown"] = "firing"
    del grafana.rules["Feed stale"]
    grafana.answer = lambda sql: [(7,)] if "count() FROM query_log" in sql else one_row(sql)
    problems = bad(list(check(grafana.url, TOKEN)))
    assert problems["alerts"] == "Feed stale is not there; Drawdown fires"
    assert problems["cancelled"].startswith("7 queries")
    grafana.rules.clear()
    assert bad(list(check(grafana.url, TOKEN)))["alerts"].startswith("none of the 2")


def test_a_picture_of_each_board_where_there_is_a_browser(
    grafana: Grafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "chromium"
    writes = 'for a; do case "$a" in --screenshot=*) : > "${a#*=}";; esac; done'
    browser.write_text(f"#!/bin/sh\n{writes}\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    findings = list(screenshots.take(grafana.url, tmp_path / "pictures"))
    assert {finding.state for finding in findings} == {"good"}
    assert len(list((tmp_path / "pictures").glob("tickhouse-*.png"))) == len(BOARDS)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    (finding,) = screenshots.take(grafana.url, tmp_path / "pictures")
    assert finding.state == "note"
