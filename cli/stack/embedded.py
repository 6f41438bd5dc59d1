"""The embedded stack: which processes there are, how each is started, and who needs whom.

What settings place elsewhere (a warehouse, bus or terminal with an address of its own) is not
started. `up` and `replay` use the same list; only ports, environment and market differ.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from adapters.bus.nats.options import without_secret
from cli.stack.clickhouse_server import clickhouse_server
from cli.stack.free_ports import free_ports
from cli.stack.process_spec import STOP_WAIT_S, ProcessSpec
from core import tls
from core.credentials import directory_of
from core.errors import SettingsError
from core.sections import StreamsSettings
from core.settings import Settings, environment_of, uses_own_warehouse
from streams import shards


class Ports(msgspec.Struct, frozen=True):
    """Loopback ports of the embedded servers."""

    warehouse: int  # ClickHouse HTTP
    bus: int
    bus_monitor: int  # HTTP
    terminal: int


USUAL_PORTS = Ports(warehouse=8123, bus=4222, bus_monitor=8222, terminal=18812)


def choose_ports(preferred: Ports | None = None) -> Ports:
    """Free loopback ports, all different; the preferred ones where those are free."""
    wanted = (
        msgspec.structs.astuple(preferred) if preferred else (0,) * len(Ports.__struct_fields__)
    )
    return Ports(*free_ports(wanted))


def urls(settings: Settings, ports: Ports) -> dict[str, str]:
    """Where a person or tool finds each server, by name.

    Raises:
        SettingsError: the bus is to be Kafka, and nobody says where that is.
    """
    if settings.bus.is_kafka and not settings.bus.url:
        raise SettingsError(
            "bus.kind is kafka, and no broker comes with Tickhouse: name yours"
            " (TICKHOUSE_BUS__URL=kafka://host:port); docs/how-to/distributed.md"
        )
    addresses = {
        "warehouse": settings.clickhouse.url or _warehouse_url(settings, ports),
        "bus": without_secret(settings.bus.url) or _own_bus(settings.home_path, ports),
    }
    if not settings.bus.url:
        secured = tls.scheme(settings.home_path)
        addresses["bus monitor"] = f"{secured}://127.0.0.1:{ports.bus_monitor}"
    if settings.terminal.kind == "simulated":
        addresses["terminal"] = settings.terminal.address or f"127.0.0.1:{ports.terminal}"
    return addresses


def stack_environment(settings: Settings, home: Path, ports: Ports) -> dict[str, str]:
    """These settings, all of them, and the embedded servers' addresses, for every child."""
    environment = {"TICKHOUSE_HOME": str(home)}
    for section in Settings.__struct_fields__:
        content = getattr(settings, section)
        if isinstance(content, msgspec.Struct):
            environment |= environment_of(section, **msgspec.structs.asdict(content))
    where = urls(settings, ports)
    if not settings.bus.url:
        own = {"url": _own_bus(home, ports), "credentials": directory_of(home)}
        environment |= environment_of("bus", **own)
    if not settings.clickhouse.url and uses_own_warehouse(settings):
        environment |= environment_of("clickhouse", credentials=directory_of(home))
    return (
        environment
        | environment_of("clickhouse", url=where["warehouse"])
        | environment_of("terminal", address=where.get("terminal", ""))
    )


def embedded_stack(
    settings: Settings,
    home: Path,
    ports: Ports,
    *,
    market: tuple[str, ...] = ("--market", "generated"),
    state: Path | None = None,
    environment: Mapping[str, str] | None = None,
    drain_s: int = STOP_WAIT_S,
) -> list[ProcessSpec]:
    """The processes that carry a tick, in the order a person reads them.

    Args:
        settings: decide what is embedded.
        home: holds the warehouse; also the bus, unless `state` is given.
        ports: of the embedded servers.
        market: what the simulated terminal shows (`--market recorded --plan PLAN.json`).
        state: another directory for the bus: a replay has its own.
        environment: added to that of collector, streams and execution: a replay's settings.
        drain_s: how long streams and execution may take to finish what is on the bus.
    """
    extra = dict(environment or {})
    elsewhere = {
        "warehouse": bool(settings.clickhouse.url),
        "bus": bool(settings.bus.url),
        "terminal": settings.terminal.kind != "simulated" or bool(settings.terminal.address),
    }
    servers = _servers(settings, home, state or home, ports, market, extra)
    if settings.warehouse.server == "clickhouse" and not elsewhere["warehouse"]:
        servers[0] = clickhouse_server(settings, home, ports.warehouse)
    return [server for server in servers if not elsewhere[server.name]] + [
        _worker("collector", ("streams.collector",), extra, ("bus", "terminal"), 0),
        *(
            worker
            for flow in ("ticks", "signals", "executions")
            for worker in _flow(flow, settings.streams, extra, drain_s)
        ),
        _worker("execution", ("execution",), extra, ("bus", "terminal"), 1, drain_s),
    ]


