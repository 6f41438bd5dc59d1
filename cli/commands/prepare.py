"""`tickhouse prepare`: a home and a warehouse elsewhere, made ready for processes without `up`.

In containers, or under an init system of one's own, each process is started by somebody else;
what `tickhouse up` does before it starts them is this command. It may run again at any time.
"""

import argparse

from rich.console import Console

from adapters.bus.roles import OWNER
from adapters.bus.select import connect
from cli.commands.printed import output
from cli.commands.up import shown_settings
from cli.login import note
from cli.stack import sessions, upgrade
from cli.stack.embedded import USUAL_PORTS, beating, live_stack
from cli.stack.warehouse_setup import leave_word, make_marts, migrate, predicts, write_run
from core.clock import SystemClock
from core.errors import SettingsError
from core.identity import this_user
from core.settings import Settings
from core.topics import TICKS
from orchestration import instance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All else is a matter of settings."""
    parser.add_argument(
        "--end",
        action="store_true",
        help="write that the session which the last one began has ended, once its processes have",
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Migrate, make topics, note what runs, write Dagster's files, and tell what was done."""
    url = settings.clickhouse.url
    if not url:
        raise SettingsError(
            "TICKHOUSE_CLICKHOUSE__URL is empty: `prepare` is for a ClickHouse server that runs"
            " already; `tickhouse up` prepares the embedded warehouse itself"
        )
    console = output.console(highlight=False, soft_wrap=True)
    if namespace.end:
        ended = sessions.end_of_home(settings, url, SystemClock())
        console.print(f"Session {ended} has ended.")
        return 0
    if (taking := upgrade.begin(settings.home_path)) is not None:
        console.print(
            f"The home is of {taking.came_from}; as it was it is in {taking.copy}. The warehouse is"
            " elsewhere and not in it: back that up by itself."
        )
    applied = migrate(settings, url)
    make_marts(settings, url)
    console.print(f"{len(applied)} migrations applied to {url}: {', '.join(applied) or 'none due'}")
    leave_word(settings, url)
    write_run(settings, url)
    named = sessions.named(settings, SystemClock())
    expected = beating(live_stack(settings, settings.home_path, USUAL_PORTS))
    session = sessions.begin(named, url, SystemClock(), expected).session_id
    console.print(
        f"Session {session} begins: processes on this home take it up, on others give them"
        f" TICKHOUSE_RUN__SESSION_ID={session}."
    )
    if settings.bus.url:
        _reach_bus(settings, console)
    instance.write(settings.home_path)
    if taking is not None:
        upgrade.finish(settings.home_path)
    console.print(f"Home {settings.home_path} is ready.")
    note(
        settings,
        SystemClock(),
        this_user(),
        "configuration load",
        "prepare",
        loaded=shown_settings(settings),
    )
    if not predicts(settings):
        console.print("There is no champion model yet: nothing predicts until `tickhouse train`.")
    return 0


def _reach_bus(settings: Settings, console: Console) -> None:
    """As owner, who alone makes topics where the brokers hold roles to their ACLs."""
    bus = connect(settings.bus, OWNER)
    try:
        bus.end(TICKS)
    finally:
        bus.close()
    console.print(f"The topics are there at {settings.bus.url}.")
