"""JSON files of ours with a digest of their own content: a changed one is not believed.

The digest is over the values, not their spelling, so that a file may be laid out anew. A file
without one is from before there was one, or a person's own: remove the field `check` to make a
change by hand count.
"""

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec

from core.credentials import read_private

_CHECK = "check"
T = TypeVar("T")


def encode(value: msgspec.Struct) -> bytes:
    """The file's content."""
    plain = msgspec.to_builtins(value)
    return msgspec.json.encode({**plain, _CHECK: _digest(plain)})


def decode(content: bytes, kind: type[T]) -> T:
    """What a file's content says.

    Raises:
        msgspec.DecodeError: no such value, or not as it was written.
    """
    plain = msgspec.json.decode(content)
    if isinstance(plain, dict) and (check := plain.pop(_CHECK, None)) not in (None, _digest(plain)):
        raise msgspec.ValidationError(
            f"not as it was written: its content does not fit its check {check!r} (if you changed"
            f" it, remove the field {_CHECK!r})"
        )
    return msgspec.convert(plain, kind)


def read(path: Path, kind: type[T]) -> T:
    """What a file says.

    Raises:
        OSError: missing, unreadable, or a link.
        msgspec.DecodeError: see `decode`.
    """
    return decode(read_private(path), kind)


def _digest(plain: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(plain, order="sorted"), digest_size=8).hexdigest()
