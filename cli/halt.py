"""`tickhouse halt --by WHO --reason TEXT`: no new position from now on, whatever runs.

Nobody is asked for a password: stopping must not wait. The file is what holds; the port of a
running execution only makes it hold at once, and when the disk takes nothing any more.
"""

import argparse

from cli.running_stack import running
from cli.trading_control import TradingControl, order
from core.clock import SystemClock
from core.settings import Settings
from execution import halt_port, trading_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who and why: both are kept for ever."""
    add_who_and_why(parser)
    parser.add_argument(
        "--flatten", action="store_true", help="close all positions; else they keep their stops"
    )


def add_who_and_why(parser: argparse.ArgumentParser) -> None:
    """Arguments of halt and resume."""
    parser.add_argument("--by", required=True, metavar="WHO", help="your name, for the record")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Halt."""
    home, clock = settings.home_path, SystemClock()
    positions: trading_state.Positions = "flatten" if namespace.flatten else "keep"
    written, failed = None, None
    try:
        written = order(home, "halted", namespace.by, namespace.reason, clock, positions)
    except OSError as error:
        failed = error
    heard = halt_port.ask(home, _told(written, namespace, clock.now_us(), positions))
    if failed is not None and not heard:
        raise failed
    policy = "are closed" if namespace.flatten else "keep their stops and may only be reduced"
    print(
        f"Trading is halted: entries are denied; positions {policy}."
        f" ({namespace.by}: {namespace.reason})"
    )
    if failed is not None:
        print(f"Only until execution ends: the control file cannot be written ({failed}).")
    say_when_it_holds(settings)
    return 0


def say_when_it_holds(settings: Settings) -> None:
    """Tell when nothing runs to obey."""
    home = settings.home_path
    if running(home) is None:
        print(f"Nothing runs in {home} now; it holds from the next start on.")


def _told(
    written: TradingControl | None,
    namespace: argparse.Namespace,
    now_us: int,
    positions: trading_state.Positions,
) -> trading_state.Order:
    ts_us = written.ts_us if written else now_us
    return trading_state.Order("halted", namespace.by, namespace.reason, ts_us, positions)
