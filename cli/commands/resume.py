"""`tickhouse resume --by WHO --reason TEXT`: lifts the kill switch and what breakers tripped.

Needs a login as soon as the home has users: whoever adds risk says who they are. Where controls are
signed it needs a signature, in a firm two.
"""

import argparse

from cli import signing
from cli.commands.halt import add_who_and_why, say_when_it_holds
from cli.login import sign
from cli.signed_effects import take_effect
from core.clock import Clock, SystemClock
from core.controls.signing import Draft
from core.settings import Settings
from core.trading_control import ControlCommand, content_of, current, resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who and why: both are kept for ever."""
    add_who_and_why(parser)


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Resume."""
    clock = SystemClock()
    if signing.is_begun(settings):
        return _sign(namespace, settings, clock)
    sign(settings, clock, namespace.by, "resume", namespace.reason, reason=namespace.reason)
    resume(settings.home_path, namespace.by, namespace.reason, clock)
    print(f"Trading is active again. ({namespace.by}: {namespace.reason})")
    say_when_it_holds(settings)
    return 0


def _sign(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    before = current(settings.home_path)
    since_us = before.ts_us if before else 0
    order = ControlCommand(
        "active", namespace.by, namespace.reason, max(clock.now_us(), since_us + 1)
    )  # fmt: skip
    held = f"{before.state} by {before.by}: {before.reason}" if before else "nobody halted"
    draft = Draft(
        "resume", "", content_of(order), namespace.by, namespace.reason,
        changes=(f"trading: {held} → active",),
    )  # fmt: skip
    entry, after = signing.sign(settings, draft)
    if take_effect(settings, entry, after):
        print(f"Trading is active again. ({namespace.by}: {namespace.reason})")
        say_when_it_holds(settings)
    return 0
