"""`tickhouse models watch` and `compare`: models at work, as a person and a scheduler read them."""

import argparse

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.stack.warehouse_client import at_hand, warehouse_client
from cli.times import BEGINNING, END, time_us
from core.clock import SystemClock
from core.home_users import COMMANDS
from core.settings import Settings
from models.monitoring.patrol import drifted, patrol, react
from models.monitoring.performance import Watched, drift_text
from models.monitoring.proposal import next_step, propose, standing
from models.serving.card import Span
from models.serving.registry import Registry

_ALERT = 1  # exit code of a watch that found drift, or of a comparison that proposes nothing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which span of market time."""
    parser.add_argument("--from", dest="start", metavar="TIME", help="first market time, ISO 8601")
    parser.add_argument("--to", dest="end", metavar="TIME", help="market time to stop before")


def run(
    namespace: argparse.Namespace, registry: Registry, settings: Settings, console: Console
) -> int:
    """Judge the models at work on the span; 1 when features or predictions drifted."""
    span = Span(time_us(namespace.start, BEGINNING), time_us(namespace.end, END))
    with at_hand(settings):
        client = warehouse_client(settings, COMMANDS)
        result = patrol(client, registry, span, settings)
        proposed = standing(client, registry, settings)
    if not result.watched:
        console.print("No model is at work: nothing to watch. See: tickhouse models list")
    for role, watched in result.watched.items():
        console.print(_table(role, watched) if watched.quality else _nothing(role, watched))
        for line in _below(watched, settings):
            console.print(line, highlight=False)
        if drifted(watched, settings):
            console.print(
                f"DRIFT: {drift_text(watched, settings.registry.drift_psi)}", style="bold red"
            )
    if proposed:
        console.print(f"PROPOSED: {proposed}. Next: {next_step(registry.challenger())}")
    done = react(settings.home_path, result.alert, settings, SystemClock())
    if done:
        console.print(done)
    return _ALERT if result.alert else 0


def show_comparison(registry: Registry, settings: Settings, console: Console) -> int:
    """Print the rule's word; 0 when it proposes the challenger."""
    with at_hand(settings):
        said = propose(warehouse_client(settings, COMMANDS), registry, settings, SystemClock())
    compared = said.comparison
    table = Table(
        "", "champion", "challenger", "p", title=f"{compared.rows:,} rows, both predicted"
    )
    table.add_row(
        "Brier score (less is better)", f"{compared.brier_champion:.5f}",
        f"{compared.brier_challenger:.5f}", f"{compared.brier_p:.3f}",
    )  # fmt: skip
    table.add_row(
        "net P&L of decisions, bp", f"{compared.net_champion:.1f}",
        f"{compared.net_challenger:.1f}", f"{compared.net_p:.3f}",
    )  # fmt: skip
    console.print(table)
    console.print(("PROPOSED: " if compared.proposed else "Not proposed: ") + compared.reason)
    if compared.proposed:
        console.print(f"Next: {next_step(said.challenger)}")
    return 0 if compared.proposed else _ALERT


def _nothing(role: str, watched: Watched) -> str:
    return f"{role.split()[0]} {watched.model[:12]}: no prediction of the span has its answer yet"


def _table(role: str, watched: Watched) -> Table:
    title = f"{role.split()[0]} {watched.model[:12]}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    for name in ("rows", "hit rate", "Brier", "of shares", "calibration", "vetoed"):
        table.add_column(name, justify="right")
    for q in watched.quality:
        table.add_row(
            q.member or "ensemble", f"{q.predictions:,}", f"{q.hit_rate:.1%}", f"{q.brier:.4f}",
            f"{q.brier_shares:.4f}", f"{q.calibration_error:.3f}", f"{q.vetoed:.1%}",
        )  # fmt: skip
    return table


def _below(watched: Watched, settings: Settings) -> list[str]:
    """What its decisions came to, and how far the market is from training."""
    lines = []
    ensemble = next((q for q in watched.quality if not q.member), None)
    if ensemble is not None:
        lines.append(
            f"{ensemble.decisions:,} decisions, {ensemble.net_bp:+,.1f} bp in all after spread and"
            " slippage."
        )
    furthest = sorted(watched.drift, key=lambda d: -d.psi)[:3]
    if furthest:
        named = ", ".join(f"{d.name} {d.psi:.2f}" for d in furthest)
        lines.append(
            f"{len(watched.drifted)} of {len(watched.drift)} columns beyond PSI"
            f" {settings.registry.drift_psi:g}; furthest: {named}."
        )
    return lines
