"""`tickhouse backtest`: recorded or stored ticks through features, model, strategy and execution.

One process per feed and span, no bus, no warehouse: the same signals and orders as a replay, as
fast as this machine goes, and a report.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from cli.backtest import plan as backtest_plan
from cli.backtest.plan import BacktestRequest
from cli.chosen_strategy import DESK_HELP, STRATEGY_HELP
from cli.commands.printed import backtest as backtest_report
from cli.commands.printed import output
from core.errors import SettingsError
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tickhouse backtest`."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH",
        help="tick files or folders; none: the ticks of the warehouse",
    )  # fmt: skip
    parser.add_argument("--from", dest="start", metavar="TIME", help="first market time, ISO 8601")
    parser.add_argument("--to", dest="end", metavar="TIME", help="market time to stop before")
    parser.add_argument("--strategy", metavar="NAME", help=STRATEGY_HELP)
    parser.add_argument("--desk", type=Path, metavar="FILE", help=DESK_HELP)
    parser.add_argument("--model", metavar="SHA256", help="predict with this; else the champion")
    parser.add_argument(
        "--limits", type=Path, metavar="FILE", help="under these; else those in force"
    )
    parser.add_argument(
        "--firm", metavar="NAME", help="under its rules, [firms.NAME] of the limits; else those of"
        " the settings' account"
    )  # fmt: skip
    parser.add_argument("--symbols", type=names_of, default=(), metavar="A,B", help="only these")
    parser.add_argument("--spans", type=int, default=1, help="equal parts, each an account anew")
    parser.add_argument("--together", action="store_true", help="one account for all symbols")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--trials", type=int, default=1, metavar="N",
        help="strategies or settings tried so far, for the deflated Sharpe ratio",
    )  # fmt: skip
    parser.add_argument(
        "--mt5-report", type=Path, metavar="FILE",
        help="a report that MT5's tester exported as HTML, to set beside this one",
    )  # fmt: skip
    parser.add_argument(
        "--risk", action="store_true",
        help="say what could be lost, each minute, as a replay does: takes a few times as long",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="where report.html goes")
    parser.add_argument("--source", help="broker of files that do not say it")
    parser.add_argument("--symbol", help="symbol of files that do not say it")
    parser.add_argument("--tz", help="zone of files that do not say it: UTC, EST, +02:00, a name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Plan, run, report: 0."""
    for option in ("spans", "workers", "trials"):
        if getattr(namespace, option) < 1:
            raise SettingsError(f"--{option} must be 1 or more")
    console = output.console(
        stderr=True, quiet=namespace.json and not output.console(stderr=True).is_terminal
    )
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        with console.status("reading and checking the ticks"):
            request = backtest_plan.build(namespace, settings, Path(scratch))
        console.print(f"limits: {request.limits.whence}", markup=False, soft_wrap=True)
        report, files = _run(request, namespace, console)
    if namespace.json:
        print(json.dumps({**report, "files": files}))
    else:
        backtest_report.show(report, files, output.console())
    return 0


def _run(
    request: BacktestRequest, namespace: argparse.Namespace, console: Console
) -> tuple[dict[str, Any], list[str]]:
    from backtest import mt5_report, page, plan, pool, portfolio, report, risk_figures

    beside = mt5_report.read(namespace.mt5_report) if namespace.mt5_report else None
    jobs = plan.jobs(
        request.recordings, request.span, request.settings, model=request.model,
        spans=request.spans, together=request.together, symbols=request.symbols,
        limits=request.limits.content, limits_entry=request.limits.entry, rules=request.rules,
        desk=request.desk, risk=namespace.risk,
    )  # fmt: skip
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[ticks]:,} ticks"), TimeElapsedColumn())  # fmt: skip
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("accounts", total=len(jobs), ticks=0)
        outcomes = pool.run_all(
            jobs,
            min(namespace.workers, len(jobs)),
            lambda ticks, done: bars.update(task, completed=done, ticks=ticks),
        )
    wall_s = time.monotonic() - began
    settings = request.settings
    result = portfolio.together(outcomes, settings.terminal.balance, namespace.trials)
    setting = report.Setting(
        settings, request.inputs, request.model, wall_s, min(namespace.workers, len(jobs)),
        (*backtest_plan.warnings(request), *portfolio.warnings(outcomes)), beside,
    )  # fmt: skip
    built = report.build(result, setting)
    out = namespace.out or settings.home_path / "backtests" / settings.run.run_id
    out.mkdir(parents=True, exist_ok=True)
    pages = {"report.html": page.html(result, built), "report.json": json.dumps(built, indent=1)}
    for name, content in pages.items():
        (out / name).write_text(content, encoding="utf-8")
    tables = risk_figures.write([(o.job.name, o.risk) for o in outcomes], out / "risk")
    return built, [*(str(out / name) for name in pages), *map(str, tables)]


def names_of(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
