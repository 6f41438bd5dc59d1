"""Nobody reads or trades at the simulated terminal's port without the home's credential."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from adapters.mt5.fence import Fence
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.remote import frames, hello
from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator import doorway
from adapters.simulator.server import Server
from core.credentials import directory_of, write_private
from core.errors import SettingsError, UnavailableError
from tests.support.markets import TUESDAY, order, terminal
from tests.support.terminals import asking

FEEDS = {"EURUSD_a": [(TUESDAY + 1000 * i, 1.1, 1.1001) for i in range(5)]}
CHANGING = {"order_send", "claim"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    opened = Server(terminal(FEEDS), directory_of(tmp_path), fence=Fence(tmp_path / "claim"))
    yield opened
    opened.close()


@contextmanager
def client(
    server: Server, role: str = "execution", timeout_s: float = 30.0
) -> Iterator[RemoteTerminal]:
    opened = asking(server, role, timeout_s)
    yield opened
    opened.shutdown()


def _connected(server: Server) -> socket.socket:
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _ends(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            received += part
    return received


@pytest.mark.parametrize("method", sorted(CHANGING | {"account_info", "copy_ticks_range", "feeds"}))
def test_without_a_hello_no_call_is_answered(server: Server, method: str) -> None:
    call = msgspec.msgpack.encode(frames.Call(method, 0, [], 99, "a stranger"))
    with _connected(server) as stranger:
        stranger.sendall(frames.joined(call).ljust(200, b"\0"))
        assert _ends(stranger) == b""
    with client(server) as remote:
        assert remote.claim(1, "the first")


@pytest.mark.parametrize("role", [*hello.ROLES, "nobody", "owner"])
def test_a_wrong_secret_is_refused_and_costs_nothing(
    server: Server, tmp_path: Path, role: str
) -> None:
    elsewhere = tmp_path / "another home"
    remote = RemoteTerminal(TcpLink(server.address, elsewhere, role), timeout_s=30)
    begin = time.monotonic()
    assert not remote.initialize()
    assert time.monotonic() - begin < 15  # it does not try again and again
    assert "TICKHOUSE_TERMINAL__CREDENTIALS" in remote.last_error()[1]
    assert remote.order_send(order("EURUSD", "buy")) is None
    assert remote.last_error()[0] == mt5.RES_E_INTERNAL_FAIL_CONNECT  # surely not carried out
    with client(server, "reader") as reader:
        assert reader.positions_get() == ()


def test_whoever_skips_our_side_of_the_proof_is_refused(server: Server) -> None:
    with _connected(server) as forger:
        forger.sendall(b"TKT1" + b"execution".ljust(16, b"\0") + bytes(16))
        proof = forger.recv(48)
        forger.sendall(proof[16:])  # the terminal's own proof, sent back
        assert _ends(forger) == b"\0"


def test_a_program_that_took_the_port_is_told_no_secret_and_sent_no_order(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def listen() -> None:
            with taken.accept()[0] as victim:
                heard.append(victim.recv(65_536))
                victim.sendall(secrets.token_bytes(48))
                heard.append(_ends(victim))

        listening = threading.Thread(target=listen)
        listening.start()
        link = TcpLink(f"127.0.0.1:{taken.getsockname()[1]}", tmp_path, "execution")
        assert RemoteTerminal(link, 5.0).order_send(order("EURUSD", "buy")) is None
        listening.join()
    assert hello.secret_of(tmp_path, "execution") not in b"".join(heard)
    assert len(b"".join(heard)) == 36


@pytest.mark.parametrize("role", ["collector", "reader"])
def test_who_reads_neither_orders_nor_claims(server: Server, role: str) -> None:
    with client(server, role) as looking:
        assert looking.symbol_info("EURUSD").digits == 5
        assert looking.account_info().balance > 0
        assert looking.order_send(order("EURUSD", "buy")) is None
        assert looking.last_error()[0] == mt5.RES_E_AUTH_FAILED
        with pytest.raises(UnavailableError, match="not for this role"):
            looking.claim(99, "a reader")
    with client(server) as execution:
        assert execution.positions_get() == ()
        assert execution.claim(1, "the first")


def test_every_method_is_somebodys_and_what_changes_is_executions_alone() -> None:
    everything = set().union(*hello.ROLES.values())
    assert everything == set(frames.METHODS)
    for role, allowed in hello.ROLES.items():
        assert allowed >= CHANGING if role == "execution" else not CHANGING & allowed


def test_silent_and_slow_strangers_are_sent_away_and_keep_nobody_out(server: Server) -> None:
    silent = [_connected(server) for _ in range(5 * doorway.WAITING)]
    silent[-1].sendall(b"T")
    with client(server, timeout_s=10.0) as remote:
        assert remote.initialize()
    threads = [t for t in threading.enumerate() if t.name.endswith("(_meet)")]
    assert len(threads) <= 2 * doorway.WAITING
    for each in silent:
        assert _ends(each) == b""  # all of them, also the newest
        each.close()


def test_connections_of_one_role_are_bounded_and_leave_room_for_others(server: Server) -> None:
    held = [asking(server, "reader") for _ in range(doorway.PER_ROLE)]
    assert all(each.initialize() for each in held)
    with client(server, "reader", 0.5) as late, client(server) as execution:
        assert not late.initialize()
        assert execution.initialize()
    held.pop().shutdown()
    with client(server, "reader", 10.0) as late:
        assert late.initialize()
    for each in held:
        each.shutdown()


@pytest.mark.parametrize(("head", "tail"), [(1 << 29, 0), (10, 1 << 29), (doorway.CALL_BYTES, 1)])
def test_a_call_beyond_its_bound_ends_the_connection(server: Server, head: int, tail: int) -> None:
    with _inside(server) as inside:
        inside.sendall(head.to_bytes(4, "little") + tail.to_bytes(4, "little"))
        assert _ends(inside) == b""


def test_a_call_that_stops_half_way_ends_the_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "FRAME_S", 0.2)
    with _inside(server) as inside:
        inside.sendall(b"\x10\0\0")
        assert _ends(inside) == b""


def test_a_client_that_is_silent_between_calls_stays_and_its_next_order_is_answered(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "FRAME_S", 0.05)
    with client(server) as remote:
        assert remote.initialize()
        threading.Event().wait(0.2)  # longer than a call may take
        assert remote.order_send(order("EURUSD", "buy")) is not None


def _inside(server: Server) -> socket.socket:
    connection = _connected(server)
    key = hello.secret_of(server.credentials, "execution")
    hello.introduce(connection, "execution", key, 5.0)
    connection.settimeout(10)
    return connection


def test_the_credentials_are_the_owners_alone(server: Server) -> None:
    paths = [server.credentials / f"terminal.{role}" for role in hello.ROLES]
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600] * len(paths)


def test_a_credential_that_others_read_or_that_is_none_stops_the_terminal(tmp_path: Path) -> None:
    home = directory_of(tmp_path)
    Server(terminal(FEEDS), home).close()
    path = home / "terminal.execution"
    os.chmod(path, 0o644)
    with pytest.raises(SettingsError, match=r"terminal\.execution: others may read it"):
        Server(terminal(FEEDS), home)
    write_private(path, "guess")
    with pytest.raises(SettingsError, match=r"terminal\.execution holds no secret"):
        Server(terminal(FEEDS), home)
