"""What a provider is told, and what is statement of its answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from questions import provided
from questions.plan import UnansweredError
from questions.redaction import Redaction
from questions.sql import Place

NOW = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)
PLACE = Place("tickhouse", "tickhouse_marts_demo", "demo")
COLUMN = {"table": "fct_trade", "name": "symbol", "type": "String", "comment": "As the broker says"}


def provided_with(text: str, said: str, redaction: Redaction | None = None) -> tuple[str, str]:
    """The statement, and all that was sent."""
    sent: list[str] = []

    def complete(messages: list[dict[str, str]]) -> str:
        sent.extend(one["content"] for one in messages)
        return said

    def query(_: str) -> list[dict[str, Any]]:
        return [COLUMN]

    statement = provided.statement(text, NOW, PLACE, query, complete, redaction or Redaction())
    return statement, "\n".join(sent)


def test_the_schema_and_the_question_are_told_and_no_row() -> None:
    statement, sent = provided_with("best symbol?", "Sure:\n```sql\nSELECT 1;\n```\nDone.")
    assert statement == "SELECT 1"
    assert "fct_trade: symbol String, As the broker says" in sent
    assert "now\nis 2026-03-02 10:00" in sent
    assert sent.endswith("best symbol?")


@pytest.mark.parametrize(
    "said",
    [
        "UNANSWERABLE", "unanswerable.", "", "I cannot do that", "DROP TABLE tick",
        "```sql\nINSERT INTO tick VALUES (1)\n```", "```\nSYSTEM SHUTDOWN\n```",
        "SELECTED", "SELECT " + "1," * 9_000 + "1",
    ],
)  # fmt: skip
def test_what_is_no_select_is_no_answer(said: str) -> None:
    with pytest.raises(UnansweredError):
        provided_with("profit?", said)


def test_names_leave_as_placeholders_and_come_back_within_quotes() -> None:
    redaction = Redaction([("account", "4711-real"), ("name", "O'Hara Ltd"), ("person", "ann")])
    text = "orders of ANN for O'Hara Ltd on 4711-real, mail ann@example.com, ticket 123456789?"
    reply = (
        "SELECT 1 FROM t WHERE account = 'hidden_account_b' AND client = 'hidden_name_a'"
        " AND by = 'hidden_person_c'"
    )
    statement, sent = provided_with(text, reply, redaction)
    for word in ("4711", "Hara", "ANN", "ann@", "example.com", "123456789"):
        assert word not in sent.split("\n")[-1], word
    assert "account = '4711-real'" in statement
    assert "client = 'O''Hara Ltd'" in statement
    assert "by = 'ANN'" in statement


def test_keys_and_tokens_never_leave() -> None:
    key = "th_1f0c9a3e_" + 43 * "A"
    for secret in (key, "sk-" + 20 * "b", "eyJhbGciOi.eyJzdWIi.c2ln", 64 * "a1"):
        _, sent = provided_with(f"what may {secret} do?", "SELECT 1")
        assert secret not in sent
        assert "hidden_" in sent.split("\n")[-1]


def test_many_hidden_words_are_told_apart() -> None:
    redaction = Redaction()
    words = [str(100_000 + n) for n in range(60)]
    hidden = redaction.hidden(" ".join(words))
    assert not [word for word in words if word in hidden]
    assert len(set(hidden.split())) == 60
    assert redaction.shown(hidden) == " ".join(words)
