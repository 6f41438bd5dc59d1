"""`tickhouse optimise STRATEGY`: look for its parameters, and say what the search is worth.

Features are computed once, and every trial decides over them; the best trial then runs through the
real backtest. What is best of many is lucky too, so the verdict counts the trials.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from cli.backtest import plan as backtest_plan
from cli.backtest.plan import BacktestRequest
from cli.chosen_strategy import chosen
from cli.commands.backtest import names_of
from cli.commands.printed import output
from core.errors import SettingsError
from core.settings import Settings

_LEAST_TRIALS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tickhouse optimise`."""
    parser.add_argument("strategy", metavar="STRATEGY", help="a name, or the path of your own .py")
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH",
        help="tick files or folders; none: the ticks of the warehouse",
    )  # fmt: skip
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="in all (200)")
    parser.add_argument("--folds", type=int, default=4, metavar="N", help="walked forward (4)")
    parser.add_argument("--from", dest="start", metavar="TIME", help="first market time, ISO 8601")
    parser.add_argument("--to", dest="end", metavar="TIME", help="market time to stop before")
    parser.add_argument("--symbols", type=names_of, default=(), metavar="A,B", help="only these")
    parser.add_argument(
        "--pairs", type=names_of, action="append", default=[], metavar="A,B",
        help="symbols that the strategy sees together; repeat for more groups",
    )  # fmt: skip
    parser.add_argument("--model", metavar="SHA256", help="the strategy sees what this predicts")
    parser.add_argument(
        "--limits", type=Path, metavar="FILE", help="under these; else those in force"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where optimisation.html goes")
    parser.add_argument("--source", help="broker of files that do not say it")
    parser.add_argument("--symbol", help="symbol of files that do not say it")
    parser.add_argument("--tz", help="zone of files that do not say it: UTC, EST, +02:00, a name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Plan, try, judge, report: 0."""
    if namespace.trials < _LEAST_TRIALS or namespace.folds < 2:
        raise SettingsError(f"--trials must be {_LEAST_TRIALS} or more, --folds 2 or more")
    if settings.signals.parameters:
        raise SettingsError("signals.parameters is set: optimise begins with what ships; unset it")
    namespace.spans, namespace.firm, namespace.desk = 1, None, None
    namespace.together = bool(namespace.pairs)
    console = output.console(
        stderr=True, quiet=namespace.json and not output.console(stderr=True).is_terminal
    )
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        with console.status("reading and checking the ticks"):
            if namespace.pairs:
                _group(namespace, settings, Path(scratch))
            request = backtest_plan.build(namespace, settings, Path(scratch))
            for leak in backtest_plan.warnings(request):
                raise SettingsError(leak)
        report, files = _run(request, namespace, console)
    if namespace.json:
        print(json.dumps({**report, "files": files}))
    else:
        _show(report, files, output.console())
    return 0


def _group(namespace: argparse.Namespace, settings: Settings, scratch: Path) -> None:
    """One account for the symbols that the strategy sees together: a desk of it alone."""
    name = chosen(namespace.strategy, settings)
    namespace.desk = scratch / f"{name}.toml"
    text = f"[strategies.{name}]\npairs = {json.dumps(namespace.pairs)}\n"
    namespace.desk.write_text(text, encoding="utf-8")
    namespace.strategy = None
    together = {symbol for group in namespace.pairs for symbol in group}
    namespace.symbols = namespace.symbols or tuple(sorted(together))


def _run(
    request: BacktestRequest, namespace: argparse.Namespace, console: Console
) -> tuple[dict[str, Any], list[str]]:
    from backtest import plan, pool, portfolio
    from backtest.optimise import page, report
    from backtest.optimise.run import Plan, optimise
    from execution.risk.limits import of_settings, parse
    from strategies import select
    from strategies.pairs_form import sees_several

    settings, content = request.settings, request.limits.content
    jobs = plan.jobs(
        request.recordings, request.span, settings, symbols=request.symbols, limits=content,
        limits_entry=request.limits.entry, model=request.model, together=request.together,
        desk=request.desk,
    )  # fmt: skip
    limits = parse(content, request.limits.whence) if content else of_settings(settings.execution)
    (strategy,) = request.desk.strategies
    folder = settings.home_path / "strategies"
    if request.desk.alone and sees_several(select.select(strategy.use, settings.signals, folder)):
        raise SettingsError(
            f"strategy {strategy.use!r} sees several symbols together: say which, --pairs A,B"
        )
    declared = select.declared(strategy.use, folder)
    began = time.monotonic()
    with console.status("features") as status:
        result = optimise(
            jobs, declared, limits, Plan(namespace.trials, namespace.folds),
            lambda some: pool.run_all(some, min(namespace.workers, len(some))),
            lambda stage, count: status.update(f"{stage}, {count:,} trials"),
        )  # fmt: skip
    real = portfolio.together(result.real, settings.terminal.balance, len(result.trials))
    given = {
        "strategy": strategy.use, "accounts": [job.name for job in jobs],
        "inputs": request.inputs, "wall_s": round(time.monotonic() - began, 3),
    }  # fmt: skip
    built = report.build(result, real, given)
    name = f"{strategy.use}-{settings.run.run_id.removeprefix('backtest-')}"
    out = namespace.out or settings.home_path / "optimisations" / name
    out.mkdir(parents=True, exist_ok=True)
    pages = {
        "optimisation.html": page.html(result, built),
        "optimisation.json": msgspec.json.format(msgspec.json.encode(built)).decode(),
    }
    for name, text in pages.items():
        (out / name).write_text(text, encoding="utf-8")
    return built, [str(out / name) for name in pages]


def _show(report: dict[str, Any], files: list[str], console: Console) -> None:
    for warning in report["warnings"]:
        console.print(Text(warning, style="bold red"))
    for sentence in report["verdict"]:
        console.print(Text(sentence))
    console.print(Text(report["setting"]), soft_wrap=True)
    for file in files:
        console.print(file, soft_wrap=True, highlight=False)
