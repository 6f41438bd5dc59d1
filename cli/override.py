"""`tickhouse override RULE VALUE --minutes N --by WHO --reason TEXT`: another limit, for a while.

It ends by the clock. What is let through or denied while it holds carries rule, value and
approver in `limits_version`.
"""

import argparse
import math
from datetime import UTC, datetime

from msgspec.structs import replace

from cli.login import sign
from core.clock import SystemClock
from core.errors import SettingsError
from core.settings import Settings
from execution import decisions
from execution.decisions import Override
from execution.limits_file import OVERRIDABLE

_LONGEST_MINUTES = 24 * 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which limit, how long, who and why."""
    parser.add_argument("rule", choices=OVERRIDABLE, metavar="RULE", help=", ".join(OVERRIDABLE))
    parser.add_argument("value", type=float, metavar="VALUE", help="what holds instead")
    parser.add_argument("--minutes", type=float, required=True, help="until it ends, at most a day")
    parser.add_argument("--symbol", default="", help="only for this one; default: all")
    parser.add_argument("--by", required=True, metavar="WHO", help="your user name")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Override."""
    if not namespace.value >= 0 or not 0 < namespace.minutes <= _LONGEST_MINUTES:
        raise SettingsError("override: VALUE is from 0 on, --minutes above 0 and at most 1440")
    clock = SystemClock()
    now = clock.now_us()
    until = now + math.ceil(namespace.minutes * 60e6)
    made = Override(
        namespace.rule, namespace.value, settings.run.account, namespace.symbol, namespace.by,
        namespace.reason, now, until,
    )  # fmt: skip
    path = decisions.path_in(settings.home_path)
    before = decisions.load(path)
    end = datetime.fromtimestamp(until / 1e6, UTC).isoformat(timespec="seconds")
    detail = f"{made} {namespace.symbol or 'all symbols'} until {end}: {namespace.reason}"
    sign(
        settings, clock, namespace.by, "override", detail, subject=namespace.rule,
        reason=namespace.reason, payload={"override": made},
    )  # fmt: skip
    holding = [o for o in before.overrides if o.until_us > now]
    decisions.save(path, replace(before, overrides=[*holding, made]))
    print(f"Until {end}: {namespace.rule} = {namespace.value:g} ({namespace.by}).")
    return 0
