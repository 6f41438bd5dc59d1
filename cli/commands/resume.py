"""`tickhouse resume --by WHO --reason TEXT`: lifts the kill switch and what breakers tripped.

Needs a login as soon as the home has users: whoever adds risk says who they are.
"""

import argparse

from cli.commands.halt import add_who_and_why, say_when_it_holds
from cli.login import sign
from core.clock import SystemClock
from core.settings import Settings
from core.trading_control import resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who and why: both are kept for ever."""
    add_who_and_why(parser)


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Resume."""
    clock = SystemClock()
    sign(settings, clock, namespace.by, "resume", namespace.reason, reason=namespace.reason)
    resume(settings.home_path, namespace.by, namespace.reason, clock)
    print(f"Trading is active again. ({namespace.by}: {namespace.reason})")
    say_when_it_holds(settings)
    return 0