def live_stack(settings: Settings, home: Path, ports: Ports) -> list[ProcessSpec]:
    """The processes of live trading: a replay has nobody to alert, and its collector an end."""
    stack = embedded_stack(settings, home, ports)
    if settings.bus.is_kafka:
        stack = [_quix_collector() if spec.name == "collector" else spec for spec in stack]
        application = ("streams.quix", "exposure")
        stack.append(_worker("quix.exposure", application, {}, ("bus", "warehouse"), 1))
    return [*stack, _worker("watch", ("surveillance",), {}, ("bus", "warehouse"), 1)]


def beating(stack: Iterable[ProcessSpec]) -> list[str]:
    """Names of the processes that beat: the session says that they should run."""
    return [spec.name for spec in stack if spec.beats]


def _quix_collector() -> ProcessSpec:
    return _worker("collector", ("streams.quix", "collector"), {}, ("bus", "terminal"), 0)


def _servers(
    settings: Settings,
    home: Path,
    state: Path,
    ports: Ports,
    market: tuple[str, ...],
    environment: Mapping[str, str],
) -> list[ProcessSpec]:
    """Warehouse, bus and terminal, whether or not they are needed."""
    return [
        ProcessSpec(
            "warehouse",
            _python(
                "warehouse",
                home=home,
                port=ports.warehouse,
                listen=settings.warehouse.listen,
            ),
            stop_stage=4,
        ),
        ProcessSpec(
            "bus",
            _python(
                "adapters.bus.nats.server",
                home=state / "bus",
                port=ports.bus,
                monitor_port=ports.bus_monitor,
                sync=settings.bus.sync,
                listen=settings.bus.listen,
                credentials=directory_of(home),
            ),
            ready_url=f"{tls.scheme(home)}://127.0.0.1:{ports.bus_monitor}/healthz",
            # A stream that met a full disk refuses to store until its server is started again.
            after_full_disk=True,
            stop_stage=3,
        ),
        ProcessSpec(
            "terminal",
            (*_python("adapters.simulator.server", home=home, port=ports.terminal), *market),
            environment=environment,
            stop_stage=2,
        ),
    ]


def _own_bus(home: Path, ports: Ports) -> str:
    return f"{tls.scheme(home, 'nats', 'tls')}://127.0.0.1:{ports.bus}"


def _warehouse_url(settings: Settings, ports: Ports) -> str:
    host = settings.warehouse.listen
    embedded = settings.warehouse.server == "embedded"  # a `clickhouse` has certificates of its own
    scheme = tls.scheme(settings.home_path) if embedded else "http"
    return f"{scheme}://{'127.0.0.1' if host == '0.0.0.0' else host}:{ports.warehouse}"


def _worker(
    name: str,
    module: tuple[str, ...],
    environment: Mapping[str, str],
    needs: tuple[str, ...],
    stage: int,
    drain_s: int = STOP_WAIT_S,
) -> ProcessSpec:
    return ProcessSpec(
        name,
        (sys.executable, "-m", *module),
        environment,
        needs=needs,
        stop_stage=stage,
        stop_wait_s=drain_s,
        beats=True,
    )


def _flow(
    flow: str, streams: StreamsSettings, environment: Mapping[str, str], drain_s: int
) -> list[ProcessSpec]:
    """Its process, or one for each of its shards."""
    called = shards.names(f"streams.{flow}", shards.of_flow(flow, streams))
    places = [
        {**environment, **environment_of("streams", shard=number)} if len(called) > 1
        else environment
        for number in range(len(called))
    ]  # fmt: skip
    return [
        _worker(name, ("streams", flow), place, ("bus", "warehouse"), 1, drain_s)
        for name, place in zip(called, places, strict=True)
    ]


def _python(module: str, **options: object) -> tuple[str, ...]:
    arguments = [sys.executable, "-m", module]
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    return tuple(arguments)
