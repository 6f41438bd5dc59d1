"""`tickhouse up`: every process of the embedded stack, until Ctrl-C."""

import argparse
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from adapters.bus import select
from adapters.bus.nats.server import LOOPBACK
from cli.chosen_strategy import DESK_HELP, STRATEGY_HELP, chosen_desk
from cli.commands.printed import output
from cli.interrupts import Interrupts
from cli.login import note
from cli.stack import (
    board,
    orchestration,
    planted_edge,
    prometheus,
    sessions,
    simulated_market,
    upgrade,
)
from cli.stack.api_process import api_process
from cli.stack.bot_process import bot_process
from cli.stack.embedded import (
    USUAL_PORTS,
    Ports,
    beating,
    choose_ports,
    live_stack,
    stack_environment,
    urls,
)
from cli.stack.free_ports import free_ports
from cli.stack.hung import Hung
from cli.stack.planted_edge import bringing
from cli.stack.process_state import ProcessState
from cli.stack.processes import Drained, Stack
from cli.stack.warehouse_setup import (
    give_back,
    leave_word,
    make_marts,
    migrate,
    predicts,
    write_run,
)
from core import crashpoint, secrets, tls
from core.clock import SystemClock
from core.credentials import directory_of
from core.errors import BusyError, SettingsError, TickhouseError, UnavailableError
from core.identity import this_user
from core.settings import Settings
from streams import layout, shards
from streams.shards import FLOWS

