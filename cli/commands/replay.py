"""`tickhouse replay`: recorded ticks through the same bus and processes as live, then the truth.

The story: plan (read and check the files) - start the stack - let the collector go - train at the
cut - wait until every process has ended by itself - reconcile - show.
"""

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from cli.chosen_strategy import DESK_HELP, STRATEGY_HELP, chosen_desk
from cli.commands.printed import output
from cli.commands.printed import replay as replay_report
from cli.ingest.checking import expand
from cli.replay import plan as replay_plan
from cli.replay.plan import ReplayOptions, ReplayPlan
from cli.replay.progress import Progress
from cli.replay.run import ReplayRun
from cli.stack.processes import Stack
from core.desk import Desk
from core.errors import SettingsError
from core.settings import Settings

_PACED_TICKS = 64  # in one slice of the densest feed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tickhouse replay`."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="tick files")
    parser.add_argument("--speed", default="max", help="'max', or market time over wall time")
    parser.add_argument(
        "--train-first",
        type=float,
        default=0.0,
        metavar="F",
        help="train on this share of the span, predict only after it",
    )
    parser.add_argument("--strategy", metavar="NAME", help=STRATEGY_HELP)
    parser.add_argument("--desk", type=Path, metavar="FILE", help=DESK_HELP)
    parser.add_argument(
        "--limits", type=Path, metavar="FILE", help="under these; else those in force"
    )
    parser.add_argument(
        "--firm", metavar="NAME", help="under its rules, [firms.NAME] of the limits; else those of"
        " the settings' account"
    )  # fmt: skip
    parser.add_argument("--source", help="broker of files that do not say it")
    parser.add_argument("--symbol", help="symbol of files that do not say it")
    parser.add_argument("--tz", help="zone of files that do not say it: UTC, EST, +02:00, a name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 only when reconciled."""
    if not 0.0 <= namespace.train_first < 1.0:
        raise SettingsError("--train-first is a share of the span: 0 <= F < 1")
    settings = _with_speed(settings, namespace.speed)
    settings, desk = chosen_desk(namespace.strategy, namespace.desk, settings)
    paths, _ = expand(namespace.paths)
    console = output.console(
        stderr=True, quiet=namespace.json and not output.console(stderr=True).is_terminal
    )
    options = ReplayOptions(
        tuple(paths),
        namespace.source,
        namespace.symbol,
        namespace.tz,
        namespace.train_first,
        settings.run.strategy,
        model=_champion(settings, namespace, desk),
        limits=namespace.limits,
        firm=namespace.firm,
        desk=desk,
    )
    result = replay(options, settings, console, simulated=False)
    if namespace.json:
        print(json.dumps(result))
    else:
        replay_report.show(result, output.console())
    return 0 if result["reconciled"] else 1


def replay(options: ReplayOptions, settings: Settings, console: Console, *, simulated: bool) -> Any:
    """Run one replay on this home and return its result (the object of `--json`).

    Raises:
        BusyError: something runs on this home already.
        InputError: a file cannot be used; nothing was started.
    """
    started = time.monotonic()
    scratch = settings.home_path / "runs" / "planning"
    with console.status("reading and checking the files"):
        plan = replay_plan.build(options, settings, scratch)
    console.print(f"limits: {plan.limits.whence}", markup=False, soft_wrap=True)
    run = ReplayRun(plan, options, settings, simulated=simulated)
    with run.stack() as stack, Progress(console) as progress:
        run.start(stack)
        _pass_the_cut(run, stack, plan, progress)
        run.follow(stack, progress)
        result = run.result(stack, wall_s=time.monotonic() - started)
    shutil.rmtree(scratch, ignore_errors=True)
    run.keep(result)
    return result


def _pass_the_cut(run: ReplayRun, stack: Stack, plan: ReplayPlan, progress: Progress) -> None:
    """Give the collector its model: trained now, the champion, or none."""
    if plan.training:
        run.wait_for_training_part(stack, progress)
        run.train(progress)
    run.announce_model()


def _with_speed(settings: Settings, speed: str) -> Settings:
    """At a given speed slices are small, so that ticks come evenly."""
    if speed == "max":
        return settings
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not factor > 0:
        raise SettingsError(f"--speed is 'max' or a positive number, not {speed!r}")
    paced = msgspec.structs.replace(settings.collector, speed=factor, slice_ticks=_PACED_TICKS)
    return msgspec.structs.replace(settings, collector=paced)


def _champion(settings: Settings, namespace: argparse.Namespace, desk: Desk) -> str:
    """The champion's hash when this replay predicts with it, else ""."""
    if namespace.train_first > 0 or not any(one.follows_model for one in desk.strategies):
        return ""
    from models.serving.registry import Registry

    champion = Registry(settings.home_path / "models").champion()
    return champion.card.sha256 if champion else ""
