"""ClickHouse's compressed blocks, against clickhouse-driver's own reader and writer."""

import io
import struct

import pytest
import zstandard
from clickhouse_cityhash.cityhash import CityHash128
from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.compression.lz4 import Compressor
from clickhouse_driver.context import Context
from clickhouse_driver.streams.compressed import CompressedBlockInputStream
from clickhouse_driver.writer import write_binary_uint128

from core.errors import WarehouseError
from warehouse.protocol.block_frames import FrameDecoder, FrameEncoder

PLAIN = bytes(range(256)) * 20_000


class Wire:
    """Bytes behind the one method clickhouse-driver reads a socket with."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def recv_into(self, buffer: bytearray) -> int:
        return self._data.readinto(buffer)


def checksum(body: bytes) -> bytes:
    out = io.BytesIO()
    write_binary_uint128(CityHash128(body), out)
    return out.getvalue()


def frame(method: int, packed: bytes, size: int) -> bytes:
    body = struct.pack("<BII", method, len(packed) + 9, size) + packed
    return checksum(body) + body


def test_frames_are_read_back_cut_anywhere() -> None:
    framed = FrameEncoder().compress(PLAIN)
    decoder = FrameDecoder()
    pieces = [b"".join(decoder.feed(framed[at : at + 1003])) for at in range(0, len(framed), 1003)]
    decoder.end()
    assert b"".join(pieces) == PLAIN


def test_clickhouse_driver_reads_our_frames() -> None:
    framed = FrameEncoder().compress(PLAIN[:100_000])
    reader = CompressedBlockInputStream(BufferedSocketReader(Wire(framed), 1 << 16), Context())
    assert bytes(reader.read_block()) == PLAIN[:100_000]


def test_we_read_clickhouse_drivers_frames() -> None:
    compressor = Compressor()
    compressor.write(PLAIN[:1000])
    body = bytes([compressor.method_byte]) + compressor.get_compressed_data(1)
    framed = checksum(body) + body
    assert b"".join(FrameDecoder().feed(framed)) == PLAIN[:1000]


def test_zstd_and_plain_frames_are_read() -> None:
    packed = zstandard.ZstdCompressor().compress(b"tick")
    assert (
        b"".join(FrameDecoder().feed(frame(0x90, packed, 4) + frame(0x02, b"tock", 4)))
        == b"ticktock"
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\0" * 16 + frame(0x82, b"", 0)[16:], 40),
        (frame(0x55, b"x", 1), 89),
        (frame(0x82, b"no lz4 at all", 100), 271),
        (frame(0x02, b"four", 5), 271),
        (b"\0" * 16 + struct.pack("<BII", 0x82, 3, 1), 39),
        (b"\0" * 16 + struct.pack("<BII", 0x82, 0xFFFFFFFF, 1), 39),
        (frame(0x02, b"four", 4)[:-1], 33),
    ],
)
def test_broken_frames_are_refused_with_clickhouses_codes(data: bytes, code: int) -> None:

    def read() -> None:
        decoder = FrameDecoder()
        list(decoder.feed(data))
        decoder.end()

    with pytest.raises(WarehouseError) as refused:
        read()
    assert refused.value.code == code
