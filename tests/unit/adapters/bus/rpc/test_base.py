"""A door over a real NATS server on loopback: who is asked, and what is known afterwards."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from adapters.bus.nats.options import connect_options
from adapters.bus.rpc.base import PART_BYTES, Hello, Joined, parts, subject
from adapters.bus.rpc.client import RpcClient
from adapters.bus.rpc.server import RpcServer
from core.errors import BusyError, SettingsError, UnavailableError
from core.process import Stopping
from core.sections import BusSettings
from tests.support.servers import NatsServer


@contextmanager
def standing(
    server: NatsServer, answer: Callable[[bytes], bytes], name: str = "desk"
) -> Iterator[RpcServer]:
    """An answerer at work in a thread of its own."""
    answerer, stop = RpcServer(BusSettings(url=server.url), name), threading.Event()
    try:
        answerer.claim(10.0)
        worker = threading.Thread(
            target=answerer.serve, args=(lambda request, _: answer(request), stop)
        )
        worker.start()
        try:
            yield answerer
        finally:
            stop.set()
            worker.join()
    finally:
        answerer.close()


@pytest.fixture
def asking(nats_server: NatsServer) -> Iterator[RpcClient]:
    caller = RpcClient(BusSettings(url=nats_server.url), "desk")
    yield caller
    caller.close()


def test_a_request_is_answered_once(nats_server: NatsServer, asking: RpcClient) -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return request.upper()

    with standing(nats_server, answer):
        assert asking.open(10.0)
        assert asking.ask(b"one", 5.0) == b"ONE"
        assert asking.ask(b"", 5.0) == b""
    assert seen == [b"one", b""]


def test_who_answers_is_told_as_whom_a_request_comes(nats_server: NatsServer) -> None:
    settings, stop = BusSettings(url=nats_server.url), threading.Event()
    answerer = RpcServer(settings, "desk")
    answerer.claim(10.0)
    worker = threading.Thread(
        target=answerer.serve, args=(lambda request, role: request + role.encode(), stop)
    )
    worker.start()
    for name in ("collector", "execution"):
        asking = RpcClient(settings, "desk", name)
        assert asking.open(10.0)
        assert asking.ask(b"I am ", 5.0) == b"I am " + name.encode()
        asking.close()
    stop.set()
    worker.join()
    answerer.close()


def test_an_agent_of_an_older_version_is_named_as_that(
    nats_server: NatsServer, asking: RpcClient
) -> None:
    async def greet(client: Client) -> None:
        async def hello(message: Msg) -> None:
            me = Hello("0123", True, time.time_ns() // 1000, "elsewhere")
            await message.respond(msgspec.json.encode(me))

        await client.connect(nats_server.url)
        await client.subscribe(subject("desk", "hello"), cb=hello)
        await client.subscribe(subject("desk", "0123"), cb=hello)
        await client.flush()

    older, loop = Client(), asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_forever)
    serving.start()
    asyncio.run_coroutine_threadsafe(greet(older), loop).result(10)
    assert asking.open(10.0)
    with pytest.raises(ConnectionRefusedError, match="nothing was carried out"):
        asking.ask(b"order", 5.0)
    assert asking.open(10.0)
    assert "it is an older one" in asking.problem
    asyncio.run_coroutine_threadsafe(older.close(), loop).result(10)
    assert not asking.open(0.6)
    assert "no agent desk" in asking.problem
    loop.call_soon_threadsafe(loop.stop)
    serving.join()
    loop.close()


def test_an_answer_of_any_size_arrives_whole(nats_server: NatsServer, asking: RpcClient) -> None:
    large = bytes(range(256)) * (PART_BYTES // 100)
    with standing(nats_server, lambda _: large):
        assert asking.open(10.0)
        assert asking.ask(b"?", 20.0) == large


def test_nobody_behind_the_door_is_a_clear_refusal(asking: RpcClient) -> None:
    assert not asking.open(0.6)
    assert "no agent desk" in asking.problem
    with pytest.raises(ConnectionRefusedError):
        asking.ask(b"order", 1.0)


def test_who_has_left_was_surely_not_asked(nats_server: NatsServer, asking: RpcClient) -> None:
    with standing(nats_server, bytes.upper):
        assert asking.open(10.0)
    other = RpcClient(BusSettings(url=nats_server.url), "desk")
    while other.open(0.2):  # the bus may still count on who is just leaving
        pass
    other.close()
    with pytest.raises(ConnectionRefusedError):
        asking.ask(b"order", 5.0)


def test_a_request_that_waited_too_long_is_not_carried_out(
    nats_server: NatsServer, asking: RpcClient
) -> None:
    seen: list[bytes] = []
    go_on = threading.Event()

    def slow(request: bytes) -> bytes:
        seen.append(request)
        go_on.wait(20)
        return b"done"

    other = RpcClient(BusSettings(url=nats_server.url), "desk")
    with standing(nats_server, slow):
        assert asking.open(10.0)
        assert other.open(10.0)
        first = threading.Thread(target=asking.ask, args=(b"first", 20.0))
        first.start()
        while not seen:
            time.sleep(0.01)
        with pytest.raises(TimeoutError):
            other.ask(b"second", 0.3)
        go_on.set()
        first.join()
        assert other.ask(b"third", 5.0) == b"done"
    other.close()
    assert seen == [b"first", b"third"]


def test_a_connection_that_is_lost_leaves_a_request_unknown(
    nats_server: NatsServer, asking: RpcClient
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def slow(_: bytes) -> bytes:
        at_work.set()
        go_on.wait(20)
        return b"done"

    with standing(nats_server, slow):
        assert asking.open(10.0)
        problems: list[Exception] = []

        def ask() -> None:
            try:
                asking.ask(b"order", 20.0)
            except OSError as error:
                problems.append(error)

        asker = threading.Thread(target=ask)
        asker.start()
        assert at_work.wait(10)
        nats_server.kill()
        asker.join()
        go_on.set()
        nats_server.start()
    assert not isinstance(problems[0], ConnectionRefusedError)


def test_a_second_answerer_of_a_name_is_refused(nats_server: NatsServer) -> None:
    with standing(nats_server, bytes.upper):
        second = RpcServer(BusSettings(url=nats_server.url), "desk")
        with pytest.raises(BusyError, match="TICKHOUSE_TERMINAL__AGENT"):
            second.claim(10.0)
        second.close()
        with standing(nats_server, bytes.upper, "other"):
            pass


def test_of_two_that_come_together_one_stays(nats_server: NatsServer) -> None:
    both = [RpcServer(BusSettings(url=nats_server.url), "desk") for _ in range(2)]
    stayed = []
    for answerer in both:
        try:
            answerer.claim(10.0)
            stayed.append(answerer)
        except BusyError:
            pass
    for answerer in both:
        answerer.close()
    assert len(stayed) == 1


def test_a_server_that_is_away_is_told(nats_server: NatsServer) -> None:
    nats_server.stop()
    answerer = RpcServer(BusSettings(url=nats_server.url), "desk")
    with pytest.raises(UnavailableError, match="TICKHOUSE_BUS__CA"):
        answerer.claim(0.3)
    answerer.close()


def test_between_machines_only_tls() -> None:
    with pytest.raises(SettingsError, match="unencrypted"):
        RpcClient(BusSettings(url="nats://example.org:4222"), "desk")
    with pytest.raises(SettingsError, match="letters"):
        RpcClient(BusSettings(url="nats://127.0.0.1:4222"), "a desk")


@pytest.mark.parametrize(
    "settings",
    [
        BusSettings(user="ann"),
        BusSettings(ca="/no/such/file.pem"),
        BusSettings(url="tls://h:1", certificate="/no/such.pem"),
    ],
)
def test_half_an_identity_is_refused(settings: BusSettings) -> None:
    with pytest.raises(SettingsError, match="TICKHOUSE_BUS__"):
        connect_options(settings, "agent")


def test_parts_come_in_any_order() -> None:
    whole = bytes(range(256)) * 5000
    pieces = list(parts(whole))
    joined = Joined()
    results = [joined.take(piece) for piece in reversed(pieces)]
    assert results == [None] * (len(pieces) - 1) + [whole]
    with pytest.raises(ValueError, match="part"):
        Joined().take(b"x")


def test_who_is_told_to_stop_waits_for_no_answer_and_looks_for_nobody(
    nats_server: NatsServer,
) -> None:
    stopping, requested, ends = Stopping(), threading.Event(), threading.Event()

    def answer(request: bytes) -> bytes:
        requested.set()
        ends.wait()
        return request

    settings = BusSettings(url=nats_server.url)
    caller = RpcClient(settings, "desk", stopping=stopping)
    try:
        with standing(nats_server, answer), ThreadPoolExecutor(1) as pool:
            assert caller.open(10.0)
            asking = pool.submit(caller.ask, b"one", 3600.0)
            requested.wait()
            stopping.soon()
            with pytest.raises(ConnectionAbortedError, match="not waited for"):
                asking.result()
            assert not caller.open(3600.0)
            ends.set()
    finally:
        ends.set()
        caller.close()
