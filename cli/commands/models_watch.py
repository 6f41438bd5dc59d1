"""`tickhouse models watch` and `compare`: models at work, as a person and a scheduler read them."""

import argparse

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.stack.warehouse_client import warehouse_client
from cli.times import BEGINNING, END, time_us
from core.clock import SystemClock
from core.errors import ModelError
from core.home_users import COMMANDS
from core.settings import Settings
from models.monitoring.compare import Comparison, compare
from models.monitoring.outcomes import read_outcomes
from models.monitoring.patrol import drifted, patrol, react, roles
from models.monitoring.performance import Watched, drift_text
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
    """Judge champion and challenger on the span; 1 when features or predictions drifted."""
    client = warehouse_client(settings, COMMANDS)
    span = Span(time_us(namespace.start, BEGINNING), time_us(namespace.end, END))
    result = patrol(client, registry, span, settings)
    if not result.watched:
        console.print("No champion and no challenger: nothing to watch. See: tickhouse models list")
    for role, found in result.watched.items():
        console.print(_table(role, found) if found.quality else _nothing(role, found))
        for line in _below(found, settings):
            console.print(line, highlight=False)
        if drifted(found, settings):
            console.print(
                f"DRIFT: {drift_text(found, settings.registry.drift_psi)}", style="bold red"
            )
    done = react(settings.home_path, result.alert, settings, SystemClock())
    if done:
        console.print(done)
    return _ALERT if result.alert else 0


def show_comparison(registry: Registry, settings: Settings, console: Console) -> int:
    """Print the rule's word; 0 when it proposes the challenger."""
    found = comparison(registry, settings)
    table = Table("", "champion", "challenger", "p", title=f"{found.rows:,} rows, both predicted")
    table.add_row(
        "Brier score (less is better)", f"{found.brier_champion:.5f}",
        f"{found.brier_challenger:.5f}", f"{found.brier_p:.3f}",
    )  # fmt: skip
    table.add_row(
        "net P&L of decisions, bp", f"{found.net_champion:.1f}", f"{found.net_challenger:.1f}",
        f"{found.net_p:.3f}",
    )  # fmt: skip
    console.print(table)
    console.print(("PROPOSED: " if found.proposed else "Not proposed: ") + found.reason)
    if found.proposed:
        console.print(f"Next: tickhouse models promote {registry.challenger()[:12]} --by YOU")
    return 0 if found.proposed else _ALERT


def comparison(registry: Registry, settings: Settings) -> Comparison:
    """Champion and challenger on all rows of the settings' run that both predicted.

    Raises:
        ModelError: there is no champion, or no challenger.
    """
    client, working = warehouse_client(settings, COMMANDS), roles(registry)
    missing = {"champion", "challenger"} - set(working)
    if missing:
        raise ModelError(f"no {' and no '.join(sorted(missing))}; see: tickhouse models list")
    found = []
    for role, model in working.items():
        artifact = registry.load(model)
        manifest, spreads = artifact.graphs.manifest, artifact.card.settings.label_spreads
        given = (settings.run.run_id, model, role, Span(BEGINNING, END), manifest)
        found.append(read_outcomes(client, *given, settings.signals, spreads))
        horizon_us = round(manifest.horizon_s * 1e6)
    return compare(found[0], found[1], horizon_us, settings.registry.min_decisions)


def _nothing(role: str, found: Watched) -> str:
    return f"{role} {found.model[:12]}: no prediction of the span has its answer yet"


def _table(role: str, found: Watched) -> Table:
    table = Table(title=f"{role} {found.model[:12]}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("")
    for name in ("rows", "hit rate", "Brier", "of shares", "calibration", "vetoed"):
        table.add_column(name, justify="right")
    for q in found.quality:
        table.add_row(
            q.member or "ensemble", f"{q.predictions:,}", f"{q.hit_rate:.1%}", f"{q.brier:.4f}",
            f"{q.brier_shares:.4f}", f"{q.calibration_error:.3f}", f"{q.vetoed:.1%}",
        )  # fmt: skip
    return table


def _below(found: Watched, settings: Settings) -> list[str]:
    """What its decisions came to, and how far the market is from training."""
    lines = []
    whole = next((q for q in found.quality if not q.member), None)
    if whole is not None:
        lines.append(
            f"{whole.decisions:,} decisions, {whole.net_bp:+,.1f} bp in all after spread and"
            " slippage."
        )
    furthest = sorted(found.drift, key=lambda d: -d.psi)[:3]
    if furthest:
        named = ", ".join(f"{d.name} {d.psi:.2f}" for d in furthest)
        lines.append(
            f"{len(found.drifted)} of {len(found.drift)} columns beyond PSI"
            f" {settings.registry.drift_psi:g}; furthest: {named}."
        )
    return lines
