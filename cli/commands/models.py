"""`tickhouse models`: list and show, appoint a challenger, compare, promote, roll back, watch.

Whoever makes a model trade says who they are, as with `tickhouse resume`; rolling back to what
was approved before needs no login, because leaving must not wait.
"""

import argparse
import getpass
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from charts.reliability import draw
from cli.commands import models_watch
from cli.commands.printed import output
from cli.commands.printed.model import model_report
from cli.login import sign
from cli.stack.model_change import announce, mirror
from cli.stack.warehouse_client import at_hand, warehouse_client
from core.audit_log import AuditLine, append
from core.clock import SystemClock
from core.home_users import READER
from core.settings import Settings
from models.serving.card import ModelCard, Span
from models.serving.registry import Registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which model."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every model, champion and challenger marked (default)")
    for name, text in (
        ("show", "one model's figures"),
        ("data", "the dataset it learnt from, read again as it was, and what was corrected since"),
        ("promote", "make a model champion; it opens reduced positions at first"),
        ("challenge", "let a model predict in the champion's shadow"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("model", help="its hash, or the beginning of it")
        if name == "show":
            action.add_argument("--plot", type=Path, metavar="FILE", help="reliability, as PNG")
        elif name != "data":
            action.add_argument("--by", required=True, metavar="WHO", help="who approves it")
    back = actions.add_parser("rollback", help="make the champion before this one champion again")
    back.add_argument("--by", default="", metavar="WHO", help="your name, for the record")
    actions.add_parser("compare", help="may the challenger replace the champion? the rule's word")
    actions.add_parser("mirror", help="bring MLflow up to date")
    models_watch.add_arguments(actions.add_parser("watch", help="quality and drift of both now"))


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it and say so."""
    console = output.console()
    registry = Registry(settings.home_path / "models")
    match namespace.action:
        case "show":
            card = registry.load(namespace.model).card
            console.print(model_report(card))
            if namespace.plot:
                _plot(card, namespace.plot)
                console.print(f"{namespace.plot} written.", soft_wrap=True)
        case "data":
            _rebuild(registry.load(namespace.model).card, settings, console)
        case "promote" | "challenge":
            _approve(namespace, registry, settings, console)
        case "rollback":
            _roll_back(namespace, registry, settings, console)
        case "compare":
            return models_watch.show_comparison(registry, settings, console)
        case "watch":
            return models_watch.run(namespace, registry, settings, console)
        case "mirror":
            mirror(registry, settings, console)
        case _:
            console.print(_list(registry))
    return 0


def _rebuild(card: ModelCard, settings: Settings, console: Console) -> None:
    from models.training.dataset import read_dataset
    from models.training.rebuilt import rebuilt

    with at_hand(settings), closing(warehouse_client(settings, READER)) as client:
        dataset = rebuilt(client, card)
        assert card.data
        span = Span(card.data.start_us, card.data.last_us + 1)
        now = read_dataset(client, card.run_id, span, card.data.sources)
    known = datetime.fromtimestamp(card.data.known_us / 1e6, UTC)
    console.print(
        f"{card.sha256[:12]} learnt from {len(dataset.rows):,} rows of run {card.run_id}, as known"
        f" at {known:%Y-%m-%d %H:%M:%S} UTC: rebuilt, the same to the last bit."
    )
    if now.version and now.version.known_us > card.data.known_us:
        console.print("Ticks behind them were stored or corrected since: a training now differs.")


def _approve(
    namespace: argparse.Namespace, registry: Registry, settings: Settings, console: Console
) -> None:
    clock, by, action = SystemClock(), namespace.by, namespace.action
    sha256 = registry.resolve(namespace.model)
    sign(settings, clock, by, action, sha256)
    if action == "promote":
        registry.promote(sha256, by, clock.now_us())
        console.print(f"{sha256[:12]} is champion, approved by {by}.")
        share, hours = settings.signals.new_champion_share, settings.signals.new_champion_hours
        console.print(f"For {hours:g} h it opens at most {share:.0%} of a full position.")
    else:
        registry.appoint(sha256)
        console.print(f"{sha256[:12]} predicts in the champion's shadow, appointed by {by}.")
    announce(registry, settings, by, f"{action} {sha256[:12]}", console)


def _roll_back(
    namespace: argparse.Namespace, registry: Registry, settings: Settings, console: Console
) -> None:
    by = namespace.by or getpass.getuser()
    earlier = registry.rollback()
    name = earlier.sha256 if earlier else ""
    now_us = SystemClock().now_us()
    append(settings.home_path, AuditLine(now_us, by, False, "rollback", name or "no champion"))
    console.print(f"{name[:12]} is champion." if name else "No champion now.")
    announce(registry, settings, by, f"rollback to {name[:12]}", console)


def _list(registry: Registry) -> Table | str:
    cards = registry.cards()
    if not cards:
        return f"No models in {registry.directory}. Next: tickhouse train"
    history = registry.history()
    roles = {registry.challenger(): "challenger"}
    if history:
        roles[history[-1].sha256] = "champion"
    caption = "on rows held back; AUC of direction"
    table = Table(box=SIMPLE_HEAD, caption=caption, collapse_padding=True, pad_edge=False)
    for name in ("model", "", "market", "ahead"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "log loss", "baseline", "AUC"):
        table.add_column(name, justify="right", no_wrap=True)
    for card in cards:
        direction = card.metrics.auc_direction
        table.add_row(
            card.sha256[:12],
            roles.get(card.sha256, ""),
            "simulated" if card.simulated else "real",
            f"{card.settings.horizon_s:g} s",
            f"{card.train.rows:,}",
            f"{card.metrics.log_loss:.4f}",
            f"{card.baseline.log_loss:.4f}",
            "" if direction is None else f"{direction:.3f}",
        )
    return table


def _plot(card: ModelCard, path: Path) -> None:
    brier, shares = card.metrics.brier, card.baseline.brier
    title = f"held-back rows, Brier {brier:.4f} (shares {shares:.4f})"
    draw(card.reliability, f"model {card.sha256[:12]}", title, path)
