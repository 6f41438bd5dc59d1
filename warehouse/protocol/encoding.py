"""Content encodings of HTTP bodies: what ClickHouse's clients send and accept, piece by piece.

Pieces, because a body may be larger than memory. A client may send several frames one after the
other (clickhouse-connect does, one per block), and a body that ends within a frame is refused:
taken as it is, an upload that was cut would lose its last rows without a word. And a decoder gives
what it makes in steps, each bounded, because a kilobyte may say a gigabyte.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import brotli  # type: ignore[import-untyped]  # mypy knows of stubs that are not installed
import lz4.frame
import zstandard

from core.errors import WarehouseError

_GZIP = 16 + zlib.MAX_WBITS
_STEP, _ZSTD_PIECE = 1 << 20, 512
#: No step of a decoder gives more bytes: zstd's largest, of pieces of 512 and one block begun.
LARGEST_STEP = (_ZSTD_PIECE // 4 + 1) * (128 << 10)


class Encoder(Protocol):
    """Turns plain pieces into encoded ones."""

    def compress(self, data: bytes) -> bytes:
        """What can be sent after this piece; may be empty."""

    def flush(self) -> bytes:
        """The end of the encoded body."""


class Chain:
    """One encoder within another."""

    def __init__(self, inner: Encoder, outer: Encoder) -> None:
        self._inner, self._outer = inner, outer

    def compress(self, data: bytes) -> bytes:
        """See Encoder."""
        return self._outer.compress(self._inner.compress(data))

    def flush(self) -> bytes:
        """See Encoder."""
        return self._outer.compress(self._inner.flush()) + self._outer.flush()


class Decoder:
    """Takes an encoded body piece by piece.

    Raises:
        WarehouseError: (on construction) 48, an encoding not known here.
    """

    def __init__(self, encoding: str) -> None:
        self._name = encoding
        self._codec: Any = None
        self._make: Callable[[], Any] | None = None
        if encoding not in ("", "identity"):
            self._make = _DECODERS.get(encoding)
            if self._make is None:
                raise WarehouseError(
                    f"Code: 48. DB::Exception: Unknown compression method in Content-Encoding "
                    f"{encoding[:32]!r}: use one of {', '.join(_DECODERS)}. (NOT_IMPLEMENTED)",
                    48,
                )

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that this piece completes, in steps of at most `LARGEST_STEP`.

        A step is made when it is asked for. All must be taken before the next piece comes.

        Raises:
            WarehouseError: the bytes are not of this encoding.
        """
        if self._make is None:
            yield data
            return
        while data:
            if self._codec is None:
                self._codec = self._make()
            try:
                yield from self._codec.steps(data)
            except Exception as error:  # every library has classes of its own
                raise self._broken(str(error)) from error
            data = b""
            if self._codec.eof:
                data, self._codec = self._codec.unused_data, None

    def end(self) -> None:
        """No more pieces.

        Raises:
            WarehouseError: the body ends within a frame.
        """
        if self._codec is not None:
            raise self._broken("the body ends too early")

    def _broken(self, why: str) -> WarehouseError:
        code, name = _FAILURES[self._name]
        return WarehouseError(
            f"Code: {code}. DB::Exception: The request's body is not {self._name}: {why}. ({name})",
            code,
        )


def decode(body: bytes, encoding: str) -> bytes:
    """A whole body without its Content-Encoding. For bodies that can be trusted to be small.

    Raises:
        WarehouseError: an encoding not known here, or bytes that are not of it.
    """
    decoder = Decoder(encoding)
    plain = b"".join(decoder.feed(body))
    decoder.end()
    return plain


def negotiate(accepted: str) -> tuple[str, Encoder | None]:
    """The first encoding both sides know and its encoder; ("", None) if there is none."""
    for offer in accepted.split(","):
        name = offer.partition(";")[0].strip()
        if name in _ENCODERS:
            return name, _ENCODERS[name]()
    return "", None


class _Lz4:
    """lz4's compressor under the names the others have."""

    def __init__(self) -> None:
        self._codec = lz4.frame.LZ4FrameCompressor()
        self._head = bytes(self._codec.begin())

    def compress(self, data: bytes) -> bytes:
        """See Encoder."""
        head, self._head = self._head, b""
        return head + bytes(self._codec.compress(data))

    def flush(self) -> bytes:
        """See Encoder."""
        head, self._head = self._head, b""
        return head + bytes(self._codec.flush())


class _Brotli:
    """Brotli's compressor under the names the others have."""

    def __init__(self) -> None:
        self._codec = brotli.Compressor(quality=3)

    def compress(self, data: bytes) -> bytes:
        """See Encoder."""
        return bytes(self._codec.process(data))

    def flush(self) -> bytes:
        """See Encoder."""
        return bytes(self._codec.finish())


class _Zlib:
    """zlib's decompressor, in steps."""

    def __init__(self, bits: int) -> None:
        self._codec = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        """Whether the stream is complete."""
        return self._codec.eof

    @property
    def unused_data(self) -> bytes:
        """What followed the stream."""
        return self._codec.unused_data

    def steps(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that this piece completes."""
        while True:
            plain = self._codec.decompress(data, _STEP)
            yield plain
            data = self._codec.unconsumed_tail
            if self._codec.eof or (not data and len(plain) < _STEP):
                return


class _Lz4Decompressor:
    """lz4's decompressor, in steps."""

    def __init__(self) -> None:
        self._codec = lz4.frame.LZ4FrameDecompressor()
        self.eof, self.unused_data = False, b""

    def steps(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that this piece completes."""
        while True:
            yield self._codec.decompress(data, _STEP)
            data = b""
            if self._codec.eof or self._codec.needs_input:
                self.eof, self.unused_data = self._codec.eof, self._codec.unused_data or b""
                return


class _Zstd:
    """zstd's decompressor, in steps.

    The library takes no bound for what it gives, so it is given little: four bytes are a block,
    a block at most 128 KiB.
    """

    def __init__(self) -> None:
        self._codec = zstandard.ZstdDecompressor().decompressobj()
        self.eof, self.unused_data = False, b""

    def steps(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that this piece completes."""
        for at in range(0, len(data), _ZSTD_PIECE):
            yield self._codec.decompress(data[at : at + _ZSTD_PIECE])
            if self._codec.eof:
                self.eof = True
                self.unused_data = self._codec.unused_data + data[at + _ZSTD_PIECE :]
                return


class _BrotliDecompressor:
    """Brotli's decompressor, in steps. It takes one stream per body."""

    unused_data = b""

    def __init__(self) -> None:
        self._codec = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        """Whether the stream is complete."""
        return bool(self._codec.is_finished())

    def steps(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that this piece completes."""
        while True:
            plain = bytes(self._codec.process(data, output_buffer_limit=_STEP))
            yield plain
            data = b""
            if self.eof or (not plain and self._codec.can_accept_more_data()):
                return


_DECODERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: _Zlib(_GZIP),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS),
    "lz4": _Lz4Decompressor,
    "zstd": _Zstd,
    "br": _BrotliDecompressor,
}
_FAILURES = {
    "gzip": (354, "ZLIB_INFLATE_FAILED"),
    "deflate": (354, "ZLIB_INFLATE_FAILED"),
    "lz4": (618, "LZ4_DECODER_FAILED"),
    "zstd": (561, "ZSTD_DECODER_FAILED"),
    "br": (448, "BROTLI_READ_FAILED"),
}
_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(3, zlib.DEFLATED, _GZIP),
    "deflate": lambda: zlib.compressobj(3),
    "br": _Brotli,
}
