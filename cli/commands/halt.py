"""`tickhouse halt --by WHO --reason TEXT`: no new position from now on, whatever runs.

Nobody is asked for a password: stopping must not wait. The file is what holds; the port of a
running execution only makes it hold at once, and when the disk takes nothing any more.
"""

import argparse

from cli.stack.running import running
from core import trading_control
from core.clock import SystemClock
from core.settings import Settings
from execution.risk.signed_resumes import keep_outside


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
    positions: trading_control.Positions = "flatten" if namespace.flatten else "keep"
    halted = trading_control.halt(
        settings.home_path, namespace.by, namespace.reason, SystemClock(), positions
    )
    keep_outside(settings.home_path, settings.controls, halted.order)
    policy = "are closed" if namespace.flatten else "keep their stops and may only be reduced"
    print(
        f"Trading is halted: entries are denied; positions {policy}."
        f" ({namespace.by}: {namespace.reason})"
    )
    if halted.unwritten is not None:
        print(
            f"Only until execution ends: the control file cannot be written ({halted.unwritten})."
        )
    say_when_it_holds(settings)
    return 0


def say_when_it_holds(settings: Settings) -> None:
    """Tell when nothing runs to obey."""
    home = settings.home_path
    if running(home) is None:
        print(f"Nothing runs in {home} now; it holds from the next start on.")
