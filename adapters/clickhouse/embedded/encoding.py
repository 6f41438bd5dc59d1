"""Content encodings of HTTP bodies: what ClickHouse's clients send and accept."""

import gzip
import zlib
from collections.abc import Callable

import lz4.frame
import zstandard

_Codec = Callable[[bytes], bytes]

_DECODE: dict[str, _Codec] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}
_ENCODE: dict[str, _Codec] = {
    "lz4": lz4.frame.compress,
    "zstd": lambda body: zstandard.ZstdCompressor(level=1).compress(body),
    "gzip": lambda body: gzip.compress(body, compresslevel=3),
    "deflate": lambda body: zlib.compress(body, 3),
}


def decode(body: bytes, encoding: str) -> bytes:
    """A request's body without its Content-Encoding.

    Raises:
        ValueError: an encoding not known here, or bytes that are not of it.
    """
    if encoding in ("", "identity"):
        return body
    codec = _DECODE.get(encoding)
    if codec is None:
        raise ValueError(f"Content-Encoding {encoding!r}: use one of {', '.join(_DECODE)}")
    try:
        return codec(body)
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise ValueError(f"the body is not {encoding}: {error}") from error


def encode(body: bytes, accepted: str) -> tuple[bytes, str]:
    """An answer's body in the first encoding both sides know, and that encoding's name or ""."""
    for offer in accepted.split(","):
        name = offer.partition(";")[0].strip()
        if name in _ENCODE:
            return _ENCODE[name](body), name
    return body, ""
