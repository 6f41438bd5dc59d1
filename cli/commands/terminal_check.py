"""`tickhouse terminal-check`: every call that trading makes, once, on a demo account.

Trades the smallest volumes of one symbol for about half a minute, sets what the terminal did beside
what the simulated one does, and prints one verdict to keep and to send back.
"""

import argparse
import time
from datetime import UTC, datetime
from functools import partial
from importlib import metadata

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adapters.bus import select
from adapters.mt5 import connect
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.symbols import resolve
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from cli.commands.printed import output
from cli.diagnostics import trial_verdict
from cli.diagnostics.check import table_of
from cli.diagnostics.trial import PARTS, Observed, Trial
from cli.diagnostics.trial_verdict import Verdict
from cli.stack.home_lock import is_taken
from core.errors import BusyError, SettingsError, UnavailableError
from core.settings import Settings

_SOURCE, _SYMBOL = "sim", "BTCUSD"  # of the simulated side: its market never closes
_OPEN_S = 60.0  # a market whose newest tick is older is closed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which symbol, and how long to wait."""
    parser.add_argument("--symbol", help="ours; by default the first of terminal.symbols")
    parser.add_argument(
        "--patience", type=float, default=10.0, metavar="SECONDS",
        help="how long a fill may take to show in the history; default 10",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the verdict as JSON and nothing else")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Try it; 0 when it passed, 1 otherwise."""
    console, home = output.console(highlight=False), settings.home_path
    if is_taken(home):
        raise BusyError(
            "something of this home runs: stop it first. Execution halts when it sees deals that "
            "are not its own, and these would not be"
        )
    reach = partial(select.door, settings.bus)
    terminal = connect.terminal(settings.terminal, home, reach, role="execution")
    try:
        symbol = namespace.symbol or settings.terminal.symbols[0]
        source = _source(terminal, symbol)
        _refuse(terminal, source, symbol)
        netting = terminal.account_info().margin_mode != mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
        trial = Trial(terminal, source, symbol, namespace.patience)
        with _progress(console, quiet=namespace.json) as progress:
            here = trial.run(partial(_began, progress, "terminal"))
            expected = simulated(netting=netting, progress=progress)
        verdict = _verdict(terminal, symbol, netting, trial, here, expected)
    finally:
        terminal.shutdown()
    path = trial_verdict.save(home, verdict)
    if namespace.json:
        print(msgspec.json.encode(verdict).decode())
        return 0 if verdict.passed else 1
    console.print(table_of(trial_verdict.checks_of(here, verdict.differences)))
    word = "[green]passed[/]" if verdict.passed else "[red]not passed[/]"
    console.print(f"{verdict.server} ({verdict.company}), {verdict.positions}: {word}")
    console.print(f"Kept in {path}: no login, money or prices in it; send it back as it is.")
    return 0 if verdict.passed else 1


def simulated(*, netting: bool, progress: Progress | None = None) -> Observed:
    """The same script on the simulated terminal, which every test of trading ran against."""
    market = GeneratedMarket((_SYMBOL,))
    terminal = SimulatedTerminal(market, netting=netting)
    terminal.initialize()
    return Trial(terminal, _SOURCE, _SYMBOL).run(partial(_began, progress, "simulated"))


def _refuse(terminal: Terminal, source: str, symbol: str) -> None:
    account, info = terminal.account_info(), terminal.terminal_info()
    if account.trade_mode != mt5.ACCOUNT_TRADE_MODE_DEMO:
        raise SettingsError(
            f"{account.server}: this is no demo account, and the check trades. Log the terminal in "
            "to a demo account of the same broker"
        )
    if not (info.connected and info.trade_allowed):
        raise UnavailableError("the terminal may not trade: tickhouse connect says why")
    if terminal.positions_get() or terminal.orders_get():
        raise SettingsError("the account has open positions or orders: close them first")
    tick = terminal.symbol_info_tick(resolve(terminal)[source, symbol])
    if tick is None:
        raise SettingsError(f"{symbol}: the terminal has no price; choose another with --symbol")
    age_s = time.time() - tick.time_msc / 1000
    if age_s > _OPEN_S and age_s % 3600 > _OPEN_S:  # by whole hours: a clock, which the trial names
        raise SettingsError(
            f"{symbol}: the newest price is {age_s:.0f} s old, its market is closed; run this "
            "while it is open, or choose another with --symbol"
        )


def _source(terminal: Terminal, symbol: str) -> str:
    feeds = resolve(terminal)
    sources = [source for source, name in feeds if name == symbol]
    if not sources:
        known = ", ".join(sorted(name for _, name in feeds))
        raise SettingsError(f"{symbol}: the terminal quotes {known or 'nothing'}")
    return sources[0]


def _tickhouse() -> str:
    try:
        return metadata.version("tickhouse")
    except metadata.PackageNotFoundError:  # a checkout that was not installed
        return "unknown"


def _verdict(
    terminal: Terminal, symbol: str, netting: bool, trial: Trial, here: Observed, expected: Observed
) -> Verdict:
    account, info = terminal.account_info(), terminal.terminal_info()
    differing = trial_verdict.differences(here, expected)
    return Verdict(
        version=1, passed=not any(one.matters for one in differing),
        at=datetime.now(UTC).isoformat(timespec="seconds"), tickhouse=_tickhouse(),
        server=account.server, company=str(getattr(info, "company", "")),
        build=int(getattr(info, "build", 0)), symbol=symbol,
        positions="netting" if netting else "hedging",
        send_ms=[round(ms, 1) for ms in trial.send_ms], differences=differing, observed=here,
    )  # fmt: skip


def _progress(console: Console, *, quiet: bool) -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True, disable=quiet)


def _began(progress: Progress | None, where: str, part: str) -> None:
    if progress is None:
        return
    text = f"{where}: {part} ({PARTS.index(part) + 1} of {len(PARTS)})"
    for task in progress.task_ids:
        progress.remove_task(task)
    progress.add_task(text, total=None)
