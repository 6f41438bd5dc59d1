"""`tickhouse status`: what runs, from the lock, the supervisor and each process's own answer.

Exit code 0: healthy; 1: degraded; 3: not running.
"""

import argparse
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cli.diagnostics.feeds import Feed, feeds, market_text
from cli.stack.process_state import ProcessState
from cli.stack.running import RunningStack, running
from core.clock import SystemClock
from core.errors import TickhouseError
from core.settings import Settings
from core.trading_control import ControlCommand, current

HEALTHY, DEGRADED, NOT_RUNNING = 0, 1, 3
_COLUMNS = ("state", "pid", "up", "restarts")


class Report(msgspec.Struct, frozen=True):
    """Everything that `tickhouse status` tells."""

    home: str
    stack: RunningStack | None
    processes: Mapping[str, ProcessState]
    feeds: list[Feed]
    trading: ControlCommand | None
    problems: list[str]

    @property
    def exit_code(self) -> int:
        """HEALTHY, DEGRADED or NOT_RUNNING."""
        if self.stack is None:
            return NOT_RUNNING
        return DEGRADED if self.problems else HEALTHY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to print."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Look and tell."""
    report = look(settings)
    if namespace.json:
        print(json.dumps(_as_json(report), indent=2))
    else:
        _print(report, Console(highlight=False, soft_wrap=True))
    return report.exit_code


def look(settings: Settings) -> Report:
    """The state of a home now."""
    home = settings.home_path
    stack = running(home)
    trading = current(home)
    if stack is None:
        return Report(str(home), None, {}, [], trading, [])
    try:
        processes = stack.observe()
    except TickhouseError as error:
        return Report(str(home), stack, {}, [], trading, [str(error)])
    problems = [_problem(s) for s in processes.values() if not (s.ready or s.ended)]
    # A replay's ticks are as old as its files: only live feeds can be late.
    found, feed_problems = _feeds(settings, stack) if stack.command == "up" else ([], [])
    return Report(str(home), stack, processes, found, trading, problems + feed_problems)


def _feeds(settings: Settings, stack: RunningStack) -> tuple[list[Feed], list[str]]:
    try:
        found = feeds(settings, stack.urls["warehouse"], stack.started_us, SystemClock())
    except TickhouseError as error:
        return [], [f"age of ticks unknown: {error}"]
    stale = [f"{f.source} {f.symbol}: no tick for a minute, market open" for f in found if f.stale]
    return found, stale


def _problem(state: ProcessState) -> str:
    what = f"{state.name} is {state.health or state.state}"
    return f"{what}: {state.detail}" if state.detail else f"{what}; see {state.log}"


def _as_json(report: Report) -> dict[str, Any]:
    stack = report.stack
    return {
        "status": {HEALTHY: "healthy", DEGRADED: "degraded"}.get(report.exit_code, "not running"),
        "home": report.home,
        "command": stack.command if stack else None,
        "pid": stack.pid if stack else None,
        "started_us": stack.started_us if stack else None,
        "urls": stack.urls if stack else {},
        "processes": {n: msgspec.to_builtins(s) for n, s in report.processes.items()},
        "feeds": [{**msgspec.to_builtins(f), "stale": f.stale} for f in report.feeds],
        "trading": msgspec.to_builtins(report.trading),
        "problems": report.problems,
    }


def _print(report: Report, console: Console) -> None:
    if report.stack is None:
        console.print(f"Not running in {report.home}. Start it with `tickhouse up`.")
    else:
        stack = report.stack
        console.print(f"tickhouse {stack.command} (process {stack.pid}) in {report.home}")
        console.print(_processes(report.processes))
        if report.feeds:
            console.print(_feed_table(report.feeds))
        for problem in report.problems:
            console.print(f"[red]✗[/] {escape(problem)}")
        if not report.problems:
            console.print("[green]✓[/] healthy")
    trading = report.trading
    if trading and trading.state == "halted":
        told = escape(f"by {trading.by}: {trading.reason}")
        console.print(f"[yellow]Trading is halted[/] {told}")


def _processes(states: Mapping[str, ProcessState]) -> Table:
    narrow = [Column(name, no_wrap=True) for name in _COLUMNS]
    table = Table(Column("process", no_wrap=True), *narrow, "detail")
    for state in states.values():
        # What a process says of itself; what the supervisor says, where it is silent.
        said = state.health if state.state == "running" and state.health else state.state
        table.add_row(
            state.name,
            f"[{'green' if state.ready else 'red'}]{said}[/]",
            str(state.pid or "-"),
            str(timedelta(seconds=state.uptime_s)) if state.pid else "-",
            str(state.restarts),
            escape(state.detail),
        )
    return table


def _feed_table(found: list[Feed]) -> Table:
    table = Table("source", "symbol", "newest tick", "market")
    for feed in found:
        age = f"{feed.age_s:,.1f} s ago" if feed.last_us else "none yet"
        table.add_row(
            feed.source,
            feed.symbol,
            f"[{'red' if feed.stale else 'default'}]{age}[/]",
            market_text(feed),
        )
    return table
