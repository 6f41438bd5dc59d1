"""ClickHouse's own compressed blocks: what `compress=1` wraps answers in, `decompress=1` unwraps.

A frame is a CityHash128 (of ClickHouse's variant, 1.0.2) of all that follows, then a method byte,
the frame's size, the plain size, and the data. clickhouse-go and clickhouse-driver speak it.
"""

import struct
from collections.abc import Iterator

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from core.errors import WarehouseError

_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_CHECKSUM, _HEADER = 16, 9
_PLAIN = 1 << 20  # bytes of an answer in one frame
#: Bytes that one frame may have, packed or plain: it is held as a whole. ClickHouse's is 1 GiB.
LARGEST_FRAME = 256 << 20


class FrameEncoder:
    """Wraps plain pieces in frames. Follows `encoding.Encoder`."""

    def compress(self, data: bytes) -> bytes:
        """Frames of this piece."""
        return b"".join(_frame(data[at : at + _PLAIN]) for at in range(0, len(data), _PLAIN))

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


class FrameDecoder:
    """Takes frames, cut anywhere, piece by piece. largest: bytes of one frame, packed or plain."""

    def __init__(self, largest: int = LARGEST_FRAME) -> None:
        self._held, self._largest = bytearray(), largest

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the frames that are complete now hold, one after the other.

        A frame is unpacked when it is asked for. All must be taken before the next piece comes.

        Raises:
            WarehouseError: 40 a wrong checksum, 89 an unknown method, 39 a size no frame has,
                271 data that is not of its method.
        """
        self._held += data
        while len(self._held) >= _CHECKSUM + _HEADER:
            method, size, plain_size = struct.unpack_from("<BII", self._held, _CHECKSUM)
            if not _HEADER <= size <= self._largest or plain_size > self._largest:
                raise _error(
                    39, "Too large size of a compressed block", "TOO_LARGE_SIZE_COMPRESSED"
                )
            if len(self._held) < _CHECKSUM + size:
                break
            frame = bytes(self._held[: _CHECKSUM + size])
            del self._held[: _CHECKSUM + size]
            _verify(frame)
            yield _unpack(method, frame[_CHECKSUM + _HEADER :], plain_size)

    def end(self) -> None:
        """No more pieces.

        Raises:
            WarehouseError: 33, the body ends within a frame.
        """
        if self._held:
            raise _error(
                33, "Cannot read all data: a compressed block is cut", "CANNOT_READ_ALL_DATA"
            )


def _frame(plain: bytes) -> bytes:
    packed: bytes = lz4.block.compress(plain, store_size=False)
    body = struct.pack("<BII", _LZ4, len(packed) + _HEADER, len(plain)) + packed
    return _checksum(body) + body


def _checksum(body: bytes) -> bytes:
    number: int = CityHash128(body)
    return struct.pack("<QQ", number >> 64, number & 0xFFFFFFFFFFFFFFFF)


def _verify(frame: bytes) -> None:
    if _checksum(frame[_CHECKSUM:]) != frame[:_CHECKSUM]:
        raise _error(
            40,
            "Checksum doesn't match: corrupted data in a compressed block",
            "CHECKSUM_DOESNT_MATCH",
        )


def _unpack(method: int, packed: bytes, size: int) -> bytes:
    plain: bytes
    try:
        if method == _LZ4:
            plain = bytes(lz4.block.decompress(packed, uncompressed_size=size))
        elif method == _ZSTD:
            plain = _unzstd(packed, size)
        elif method == _NONE:
            plain = packed
        else:
            raise _error(
                89, f"Unknown compression method: 0x{method:02x}", "UNKNOWN_COMPRESSION_METHOD"
            )
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise _error(271, f"Cannot decompress a block: {error}", "CANNOT_DECOMPRESS") from error
    if len(plain) != size:
        raise _error(271, "Cannot decompress a block: its size is wrong", "CANNOT_DECOMPRESS")
    return plain


def _unzstd(packed: bytes, size: int) -> bytes:
    # Bounded by reading: `decompress` believes what the data itself says of its size.
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        return reader.read(size + 1)


def _error(code: int, text: str, name: str) -> WarehouseError:
    return WarehouseError(f"Code: {code}. DB::Exception: {text}. ({name})", code)
