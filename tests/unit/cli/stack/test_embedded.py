import socket
from pathlib import Path

import msgspec
import pytest

from cli.stack.embedded import Ports, choose_ports, embedded_stack, stack_environment, urls
from core import settings
from core.errors import SettingsError
from core.sections import BusSettings, ClickhouseSettings, TerminalSettings
from core.settings import Settings

PORTS = Ports(warehouse=1, bus=2, bus_monitor=3, terminal=4)


def test_ports_are_free_different_and_the_preferred_ones_where_possible() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        busy, good = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        ports = choose_ports(Ports(warehouse=busy, bus=good, bus_monitor=0, terminal=0))
    assert ports.bus == good
    assert busy not in msgspec.structs.astuple(ports)
    assert len(set(msgspec.structs.astuple(ports))) == 4


def test_a_child_loads_the_very_settings_of_its_parent(tmp_path: Path) -> None:
    given = Settings(
        terminal=TerminalSettings(symbols=("EURUSD", "XAUUSD"), seed=11, balance=5.5),
        clickhouse=ClickhouseSettings(password="top secret"),
    )
    loaded = settings.load(stack_environment(given, tmp_path, PORTS), tmp_path)
    expected = msgspec.structs.replace(
        given,
        home=str(tmp_path),
        clickhouse=msgspec.structs.replace(given.clickhouse, url="http://127.0.0.1:1"),
        bus=BusSettings(url="nats://127.0.0.1:2", credentials=str(tmp_path / "credentials")),
        terminal=msgspec.structs.replace(given.terminal, address="127.0.0.1:4"),
    )
    assert loaded == expected


def test_what_runs_elsewhere_is_not_started(tmp_path: Path) -> None:
    given = Settings(
        clickhouse=ClickhouseSettings(url="http://warehouse:8123"),
        bus=BusSettings(url="nats://bus:4222"),
        terminal=TerminalSettings(kind="real"),
    )
    names = [spec.name for spec in embedded_stack(given, tmp_path, PORTS)]
    assert names == [
        "collector",
        "streams.ticks",
        "streams.signals",
        "streams.executions",
        "execution",
    ]
    assert urls(given, PORTS) == {"warehouse": "http://warehouse:8123", "bus": "nats://bus:4222"}


def test_all_needs_are_in_the_stack_and_stop_after_those_who_need_them(tmp_path: Path) -> None:
    specs = {spec.name: spec for spec in embedded_stack(Settings(), tmp_path, PORTS)}
    pairs = [(spec, specs[need]) for spec in specs.values() for need in spec.needs]
    assert len(pairs) == 10
    assert all(spec.stop_stage < need.stop_stage for spec, need in pairs)


def test_a_drain_is_bounded_also_when_nothing_ends_by_itself(tmp_path: Path) -> None:
    longest: dict[int, int] = {}
    for spec in embedded_stack(Settings(), tmp_path, PORTS):
        longest[spec.stop_stage] = max(longest.get(spec.stop_stage, 0), spec.stop_wait_s)
    assert sum(longest.values()) <= 75


def test_a_replay_has_a_bus_of_its_own(tmp_path: Path) -> None:
    home, state = tmp_path / "home", tmp_path / "home" / "replay" / "1"
    specs = {
        spec.name: spec
        for spec in embedded_stack(
            Settings(),
            home,
            PORTS,
            market=("--market", "recorded", "--plan", "plan.json"),
            state=state,
            environment={"TICKHOUSE_RUN__MODE": "replay"},
        )
    }
    assert str(state / "bus") in specs["bus"].command
    assert str(home) in specs["terminal"].command
    assert specs["terminal"].command[-2:] == ("--plan", "plan.json")
    assert str(home) in specs["warehouse"].command
    assert specs["execution"].environment == {"TICKHOUSE_RUN__MODE": "replay"}
    assert specs["warehouse"].environment == {}


def test_kafka_without_an_address_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError, match="TICKHOUSE_BUS__URL"):
        urls(Settings(bus=BusSettings(kind="kafka")), PORTS)
