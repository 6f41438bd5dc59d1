"""`tickhouse train`: fit a model on a run's feature rows, show honest figures, register it."""

import argparse
import os

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.commands.printed import output
from cli.commands.printed.model import model_report
from cli.login import sign
from cli.stack.model_change import announce
from cli.times import BEGINNING, END, time_us
from core.clock import SystemClock
from core.home_users import COMMANDS
from core.settings import Settings
from models.serving.card import Span


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train on."""
    parser.add_argument("--run", help="run whose feature rows to learn from (default: this run)")
    parser.add_argument("--from", dest="start", metavar="TIME", help="first market time, ISO 8601")
    parser.add_argument("--to", dest="end", metavar="TIME", help="market time to stop before")
    parser.add_argument("--source", action="append", default=[], help="only this source; repeat")
    parser.add_argument("--folds", type=int, default=0, help="walk-forward folds beside it")
    parser.add_argument("--promote", metavar="WHO", help="make it champion, in this person's name")
    parser.add_argument("--simulated", action="store_true", help="the market is a simulated one")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Train and print the card."""
    # Threads that wait at a barrier sleep instead of spinning: on a busy machine that is the
    # difference between seconds and a minute. Read once, when xgboost is loaded below.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from cli.stack.warehouse_client import at_hand, warehouse_client
    from models.serving.registry import Registry
    from models.training.own_rows import asked_for
    from models.training.train import train

    console = output.console()
    registry = Registry(settings.home_path / "models")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with at_hand(settings), Progress(*columns, console=console) as bars:
        task = bars.add_task("training", total=1.0)
        card = train(
            warehouse_client(settings, COMMANDS),
            namespace.run or settings.run.run_id,
            Span(time_us(namespace.start, BEGINNING), time_us(namespace.end, END)),
            settings.models,
            registry.directory,
            namespace.simulated,
            lambda stage, share: bars.update(task, description=stage, completed=share),
            sample_ms=settings.features.sample_ms,
            sources=namespace.source,
            folds=namespace.folds,
            features=asked_for(settings),
        )
    console.print(model_report(card))
    if namespace.promote:
        clock = SystemClock()
        sign(settings, clock, namespace.promote, "promote", card.sha256)
        registry.promote(card.sha256, namespace.promote, clock.now_us())
    announce(registry, settings, namespace.promote or "train", "trained", console)
    if not namespace.promote:
        console.print(f"Next: tickhouse models promote {card.sha256[:12]} --by YOU")
    return 0
