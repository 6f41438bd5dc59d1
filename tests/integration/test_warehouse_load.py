"""`make load` in a few seconds: mixed traffic, a large insert, stalled clients, limits."""

import socket

import pytest
import urllib3

from tests.integration.test_embedded_warehouse import post
from tests.load.traffic import PeakMemory, Traffic, blocks, descriptors, make_tables
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]


@pytest.fixture(scope="module")
def loaded(warehouse: Warehouse) -> Warehouse:
    """The warehouse with the tables of the traffic."""
    make_tables(warehouse)
    return warehouse


def code(answer: tuple[int, dict[str, str], bytes]) -> str:
    return answer[1].get("x-clickhouse-exception-code", "")


def test_what_mixed_clients_were_told_is_what_is_stored(loaded: Warehouse) -> None:
    traffic = Traffic(loaded)
    traffic.run(3)
    assert traffic.errors == []
    assert traffic.reads > 0
    assert all(rows for rows, _ in traffic.acknowledged.values())
    assert traffic.acknowledged == traffic.stored() == traffic.viewed()
    assert loaded.process is not None
    assert descriptors(loaded.process.pid) < 500


def test_a_large_insert_takes_less_memory_than_its_size(loaded: Warehouse) -> None:
    assert loaded.process is not None
    url = f"{loaded.url}/?query=INSERT+INTO+traffic.row+FORMAT+Native"
    with urllib3.PoolManager() as http, PeakMemory(loaded.process.pid) as memory:
        answer = http.request("POST", url, body=blocks(512), headers=loaded.owner, retries=False)
    assert answer.status == 200
    assert memory.above < 384


def test_clients_that_stall_block_nobody(loaded: Warehouse) -> None:
    stalled = []
    read = b"SELECT * FROM numbers(100000000) FORMAT RowBinary"
    for number in range(24):  # three times the threads
        end = socket.create_connection(("127.0.0.1", loaded.port))
        stalled.append(end)
        if number % 2:  # asks for much and takes nothing
            end.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(read)
            )
            end.sendall(read)
        else:  # announces 9 MB and sends two
            path = b"/?query=INSERT+INTO+traffic.row+FORMAT+RowBinary"
            end.sendall(
                b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" % path
            )
            end.sendall(bytes(2_000_000))
    try:
        assert post(loaded, b"SELECT 1")[2] == b"1\n"
        row = b'{"writer":50,"number":1,"value":0}'
        assert post(loaded, row, query="INSERT INTO traffic.row FORMAT JSONEachRow")[0] == 200
        assert post(loaded, b"SELECT count() FROM traffic.row WHERE writer = 50")[2] == b"1\n"
    finally:
        for end in stalled:
            end.close()


def test_a_query_beyond_its_memory_or_time_ends_and_the_server_lives(loaded: Warehouse) -> None:
    much = b"SELECT groupArray(number) FROM numbers(100000000) FORMAT Null"
    long = b"SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
    assert code(post(loaded, much, max_memory_usage="50000000")) == "241"
    assert code(post(loaded, long, max_execution_time="1")) == "159"
    assert post(loaded, b"SELECT 1")[2] == b"1\n"
