"""How well questions are answered: each beside a statement whose result is the answer.

Right is a result that holds the reference's columns, row by row; a question that has no answer here
is right when it is refused. Refusing an answerable one is no answer, and anything else is wrong.
"""

import math
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from core.errors import TickhouseError
from questions.answer import Query
from questions.plan import UnansweredError
from questions.sql import Place

_CLOSE = 1e-6


class Understands(Protocol):
    """Whoever makes a statement of a question: the grammar, or a provider."""

    def understood(self, text: str, now: datetime) -> tuple[object, str]:
        """What is meant, and its statement.

        Raises:
            UnansweredError: there is no answer; its text says why.
        """
        ...


class Outcome(NamedTuple):
    """One question: "right", "refused" or "wrong"; `detail` says why."""

    number: int
    text: str
    kind: str
    verdict: str
    detail: str = ""


class Set(NamedTuple):
    """Questions with a time and a mode."""

    now: datetime
    mode: str
    questions: tuple[dict[str, Any], ...]


def read(path: Path) -> Set:
    """A file of questions: `now`, `mode` and [[question]] with text, kind, sql and ordered."""
    file = tomllib.loads(path.read_text())
    now = file["now"]
    moment = datetime.fromisoformat(now) if isinstance(now, str) else now
    return Set(moment.astimezone(UTC), file["mode"], tuple(file["question"]))


def evaluate(
    quiz: Set,
    asker: Understands,
    query: Query,
    place: Place,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Every question's outcome, in order."""
    outcomes = []
    for question in quiz.questions:
        outcome = _outcome(question, quiz.now, asker, query, place)
        outcomes.append(outcome)
        tell(outcome)
    return outcomes


def _outcome(
    question: dict[str, Any], now: datetime, asker: Understands, query: Query, place: Place
) -> Outcome:
    number, text, kind = question["id"], question["text"], question["kind"]
    try:
        _, statement = asker.understood(text, now)
    except UnansweredError as error:
        return Outcome(number, text, kind, "right" if kind == "refuse" else "refused", str(error))
    if kind == "refuse":
        return Outcome(number, text, kind, "wrong", statement)
    wanted = _rows(query(_placed(question["sql"], now, place)))
    try:
        given = _rows(query(statement))
    except TickhouseError as error:
        return Outcome(number, text, kind, "wrong", f"{statement}: {error}")
    same = matches(given, wanted, ordered=bool(question.get("ordered")))
    return Outcome(number, text, kind, "right" if same else "wrong", "" if same else statement)


def _placed(statement: str, now: datetime, place: Place) -> str:
    moment = f"toDateTime64('{now:%Y-%m-%d %H:%M:%S}', 6, 'UTC')"
    for name, value in {**place._asdict(), "now": moment}.items():
        statement = statement.replace("{" + name + "}", value)
    return statement


def _rows(answer: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in answer]


def matches(
    given: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]], *, ordered: bool
) -> bool:
    """Whether some columns of what was given are what was wanted, row by row."""
    if len(given) != len(wanted):
        return False
    if not wanted:
        return True
    width = len(wanted[0])
    if width > len(given[0]):
        return False
    return any(
        _same([tuple(row[n] for n in chosen) for row in given], wanted, ordered=ordered)
        for chosen in permutations(range(len(given[0])), width)
    )


def _same(
    given: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]], *, ordered: bool
) -> bool:
    if not ordered:
        given, wanted = sorted(given, key=_sorting), sorted(wanted, key=_sorting)
    return all(
        _close(a, b)
        for one, two in zip(given, wanted, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def _sorting(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(f"{float(v):.6e}" if isinstance(v, int | float | Decimal) else str(v) for v in row)


def _close(one: Any, two: Any) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(one, numbers) and isinstance(two, numbers):
        a, b = float(one), float(two)
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_CLOSE, abs_tol=1e-9)
    return bool(one == two) or str(one) == str(two)
