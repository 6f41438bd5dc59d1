"""`tickhouse doctor`: are settings, ports and test data right, and is what runs well?"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from adapters.bus import select
from adapters.mt5.remote.links import ExchangeLink
from adapters.mt5.remote.terminal import RemoteTerminal
from cli.diagnostics.check import Check, result_of
from cli.diagnostics.status import StackStatus, stack_status
from cli.stack.embedded import USUAL_PORTS
from cli.stack.home_lock import is_taken
from cli.stack.orchestration import USUAL_PORT
from cli.stack.process_state import ProcessState, last_lines
from core import settings
from core.errors import SettingsError
from core.settings import Settings
from core.shipped import IN_CHECKOUT, INSTALL_SCHEDULES
from orchestration import instance

_LOOPING_RESTARTS = 3
_LOOPING_UPTIME_S = 60


def loaded_settings() -> tuple[Settings, Check]:
    """The settings, or the defaults when those given are wrong."""
    try:
        return settings.load(), Check("settings", "ok", "valid")
    except SettingsError as error:
        home = os.environ.get("TICKHOUSE_HOME", Settings().home)
        remedy = "correct it in the environment or in tickhouse.toml"
        return Settings(home=home), Check("settings", "failed", str(error), remedy)


def stack_checks(config: Settings) -> Iterator[Check]:
    """Everything that depends on a home or on what runs in it."""
    status = stack_status(config)
    yield home_lock(status, is_taken(config.home_path))
    if status.stack is None:
        yield ports(config)
    if config.terminal.kind == "agent":
        yield from agent(config)
    yield schedules(config)
    if IN_CHECKOUT:
        yield test_data(Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data")))
    yield from (process(state) for state in status.processes.values())
    for feed in status.feeds:
        yield result_of(
            f"ticks of {feed.symbol}",
            not feed.stale,
            f"market {feed.market}, newest {feed.age_s:,.0f} s old" if feed.last_us else "none yet",
            "look at the logs of terminal, collector and streams.ticks, in this order",
            "failed",
        )


def home_lock(status: StackStatus, taken: bool) -> Check:
    """Who uses the home, and whether its supervisor answers."""
    if status.stack is None:
        if taken:
            remedy = "try again in a minute; `tickhouse status` then tells more"
            return Check("home lock", "warning", "taken: starting or stopping", remedy)
        return Check("home lock", "ok", "free: nothing runs")
    who = f"tickhouse {status.stack.command}, process {status.stack.pid}"
    return result_of(
        "home lock",
        bool(status.processes),
        who if status.processes else f"{who}; {' '.join(status.problems)}",
        f"stop it with `kill {status.stack.pid}` and start again",
        "failed",
    )


def ports(config: Settings) -> Check:
    """The usual ports are free; others are taken instead, which tools must then be told."""
    wanted = msgspec.structs.asdict(USUAL_PORTS)
    if config.clickhouse.url:
        wanted.pop("warehouse")
    if config.orchestration.enabled and not instance.missing():
        wanted["dagster"] = USUAL_PORT
    taken = {name: port for name, port in wanted.items() if not _free(port)}
    listed = ", ".join(f"{name} {port}" for name, port in taken.items())
    return result_of(
        "ports",
        not taken,
        f"taken: {listed}" if taken else "the usual ones are free",
        "nothing, if other ports will do: `tickhouse up` chooses free ones and prints them",
        "warning",
    )


def agent(config: Settings, patience_s: float = 3.0) -> Iterator[Check]:
    """Whether the real terminal's agent answers, and the terminal behind it."""
    name = f"agent {config.terminal.agent}"
    remedy = "on the terminal's host: tickhouse agent; docs/how-to/connect-a-real-terminal.md"
    try:
        exchange = select.door(config.bus, config.terminal.agent)
    except SettingsError as error:
        yield Check(name, "failed", str(error), "correct the section bus of the settings")
        return
    terminal = RemoteTerminal(ExchangeLink(exchange), patience_s)
    try:
        info = terminal.terminal_info()
        state_text = f"answers for {info.name}" if info else terminal.last_error()[1]
        yield result_of(name, info is not None, state_text, remedy, "failed")
    except SettingsError as error:
        yield Check(name, "failed", str(error), remedy)
    finally:
        terminal.shutdown()


def schedules(config: Settings) -> Check:
    """Whether `tickhouse up` starts Dagster; without it nothing runs on a schedule."""
    missing = ", ".join(instance.missing())
    if not config.orchestration.enabled:
        return Check("schedules", "ok", "turned off: TICKHOUSE_ORCHESTRATION__ENABLED")
    return result_of(
        "schedules",
        not missing,
        f"not installed: {missing}" if missing else "Dagster is installed",
        f"{INSTALL_SCHEDULES}, if something is to run on a schedule",
        "warning",
    )


def test_data(folder: Path) -> Check:
    """Only tests and the real-input how-to need it."""
    return result_of(
        "test data",
        (folder / "ticks").is_dir(),
        str(folder) if folder.is_dir() else f"{folder} is missing",
        "only for tests: set TICKHOUSE_TEST_DATA to the folder that holds ticks/",
        "warning",
    )


def process(state: ProcessState) -> Check:
    """Ready, and not only just restarted once more."""
    last = (last_lines(state.log, 1) or ["(its log is empty)"])[0].strip()
    name = f"process {state.name}"
    if state.state in ("fatal", "backoff"):
        remedy = f"its last words: {last} (all of {state.log}); correct that and start again"
        return Check(name, "failed", f"{state.state}: it keeps ending", remedy)
    looping = state.restarts >= _LOOPING_RESTARTS and state.uptime_s < _LOOPING_UPTIME_S
    if looping:
        restarts = f"restarted {state.restarts} times, the last {state.uptime_s} s ago"
        return Check(name, "failed", restarts, f"its last words: {last} (all of {state.log})")
    return result_of(
        name,
        state.ready or state.ended,
        f"{state.health or state.state} {state.detail}".strip(),
        f"wait if it has just started; else read {state.log}",
        "failed",
    )


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
