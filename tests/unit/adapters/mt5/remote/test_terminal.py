"""What goes over the wire, and what a client does when the server is lost."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from adapters.mt5 import connect
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.remote import frames, hello
from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.server import Server
from core.errors import UnavailableError
from core.process import Stopping
from core.sections import TerminalSettings
from tests.support.markets import TUESDAY, order, terminal
from tests.support.servers import free_port
from tests.support.terminals import asking
from tests.support.waiting import until

FEEDS = {"EURUSD_a": [(TUESDAY, 1.1, 1.1001)]}


@contextmanager
def deaf_server(credentials: Path, hangs: bool = False) -> Iterator[tuple[str, list[frames.Call]]]:
    """Reads one call per connection and closes without an answer, or leaves it to the client."""
    calls: list[frames.Call] = []
    listener = socket.create_server(("127.0.0.1", 0))
    keys = {"execution": hello.secret_of(credentials, "execution")}

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            hello.receive(client, keys, 5.0)
            channel = frames.Channel(client)
            frame = channel.receive()
            if frame is not None:
                calls.append(msgspec.msgpack.decode(frame[0], type=frames.Call))
            if hangs:
                channel.receive()
            channel.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", calls
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_an_order_whose_answer_is_lost_is_none_and_never_sent_again(tmp_path: Path) -> None:
    with deaf_server(tmp_path) as (address, calls):
        remote = RemoteTerminal(TcpLink(address, tmp_path, "execution"), timeout_s=1.0)
        remote.at(5)
        assert remote.order_send(order("EURUSD", "buy")) is None
        assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_TIMEOUT
        remote.shutdown()
    assert [(call.method, call.now_msc) for call in calls] == [("order_send", 5)]


def test_a_read_is_repeated_until_the_timeout(tmp_path: Path) -> None:
    with deaf_server(tmp_path) as (address, calls):
        remote = RemoteTerminal(TcpLink(address, tmp_path, "execution"), timeout_s=0.4)
        assert remote.account_info() is None
        assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT
        with pytest.raises(UnavailableError):
            remote.slice(1)
        remote.shutdown()
    assert len(calls) > 2


@pytest.mark.parametrize("hangs", [True, False])
def test_who_is_told_to_stop_waits_for_no_answer(tmp_path: Path, hangs: bool) -> None:
    """A terminal may hang, or end in the same moment: an hour is not waited for."""
    stopping = Stopping()
    with deaf_server(tmp_path, hangs) as (address, calls), ThreadPoolExecutor(1) as pool:
        link = TcpLink(address, tmp_path, "execution", stopping)
        remote = RemoteTerminal(link, timeout_s=3600.0)
        reading = pool.submit(remote.account_info)
        until(lambda: calls)
        stopping.soon()
        assert reading.result() is None
        assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT
        known = len(calls)
        assert remote.account_info() is None
        remote.shutdown()
    assert len(calls) == known


def test_who_is_told_to_stop_waits_for_no_terminal(tmp_path: Path) -> None:
    stopping = Stopping()
    stopping.soon()
    settings = TerminalSettings(kind="simulated", address=f"127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="does not answer"):
        connect.terminal(settings, tmp_path, role="collector", stopping=stopping)


def test_without_a_server_nothing_is_sent(tmp_path: Path) -> None:
    remote = RemoteTerminal(TcpLink("127.0.0.1:9", tmp_path, "execution"), timeout_s=0.1)
    assert remote.order_send(order("EURUSD", "buy")) is None
    assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT
    assert remote.initialize() is False


def test_a_client_goes_on_with_a_restarted_server(tmp_path: Path) -> None:
    first = Server(terminal(FEEDS), tmp_path)
    remote = asking(first, timeout_s=5.0)
    assert remote.initialize()
    first.close()
    second = Server(terminal(FEEDS), tmp_path, int(first.address.split(":")[1]))
    assert remote.symbol_info("EURUSD").digits == 5
    remote.shutdown()
    second.close()


def raw_call(server: Server, method: str, *arguments: object) -> frames.Answer:
    link = TcpLink(server.address, server.credentials, "execution")
    assert link.open(5.0)
    head, _ = link.ask(msgspec.msgpack.encode(frames.Call(method, 0, list(arguments))), 5.0)
    link.close()
    return msgspec.msgpack.decode(head, type=frames.Answer)


@pytest.mark.parametrize("method", ["decide", "shutdown", "__class__", "_account", "at"])
def test_only_listed_methods_can_be_called(tmp_path: Path, method: str) -> None:
    server = Server(terminal(FEEDS), tmp_path)
    answer = raw_call(server, method)
    assert answer.code == mt5.RES_E_UNSUPPORTED
    server.close()


def test_wrong_arguments_are_an_answer_not_a_crash(tmp_path: Path) -> None:
    server = Server(terminal(FEEDS), tmp_path)
    assert raw_call(server, "symbol_info").code == mt5.RES_E_INTERNAL_FAIL
    assert raw_call(server, "order_send", {"volume": "x"}).code == mt5.RES_E_INTERNAL_FAIL
    assert raw_call(server, "symbol_info", "EURUSD").code == mt5.RES_S_OK
    server.close()
