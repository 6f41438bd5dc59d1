"""`tickhouse override RULE VALUE --minutes N|--until TIME --by WHO --reason TEXT`: for a while.

It ends by the clock. What is let through or denied while it holds carries rule, value and
approver in `limits_version`.
"""

import argparse
import math
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from cli import signing
from cli.login import sign
from core.clock import SystemClock
from core.controls.signing import Draft
from core.errors import SettingsError
from core.settings import Settings
from execution.risk import overrides
from execution.risk.controls import limits_in_force
from execution.risk.direction import SHIPPED
from execution.risk.limits import parse
from execution.risk.limits_file import OVERRIDABLE
from execution.risk.overrides import Override

_LONGEST_MINUTES = 24 * 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which limit, how long, who and why."""
    parser.add_argument("rule", choices=OVERRIDABLE, metavar="RULE", help=", ".join(OVERRIDABLE))
    parser.add_argument("value", type=float, metavar="VALUE", help="what holds instead")
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--minutes", type=float, help="until it ends, at most a day")
    end.add_argument(
        "--until", metavar="TIME",
        help="when it ends, within a day: 2026-11-21T17:00 in UTC, or with a zone (+01:00)",
    )  # fmt: skip
    parser.add_argument("--symbol", default="", help="only for this one; default: all")
    parser.add_argument("--by", required=True, metavar="WHO", help="your user name")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Override."""
    if not namespace.value >= 0:
        raise SettingsError("override: VALUE is from 0 on, and holds at most 1440 minutes")
    clock = SystemClock()
    now = clock.now_us()
    until = _end(namespace, now)
    override = Override(
        rule=namespace.rule, value=namespace.value, account=settings.run.account,
        symbol=namespace.symbol, by=namespace.by, reason=namespace.reason, from_us=now,
        until_us=until,
    )  # fmt: skip
    if signing.must_sign(settings):
        return _sign(settings, override)
    path = overrides.path_in(settings.home_path)
    before = overrides.load(path)
    end = datetime.fromtimestamp(until / 1e6, UTC).isoformat(timespec="seconds")
    detail = f"{override} {namespace.symbol or 'all symbols'} until {end}: {namespace.reason}"
    sign(
        settings, clock, namespace.by, "override", detail, subject=namespace.rule,
        reason=namespace.reason, payload={"override": override},
    )  # fmt: skip
    holding = [o for o in before.overrides if o.until_us > now]
    overrides.save(path, replace(before, overrides=[*holding, override]))
    print(f"Until {end}: {namespace.rule} = {namespace.value:g} ({namespace.by}).")
    return 0


def _sign(settings: Settings, override: Override) -> int:
    content = limits_in_force(settings, SystemClock())
    limits = (parse(content, "limits in force") if content else SHIPPED).of(
        override.account, override.symbol
    )
    change = (
        f"override {override.rule}: {getattr(limits, override.rule):g} → {override.value:g} for"
        f" {override.symbol or 'all symbols'} until {signing.time_text(override.until_us)}"
    )
    draft = Draft(
        "override", override.rule, msgspec.json.encode(override), override.by, override.reason,
        override.until_us, changes=(change,),
    )  # fmt: skip
    signing.sign(settings, draft)
    return 0


def _end(namespace: argparse.Namespace, now_us: int) -> int:
    """When it ends; microseconds."""
    if namespace.until is None:
        minutes, option = float(namespace.minutes), f"--minutes {namespace.minutes:g}"
    else:
        minutes = (_time(namespace.until) - now_us) / 60e6
        option = f"--until {namespace.until}"
    if not 0 < minutes <= _LONGEST_MINUTES:
        raise SettingsError(f"override: {option} is not within the next 1440 minutes (a day)")
    return now_us + math.ceil(minutes * 60e6)


def _time(text: str) -> int:
    """Microseconds of a time as a person writes it; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"--until {text}: write 2026-11-21T17:00 (UTC) or with a zone"
        ) from error
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1e6)