_REFRESH_S = 2.0  # every process is asked, which costs each of them a little
_SECRET = secrets.NAMES | {"url"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What runs is a matter of settings, but for a few."""
    parser.add_argument("--strategy", metavar="NAME", help=STRATEGY_HELP)
    parser.add_argument("--desk", type=Path, metavar="FILE", help=DESK_HELP)
    parser.add_argument(
        "--grafana", action="store_true", help="also the grafana on PATH, with the boards in it"
    )
    parser.add_argument(
        "--prometheus", action="store_true", help="also the prometheus on PATH, with the rules"
    )
    parser.add_argument(
        "--bot", action="store_true", help="also the bot on Telegram, as bot.enabled says"
    )
    parser.add_argument("--api", action="store_true", help="also the API, as api.enabled says")
    parser.add_argument(
        "--bare", action="store_true", help="no model of the simulated market: nothing predicts"
    )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Start, tell, watch, drain."""
    console = output.console(highlight=False, soft_wrap=True)
    crashpoint.arm_for("up", settings.chaos.crash_at, settings.home_path / "run")
    settings, _ = chosen_desk(namespace.strategy, namespace.desk, settings, trades=True)
    settings = sessions.named(simulated_market.shown(settings, bare=namespace.bare), SystemClock())
    planted_edge.drop_outlived(settings)
    lives = not namespace.bare and planted_edge.comes(settings)
    home = settings.home_path
    ports = choose_ports(msgspec.structs.replace(USUAL_PORTS, bus=settings.bus.port))
    _reachable(settings, ports)
    _as_dealt(settings)
    where = urls(settings, ports)
    pages = board.choose_ports()
    where["live page"] = f"{tls.scheme(home)}://127.0.0.1:{pages.live}"
    if not settings.rules.page:
        rules = msgspec.structs.replace(settings.rules, page=where["live page"])
        settings = msgspec.structs.replace(settings, rules=rules)
    late = [board.live_page(pages.live)]
    if namespace.grafana:
        late.append(board.grafana(settings, home, where["warehouse"], pages.grafana))
        where["grafana"] = f"{tls.scheme(home)}://127.0.0.1:{pages.grafana}"
    if namespace.bot or settings.bot.enabled:
        late.append(bot_process(settings))
    if namespace.api or settings.api.enabled:
        answering = free_ports((settings.api.port,))[0]
        late.append(api_process(answering))
        where["api"] = f"{tls.scheme(home)}://127.0.0.1:{answering}"
    if namespace.prometheus:
        scraping = free_ports((prometheus.USUAL_PORT,))[0]
        late.append(prometheus.prometheus(settings, home, scraping))
        where["prometheus"] = f"{tls.scheme(home)}://127.0.0.1:{scraping}"
    if not (unscheduled := orchestration.absent(settings)):
        dagster = orchestration.choose_port()
        where["dagster"] = orchestration.url(home, dagster)
        late += orchestration.orchestration_stack(home, dagster)
    stack = Stack(
        home,
        stack_environment(settings, home, ports),
        [*live_stack(settings, home, ports), *late],
        command="up",
        urls=where,
    )
    try:
        with Interrupts() as interrupts, stack:
            try:
                _start(stack, settings, where, console, lives=lives)
                if unscheduled:
                    console.print(unscheduled)
                with bringing(settings, stack.environment, console) if lives else nullcontext():
                    _make_marts(settings, where["warehouse"], console)
                    _start_late(stack, console)
                    _watch(stack, console)
            finally:
                interrupts.stopping = True
    except KeyboardInterrupt:
        if stack.drained:
            console.print(farewell(stack.drained))
    return 0


def _reachable(settings: Settings, ports: Ports) -> None:
    """Who was invited from elsewhere finds the bus where he was told, or nothing starts."""
    bus = settings.bus
    if bus.url or bus.listen == LOOPBACK:
        return
    if not tls.files(settings.home_path):
        raise SettingsError(f"bus.listen is {bus.listen}, which needs TLS: tickhouse agent invite")
    if ports.bus != bus.port:
        raise BusyError(
            f"port {bus.port}, at which an agent elsewhere looks for the bus, is taken: free it, or"
            " choose another (TICKHOUSE_BUS__PORT) and invite the agent again"
        )


def _as_dealt(settings: Settings) -> None:
    """Flows that would be refused their state are refused before anything starts."""
    for flow in FLOWS:
        count = shards.of_flow(flow, settings.streams)
        layout.of_shard(settings.home_path / "state", flow, count, 0)


def _start(
    stack: Stack, settings: Settings, where: Mapping[str, str], console: Console, *, lives: bool
) -> None:
    begin = time.monotonic()

    def on_ready(name: str) -> None:
        console.print(f"  {name} ready after {time.monotonic() - begin:.1f} s")
        if name == "warehouse":
            _begin(stack, settings, where["warehouse"])
        if name == "bus":
            own = str(directory_of(stack.home))
            bus = msgspec.structs.replace(settings.bus, url=where["bus"], credentials=own)
            select.shape_topics(bus)

    console.print(f"Tickhouse starts in {stack.home}")
    taking = upgrade.begin(stack.home)
    if taking is not None:
        console.print(
            f"The home is of {taking.came_from} and is taken over by {taking.to}. As it was it is"
            f" in {taking.copy}; the way back: tickhouse restore {taking.copy}"
        )
    note(
        settings,
        SystemClock(),
        this_user(),
        "configuration load",
        "up",
        loaded=shown_settings(settings),
    )
    if "warehouse" not in stack.specs:  # it runs elsewhere, so it is ready already
        _begin(stack, settings, where["warehouse"])
    stack.start_all(on_ready)
    if taking is not None:
        upgrade.finish(stack.home)
    console.print(_welcome(where, stack.home, time.monotonic() - begin))
    if lives:
        console.print(
            "A model of the simulated market's planted edge is on its way: predictions, signals"
            " and orders follow within a minute. Without it: tickhouse up --bare"
        )
    elif not predicts(settings):
        console.print(
            "There is no champion model yet: features are computed and stored;"
            " nothing predicts until `tickhouse train`."
        )


def _begin(stack: Stack, settings: Settings, url: str) -> None:
    """Tables, the run's row, and the session, which a drain will end."""
    migrate(settings, url)
    leave_word(settings, url)
    write_run(settings, url)
    session = sessions.begin(settings, url, SystemClock(), beating(stack.specs.values()))

    def end() -> None:
        sessions.end(settings, url, session, SystemClock())
        give_back(settings, url)

    stack.before_last = end


def shown_settings(settings: Settings) -> dict[str, Any]:
    """The settings without what is secret in them."""
    loaded: dict[str, Any] = msgspec.to_builtins(settings)
    for section in loaded.values():
        if isinstance(section, dict):
            section.update({name: "..." for name in _SECRET & section.keys() if section[name]})
    return loaded


def _make_marts(settings: Settings, url: str, console: Console) -> None:
    """What pages and Dagster ask for, and nobody before them; trading runs on without."""
    try:
        make_marts(settings, url)
    except TickhouseError as error:
        console.print(
            f"Marts are not there yet: {error}\nDagster's next build makes them, or the next"
            " tickhouse up; nothing that trades needs them."
        )


def _start_late(stack: Stack, console: Console) -> None:
    """Pages and Dagster: what fails there is told, and everything else runs on."""
    begin = time.monotonic()
    try:
        stack.start_late(
            lambda name: console.print(
                f"  {name} ready after {time.monotonic() - begin:.1f} s more"
            )
        )
    except UnavailableError:  # the supervisor itself
        raise
    except TickhouseError as error:
        console.print(f"Not everything else started: {error}")


def _welcome(where: Mapping[str, str], home: Path, seconds: float) -> Panel:
    table = Table.grid(padding=(0, 2))
    titles = {"warehouse": "ClickHouse HTTP", "bus monitor": "NATS monitor"}
    titles["dagster"] = "Dagster, ready in a minute"
    for name, url in where.items():
        table.add_row(titles.get(name, name), url)
    table.add_row("logs", str(home / "logs"))
    table.add_row("look", "tickhouse status · tickhouse doctor")
    table.add_row("stop", "Ctrl-C drains; `tickhouse halt` stops trading only")
    return Panel(table, title=f"Tickhouse is up after {seconds:.1f} s", expand=False)


def _watch(stack: Stack, console: Console) -> None:
    begin = time.monotonic()
    if not console.is_terminal:
        _follow(stack, lambda line: console.print(line))
        return
    hung = Hung()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            since = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - begin))
            states = stack.state()
            live.update(Text.assemble(f"up {since}  ", summary(states)), refresh=True)
            hung.end(states)
            time.sleep(_REFRESH_S)


