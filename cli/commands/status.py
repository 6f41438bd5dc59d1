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

from cli.commands.printed import output
from cli.diagnostics.checks_controls import controls
from cli.diagnostics.feeds import FeedStatus, market_text
from cli.diagnostics.firm import firm, news
from cli.diagnostics.offsite import offsite
from cli.diagnostics.status import DEGRADED, HEALTHY, StackStatus, stack_status
from cli.diagnostics.strategy_profit import StrategyProfit, strategy_profit
from cli.stack.process_state import ProcessState
from core.clock import SystemClock
from core.settings import Settings

_COLUMNS = ("state", "pid", "up", "restarts")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to print."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print it."""
    status = stack_status(settings)
    if namespace.json:
        print(json.dumps(as_json(status, settings), indent=2))
    else:
        console = output.console(highlight=False, soft_wrap=True)
        _print(status, console)
        for line in firm(settings, status):
            console.print(f"firm {line}", markup=False)
        for line in _profits(strategy_profit(settings, status)):
            console.print(line, markup=False)
        if event := news(settings, SystemClock()):
            console.print(f"next event: {event}", markup=False)
        console.print(f"controls: {controls(settings).found}", markup=False)
        console.print(f"offsite backup: {offsite(settings, SystemClock())}", markup=False)
    return status.exit_code


def as_json(status: StackStatus, settings: Settings) -> dict[str, Any]:
    """All of it as plain values."""
    stack = status.stack
    return {
        "status": {HEALTHY: "healthy", DEGRADED: "degraded"}.get(status.exit_code, "not running"),
        "home": status.home,
        "command": stack.command if stack else None,
        "pid": stack.pid if stack else None,
        "started_us": stack.started_us if stack else None,
        "urls": stack.urls if stack else {},
        "processes": {n: msgspec.to_builtins(s) for n, s in status.processes.items()},
        "feeds": [{**msgspec.to_builtins(f), "stale": f.stale} for f in status.feeds],
        "trading": msgspec.to_builtins(status.trading),
        "problems": status.problems,
        "firm": firm(settings, status),
        "strategies": _plain(strategy_profit(settings, status)),
        "next_event": news(settings, SystemClock()),
        "controls": controls(settings).found,
        "offsite_backup": offsite(settings, SystemClock()),
    }


def _plain(profits: list[StrategyProfit] | str) -> list[dict[str, Any]] | str:
    return profits if isinstance(profits, str) else [one._asdict() for one in profits]


def _profits(profits: list[StrategyProfit] | str) -> list[str]:
    if isinstance(profits, str):
        return [f"profit by strategy {profits}"]
    return [f"strategy {p.strategy}: {p.today:,.2f} today, {p.ever:,.2f} in all" for p in profits]


def _print(status: StackStatus, console: Console) -> None:
    if status.stack is None:
        console.print(f"Not running in {status.home}. Start it with `tickhouse up`.")
    else:
        stack = status.stack
        console.print(f"tickhouse {stack.command} (process {stack.pid}) in {status.home}")
        console.print(_processes(status.processes))
        if status.feeds:
            console.print(_feed_table(status.feeds))
        for problem in status.problems:
            console.print(f"[red]✗[/] {escape(problem)}")
        if not status.problems:
            console.print("[green]✓[/] healthy")
    trading = status.trading
    if trading and trading.state == "halted":
        who = escape(f"by {trading.by}: {trading.reason}")
        console.print(f"[yellow]Trading is halted[/] {who}")


def _processes(states: Mapping[str, ProcessState]) -> Table:
    narrow = [Column(name, no_wrap=True) for name in _COLUMNS]
    table = Table(Column("process", no_wrap=True), *narrow, "detail")
    for state in states.values():
        # What a process says of itself; what the supervisor says, where it is silent.
        state_text = state.health if state.state == "running" and state.health else state.state
        table.add_row(
            state.name,
            f"[{'green' if state.ready else 'red'}]{state_text}[/]",
            str(state.pid or "-"),
            str(timedelta(seconds=state.uptime_s)) if state.pid else "-",
            str(state.restarts),
            escape(state.detail),
        )
    return table


def _feed_table(feeds: list[FeedStatus]) -> Table:
    table = Table("source", "symbol", "newest tick", "market")
    for feed in feeds:
        age = f"{feed.age_s:,.1f} s ago" if feed.last_us else "none yet"
        table.add_row(
            feed.source,
            feed.symbol,
            f"[{'red' if feed.stale else 'default'}]{age}[/]",
            market_text(feed),
        )
    return table
