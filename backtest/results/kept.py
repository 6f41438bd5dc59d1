"""What was worked out for a file, kept beside the page, so that a run that was cut goes on.

A piece is known by the file's bytes, the settings and the feature set. The code that made it is
not part of that: throw the folder away when it has changed.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from core.settings import Settings
from features.catalog import FEATURE_SET_HASH

T = TypeVar("T")


class PieceStore:
    """A folder of pieces as msgpack (JSON knows no NaN); without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def get(self, file: Path, settings: Settings, kind: type[T], build: Callable[[], T]) -> T:
        """The piece of a file: read, or made and kept."""
        if self._folder is None:
            return build()
        path = self._folder / f"{file.stem}-{_key(file, settings)}.msgpack"
        if path.exists():
            return msgspec.msgpack.decode(path.read_bytes(), type=kind)
        piece = build()
        path.write_bytes(msgspec.msgpack.encode(piece))
        return piece


def _key(file: Path, settings: Settings) -> str:
    digest = hashlib.sha256(file.read_bytes())
    digest.update(msgspec.json.encode(settings.models.counted()) + FEATURE_SET_HASH.encode())
    return digest.hexdigest()[:16]