def _follow(stack: Stack, print_line: Callable[[Text], None]) -> None:
    last, hung = "", Hung()
    while True:
        states = stack.state()
        line = summary(states)
        if line.plain != last:
            print_line(line)
            last = line.plain
        for name in hung.end(states):
            print_line(Text(f"{name} hung and was killed; it starts again", style="yellow"))
        time.sleep(_REFRESH_S)


def summary(states: Mapping[str, ProcessState]) -> Text:
    """One line: how many are ready, who is not and why, how often something was restarted."""
    ready = sum(state.ready for state in states.values())
    line = Text(f"{ready} of {len(states)} ready", style="green" if ready == len(states) else "red")
    for state in states.values():
        if not state.ready:
            line.append(f"  {state.name}: {state.health or state.state}")
            if state.detail:
                line.append(f" ({state.detail})")
            if state.state == "fatal":
                line.append(f" given up, see {state.log}")
    restarts = {s.name: s.restarts for s in states.values() if s.restarts}
    if restarts:
        listed = ", ".join(f"{name} ({count})" for name, count in restarts.items())
        line.append(f"  restarted: {listed}", style="yellow")
    return line


def farewell(drained: Drained) -> str:
    """What was stopped, and whether everything ended by itself."""
    text = f"Stopped in {drained.seconds:.1f} s: {', '.join(drained.stopped) or 'nothing ran'}."
    if drained.killed:
        text += f" Killed, because they did not end in time: {', '.join(drained.killed)}."
    return f"{text} Nothing is left running."
