"""A real terminal's agent in a process of its own, reached over NATS with TLS."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from adapters.bus import select
from adapters.mt5 import connect
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real import broker_file
from adapters.mt5.real.broker_file import Broker
from adapters.mt5.real.server_clock import OffsetRule
from adapters.mt5.venue.orders import Venue, VenueOrder
from cli.diagnostics.checks_stack import agent
from cli.main import main
from core.contracts import codec
from core.contracts.tick import TickBatch
from core.errors import UnavailableError
from core.sections import BusSettings, TerminalSettings
from core.settings import Settings, environment_of
from core.topics import TICKS
from tests.support.agent_process import NAMES
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.process
TERMINAL = TerminalSettings(kind="agent", symbols=("BTCUSD",), source="icm")
RULE = OffsetRule(datetime(2020, 1, 1, tzinfo=UTC), "", 3 * 3600)
BROKER = Broker("icm", "Broker-Live", NAMES, [RULE])


def environment(home: Path, bus: BusSettings, **terminal: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    given = {"symbols": "BTCUSD", "source": "icm", **terminal}
    return {
        **kept, "TICKHOUSE_HOME": str(home), **environment_of("bus", **asdict(bus)),
        **environment_of("terminal", **given),
    }  # fmt: skip


@contextmanager
def agent_at(
    tmp_path: Path, server: TlsServer, slow_ms: int = 20
) -> Iterator["subprocess.Popen[str]"]:
    """An agent that answers, on a host of its own."""
    home = tmp_path / "windows"
    environ = environment(home, server.settings, kind="real", symbols="BITCOIN")
    line = [sys.executable, "-m", "tests.support.agent_process", str(home), str(slow_ms)]
    process = subprocess.Popen(line, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def connected(server: TlsServer, home: Path) -> Terminal:
    """As collector and execution do it."""
    broker_file.save(broker_file.path_in(home), BROKER)
    return connect.terminal(TERMINAL, home, partial(select.door, server.settings), role="execution")


def order(name: str, terminal: Terminal) -> VenueOrder:
    tick = terminal.symbol_info_tick("BTCUSD")
    return VenueOrder(
        order_id=name, source="icm", symbol="BTCUSD", side="buy", volume=0.1, price=tick.ask,
        stop_price=tick.ask * 0.9, tolerance=1000.0,
    )  # fmt: skip


def requests(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "windows" / "account.log").read_text().splitlines()[1:]
    return [json.loads(line[9:]) for line in lines]


def test_a_survey_through_the_agent_then_ticks_and_an_order(
    tmp_path: Path,
    tls_server: TlsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "linux"
    for name, value in environment(home, tls_server.settings, kind="agent").items():
        monkeypatch.setenv(name, value)
    with agent_at(tmp_path, tls_server) as process:
        assert main(["connect", "--source", "icm", "--weeks=0"]) == 0
        described = broker_file.load(broker_file.path_in(home))
        assert (described.symbols, described.server) == (NAMES, "Broker-Live")
        door = partial(select.door, tls_server.settings)
        terminal = connect.terminal(TERMINAL, home, door, role="execution")
        assert abs(terminal.symbol_info_tick("BTCUSD").time_msc / 1000 - time.time()) < 120
        venue, began_us = Venue(terminal, 86_400.0), time.time_ns() // 1000
        wanted = order("ab" * 16, terminal)
        assert venue.send(wanted).kind == "working"
        assert venue.find(wanted, began_us).kind == "filled"
        config = Settings(bus=tls_server.settings, terminal=TERMINAL)
        assert [check.result for check in agent(config)] == ["ok"]
        terminal.shutdown()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert [check.result for check in agent(config, 0.5)] == ["failed"]


def test_an_agent_killed_within_order_send_leaves_it_unknown_until_it_is_asked(
    tmp_path: Path,
    tls_server: TlsServer,
) -> None:
    began_us = time.time_ns() // 1000
    with agent_at(tmp_path, tls_server, slow_ms=2000) as process:
        terminal = connected(tls_server, tmp_path / "linux")
        venue, wanted = Venue(terminal, 86_400.0), order("cd" * 16, terminal)
        killer = threading.Thread(target=_kill_once_sent, args=(process, tmp_path))
        killer.start()
        answer = venue.send(wanted)
        killer.join()
        assert answer.kind == "unknown"
        assert terminal.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_TIMEOUT
    with agent_at(tmp_path, tls_server, slow_ms=2000):
        outcome = _until(lambda: venue.find(wanted, began_us), lambda o: o.kind == "filled")
        assert outcome.kind == "filled"
        terminal.shutdown()
    assert len(requests(tmp_path)) == 1


def _kill_once_sent(process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    _until(lambda: len(requests(tmp_path)), bool)
    process.kill()


def test_a_second_agent_of_the_name_leaves(
    tmp_path: Path,
    tls_server: TlsServer,
) -> None:
    with agent_at(tmp_path, tls_server):
        terminal = connected(tls_server, tmp_path / "linux")
        (tmp_path / "second").mkdir()
        with agent_at(tmp_path / "second", tls_server) as second:
            _, complaint = second.communicate(timeout=30)
            assert second.returncode == 2
            assert "another agent named desk" in complaint
        assert terminal.account_info() is not None
        terminal.shutdown()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [("ca", "certificate verify failed"), ("password", "Authorization Violation")],
)
def test_a_wrong_ca_or_password_gets_nobody_in(
    tmp_path: Path,
    tls_server: TlsServer,
    wrong: str,
    problem: str,
) -> None:
    value = tls_server.wrong_ca if wrong == "ca" else "battery staple"
    settings = replace(tls_server.settings, **{wrong: value})
    door = select.door(settings, "desk")
    assert not door.open(1.0)
    assert problem.lower() in door.problem.lower()
    door.close()
    config = Settings(bus=settings, terminal=TERMINAL)
    checked = list(agent(config, 0.5))
    assert [check.result for check in checked] == ["failed"]
    assert problem.lower() in checked[0].found.lower()


def test_without_tls_the_server_is_not_spoken_to(tls_server: TlsServer) -> None:
    plain = BusSettings(url=tls_server.url, user="desk", password="correct horse")
    door = select.door(plain, "desk")
    assert not door.open(0.5)
    door.close()


def test_collector_and_execution_run_on_an_agent_by_settings_alone(
    tmp_path: Path,
    tls_server: TlsServer,
) -> None:
    home = tmp_path / "linux"
    broker_file.save(broker_file.path_in(home), BROKER)
    environ = environment(home, tls_server.settings, kind="agent")
    environ |= {"TICKHOUSE_COLLECTOR__BACKFILL_MINUTES": "1"}
    with agent_at(tmp_path, tls_server):
        running = [
            subprocess.Popen([sys.executable, "-m", name], env=environ)
            for name in ("streams.collector", "execution")
        ]
        bus = select.connect(tls_server.settings, "test")
        try:
            last = _until(lambda: bus.last(TICKS), bool)
            batch = codec.decode(TICKS.name, last.payload)
            assert isinstance(batch, TickBatch)
            assert (batch.source, batch.symbol) == ("icm", "BTCUSD")
            states = [_until(partial(_state, home, n), bool) for n in ("collector", "execution")]
            assert states == ["1 symbols", "shadow"]  # a real terminal's account is locked
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(30) for process in running]
            bus.close()
    assert codes == [0, 0]
    assert requests(tmp_path) == []


def _state(home: Path, name: str) -> str:
    """What a process says of itself once it is ready."""
    import urllib.request

    path = home / "run" / f"{name}.json"
    if not path.exists():
        return ""
    port = json.loads(path.read_text())["health_port"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return str(json.load(answer)["detail"])
    except OSError:
        return ""


def _until(question: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 40
    while True:
        try:
            answer = question()
        except (OSError, UnavailableError):
            answer = None
        if answer is not None and holds(answer):
            return answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
