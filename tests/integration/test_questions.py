"""`tickhouse ask` over a made-up day: how many questions it answers, and that it guesses at few."""

import json
from collections import Counter
from pathlib import Path

import pytest

import tickhouse
from cli.busy import home as busy
from cli.main import main
from core.clock import ManualClock
from core.settings import Settings
from questions import evaluate
from questions.answer import Asker
from questions.sql import Place
from tests.support.chat_server import chat_server
from tests.support.warehouse_server import ROOT

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="docs")]
QUESTIONS = ROOT / "tests" / "questions"
PLACE = Place("tickhouse", "tickhouse_marts_demo", "demo")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    quiz = evaluate.read(QUESTIONS / "held_out.toml")
    folder = tmp_path_factory.mktemp("ask")
    clock = ManualClock(round(quiz.now.timestamp() * 1e6))
    busy.generate(Settings(home=str(folder)), quiz.mode, clock)
    return folder / "busy"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    # The goal is 80 and 2 of the held-out ones, which nobody who writes the grammar may read.
    [("development", 0.8, 0.03), ("plainly_put", 0.45, 0.03), ("held_out", 0.64, 0.03)],
)
def test_most_questions_are_answered_and_few_wrongly(
    home: Path, name: str, right: float, wrong: float
) -> None:
    quiz = evaluate.read(QUESTIONS / f"{name}.toml")
    with tickhouse.connect(home) as connection:

        def query(statement: str) -> list[dict[str, object]]:
            rows: list[dict[str, object]] = connection.sql(statement).arrow().to_pylist()
            return rows

        outcomes = evaluate.evaluate(quiz, Asker(query, PLACE), query, PLACE)
    counts = Counter(outcome.verdict for outcome in outcomes)
    assert counts["right"] >= right * len(outcomes), counts
    assert counts["wrong"] <= wrong * len(outcomes), counts
    assert not [o.number for o in outcomes if o.kind == "refuse" and o.verdict != "right"]


def test_a_person_asks_on_the_command_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    chart = tmp_path / "chart.json"
    quiz = ["ask", "profit", "by", "symbol", "--mode", "demo", "--json", "--chart", str(chart)]
    assert main(quiz) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["by_symbol"] for row in answer["rows"]} == {"BTCUSD", "EURUSD", "XAUUSD"}
    assert answer["says"] == "profit; from trades; by symbol; all that is stored (UTC)"
    assert answer["sql"].startswith("SELECT ")
    drawn = json.loads(chart.read_text())
    assert drawn["encoding"]["x"]["field"] == "by_symbol"
    assert main(["ask", "should I buy gold?", "--mode", "demo"]) == 1
    assert "cannot answer: not understood: should" in capsys.readouterr().out
    assert main(["ask", "profit today", "--mode", "demo", "--sql"]) == 0
    assert "fct_trade" in capsys.readouterr().out


def test_what_the_grammar_refuses_is_put_to_a_provider_unless_offline(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    question = ["ask", "should I buy gold?", "--mode", "demo"]
    with chat_server() as server:
        monkeypatch.setenv("TICKHOUSE_ASK__PROVIDER", server.address)
        monkeypatch.setenv("TICKHOUSE_ASK__MODEL", "small")
        server.say = lambda _: "SELECT max(symbol) AS last FROM tickhouse_marts_demo.fct_trade"
        assert main([*question, "--offline"]) == 1
        assert server.questions == []
        assert main([*question, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert answer["rows"] == [{"last": "XAUUSD"}]
        assert answer["says"] == "the statement is by small at 127.0.0.1, and nobody has checked it"
        assert "fct_trade: " in server.last()
        assert "XAUUSD" not in server.last(), "no row leaves"
        server.say = lambda _: "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')"
        assert main(["ask", "should I buy silver?", "--mode", "demo"]) != 0
        assert "url" in capsys.readouterr().err
