"""`tickhouse connect`: survey a real terminal, once, before anything listens to it.

Maps symbol names, measures and dates the server's clock, checks permissions, and writes what it
found to `HOME/terminal.toml`. Trading starts in shadow whatever is found here.
"""

import argparse
import time
from functools import partial

from adapters.bus import select
from adapters.mt5.connect import untranslated
from adapters.mt5.real import broker_file, probe
from adapters.mt5.real.broker_file import Broker
from adapters.mt5.real.server_clock import OffsetRule, ServerClock
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.real.translated import TranslatedTerminal
from adapters.mt5.remote.terminal import RemoteTerminal
from cli.commands.printed import output
from cli.diagnostics.check import Check, table_of
from cli.diagnostics.checks_terminal import symbol_checks, terminal_checks
from cli.ingest.backfill import backfill
from core.errors import SettingsError, UnavailableError
from core.settings import Settings

_FOREX = 6  # letters of a pair of currencies


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What cannot be asked of the terminal."""
    parser.add_argument("--source", help="the broker's name in our tables, e.g. icmarkets")
    parser.add_argument(
        "--symbol", action="append", default=[], metavar="OURS=THEIRS",
        help="a name that cannot be guessed, e.g. XAUUSD=GOLD.spot; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--watch", type=float, default=30.0, metavar="SECONDS",
        help="how long to wait for ticks that tell the clock; default 30",
    )  # fmt: skip
    parser.add_argument(
        "--weeks", type=int, default=53,
        help="how many weekly openings to date the clock by; default 53, a year",
    )  # fmt: skip
    parser.add_argument(
        "--backfill", type=int, default=0, metavar="DAYS",
        help="also save so many days of ticks as parquet, ready for tickhouse import",
    )  # fmt: skip


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Survey; 0 when every check passed, 1 otherwise."""
    console, path = output.console(highlight=False), broker_file.path_in(settings.home_path)
    known = broker_file.load(path) if path.exists() else None
    source = namespace.source or (known.source if known else "")
    if not source or source == "sim":
        raise SettingsError("name the broker: tickhouse connect --source NAME (not sim)")
    terminal = untranslated(settings.terminal, partial(select.door, settings.bus))
    if not terminal.initialize():
        code, text = terminal.last_error()
        raise UnavailableError(f"the terminal does not answer: {code} {text}")
    try:
        chosen = {**(known.symbols if known else {}), **_pairs(namespace.symbol)}
        symbols = probe.match_symbols(settings.terminal.symbols, terminal.offered(), chosen)
        server = terminal.account_info().server
        if known and known.server != server:
            raise SettingsError(f"{path} describes {known.server}; use another TICKHOUSE_HOME")
        checks = [*terminal_checks(terminal), *symbol_checks(terminal, symbols)]
        rules, check = _clock(terminal, symbols, known, namespace)
        described = Broker(source, server, symbols, rules)
        broker_file.save(path, described)
        console.print(table_of([*checks, check]))
        console.print(
            f"Written to {path}. Trading starts in shadow: "
            "docs/how-to/connect-a-real-terminal.md says how to leave it.",
            soft_wrap=True,
        )
        if namespace.backfill:
            backfill(
                TranslatedTerminal(terminal, described), described, namespace.backfill,
                settings.home_path / "backfill", console,
            )  # fmt: skip
        return 1 if any(c.result == "failed" for c in checks) else 0
    finally:
        terminal.shutdown()


def _clock(
    terminal: RealTerminal | RemoteTerminal,
    symbols: dict[str, str],
    known: Broker | None,
    namespace: argparse.Namespace,
) -> tuple[list[OffsetRule], Check]:
    """Measure now and before; what a person dated stays unless it is wrong today."""
    names = list(symbols.values())
    now = probe.measure(terminal, names, time.time, time.sleep, patience_s=namespace.watch)
    measured = f"{now.offset_s / 3600:+g} h, {now.residual_s:+.3f} s ({now.arrivals} ticks)"
    if known and ServerClock(known.clock).offset_s(time.time()) == now.offset_s:
        return known.clock, Check("clock", "ok", f"{measured}, as written before")
    forex = [theirs for ours, theirs in symbols.items() if len(ours) == _FOREX and "X" not in ours]
    opens = probe.week_opens(terminal, forex[0], time.time(), namespace.weeks) if forex else []
    rule, explained = probe.explain(now, time.time(), opens)
    earlier = list(known.clock) if known else []
    rules = [r for r in earlier if r.since < rule.since] + [rule]
    if explained == 1:
        zone = f"{rule.zone or 'UTC'} {rule.ahead_s / 3600:+g} h"
        return rules, Check("clock", "ok", f"{measured}: {zone}, also in {len(opens)} past weeks")
    return rules, Check(
        "clock", "warning", f"{measured}; the past shows no single rule ({len(opens)} weeks seen)",
        "run tickhouse connect again after the next change of clocks, or write the zone into "
        "terminal.toml",
    )  # fmt: skip


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        ours, equals, theirs = text.partition("=")
        if not (ours and equals and theirs):
            raise SettingsError(f"--symbol {text}: write OURS=THEIRS, for example XAUUSD=GOLD")
        pairs[ours] = theirs
    return pairs
