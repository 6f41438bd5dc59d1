"""`tickhouse shards N`: the state of the flows dealt to another number of processes."""

import argparse

from cli.commands.printed import output
from cli.login import note
from core.clock import SystemClock
from core.errors import InputError
from core.identity import this_user
from core.settings import Settings

_MOST = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many of each."""
    parser.add_argument(
        "count", type=_count, nargs="?", metavar="N", help="of flows ticks and signals each"
    )
    parser.add_argument(
        "--accounts", type=_count, metavar="N", help="of flow executions, by account"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Deal what is there; what was never begun needs nothing.

    Raises:
        BusyError: a process of such a flow runs.
        SettingsError: state that cannot be dealt.
        InputError: no number.
    """
    from streams.deal_flows import deal_anew  # imports numba, which --help need not wait for

    if namespace.count is None and namespace.accounts is None:
        raise InputError("tickhouse shards", "say how many: tickhouse shards 4, or --accounts 2")
    wanted = {"ticks": namespace.count, "signals": namespace.count,
              "executions": namespace.accounts}  # fmt: skip
    console = output.console(highlight=False, soft_wrap=True)
    for flow, count in wanted.items():
        if count is None:
            continue
        before = deal_anew(settings.home_path / "state", flow, count)
        changed = f"{before} to {count}" if before else f"{count}, nothing was kept yet"
        console.print(f"  {flow}: {changed}")
        if before:
            note(settings, SystemClock(), this_user(), "shards", flow, before=before, now=count)
    if namespace.count is not None:
        console.print(f"Start with TICKHOUSE_STREAMS__SHARDS={namespace.count}")
    if namespace.accounts is not None:
        console.print(f"Start with TICKHOUSE_STREAMS__ACCOUNT_SHARDS={namespace.accounts}")
    return 0


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text}: a number from 1 to {_MOST}")
    return int(text)
