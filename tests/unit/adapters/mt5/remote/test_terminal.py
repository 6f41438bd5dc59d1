"""What goes over the wire, and what a client does when the server is lost."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.remote import frames
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.server import Server
from core.errors import UnavailableError
from tests.support.markets import TUESDAY, order, terminal

FEEDS = {"EURUSD_a": [(TUESDAY, 1.1, 1.1001)]}


@contextmanager
def deaf_server() -> Iterator[tuple[str, list[frames.Call]]]:
    """Reads one call per connection and closes without an answer."""
    calls: list[frames.Call] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            channel = frames.Channel(client)
            frame = channel.receive()
            if frame is not None:
                calls.append(msgspec.msgpack.decode(frame[0], type=frames.Call))
            channel.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", calls
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_an_order_whose_answer_is_lost_is_none_and_never_sent_again() -> None:
    with deaf_server() as (address, calls):
        remote = RemoteTerminal(address, timeout_s=1.0)
        remote.at(5)
        assert remote.order_send(order("EURUSD", "buy")) is None
        assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_TIMEOUT
        remote.shutdown()
    assert [(call.method, call.now_msc) for call in calls] == [("order_send", 5)]


def test_a_read_is_repeated_until_the_timeout() -> None:
    with deaf_server() as (address, calls):
        remote = RemoteTerminal(address, timeout_s=0.4)
        assert remote.account_info() is None
        assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT
        with pytest.raises(UnavailableError):
            remote.slice(1)
        remote.shutdown()
    assert len(calls) > 2


def test_without_a_server_nothing_is_sent() -> None:
    remote = RemoteTerminal("127.0.0.1:9", timeout_s=0.1)
    assert remote.order_send(order("EURUSD", "buy")) is None
    assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT
    assert remote.initialize() is False


def test_a_client_goes_on_with_a_restarted_server() -> None:
    first = Server(terminal(FEEDS))
    remote = RemoteTerminal(first.address, timeout_s=5.0)
    assert remote.initialize()
    first.close()
    second = Server(terminal(FEEDS), int(first.address.split(":")[1]))
    assert remote.symbol_info("EURUSD").digits == 5
    remote.shutdown()
    second.close()


def raw_call(address: str, method: str, *arguments: object) -> frames.Answer:
    host, port = address.split(":")
    channel = frames.Channel(socket.create_connection((host, int(port)), timeout=5))
    channel.send(msgspec.msgpack.encode(frames.Call(method, 0, list(arguments))))
    frame = channel.receive()
    channel.close()
    assert frame is not None
    return msgspec.msgpack.decode(frame[0], type=frames.Answer)


@pytest.mark.parametrize("method", ["decide", "shutdown", "__class__", "_account", "at"])
def test_only_listed_methods_can_be_called(method: str) -> None:
    server = Server(terminal(FEEDS))
    answer = raw_call(server.address, method)
    assert answer.code == mt5.RES_E_UNSUPPORTED
    server.close()


def test_wrong_arguments_are_an_answer_not_a_crash() -> None:
    server = Server(terminal(FEEDS))
    assert raw_call(server.address, "symbol_info").code == mt5.RES_E_INTERNAL_FAIL
    assert raw_call(server.address, "order_send", {"volume": "x"}).code == mt5.RES_E_INTERNAL_FAIL
    assert raw_call(server.address, "symbol_info", "EURUSD").code == mt5.RES_S_OK
    server.close()


def test_bytes_that_are_no_frame_only_end_that_connection() -> None:
    server = Server(terminal(FEEDS))
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    assert raw_call(server.address, "feeds").code == mt5.RES_S_OK
    server.close()
