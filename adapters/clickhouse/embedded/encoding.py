"""Content encodings of HTTP bodies: what ClickHouse's clients send and accept, piece by piece.

Pieces, because a body may be larger than memory. Brotli is spoken when the `brotli` package is
there; it is no dependency, since every client that knows it knows another encoding too.
"""

import importlib
import importlib.util
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import lz4.frame
import zstandard

_GZIP = 16 + zlib.MAX_WBITS


class Encoder(Protocol):
    """Turns plain pieces into encoded ones."""

    def compress(self, data: bytes) -> bytes:
        """What can be sent after this piece; may be empty."""

    def flush(self) -> bytes:
        """The end of the encoded body."""


class Decoder:
    """Takes an encoded body piece by piece.

    Raises:
        ValueError: (on construction) an encoding not known here.
    """

    def __init__(self, encoding: str) -> None:
        self._name = encoding
        self._codec: Any = None
        if encoding not in ("", "identity"):
            maker = _DECODERS.get(encoding)
            if maker is None:
                raise ValueError(
                    f"Content-Encoding {encoding!r}: use one of {', '.join(_DECODERS)}"
                )
            self._codec = maker()

    def feed(self, data: bytes) -> bytes:
        """The plain bytes that this piece completes.

        Raises:
            ValueError: the bytes are not of this encoding.
        """
        if self._codec is None or not data:
            return data
        try:
            return bytes(self._codec(data))
        except Exception as error:  # every library has classes of its own
            raise ValueError(f"the body is not {self._name}: {error}") from error


def decode(body: bytes, encoding: str) -> bytes:
    """A whole body without its Content-Encoding.

    Raises:
        ValueError: an encoding not known here, or bytes that are not of it.
    """
    return Decoder(encoding).feed(body)


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
        self._codec = importlib.import_module("brotli").Compressor(quality=3)

    def compress(self, data: bytes) -> bytes:
        """See Encoder."""
        return bytes(self._codec.process(data))

    def flush(self) -> bytes:
        """See Encoder."""
        return bytes(self._codec.finish())


_DECODERS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP).decompress,
    "deflate": lambda: zlib.decompressobj().decompress,
    "lz4": lambda: lz4.frame.LZ4FrameDecompressor().decompress,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}
_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(3, zlib.DEFLATED, _GZIP),
    "deflate": lambda: zlib.compressobj(3),
}
if importlib.util.find_spec("brotli"):
    _ENCODERS["br"] = _Brotli
    _DECODERS["br"] = lambda: importlib.import_module("brotli").Decompressor().process
