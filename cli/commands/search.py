"""`tickhouse search`: look for better settings of a model, for a given time.

What it prints as best is the luckiest of many trials; the settings count only for what a model
trained with them shows on rows that no trial saw.
"""

import argparse
import os

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.commands.printed import output
from cli.times import BEGINNING, END, time_us
from core.home_users import READER
from core.settings import Settings, environment_of
from models.serving.card import Span

_SEARCHED = ("rounds", "depth", "learning_rate", "leaf_rows")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to search on, and for how long."""
    parser.add_argument("--run", help="run whose feature rows to learn from (default: this run)")
    parser.add_argument("--from", dest="start", metavar="TIME", help="first market time, ISO 8601")
    parser.add_argument("--to", dest="end", metavar="TIME", help="market time to stop before")
    parser.add_argument("--source", action="append", default=[], help="only this source; repeat")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long trials may begin")
    parser.add_argument("--trials", type=int, default=1000, help="stop after so many in all")
    parser.add_argument("--workers", type=int, default=0, help="processes (default: one per core)")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Search, resuming what was found before on the same rows."""
    # Threads of several processes that spin for each other would stop them all.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from cli.stack.warehouse_client import at_hand, warehouse_client
    from models.training.dataset import read_dataset
    from models.training.own_rows import asked_for, with_own_columns
    from models.training.search import cores, search

    console = output.console()
    span = Span(time_us(namespace.start, BEGINNING), time_us(namespace.end, END))
    run_id = namespace.run or settings.run.run_id
    with at_hand(settings):
        client = warehouse_client(settings, READER)
        data = read_dataset(client, run_id, span, namespace.source)
        data = with_own_columns(client, run_id, data, asked_for(settings))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    seconds = namespace.minutes * 60
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("searching", total=seconds)
        result = search(
            data,
            settings.models,
            settings.home_path / "search",
            seconds=seconds,
            trials=namespace.trials,
            workers=namespace.workers or cores(),
            on_progress=lambda done, best, left: bars.update(
                task, description=f"{done} trials, best {best:.4f}", completed=seconds - left
            ),
        )
    console.print(
        f"{result.trials} trials ({result.pruned} given up early, {result.failed} failed); the "
        f"best is better than class shares by {result.skill:.2%} of log loss, averaged over folds."
    )
    console.print("The best of many is also lucky: train with it and read the held-back figures.")
    values = {name: getattr(result.settings, name) for name in _SEARCHED}
    for name, value in environment_of("models", **values).items():
        console.print(f"export {name}={value}", highlight=False)
    console.print("Next: tickhouse train --folds 3")
    return 0
