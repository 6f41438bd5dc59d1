"""ClickHouse's own compressed blocks: what `compress=1` wraps answers in, `decompress=1` unwraps.

A frame is a CityHash128 (of ClickHouse's variant, 1.0.2) of all that follows, then a method byte,
the frame's size, the plain size, and the data. clickhouse-go and clickhouse-driver speak it.
"""

import struct

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from core.errors import WarehouseError

_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_CHECKSUM, _HEADER = 16, 9
_PLAIN = 1 << 20  # bytes of an answer in one frame
_LARGEST = 1 << 30  # ClickHouse's own limit


class FrameEncoder:
    """Wraps plain pieces in frames. Follows `encoding.Encoder`."""

    def compress(self, data: bytes) -> bytes:
        """Frames of this piece."""
        return b"".join(_frame(data[at : at + _PLAIN]) for at in range(0, len(data), _PLAIN))

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


class FrameDecoder:
    """Takes frames, cut anywhere, piece by piece."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """What the frames that are complete now hold.

        Raises:
            WarehouseError: 40 a wrong checksum, 89 an unknown method, 39 a size no frame has,
                271 data that is not of its method.
        """
        self._held += data
        plain: list[bytes] = []
        while len(self._held) >= _CHECKSUM + _HEADER:
            method, size, plain_size = struct.unpack_from("<BII", self._held, _CHECKSUM)
            if not _HEADER <= size <= _LARGEST or plain_size > _LARGEST:
                raise _error(
                    39, "Too large size of a compressed block", "TOO_LARGE_SIZE_COMPRESSED"
                )
            if len(self._held) < _CHECKSUM + size:
                break
            frame = bytes(self._held[: _CHECKSUM + size])
            del self._held[: _CHECKSUM + size]
            _verify(frame)
            plain.append(_unpack(method, frame[_CHECKSUM + _HEADER :], plain_size))
        return b"".join(plain)

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
            plain = bytes(zstandard.ZstdDecompressor().decompress(packed, max_output_size=size))
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


def _error(code: int, text: str, name: str) -> WarehouseError:
    return WarehouseError(f"Code: {code}. DB::Exception: {text}. ({name})", code)
