"""The real processes of live trading, with a proxy on each way to bus and terminal.

On a netting account two strategies of a desk share each position; on both kinds a firm's rules
look at every order: its lots are reached again and again, its losses are too far away.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from cli.stack.embedded import choose_ports, embedded_stack, stack_environment, urls
from cli.stack.process_spec import ProcessSpec
from cli.stack.processes import Stack
from cli.stack.warehouse_setup import migrate
from core.credentials import directory_of
from core.desk import DESK, path_in
from core.home_users import OWNER, sign_in
from core.sections import (
    ClickhouseSettings,
    CollectorSettings,
    ExecutionSettings,
    RunSettings,
    TerminalSettings,
)
from core.settings import Settings, environment_of
from tests.chaos.faults import Fault
from tests.chaos.proxy import Proxy

RUN = RunSettings("chaos", "demo", "chaos", "scripted")
STRATEGIES = "scripted", "another"  # of the desk
LOTS = 0.1
FIRM_LOTS = 0.15  # of all symbols
_LIMITS = f"""\
version = "chaos"
[limits]
lots = {LOTS}
max_position_lots = {LOTS}
max_orders_per_minute = 10000
[accounts.chaos]
firm = "far"
[firms.far]
dated = 2026-11-24
source = "invented"
daily_loss_share = 0.5
daily_loss_from = "higher"
drawdown_share = 0.6
drawdown_kind = "trailing"
max_open_lots = {FIRM_LOTS}
"""
_DESK = "".join(f'[strategies.{name}]\nuse = "trend"\n' for name in STRATEGIES)


class Rig:
    """Everything that runs, and what can be done to it."""

    def __init__(self, stack: Stack, settings: Settings, proxies: dict[str, Proxy]) -> None:
        self.stack, self.settings, self._proxies = stack, settings, proxies
        self.home = settings.home_path

    def inflict(self, fault: Fault) -> None:
        """Do it, and undo it when its time is over."""
        time.sleep(fault.pause_s)
        if fault.kind in ("kill", "stop"):
            self._process(fault)
        else:
            self._link(fault)

    def heal(self) -> None:
        """Every link passes on what it gets."""
        for proxy in self._proxies.values():
            proxy.heal()

    def wait_ready(self) -> None:
        """Return when every process is back."""
        for name in self.stack.specs:
            self.stack.wait_ready(name, 60)

    def _process(self, fault: Fault) -> None:
        pid = self.stack.state()[fault.target].pid
        with contextlib.suppress(ProcessLookupError):
            if fault.kind == "kill" and pid:
                os.kill(pid, signal.SIGKILL)
            elif pid:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(fault.seconds)
                os.kill(pid, signal.SIGCONT)

    def _link(self, fault: Fault) -> None:
        proxy = self._proxies[fault.target]
        proxy.lag_s = fault.lag_s
        proxy.swallows = fault.kind == "hole"
        proxy.refuses = fault.kind == "refuse"
        if fault.kind in ("cut", "refuse"):
            proxy.cut()
        time.sleep(fault.seconds)
        proxy.heal()
        if fault.kind == "hole":
            proxy.cut()


@contextlib.contextmanager
def running(
    home: Path, begin_msc: int, symbols: tuple[str, ...], *, netting: bool
) -> Iterator[Rig]:
    """The stack, started and ready, and drained at the end."""
    ports = choose_ports()
    settings = Settings(
        home=str(home), run=replace(RUN, strategy=DESK) if netting else RUN,
        execution=ExecutionSettings(lots=LOTS),
        terminal=TerminalSettings(symbols=symbols, netting=netting),
        collector=CollectorSettings(poll_ms=10),
    )  # fmt: skip
    home.mkdir(parents=True, exist_ok=True)
    if netting:
        path_in(home).write_text(_DESK)
    (home / "limits.toml").write_text(_LIMITS)
    with Proxy(ports.bus) as bus, Proxy(ports.terminal) as terminal:
        between = environment_of("bus", url=f"nats://127.0.0.1:{bus.port}") | environment_of(
            "terminal", address=f"127.0.0.1:{terminal.port}"
        )
        specs = [
            _on_real_ticks(spec, begin_msc, ports.terminal, settings)
            for spec in embedded_stack(settings, home, ports, environment=between)
            if spec.name not in ("streams.ticks", "streams.signals")
        ]
        where = urls(settings, ports)
        own = str(directory_of(home))
        warehouse = ClickhouseSettings(url=where["warehouse"], credentials=own)
        known = replace(
            settings,
            bus=replace(settings.bus, url=where["bus"], credentials=own),
            clickhouse=sign_in(warehouse, OWNER),
        )
        environment = stack_environment(settings, home, ports)
        with Stack(home, environment, specs, command="chaos", urls=where) as stack:
            stack.start_all(lambda name: name == "warehouse" and migrate(known, where["warehouse"]))
            yield Rig(stack, known, {"bus": bus, "terminal": terminal})


def _on_real_ticks(spec: ProcessSpec, begin_msc: int, port: int, settings: Settings) -> ProcessSpec:
    spec = replace(spec, start_retries=20)
    if spec.name != "terminal":
        return spec
    line = [sys.executable, "-m", "tests.chaos.terminal", "--home", settings.home]
    line += ["--port", str(port), "--begin", str(begin_msc)]
    return replace(spec, command=(*line, *["--netting"] * settings.terminal.netting))
