"""At a real terminal's agent everybody asks in his own name, and only execution trades."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from adapters.bus import select
from adapters.bus.roles import ROLES
from adapters.bus.rpc import base as door
from adapters.bus.rpc.server import RpcServer
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.remote import frames, hello
from adapters.mt5.remote.answers import ARGUMENTS, TerminalCalls
from adapters.mt5.remote.links import ExchangeLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core.credentials import directory_of
from core.errors import UnavailableError
from core.sections import BusSettings, TerminalSettings
from tests.support.foreign_broker import ForeignBroker
from tests.support.servers import NatsServer

_REAL = TerminalSettings(kind="real", symbols=("BITCOIN",), source="icm")
_BUY = {"action": mt5.TRADE_ACTION_DEAL, "symbol": "BITCOIN", "type": 0, "volume": 0.1}
_STOPS = {"action": mt5.TRADE_ACTION_SLTP, "symbol": "BITCOIN", "position": 1, "sl": 1.0}
_CANCEL = {"action": mt5.TRADE_ACTION_REMOVE, "symbol": "BITCOIN", "order": 1}


class Desk(NamedTuple):
    """An agent beside a broker's terminal, and the bus that leads to it."""

    settings: BusSettings
    broker: ForeignBroker

    def asking(self, role: str) -> RemoteTerminal:
        """Its terminal, as a process of that role has it."""
        return RemoteTerminal(ExchangeLink(select.door(self.settings, "desk", role)), 10.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    broker = ForeignBroker(
        SimulatedTerminal(GeneratedMarket(("BTCUSD",), "x", 7)), {"BTCUSD": "BITCOIN"}, "Etc/GMT-3"
    )
    credentials, stop = directory_of(tmp_path), threading.Event()
    with NatsServer(tmp_path / "bus", credentials) as server:
        settings = BusSettings(url=server.url, credentials=str(credentials))
        agent = RpcServer(settings, "desk")

        def serve() -> None:
            terminal = RealTerminal(_REAL, broker)
            terminal.initialize()
            agent.serve(TerminalCalls(terminal).answer, stop)

        agent.claim(10.0)
        serving = threading.Thread(target=serve)
        serving.start()
        yield Desk(settings, broker)
        stop.set()
        serving.join()
        agent.close()


def test_a_collector_reads_and_neither_orders_changes_nor_claims(desk: Desk) -> None:
    collector = desk.asking("collector")
    assert collector.initialize()
    assert collector.symbol_info_tick("BITCOIN").bid > 0
    for request in (_BUY, _STOPS, _CANCEL):
        assert collector.order_send(request) is None
        assert collector.last_error() == (mt5.RES_E_AUTH_FAILED, "order_send: not for collector")
    with pytest.raises(UnavailableError, match="not for collector"):
        collector.claim(99, "a collector")
    collector.shutdown()
    assert desk.broker.requests == []
    execution = desk.asking("execution")
    assert execution.claim(1, "the first")
    assert execution.order_send(_BUY) is not None
    assert len(desk.broker.requests) == 1
    execution.shutdown()


def test_a_request_that_names_nobody_is_not_carried_out_and_says_so() -> None:
    order = msgspec.msgpack.encode(frames.Call("order_send", 0, [_BUY]))
    answers = TerminalCalls(None)  # type: ignore[arg-type] - nothing is asked of it
    head, _ = frames.split(answers.answer(order, ""))
    answer = msgspec.msgpack.decode(head, type=frames.Answer)
    assert answer.code == mt5.RES_E_INTERNAL_FAIL_CONNECT  # to every version: surely not sent
    assert "answers no older version" in answer.text


@pytest.mark.parametrize("role", ["collector", "reader", "somebody"])
@pytest.mark.parametrize("method", sorted(ARGUMENTS))
def test_what_a_role_does_not_list_is_denied(role: str, method: str) -> None:
    if method not in hello.ROLES.get(role, ()):
        call = msgspec.msgpack.encode(frames.Call(method, 0, _arguments(method)))
        head, _ = frames.split(TerminalCalls(None).answer(call, role))  # type: ignore[arg-type]
        answer = msgspec.msgpack.decode(head, type=frames.Answer)
        assert (answer.code, answer.text) == (mt5.RES_E_AUTH_FAILED, f"{method}: not for {role}")


def _arguments(method: str) -> list[object]:
    return [_BUY] if method == "order_send" else []


def test_every_role_on_the_bus_that_asks_is_one_that_the_terminal_knows() -> None:
    asking = {role.door for role in ROLES.values()} - {"", "answers"}
    assert asking <= set(hello.ROLES)
    assert "." not in "".join(asking), f"a token of {door.subject('desk')}"
