"""`tickhouse stress`: what named scenarios would do to what is held, and what loses a tenth."""

import argparse
import json
import math
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import asdict
from rich.table import Table

from cli.commands.printed import output
from core.clock import SystemClock
from core.errors import SettingsError
from core.settings import Settings
from reports.stress_now import Stressed
from risk import stress
from risk.stress import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which scenarios, over what."""
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="by name; default: all")
    parser.add_argument(
        "--list", action="store_true", help="say which there are, and their sources"
    )
    parser.add_argument("--run", metavar="RUN_ID", help="default: live trading")
    parser.add_argument(
        "--at", type=datetime.fromisoformat, metavar="TIME",
        help="market time, ISO 8601, UTC where it says no zone; default: the newest stored",
    )  # fmt: skip
    parser.add_argument(
        "--loses", type=float, default=0.1, metavar="SHARE", help="of equity; default %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Compute, store in `stress_result`, and show.

    Raises:
        SettingsError: no such scenario, or an impossible share.
        InputError: a scenario's file has a mistake; a position cannot be valued.
    """
    chosen = _chosen(stress.available(settings.home_path), namespace.scenarios)
    if namespace.list:
        _print_list(chosen)
        return 0
    if not 0 < namespace.loses <= 1:
        raise SettingsError(f"--loses {namespace.loses}: a share of equity, above 0 and up to 1")
    done = _computed(namespace, settings, chosen)
    if namespace.json:
        print(json.dumps(_as_json(done)))
    else:
        _show(done)
    return 0


def _chosen(known: list[Scenario], names: list[str]) -> list[Scenario]:
    by_name = {scenario.name: scenario for scenario in known}
    for name in names:
        if name not in by_name:
            raise SettingsError(f"no scenario {name!r}; there are: {', '.join(sorted(by_name))}")
    return [by_name[name] for name in names] if names else known


def _computed(
    namespace: argparse.Namespace, settings: Settings, chosen: list[Scenario]
) -> Stressed:
    from adapters.clickhouse import client
    from cli.ingest.warehouse import warehouse
    from reports import stress_now

    run_id, clock = namespace.run or settings.run.run_id, SystemClock()
    with warehouse(settings) as where:
        connected = client.connect(where)
        try:
            at_us = _at_us(namespace.at) or stress_now.newest_us(connected, run_id)
            done = stress_now.stressed(
                connected, run_id, at_us, chosen, settings.risk, namespace.loses, clock.now_us()
            )
            stress_now.store(connected, done.results)
        finally:
            connected.close()
    return done


def _at_us(at: datetime | None) -> int:
    if at is None:
        return 0
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6)


def _print_list(known: list[Scenario]) -> None:
    table = Table("scenario", "version", "what", "source")
    for scenario in known:
        table.add_row(scenario.name, scenario.version, scenario.title, scenario.source)
    output.console().print(table)


def _show(done: Stressed) -> None:
    console = output.console()
    if not done.results:
        console.print("Nothing is held.")
        return
    at = datetime.fromtimestamp(done.at_us / 1e6, UTC)
    table = Table(
        "account", "strategy", "scenario", "profit", "of equity", "times until the target",
        "worst", "says nothing of", title=f"as of {at:%Y-%m-%d %H:%M:%S} UTC",
    )  # fmt: skip
    for result in sorted(done.results, key=lambda r: (r.account, r.strategy, r.profit)):
        factor = f"{result.factor:.2f}" if result.factor < math.inf else "never"
        table.add_row(
            result.account, result.strategy or "all", result.scenario, f"{result.profit:,.2f}",
            f"{result.share:.2%}", factor, result.worst_symbol, result.untouched,
        )  # fmt: skip
    console.print(table)
    for each in done.likeliest:
        moves = ", ".join(f"{symbol} {move:+.2%}" for (_, symbol), move in each.moves.items())
        console.print(
            f"{each.account}: most likely of all moves that lose {each.loses:,.2f}:"
            f" {moves or 'none known'} ({each.days:.1f} standard deviations of a day)"
        )


def _as_json(done: Stressed) -> dict[str, Any]:
    results = [_finite(asdict(result)) for result in done.results]
    likeliest = [
        _finite(
            {
                "account": each.account, "loses": each.loses, "days": each.days,
                "moves": {" ".join(feed): move for feed, move in each.moves.items()},
            }
        )
        for each in done.likeliest
    ]  # fmt: skip
    return {"at_us": done.at_us, "results": results, "likeliest": likeliest}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: null is never."""
    return {k: None if isinstance(v, float) and math.isinf(v) else v for k, v in values.items()}
