"""`tickhouse halt --by WHO --reason TEXT`: no new position from now on, whatever runs."""

import argparse
from typing import Literal

from cli.running_stack import running
from cli.trading_control import order
from core.clock import SystemClock
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who and why: both are kept for ever."""
    parser.add_argument("--by", required=True, metavar="WHO", help="your name, for the record")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Halt."""
    return switch("halted", namespace, settings)


def switch(
    state: Literal["halted", "active"], namespace: argparse.Namespace, settings: Settings
) -> int:
    """Order `state`, and say what comes of it."""
    home = settings.home_path
    order(home, state, namespace.by, namespace.reason, SystemClock())
    what = (
        "Trading is halted: entries are denied; positions may only be reduced."
        if state == "halted"
        else "Trading is active again."
    )
    print(f"{what} ({namespace.by}: {namespace.reason})")
    if running(home) is None:
        print(f"Nothing runs in {home} now; it holds from the next start on.")
    return 0
