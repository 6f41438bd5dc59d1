"""`tickhouse sessions`: every start, with what it ran on and how it ended."""

import argparse
import json
import platform
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from rich.table import Table

from cli.commands.printed import output
from cli.stack.running import running
from cli.stack.sessions import RUNNING
from core.contracts.session import Session
from core.settings import Settings

#: Of a start that was followed by another, or whose processes are gone, without a last word.
CUT_OFF = "end never written"
_REPLAYED = ("replay", "backtest")


class Here(NamedTuple):
    """This home, and whether its processes run now."""

    host: str
    home: str
    runs: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and how to print."""
    parser.add_argument("--run", default="", metavar="RUN_ID", help="of this run alone")
    parser.add_argument("--replays", action="store_true", help="replays too: each is its own")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Print them, the oldest start of a run first."""
    from adapters.clickhouse import client
    from cli.ingest.warehouse import warehouse
    from streams.explain.sessions import listed

    with warehouse(settings) as where:
        connected = client.connect(where)
        known = listed(connected, namespace.run)
        connected.close()
    if not (namespace.replays or namespace.run):
        known = [one for one in known if one.mode not in _REPLAYED]
    stack = running(settings.home_path)
    here = Here(platform.node(), str(settings.home_path), bool(stack and stack.command == "up"))
    rows = [described(one, known, here) for one in known]
    if namespace.json:
        print(json.dumps({"sessions": rows}))
    else:
        none = "None yet: `tickhouse up` begins one at each start."
        output.console(highlight=False).print(_table(rows) if rows else none)
    return 0


def described(session: Session, known: Sequence[Session], here: Here) -> dict[str, Any]:
    """One session for people. A row that says `running` may be of a start that was cut off.

    Args:
        known: all sessions.
        here: whether the processes of this home run; of other homes nothing is known.
    """
    from streams.explain.account import text

    place = session.host, session.home
    later = any(
        (one.host, one.home, one.run_id) == (*place, session.run_id) and one.number > session.number
        for one in known
    )
    gone = place == (here.host, here.home) and not here.runs
    return {
        **msgspec.structs.asdict(session),
        "versions": msgspec.json.decode(session.versions),
        "fingerprint": msgspec.json.decode(session.fingerprint),
        "began": text(session.ts_start_us),
        "ended": text(session.ts_end_us) if session.ts_end_us else None,
        "status": CUT_OFF if session.status == RUNNING and (later or gone) else session.status,
    }


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="Sessions", title_justify="left")
    for name in ("no.", "session", "began (UTC)", "ended", "by", "mode", "strategy", "version",
                 "limits", "model", "status"):  # fmt: skip
        table.add_column(name, overflow="fold")
    for one in rows:
        table.add_row(
            str(one["number"] or ""), one["session_id"], one["began"], one["ended"] or "",
            f"{one['who']}@{one['host']}", one["mode"], one["strategy"],
            one["versions"]["tickhouse"], one["limits_version"], one["model"][:12], one["status"],
        )  # fmt: skip
    return table
