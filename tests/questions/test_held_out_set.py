"""The held-out set is whole: 200 questions, told apart, of both kinds. Nothing is asked here."""

import re
import tomllib
from pathlib import Path

_SET = tomllib.loads(Path(__file__).with_name("held_out.toml").read_text("utf-8"))
QUESTIONS = _SET["question"]
#: What stands in a reference statement for what a home fills in.
PLACEHOLDERS = {"now", "marts", "mode"}


def test_two_hundred_questions_numbered_from_one() -> None:
    assert [question["id"] for question in QUESTIONS] == list(range(1, 201))


def test_no_question_is_asked_twice() -> None:
    texts = {" ".join(question["text"].casefold().split()) for question in QUESTIONS}
    assert len(texts) == len(QUESTIONS)
    assert all(texts)


def test_enough_of_both_kinds() -> None:
    kinds = [question["kind"] for question in QUESTIONS]
    assert set(kinds) == {"answer", "refuse"}
    assert kinds.count("refuse") >= 30


def test_an_answer_has_its_statement_and_a_refusal_has_none() -> None:
    for question in QUESTIONS:
        wanted = {"id", "topic", "text", "kind"}
        if question["kind"] == "answer":
            wanted |= {"sql", "ordered"}
        assert set(question) == wanted, question["id"]


def test_statements_read_and_name_known_placeholders_only() -> None:
    for question in QUESTIONS:
        sql = question.get("sql", "SELECT").strip()
        assert sql.startswith("SELECT"), question["id"]
        assert set(re.findall(r"\{(\w*)\}", sql)) <= PLACEHOLDERS, question["id"]


def test_order_matters_only_where_a_statement_orders() -> None:
    for question in QUESTIONS:
        if question.get("ordered"):
            assert "ORDER BY" in question["sql"], question["id"]


def test_now_is_the_end_of_the_busy_day() -> None:
    assert _SET["now"].isoformat() == "2026-09-01T12:00:00+00:00"
    assert _SET["mode"] == "demo"
