"""`tickhouse resume --by WHO --reason TEXT`: lifts the kill switch and what breakers tripped.

Needs a login as soon as the home has users: whoever adds risk says who they are. Where controls are
signed it needs a signature, in a firm two.
"""

import argparse

from cli import signing
from cli.commands.halt import say_when_it_holds
from cli.login import sign
from core import prepared_resume
from core.clock import Clock, SystemClock
from core.controls.effects import take_effect
from core.controls.signing import Draft
from core.errors import SettingsError
from core.settings import Settings
from core.trading_control import ControlCommand, content_of, current, resume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who and why: both are kept for ever."""
    parser.add_argument("--by", required=True, metavar="WHO", help="your name, for the record")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")
    parser.add_argument(
        "--prepared", action="store_true", help="sign what was prepared from afar, by the bot"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Resume."""
    clock = SystemClock()
    if namespace.prepared:
        _take_prepared(namespace, settings, clock)
    if not namespace.reason:
        raise SettingsError("say why: --reason TEXT")
    code = _resume(namespace, settings, clock)
    prepared_resume.forget(settings.home_path)
    return code


def _take_prepared(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    """The reason of who prepared it, which is shown before anybody signs."""
    prepared = prepared_resume.current(settings.home_path, clock)
    print(f"Prepared by {prepared.by}: {prepared.reason}")
    namespace.reason = namespace.reason or f"{prepared.reason} (prepared by {prepared.by})"


def _resume(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> int:
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
