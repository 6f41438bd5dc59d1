"""The bytes of a text file, plain, gzipped, or the only CSV of a zip."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import InputError

GZIP, ZIP = b"\x1f\x8b", b"PK\3\4"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The content as a binary stream, unpacked while it is read.

    Raises:
        InputError: what it is packed in is damaged, or a zip holds no or several CSV files; also
            when that shows only while the stream is read.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    try:
        if start.startswith(GZIP):
            with gzip.open(path, "rb") as unpacked:
                yield cast(BinaryIO, unpacked)
        elif start == ZIP or path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(only_csv(path)) as member:
                yield cast(BinaryIO, member)
        else:
            with path.open("rb") as stream:
                yield stream
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as e:
        kind = "gzip" if start.startswith(GZIP) else "zip"
        raise InputError(str(path), f"the {kind} is damaged ({e}): fetch it again") from e


def only_csv(path: Path) -> str:
    """The name of a zip's only CSV file.

    Raises:
        InputError: it is no whole zip, or holds none or several.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    except zipfile.BadZipFile as error:
        raise InputError(str(path), f"is not a whole zip ({error}): fetch it again") from error
    if len(names) != 1:
        raise InputError(str(path), f"holds {len(names)} CSV files where one is expected")
    return names[0]
