"""`tickhouse COMMAND`: one subcommand per line of the table below.

Only the chosen command's module is imported, so that `tickhouse halt` does not wait for what
`tickhouse train` needs. A module has `add_arguments(parser)` and `run(namespace, settings)`,
which returns the exit code.
"""

import argparse
import importlib
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from core import garbage, home_version, pseudonyms, settings
from core.errors import TickhouseError
from core.private import keep_private

FAILED = 2  # exit code of a command that stopped with an error
INTERRUPTED = 130
CLOSED = 141  # as a shell tells of a reader that went away


class Command(NamedTuple):
    """Where a command is and what it does, in a line.

    shares: what it writes is for others too, as far as the user's umask says; the rest of a home
    is for its owner alone.
    """

    module: str
    text: str
    shares: bool = False


COMMANDS = {
    "up": Command("cli.commands.up", "run every process of the embedded stack; Ctrl-C drains"),
    "prepare": Command(
        "cli.commands.prepare", "a warehouse elsewhere, ready for processes without `up`"
    ),
    "demo": Command("cli.commands.demo", "the whole pipeline on the built-in simulated market"),
    "replay": Command(
        "cli.commands.replay", "recorded ticks through the same bus and processes as live"
    ),
    "backtest": Command(
        "cli.commands.backtest", "a strategy over any span of ticks, and a report", shares=True
    ),
    "optimise": Command(
        "cli.commands.optimise",
        "look for a strategy's parameters; a verdict on the search",
        shares=True,
    ),
    "features": Command("cli.commands.features", "features of your own: list, check, install"),
    "import": Command("cli.commands.import_ticks", "tick files into the warehouse"),
    "ticks": Command("cli.commands.ticks", "what stored ticks were before; withdraw one"),
    "instruments": Command(
        "cli.commands.instruments", "what is known of instruments; add some of your own"
    ),
    "calendar": Command("cli.commands.calendar", "economic events to come; import a calendar"),
    "train": Command("cli.commands.train", "train, evaluate and register a model"),
    "search": Command(
        "cli.commands.search", "look for better settings of a model, for a given time"
    ),
    "models": Command("cli.commands.models", "list, promote and roll back models"),
    "plan": Command("cli.commands.plan", "what a load takes: processes, memory, disk"),
    "shards": Command("cli.commands.shards", "deal the flows' state to more or fewer processes"),
    "status": Command("cli.commands.status", "health of processes and age of ticks"),
    "alerts": Command("cli.commands.alerts", "what fires now; acknowledge or silence it"),
    "bot": Command("cli.commands.bot", "the desk on Telegram; enrol somebody's one-time codes"),
    "logs": Command("cli.commands.logs", "what the processes wrote, in order of time"),
    "doctor": Command("cli.commands.doctor", "check the environment; the remedy for each failure"),
    "support-bundle": Command(
        "cli.commands.support_bundle", "what somebody who helps needs, without secrets, as a file"
    ),
    "connect": Command(
        "cli.commands.connect", "survey a real terminal: symbols, clock, permissions"
    ),
    "server-check": Command(
        "cli.commands.server_check", "all that is asked of a ClickHouse server or cluster, once"
    ),
    "terminal-check": Command(
        "cli.commands.terminal_check", "every call that trading makes, once, on a demo account"
    ),
    "agent": Command(
        "cli.commands.agent", "answer for the real terminal on this machine over the bus"
    ),
    "sql": Command("cli.commands.sql", "ask the warehouse, as the owner of the home", shares=True),
    "ask": Command("cli.commands.ask", "ask in plain English: an answer and its SQL", shares=True),
    "mcp": Command("cli.commands.mcp", "the home for an assistant that speaks MCP"),
    "api": Command("cli.commands.api", "the desk for programs, over HTTP with keys"),
    "api-keys": Command("cli.commands.api_keys", "keys of the API: create, list, revoke"),
    "users": Command("cli.commands.users", "who may use the warehouse, and as what"),
    "tls": Command("cli.commands.tls", "certificates for every door of the home"),
    "backup": Command("cli.commands.backup", "copy the warehouse, proved by restoring it"),
    "restore": Command(
        "cli.commands.restore", "bring a backup back, verified by counts and checksums"
    ),
    "orders": Command("cli.commands.orders", "orders whose outcome nobody knows; settle one"),
    "check": Command("cli.commands.check", "data checks of a trading day; 1 when one blocks"),
    "halt": Command("cli.commands.halt", "kill switch: no new position from now on"),
    "resume": Command("cli.commands.resume", "lift the kill switch"),
    "limits": Command("cli.commands.limits", "show, check or install what may be traded"),
    "controls": Command("cli.commands.controls", "what people signed: list, approve, sign second"),
    "keys": Command("cli.commands.keys", "keys that people sign controls with"),
    "override": Command("cli.commands.override", "another value for one limit, for a while"),
    "throttle": Command("cli.commands.throttle", "let a strategy that repeated itself trade again"),
    "audit": Command(
        "cli.commands.audit", "verify, seal and sign what was journalled", shares=True
    ),
    "reference": Command("cli.commands.reference", "load dated reference data for the reports"),
    "boards": Command(
        "cli.commands.boards",
        "the Grafana boards into a Grafana that runs already, and whether it shows them",
    ),
    "restate": Command(
        "cli.commands.restate", "what follows from corrections: marts, checks, reports"
    ),
    "report": Command("cli.commands.report", "one compliance report", shares=True),
    "abuse": Command(
        "cli.commands.abuse", "own orders watched for market abuse: scan, cases, report drafts"
    ),
    "incidents": Command(
        "cli.commands.incidents", "register of incidents: classes, time limits, what was filed"
    ),
    "retention": Command(
        "cli.commands.retention", "how long records are kept: policies, legal holds, destruction"
    ),
    "privacy": Command(
        "cli.commands.privacy", "who people are, in a vault; their requests for access and erasure"
    ),
    "clients": Command(
        "cli.commands.clients", "documents of clients; trading for one asks for a file in order"
    ),
    "sessions": Command("cli.commands.sessions", "every start, and what it ran on"),
    "stress": Command(
        "cli.commands.stress", "what scenarios would do to what is held, and what loses a tenth"
    ),
    "explain": Command(
        "cli.commands.explain", "a signal, order or report row back to its ticks", shares=True
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` None: that of a process of its own."""
    arguments = sys.argv[1:] if argv is None else argv
    if argv is None:
        garbage.spare_start()
    commands = _available()
    chosen = next((argument for argument in arguments if not argument.startswith("-")), "")
    parser = _parser(commands, chosen)
    namespace = parser.parse_args(arguments)
    if namespace.command is None:
        parser.print_help()
        return 0
    if argv is None and not commands[namespace.command].shares:
        keep_private()
    try:
        module = importlib.import_module(commands[namespace.command].module)
        if getattr(module, "LOADS_SETTINGS_ITSELF", False):  # to tell what is wrong with them
            return int(module.run(namespace))
        loaded = settings.load()
        home_version.of(loaded.home_path)  # a newer one is refused before anything is touched
        if getattr(namespace, "by", ""):  # from here on nobody knows the name that was typed
            namespace.by = pseudonyms.resolved(loaded.privacy, loaded.home_path, namespace.by)
        return int(module.run(namespace, loaded))
    except TickhouseError as error:
        if namespace.debug:
            raise
        _print_error(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `tickhouse ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    finally:
        if argv is None:
            garbage.spare_end()


def _available() -> dict[str, Command]:
    return {name: command for name, command in COMMANDS.items() if find_spec(command.module)}


def _parser(commands: dict[str, Command], chosen: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickhouse",
        description="Streaming analytics for traders on MetaTrader 5.",
        epilog="`tickhouse COMMAND --help` tells a command's options.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, command in commands.items():
        subparser = subparsers.add_parser(
            name, help=command.text, description=command.text[0].upper() + command.text[1:] + "."
        )
        if name == chosen:
            importlib.import_module(command.module).add_arguments(subparser)
    return parser


def _version() -> str:
    try:
        return version("tickhouse")
    except PackageNotFoundError:
        return "(not installed: running from a checkout)"


def _print_error(error: TickhouseError) -> None:
    # soft_wrap: a path is for copying, and a line break inside it would spoil that.
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text(f"tickhouse: {error}", style="bold red"))


if __name__ == "__main__":
    sys.exit(main())
