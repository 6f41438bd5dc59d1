"""`tickhouse models`: list, show, promote and roll back trained models."""

import argparse

from rich.console import Console
from rich.table import Table

from cli.login import note, this_user
from cli.model_report import model_report
from core.clock import SystemClock
from core.errors import UnavailableError
from core.settings import Settings
from models.registry import Registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which model."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every model, the champion marked (default)")
    show = actions.add_parser("show", help="one model's figures")
    show.add_argument("model", help="its hash, or the beginning of it")
    promote = actions.add_parser("promote", help="make a model champion")
    promote.add_argument("model", help="its hash, or the beginning of it")
    promote.add_argument("--by", required=True, metavar="WHO", help="the person who approves it")
    back = actions.add_parser("rollback", help="make the champion before this one champion again")
    back.add_argument("--by", default="", metavar="WHO", help="default: who is logged in here")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it and say so."""
    console = Console()
    registry = Registry(settings.home_path / "models")
    match namespace.action:
        case "show":
            console.print(model_report(registry.load(namespace.model).card))
        case "promote":
            card = registry.promote(namespace.model, namespace.by)
            detail = f"{card.sha256} is champion, simulated: {card.simulated}"
            note(settings, SystemClock(), namespace.by, "promotion", detail, model=card.sha256)
            console.print(f"{card.sha256[:12]} is champion, approved by {namespace.by}.")
            _tell_warehouse(registry, settings, console)
        case "rollback":
            earlier = registry.rollback()
            model = earlier.sha256 if earlier else ""
            who = namespace.by or this_user()
            note(
                settings,
                SystemClock(),
                who,
                "rollback",
                f"{model or 'none'} is champion",
                model=model,
            )
            console.print(f"{earlier.sha256[:12]} is champion." if earlier else "No champion now.")
            _tell_warehouse(registry, settings, console)
        case _:
            console.print(_list(registry))
    return 0


def _list(registry: Registry) -> Table | str:
    cards = registry.cards()
    if not cards:
        return f"No models in {registry.directory}. Next: tickhouse train"
    history = registry.history()
    champion = history[-1].sha256 if history else ""
    table = Table("model", "", "market", "horizon", "rows", "log loss", "baseline", "direction AUC")
    for card in cards:
        direction = card.metrics.auc_direction
        table.add_row(
            card.sha256[:12],
            "champion" if card.sha256 == champion else "",
            "simulated" if card.simulated else "real",
            f"{card.settings.horizon_s:g} s",
            f"{card.train.rows:,}",
            f"{card.metrics.log_loss:.4f}",
            f"{card.baseline.log_loss:.4f}",
            "" if direction is None else f"{direction:.3f}",
        )
    return table


def _tell_warehouse(registry: Registry, settings: Settings, console: Console) -> None:
    """The files decide; the table follows now, or with the next training."""
    from cli.warehouse_client import warehouse_client
    from models.table import write_models

    try:
        write_models(warehouse_client(settings), registry)
    except UnavailableError:
        console.print("No warehouse runs: its table `model` follows at the next training.")
