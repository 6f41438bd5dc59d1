"""Secrets of a home, `<home>/credentials/NAME`: made by who needs one first, read by all others.

A file holds the secret and nothing else, so that `TICKHOUSE_..._FILE` can name it. Only its owner
may read it: who is this user on this machine is trusted, whoever else is there is not.
"""

import os
import re
import secrets
import sys
from pathlib import Path

from core import durable
from core.errors import SettingsError

_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 random bytes as token_urlsafe writes them


def directory_of(home: Path) -> Path:
    """Where a home keeps them."""
    return home / "credentials"


def secret(directory: Path, name: str) -> str:
    """The secret of a name, made at the first call for it, in whichever process that is.

    Raises:
        SettingsError: others may read the file, or it holds no secret of ours.
    """
    path = directory / name
    if not os.path.lexists(path):
        _make(path)
    return _read(path)


def write_private(path: Path, text: str) -> None:
    """Put a text there as a whole, readable by its owner alone."""
    durable.write(path, text.encode(), durable.PRIVATE)


def _make(path: Path) -> None:
    """Unless another process is making it: then that one's is the secret."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.create(path, secrets.token_urlsafe(_BYTES).encode(), durable.PRIVATE)


def _read(path: Path) -> str:
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(file, "rb") as stream:
            mode, content = os.fstat(file).st_mode, stream.read(100)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error}; {_REMEDY}") from error
    if sys.platform != "win32" and mode & 0o077:
        raise SettingsError(f"{path}: others may read it, so it is no secret; {_REMEDY}")
    text = content.decode("ascii", "replace").strip()
    if not _SECRET.fullmatch(text):
        raise SettingsError(f"{path} holds no secret of Tickhouse's; {_REMEDY}")
    return text


_REMEDY = "stop everything on this home, remove the file, and start again: a new one is made"
