"""A backup as a stream: a tar of files and, last, a manifest of their lengths and checksums.

Written and read piece by piece, so that a warehouse of any size needs the memory of one block. The
manifest is checked against what was really unpacked, beside what the encryption promises.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
import zstandard

from adapters.offsite.moment import Taken
from core import checked_json
from core.errors import InputError

_MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_STEP = 1 << 14  # bytes read at a time: zeros come out a thousandfold
_RECORD = tarfile.BLOCKSIZE


class FileSum(msgspec.Struct, frozen=True):
    """One file of a backup."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. Names begin with `home/` or `warehouse/`."""

    product: str  # version that made it
    taken_at: str  # UTC, ISO 8601: the moment of the files
    files: dict[str, FileSum]


def packed(plain: Iterable[bytes]) -> Iterator[bytes]:
    """The stream, compressed: journals are zeros ahead, and a warehouse's parts cost little."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    for block in plain:
        if out := packer.compress(block):
            yield out
    yield packer.flush()


def unpacked(content: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The plain stream.

    Raises:
        InputError: it is none.
    """
    reader = zstandard.ZstdDecompressor().decompressobj()
    for block in content:
        for start in range(0, len(block), _STEP):
            try:
                plain = reader.decompress(block[start : start + _STEP])
            except zstandard.ZstdError as error:
                raise InputError(where, f"cannot be read: {error}: use another backup") from error
            if plain:
                yield plain


def stream(files: Iterable[Taken], product: str, taken_at: str) -> Iterator[bytes]:
    """The backup's bytes."""
    sums = dict[str, FileSum]()
    for one in files:
        digest = hashlib.sha256()
        yield _head(one.name, one.size, one.mode)
        for block in _blocks(one):
            digest.update(block)
            yield block
        yield _padding(one.size)
        sums[one.name] = FileSum(one.size, digest.hexdigest())
    content = checked_json.encode(Manifest(product, taken_at, sums))
    yield _head(_MANIFEST, len(content), 0o600) + content + _padding(len(content))
    yield bytes(2 * _RECORD)


def unpack(content: Iterable[bytes], folder: Path, where: str) -> Manifest:
    """Unpack a backup into a new folder and compare it with its manifest.

    Raises:
        InputError: it is not what its manifest says, or has names that lead elsewhere.
    """
    folder.mkdir(mode=0o700, parents=True)
    try:
        sums, manifest = _unpack(content, folder, where)
    except (tarfile.TarError, msgspec.DecodeError) as error:
        raise InputError(where, f"cannot be read: {error}: use another backup") from error
    if manifest is None:
        raise InputError(where, "has no manifest: use another backup")
    for name in sorted(manifest.files.keys() | sums.keys()):
        if manifest.files.get(name) != sums.get(name):
            raise InputError(where, f"{name} is not what its manifest says: use another backup")
    return manifest


def _unpack(
    content: Iterable[bytes], folder: Path, where: str
) -> tuple[dict[str, FileSum], Manifest | None]:
    sums, manifest = dict[str, FileSum](), None
    reader = _Reader(content)
    with tarfile.open(fileobj=reader, mode="r|", bufsize=_BLOCK) as archive:
        for member in archive:
            source = archive.extractfile(member)
            if source is None or not _is_ours(member.name):
                raise InputError(where, f"holds {member.name!r}, which no backup of ours does")
            if member.name == _MANIFEST:
                manifest = checked_json.decode(source.read(), Manifest)
            else:
                sums[member.name] = _write(source, folder / member.name, member.mode)
    reader.drain()  # to its end, which says that it is whole
    return sums, manifest


def _blocks(one: Taken) -> Iterator[bytes]:
    """What was there at the moment: a file that grew since is cut, as it stood."""
    left = one.size
    with one.path.open("rb") as file:
        while left:
            block = file.read(min(left, _BLOCK))
            if not block:
                raise InputError(str(one.path), "became shorter while it was read: try again")
            left -= len(block)
            yield block


def _head(name: str, size: int, mode: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode & 0o700
    return member.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _RECORD)


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts
    return inside and (name == _MANIFEST or path.parts[0] in ("home", "warehouse"))


def _write(source: IO[bytes], path: Path, mode: int) -> FileSum:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            size += file.write(block)
    path.chmod(mode & 0o700)
    return FileSum(size, digest.hexdigest())


class _Reader(io.RawIOBase):
    """A stream of blocks as a file that is read once, from front to back."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content, self._left = iter(content), b""

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size or size < 0:
            block = next(self._content, None)
            if block is None:
                break
            self._left += block
        wanted_size = len(self._left) if size < 0 else size
        wanted, self._left = self._left[:wanted_size], self._left[wanted_size:]
        return wanted

    def drain(self) -> None:
        """Read what is left."""
        for _ in self._content:
            pass
