"""Pushing boards: through the real client, to a server that speaks as much of Grafana's API.

There is no Grafana here; with GRAFANA_URL and GRAFANA_TOKEN set the last test uses a real one.
"""

import os
from pathlib import Path

import pytest

from cli.main import main
from core.errors import SettingsError, UnavailableError
from dashboards.grafana.__main__ import BOARDS
from dashboards.grafana.check import check
from dashboards.grafana.push import push
from tests.support.grafana import TOKEN, Grafana, grafana

__all__ = ["grafana"]


def test_boards_are_created_once_and_then_left_alone(grafana: Grafana) -> None:
    assert {board.outcome for board in push(grafana.url, TOKEN)} == {"created"}
    assert sorted(grafana.boards) == sorted(f"tickhouse-{n.replace('_', '-')}" for n in BOARDS)
    writes = grafana.writes
    assert {board.outcome for board in push(grafana.url, TOKEN)} == {"unchanged"}
    assert grafana.writes == writes


@pytest.mark.parametrize(("raised", "second"), [("1m", "unchanged"), ("5s", "updated")])
def test_a_refresh_that_grafana_raised_is_no_change_and_a_faster_one_is(
    grafana: Grafana, raised: str, second: str
) -> None:
    push(grafana.url, TOKEN)
    for board in grafana.boards.values():
        board["dashboard"]["refresh"] = raised
    assert {board.outcome for board in push(grafana.url, TOKEN)} == {second}


def test_what_somebody_changed_in_ours_is_brought_back(grafana: Grafana) -> None:
    push(grafana.url, TOKEN)
    grafana.boards["tickhouse-trading"]["dashboard"]["title"] = "mine now"
    outcomes = {board.title: board.outcome for board in push(grafana.url, TOKEN)}
    assert outcomes["Tickhouse: trading"] == "updated"
    assert sorted(outcomes.values()) == ["unchanged"] * (len(BOARDS) - 1) + ["updated"]


@pytest.mark.parametrize(("folder", "tags"), [("private", ["tickhouse"]), ("tickhouse", [])])
def test_a_persons_own_board_is_never_overwritten(
    grafana: Grafana, folder: str, tags: list[str]
) -> None:
    own = {"uid": "tickhouse-trading", "title": "Mine", "tags": tags}
    grafana.boards["tickhouse-trading"] = {"dashboard": own, "meta": {"folderUid": folder}}
    with pytest.raises(SettingsError, match=r"'Mine'.*is not ours"):
        push(grafana.url, TOKEN)
    assert list(grafana.boards) == ["tickhouse-trading"]  # nor is any other written


def test_a_wrong_token_and_a_wrong_place_are_told(grafana: Grafana) -> None:
    with pytest.raises(SettingsError, match="refuses the token") as refused:
        push(grafana.url, "glsa_other")
    assert "glsa" not in str(refused.value)
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9"):
        push("http://127.0.0.1:9", TOKEN)


def test_the_command_tells_what_became_of_each(
    grafana: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert main(["boards", "push", "--url", grafana.url, "--token-file", str(file)]) == 0
    reported = capsys.readouterr().out
    assert reported.count("created") == len(BOARDS)
    assert TOKEN not in reported


def test_without_a_token_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GRAFANA_TOKEN", raising=False)
    assert main(["boards", "push", "--url", "http://127.0.0.1:9"]) == 2
    assert "--token-file" in capsys.readouterr().err


@pytest.mark.skipif(
    "GRAFANA_URL" not in os.environ, reason="GRAFANA_URL is not set: no Grafana here"
)
def test_a_real_grafana_takes_them() -> None:
    url, token = os.environ["GRAFANA_URL"], os.environ["GRAFANA_TOKEN"]
    push(url, token)
    assert {board.outcome for board in push(url, token)} == {"unchanged"}
    assert [finding for finding in check(url, token) if finding.state == "bad"] == []
