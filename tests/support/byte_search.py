"""Whether some bytes stand in a folder: in files as they are, and in what is compressed in them."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import lz4.block
import pyarrow.parquet as pq
import pypdfium2
import zstandard

_LZ4, _ZSTD, _MULTIPLE = 0x82, 0x90, 0x91
_CHECKSUM, _HEADER = 16, 9


def places(folder: Path, wanted: bytes) -> list[str]:
    """Files of a folder in which the bytes stand, in any letter case."""
    wanted = wanted.lower()
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(wanted in text.lower() for text in texts(path))
    ]


def texts(path: Path) -> Iterator[bytes]:
    """A file's name, its bytes, and those that it holds compressed."""
    content = path.read_bytes()
    yield str(path).encode()
    yield content
    yield from column_blocks(content)
    if content[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.ZstdDecompressor().decompressobj().decompress(content)
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if content[:4] == b"PAR1":
        yield str(pq.read_table(path).to_pylist()).encode()
    if content[:4] == b"%PDF":
        yield from (page.get_textpage().get_text_range().encode() for page in
                    pypdfium2.PdfDocument(path))  # fmt: skip
        yield from _streams(content)


def column_blocks(content: bytes) -> Iterator[bytes]:
    """Blocks as ClickHouse writes columns: a checksum, method and sizes, then the block."""
    at = 0
    while len(content) - at > _CHECKSUM + _HEADER:
        method, packed, plain = struct.unpack_from("<BII", content, at + _CHECKSUM)
        start, at = at + _CHECKSUM + _HEADER, at + _CHECKSUM + packed
        if method not in (_LZ4, _ZSTD, _MULTIPLE) or packed < _HEADER or at > len(content):
            return
        yield from _unpacked(method, content[start:at], plain)


def _unpacked(method: int, block: bytes, plain: int) -> Iterator[bytes]:
    if method == _LZ4:
        yield lz4.block.decompress(block, uncompressed_size=plain)
    elif method == _ZSTD:
        yield zstandard.ZstdDecompressor().decompress(block, max_output_size=plain)
    else:  # several codecs, the last first; beneath the general one are numbers
        count, methods = block[0], block[1 : 1 + block[0]]
        inner = block[1 + count :]
        method, _, size = struct.unpack_from("<BII", inner)
        assert method == methods[-1]
        if method in (_LZ4, _ZSTD):
            yield from _unpacked(method, inner[_HEADER:], size)


def _streams(content: bytes) -> Iterator[bytes]:
    for piece in content.split(b"stream")[1::2]:
        try:
            yield zlib.decompressobj().decompress(piece.strip(b"\r\n"))
        except zlib.error:
            continue
