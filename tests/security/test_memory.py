"""All requests together hold a bounded part of the machine, and a crowd keeps nobody out."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import WarehouseError
from core.home_users import DBT, SETUP
from core.sections import ClickhouseSettings
from tests.load.traffic import PeakMemory
from tests.support.warehouse_server import Warehouse
from warehouse.engine.running import Running
from warehouse.protocol.body import Body, Room

MIB = 1 << 20
CAP_MIB = 768
GREEDY = "SELECT length(groupArray(number)) FROM numbers(100000000)"  # 800 MB, and never has them


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    environ = {"TICKHOUSE_WAREHOUSE__MEMORY_MIB": str(CAP_MIB)}
    server = Warehouse(tmp_path_factory.mktemp("small"), environ=environ)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def answer_to(server: Warehouse, sql: str, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        connection.request("POST", "/", sql.encode(), headers)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.process
def test_statements_together_stay_below_the_engine_s_part(small: Warehouse) -> None:
    who = [small.settings_of(name) for name in (SETUP, DBT, "board")] * 4

    def ask(one: ClickhouseSettings) -> bytes:
        signed = {"X-ClickHouse-User": one.user, "X-ClickHouse-Key": one.password}
        return answer_to(small, GREEDY, signed)

    assert small.process is not None
    with PeakMemory(small.process.pid) as memory, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, who))
    assert all(b"MEMORY_LIMIT_EXCEEDED" in answer for answer in answers)
    # The allocator keeps for seconds what it was given back. Without the cap: 8 GiB and more.
    assert memory.above < 3 * CAP_MIB
    assert answer_to(small, "SELECT 42", small.owner) == b"42\n"


def test_bodies_together_stay_below_their_room() -> None:
    async def whole(body: Body) -> int:
        return len(await body.rest())

    def sent(size: int, room: Room) -> Body:
        messages = iter([{"type": "http.request", "body": bytes(size)}])

        async def receive() -> dict[str, object]:
            return next(messages)

        return Body(receive, "", room=room)

    room = Room(3 * MIB)
    with sent(2 * MIB, room) as first:
        assert asyncio.run(whole(first)) == 2 * MIB
        with sent(2 * MIB, room) as second, pytest.raises(WarehouseError, match="memory set aside"):
            asyncio.run(whole(second))
    with sent(2 * MIB, room) as third:
        assert asyncio.run(whole(third)) == 2 * MIB
    assert room.left == 3 * MIB


def test_what_one_user_has_under_way_keeps_no_other_out() -> None:
    running = Running(streams=4, requests=2)
    with running.listed("1", "ann", ""), running.listed("2", "ann", ""):
        with pytest.raises(WarehouseError, match="requests of ann"), running.listed("3", "ann", ""):
            pass
        with running.listed("4", "rita", ""):
            pass
    with running.stream("ann"), running.stream("ann"):
        with pytest.raises(WarehouseError, match="uploads of ann"), running.stream("ann"):
            pass
        with running.stream("rita"), running.stream("rita"), pytest.raises(WarehouseError):
            running.stream("wim").__enter__()  # all are taken


@pytest.mark.process
def test_readers_who_sleep_keep_nobody_from_storing(small: Warehouse) -> None:
    over, asleep = threading.Event(), threading.Barrier(21)

    def sleep() -> None:
        asleep.wait()
        while not over.is_set():
            answer_to(small, "SELECT sleep(1)", {})

    with ThreadPoolExecutor(20) as pool:
        for _ in range(20):
            pool.submit(sleep)
        asleep.wait()
        answers = [answer_to(small, "SELECT 42", small.owner) for _ in range(20)]
        over.set()
    assert answers == [b"42\n"] * 20
