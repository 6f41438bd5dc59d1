"""`tickhouse throttle release --by WHO --reason TEXT`: a strategy may repeat its entries again."""

import argparse

import msgspec
from msgspec.structs import replace

from cli import signing
from cli.login import sign
from core.clock import Clock, SystemClock
from core.controls.signing import Draft
from core.settings import Settings
from execution.risk import overrides
from execution.risk.overrides import Release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose throttle, who and why."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    release = actions.add_parser("release", help="after a throttle closed; needs a login")
    release.add_argument("--strategy", default="", help="only this one; default: all")
    release.add_argument("--symbol", default="", help="only this one; default: all")
    release.add_argument("--by", required=True, metavar="WHO", help="your user name")
    release.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Release."""
    clock = SystemClock()
    if signing.must_sign(settings):
        return _sign(namespace, settings, _release(namespace, settings, clock))
    path = overrides.path_in(settings.home_path)
    before = overrides.load(path)
    what = f"{namespace.strategy or 'all strategies'} in {namespace.symbol or 'all symbols'}"
    detail = f"{what}: {namespace.reason}"
    sign(settings, clock, namespace.by, "throttle release", detail, reason=namespace.reason)
    released = _release(namespace, settings, clock)
    overrides.save(path, replace(before, releases=[*before.releases, released]))
    print(f"Released: {what} ({namespace.by}: {namespace.reason})")
    return 0


def _release(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> Release:
    return Release(
        settings.run.account, namespace.strategy, namespace.symbol, namespace.by,
        namespace.reason, clock.now_us(),
    )  # fmt: skip


def _sign(namespace: argparse.Namespace, settings: Settings, release: Release) -> int:
    what = f"{release.strategy or 'all strategies'} in {release.symbol or 'all symbols'}"
    draft = Draft(
        "release", release.strategy, msgspec.json.encode(release), namespace.by, namespace.reason,
        changes=(f"throttle of {what}: released",),
    )  # fmt: skip
    signing.sign(settings, draft)
    return 0
