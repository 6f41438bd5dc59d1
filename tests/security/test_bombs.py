"""Bodies that are small when sent and huge when unpacked: a stranger's are never unpacked, and
those of somebody known in bounded steps. Memory is asserted, never time.
"""

import asyncio
import http.client
import struct
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import lz4.block
import lz4.frame
import pytest
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from core import identity
from core.errors import WarehouseError
from tests.support.warehouse_server import Warehouse
from warehouse.protocol import encoding
from warehouse.protocol.block_frames import FrameDecoder
from warehouse.protocol.body import LARGEST_PIECE, Body

pytestmark = pytest.mark.heavy(suite="security")

PASSWORD = "correct horse"
MIB = 1 << 20
LARGE, HUGE = 64 * MIB, 1024 * MIB  # of bombs
ROOM = 512 * MIB  # what the server may grow by: generous, and half of one bomb


def _gzip(size: int, bits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    zeros = bytes(16 * MIB)
    return b"".join(packer.compress(zeros) for _ in range(size // len(zeros))) + packer.flush()


def _brotli(size: int) -> bytes:
    packer = brotli.Compressor(quality=5, lgwin=24)
    zeros = bytes(16 * MIB)
    pieces = [packer.process(zeros) for _ in range(size // len(zeros))]
    return b"".join([*pieces, packer.finish()])


def _zstd(size: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    zeros = bytes(16 * MIB)
    return b"".join(packer.compress(zeros) for _ in range(size // len(zeros))) + packer.flush()


def _lz4(size: int) -> bytes:
    packer = lz4.frame.LZ4FrameCompressor(block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    zeros = bytes(16 * MIB)
    pieces = [packer.begin(), *(packer.compress(zeros) for _ in range(size // len(zeros)))]
    return b"".join([*pieces, packer.flush()])


BOMBS: dict[str, Callable[[int], bytes]] = {
    "gzip": lambda size: _gzip(size, 31),
    "deflate": lambda size: _gzip(size, 15),
    "br": _brotli,
    "zstd": _zstd,
    "lz4": _lz4,
}


def frame(method: int, packed: bytes, size: int) -> bytes:
    body = struct.pack("<BII", method, len(packed) + 9, size) + packed
    number = CityHash128(body)
    return struct.pack("<QQ", number >> 64, number & 0xFFFFFFFFFFFFFFFF) + body


@pytest.mark.parametrize("name", BOMBS)
def test_a_decoder_gives_a_bomb_in_bounded_steps(name: str) -> None:
    decoder, size, largest = encoding.Decoder(name), 0, 0
    for step in decoder.feed(BOMBS[name](LARGE)):
        size, largest = size + len(step), max(largest, len(step))
    decoder.end()
    assert size == LARGE
    assert largest <= encoding.LARGEST_STEP < 32 * MIB


def message(data: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    return receive


def pieces_of(body: Body) -> Iterator[bytes]:
    while not body.complete:
        yield asyncio.run(body.piece())


@pytest.mark.parametrize("name", BOMBS)
def test_a_body_is_taken_in_bounded_pieces(name: str) -> None:
    sizes = [len(piece) for piece in pieces_of(Body(message(BOMBS[name](LARGE)), name))]
    assert sum(sizes) == LARGE
    assert max(sizes) <= LARGEST_PIECE + encoding.LARGEST_STEP


@pytest.mark.parametrize("method", [0x82, 0x90])
def test_clickhouses_blocks_are_taken_in_bounded_pieces(method: int) -> None:
    pack = lz4.block.compress if method == 0x82 else zstandard.ZstdCompressor().compress
    options = {"store_size": False} if method == 0x82 else {}
    block = frame(method, pack(bytes(4 * MIB), **options), 4 * MIB)
    sizes = [len(piece) for piece in pieces_of(Body(message(block * 16), "", framed=True))]
    assert sum(sizes) == LARGE
    assert max(sizes) <= LARGEST_PIECE + 4 * MIB


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (frame(0x82, lz4.block.compress(bytes(8 * MIB), store_size=False), 8 * MIB), 39),
        (frame(0x90, zstandard.ZstdCompressor().compress(bytes(8 * MIB)), 8 * MIB), 39),
        # Says a kilobyte and holds 64 MiB, of which the data itself says so too.
        (frame(0x90, zstandard.ZstdCompressor().compress(bytes(LARGE)), 1024), 271),
        (frame(0x82, lz4.block.compress(bytes(8 * MIB), store_size=False), 1024), 271),
    ],
)
def test_a_block_larger_than_allowed_or_than_it_says_is_refused(block: bytes, code: int) -> None:
    with pytest.raises(WarehouseError) as refused:
        list(FrameDecoder(largest=4 * MIB).feed(block))
    assert refused.value.code == code


@pytest.mark.parametrize("name", BOMBS)
def test_a_statement_ends_at_its_largest_size(name: str) -> None:
    body = Body(message(BOMBS[name](LARGE)), name, largest=8 * MIB)
    with pytest.raises(WarehouseError, match="LARGEST_STATEMENT") as refused:
        asyncio.run(body.rest())
    assert refused.value.code == 229


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    return {name: make(HUGE) for name, make in BOMBS.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("bombs")
    root = identity.new_user("root", "admin", PASSWORD)
    identity.save(identity.path_in(home), {"root": root})
    warehouse = Warehouse(home, environ={"TICKHOUSE_WAREHOUSE__LARGEST_STATEMENT_MIB": "64"})
    warehouse.start()
    yield warehouse
    warehouse.stop()


def most_memory(server: Warehouse) -> int:
    """Bytes of memory the server ever held at once."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return int(status["VmHWM"].split()[0]) << 10


def post(
    server: Warehouse, body: bytes, name: str, password: str = PASSWORD, **parameters: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    parameters |= {"user": "root", "password": password}
    path = "/?" + urllib.parse.urlencode(parameters)
    connection.request("POST", path, body, {"Content-Encoding": name} if name else {})
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    return response.status, answer


@pytest.mark.process
@pytest.mark.parametrize("name", BOMBS)
def test_a_strangers_bomb_is_not_even_looked_at(
    server: Warehouse, bombs: dict[str, bytes], name: str
) -> None:
    before = most_memory(server)
    for _ in range(3):
        assert post(server, bombs[name][: 4 * MIB], name, password="guess")[0] == 403
    assert post(server, b"no such encoding", "snappy", password="guess")[0] == 403
    assert most_memory(server) - before < 64 * MIB


@pytest.mark.process
@pytest.mark.parametrize("name", BOMBS)
def test_a_known_persons_bomb_is_refused_in_bounded_memory(
    server: Warehouse, bombs: dict[str, bytes], name: str
) -> None:
    post(server, b"SELECT 1", "")
    before = most_memory(server)
    status, answer = post(server, bombs[name], name)
    assert (status, answer[:9]) == (413, b"Code: 229")
    assert most_memory(server) - before < ROOM


@pytest.mark.process
def test_an_insert_of_more_than_memory_may_hold_is_streamed(
    server: Warehouse, bombs: dict[str, bytes]
) -> None:
    post(server, b"SELECT 1", "")
    before = most_memory(server)
    insert = "INSERT INTO FUNCTION null('a UInt64') FORMAT RowBinary"
    assert post(server, bombs["zstd"], "zstd", query=insert)[0] == 200
    assert most_memory(server) - before < ROOM


@pytest.mark.process
def test_the_largest_block_is_the_settings(server: Warehouse) -> None:
    size = 65 * MIB
    block = frame(0x82, lz4.block.compress(bytes(size), store_size=False), size)
    insert = "INSERT INTO FUNCTION null('a UInt64') FORMAT RowBinary"
    assert b"Code: 39" in post(server, block, "", query=insert, decompress="1")[1]
    assert post(server, b"SELECT 1", "") == (200, b"1\n")
