"""`tickhouse ask "…"`: a question in plain English, answered with the SQL that answers it.

A grammar of the usual questions answers without a network; it refuses what it does not know to the
last word. Then, where the home names one (`TICKHOUSE_ASK__PROVIDER`), a language model is asked for
a statement. Either runs as the home's reader, who can change nothing.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import track
from rich.table import Table

from adapters.clickhouse import marts
from cli.commands.printed import output
from cli.stack import asked_marts
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import credentials
from core.clock import Clock, ManualClock, SystemClock
from core.errors import InputError
from core.home_users import READER
from core.sections import ClickhouseSettings
from core.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from questions.answer import Answer, Query
    from questions.evaluate import Outcome, Set
    from questions.sql import Place

_SHOWN = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, of which mode, and how the answer is written."""
    parser.add_argument(
        "question", nargs="*", metavar="WORD", help="in English, with or without quotes"
    )
    parser.add_argument(
        "--mode", choices=marts.MODES, help="default: as the home runs, or ran last"
    )
    parser.add_argument("--sql", action="store_true", help="print the statement and run nothing")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", help="also a Vega-Lite chart, as JSON"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--offline", action="store_true", help="the grammar alone, whatever provider is set"
    )
    parser.add_argument(
        "--provider", action="store_true", help="with --evaluate: of the provider, not the grammar"
    )
    parser.add_argument(
        "--evaluate", type=Path, metavar="FILE",
        help="measure the answers to a file of questions, over a made-up day",
    )  # fmt: skip


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Ask; 1 when there is no answer.

    Raises:
        InputError: no question; the home holds nothing.
        WarehouseError: the warehouse refused the statement.
    """
    if namespace.evaluate:
        return _evaluate(namespace.evaluate, settings, by_provider=namespace.provider)
    text = " ".join(namespace.question)
    if not text.strip():
        raise InputError("question", 'is empty: tickhouse ask "profit by symbol this week"')
    from questions.plan import UnansweredError
    from questions.sql import Place

    database = settings.clickhouse.database
    with at_hand(settings):
        mode, now = asked_marts.ready(settings, namespace.mode)
        place = Place(database, marts.named(database, mode), mode)
        if mode in asked_marts.IN_THE_PAST:
            print(f"Of mode {mode}, in which it is {now:%Y-%m-%d %H:%M} (UTC).", file=sys.stderr)
        try:
            answer = _answered(text, settings, place, now, namespace)
        except UnansweredError as error:
            print(f"cannot answer: {error}")
            return 1
    if answer:
        _show(answer, namespace)
    return 0


def _answered(
    text: str, settings: Settings, place: "Place", now: datetime, namespace: argparse.Namespace
) -> "Answer | None":
    """The answer; None when only the statement was wanted, and is printed."""
    from questions.answer import Answer, Asker
    from questions.plan import UnansweredError

    with closing(warehouse_client(settings, READER)) as client:
        query = _query(client)
        asker = Asker(query, place)
        try:
            plan, statement = asker.understood(text, now)
        except UnansweredError:
            if namespace.offline or not settings.ask.provider:
                raise
            plan = None
            statement, by = _provided(text, settings, place.mode)
        if namespace.sql:
            print(statement)
            return None
        if plan is not None:
            return asker.ask(text, now)
        query(f"EXPLAIN {statement}")
        says = f"the statement is by {by}, and nobody has checked it"
        return Answer(None, statement, says, [dict(row) for row in query(statement)])


def _provided(text: str, settings: Settings, mode: str) -> tuple[str, str]:
    """What the home's provider writes, and its name.

    Raises:
        InputError: it has no answer either.
        UnavailableError, SettingsError: it cannot be asked.
    """
    from dashboards.ask.provider import HomesProvider

    provider = HomesProvider(settings, SystemClock())
    return provider(text, warehouse_settings(settings, READER), mode)


class _ByProvider:
    """A provider as something that is measured."""

    def __init__(self, settings: Settings, clock: Clock, mode: str) -> None:
        from dashboards.ask.provider import HomesProvider

        self._provider, self._mode = HomesProvider(settings, clock), mode
        self._where = warehouse_settings(settings, READER)

    def understood(self, text: str, _: datetime) -> tuple[object, str]:
        from questions.plan import UnansweredError

        try:
            return None, self._provider(text, self._where, self._mode).statement
        except InputError as error:
            raise UnansweredError(str(error)) from error


def _query(client: "Client") -> "Query":
    from adapters.clickhouse.client import errors_translated

    def query(statement: str) -> Sequence[dict[str, Any]]:
        with errors_translated():
            rows: list[dict[str, Any]] = client.query_arrow(statement).to_pylist()
        return rows

    return query


def _show(answer: "Answer", namespace: argparse.Namespace) -> None:
    from questions.chart import chart

    if namespace.chart:
        namespace.chart.write_text(json.dumps(chart(answer), default=str, indent=1) + "\n")
    if namespace.json:
        document = {"says": answer.says, "sql": answer.statement, "rows": answer.rows}
        print(json.dumps(document, default=str))
        return
    console = output.console()
    console.print(_table(answer))
    console.print(answer.says, markup=False, highlight=False)
    console.print(answer.statement, style="dim", markup=False, highlight=False, soft_wrap=True)


def _table(answer: "Answer") -> Table:
    table = Table(*(answer.rows[0] if answer.rows else ["no rows"]))
    for row in answer.rows[:_SHOWN]:
        table.add_row(*(_text(value) for value in row.values()))
    if len(answer.rows) > _SHOWN:
        table.caption = f"{_SHOWN} of {len(answer.rows)} rows; all with --json"
    return table


def _text(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _evaluate(path: Path, given: Settings, *, by_provider: bool) -> int:
    """Right, refused and wrong; 0 when at least 80 % are right and at most 2 % wrong."""
    from cli.busy import home as busy
    from questions import evaluate

    quiz, console = evaluate.read(path), output.console()
    with tempfile.TemporaryDirectory(prefix="tickhouse-ask-") as folder:
        settings = Settings(home=folder)
        busy.generate(settings, quiz.mode, ManualClock(round(quiz.now.timestamp() * 1e6)))
        busy_home = Path(folder) / "busy"
        own = ClickhouseSettings(credentials=str(credentials.directory_of(busy_home)))
        made_up = Settings(home=str(busy_home), clickhouse=own, ask=given.ask)
        outcomes = measured(quiz, made_up, by_provider=by_provider)
    for outcome in outcomes:
        if outcome.verdict == "wrong":
            console.print(f"wrong: {outcome.number} {outcome.text}", markup=False, highlight=False)
    counts = Counter(outcome.verdict for outcome in outcomes)
    verdicts = ("right", "refused", "wrong")
    shares = {verdict: 100 * counts[verdict] / len(outcomes) for verdict in verdicts}
    print(
        ", ".join(f"{share:.1f} % {verdict}" for verdict, share in shares.items()),
        f"of {len(outcomes)}",
    )
    return 0 if shares["right"] >= 80 and shares["wrong"] <= 2 else 1


def measured(quiz: "Set", settings: Settings, *, by_provider: bool) -> "list[Outcome]":
    """Every question of a set, put to a home that holds its day: to the grammar, or its provider.

    Raises:
        SettingsError, UnavailableError: the provider cannot be asked.
        WarehouseError: a reference statement was refused.
    """
    from questions import evaluate
    from questions.answer import Asker
    from questions.sql import Place

    with at_hand(settings), closing(warehouse_client(settings, READER)) as client:
        database = settings.clickhouse.database
        place = Place(database, marts.named(database, quiz.mode), quiz.mode)
        query = _query(client)
        shown = tuple(track(quiz.questions, "questions", console=output.console()))
        now = ManualClock(round(quiz.now.timestamp() * 1e6))
        asker: evaluate.Understands = (
            _ByProvider(settings, now, quiz.mode) if by_provider else Asker(query, place)
        )
        return evaluate.evaluate(quiz._replace(questions=shown), asker, query, place)
