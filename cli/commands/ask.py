"""`tickhouse ask "…"`: a question in plain English, answered with the SQL that answers it.

Without a network and without a model: a grammar of the usual questions, which refuses what it does
not know to the last word. The statement runs as the home's reader, who can change nothing.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import track
from rich.table import Table

from adapters.clickhouse import marts
from cli.commands.printed import output
from cli.stack.warehouse_client import at_hand, warehouse_client
from core import credentials
from core.clock import ManualClock, SystemClock
from core.errors import InputError
from core.home_users import READER
from core.sections import ClickhouseSettings
from core.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from questions.answer import Answer, Query
    from questions.sql import Place

_SHOWN = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, of which mode, and how the answer is written."""
    parser.add_argument(
        "question", nargs="*", metavar="WORD", help="in English, with or without quotes"
    )
    parser.add_argument("--mode", help="demo, live, replay, …; default: as the home runs")
    parser.add_argument("--sql", action="store_true", help="print the statement and run nothing")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", help="also a Vega-Lite chart, as JSON"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
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
        return _evaluate(namespace.evaluate)
    text = " ".join(namespace.question)
    if not text.strip():
        raise InputError("question", 'is empty: tickhouse ask "profit by symbol this week"')
    from questions.plan import UnansweredError
    from questions.sql import Place

    now = datetime.fromtimestamp(SystemClock().now_us() / 1e6, UTC)
    mode = namespace.mode or settings.marts_mode
    database = settings.clickhouse.database
    place = Place(database, marts.named(database, mode), mode)
    try:
        answer = _answered(text, settings, place, now, only_sql=namespace.sql)
    except UnansweredError as error:
        print(f"cannot answer: {error}")
        return 1
    if answer:
        _show(answer, namespace)
    return 0


def _answered(
    text: str, settings: Settings, place: "Place", now: datetime, *, only_sql: bool
) -> "Answer | None":
    """The answer; None when only the statement was wanted, and is printed."""
    from questions.answer import Asker

    with at_hand(settings), closing(warehouse_client(settings, READER)) as client:
        asker = Asker(_query(client), place)
        if not only_sql:
            return asker.ask(text, now)
        _, statement = asker.understood(text, now)
        print(statement)
        return None


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


def _evaluate(path: Path) -> int:
    """Right, refused and wrong; 0 when at least 80 % are right and at most 2 % wrong."""
    from cli.busy import home as busy
    from questions import evaluate
    from questions.answer import Asker
    from questions.sql import Place

    quiz, console = evaluate.read(path), output.console()
    with tempfile.TemporaryDirectory(prefix="tickhouse-ask-") as folder:
        settings = Settings(home=folder)
        busy.generate(settings, quiz.mode, ManualClock(round(quiz.now.timestamp() * 1e6)))
        busy_home = Path(folder) / "busy"
        own = ClickhouseSettings(credentials=str(credentials.directory_of(busy_home)))
        made_up = Settings(home=str(busy_home), clickhouse=own)
        with at_hand(made_up), closing(warehouse_client(made_up, READER)) as client:
            database = settings.clickhouse.database
            place = Place(database, marts.named(database, quiz.mode), quiz.mode)
            query = _query(client)
            shown = tuple(track(quiz.questions, "questions", console=console))
            quiz = quiz._replace(questions=shown)
            outcomes = evaluate.evaluate(quiz, Asker(query, place), query, place)
    counts = Counter(outcome.verdict for outcome in outcomes)
    for outcome in outcomes:
        if outcome.verdict == "wrong":
            console.print(f"wrong: {outcome.number} {outcome.text}", markup=False, highlight=False)
    shares = {
        verdict: 100 * counts[verdict] / len(outcomes) for verdict in ("right", "refused", "wrong")
    }
    print(
        ", ".join(f"{share:.1f} % {verdict}" for verdict, share in shares.items()),
        f"of {len(outcomes)}",
    )
    return 0 if shares["right"] >= 80 and shares["wrong"] <= 2 else 1
