"""`tickhouse explain ID`: a decision back to its ticks, computed again and compared bit for bit."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from cli.commands.printed import output
from core.errors import SettingsError
from core.settings import Settings

DIFFERS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which decision."""
    parser.add_argument(
        "id", nargs="?", metavar="ID",
        help="a signal, order, order event; the venue's number of a deal, order or position; a"
        " report's transaction reference or journal hash; FILE.csv:ROW of a report's folder",
    )  # fmt: skip
    parser.add_argument("--run", default="", metavar="RUN_ID", help="when an id is in several runs")
    parser.add_argument(
        "--from-start", action="store_true", help="compute from the run's first tick, not the hour"
    )
    parser.add_argument("--bundle", type=Path, metavar="FILE", help="seal all of it in one file")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="recompute a sealed file")
    parser.add_argument("--seal", default="", help="with --verify: the seal it must have")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """0 when all of it came out again bit for bit, else 1."""
    if bool(namespace.id) == bool(namespace.verify):
        raise SettingsError("give an ID, or --verify FILE")
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        explained = (
            _of_file(namespace, Path(scratch))
            if namespace.verify
            else _of_warehouse(namespace, settings, Path(scratch))
        )
    if namespace.json:
        print(json.dumps(explained))
    else:
        from cli.commands.printed.explain import show

        show(explained, output.console())
    return 0 if explained["same"] else DIFFERS


def _of_warehouse(
    namespace: argparse.Namespace, settings: Settings, scratch: Path
) -> dict[str, Any]:
    from adapters.clickhouse import client
    from cli.ingest.warehouse import warehouse
    from streams.explain import attempts, bundle, facts, history, material

    with warehouse(settings) as where:
        connected = client.connect(where)
        stored = facts.find(connected, namespace.id, namespace.run, from_start=namespace.from_start)
        known = history.read(connected, stored)
        connected.close()
    attempt = attempts.best(stored, known, material.of(stored, settings.home_path, scratch))
    explained = attempt.account
    if namespace.bundle:
        explained["bundle"] = str(namespace.bundle)
        explained["seal"] = bundle.write(namespace.bundle, stored, attempt.material)
    return explained


def _of_file(namespace: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    from streams.explain import attempts, bundle

    opened = bundle.read(namespace.verify, scratch, namespace.seal)
    explained = attempts.account_of(opened.facts, opened.material, "when it was sealed")
    return {**explained, "bundle": str(namespace.verify), "seal": opened.seal}
