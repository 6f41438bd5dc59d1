"""Files that are there whole or not at all, also after a power cut.

Written beside their place, synced, and renamed to it; then the folder is synced too, for without
that a power cut can take back the rename after the caller has been told that it is done.
"""

import contextlib
import os
import secrets
import time
from pathlib import Path

#: For its owner alone, whatever the umask says.
PRIVATE = 0o600
_TRIES = 100 if os.name == "nt" else 1
_AGAIN_S = 0.005


def write(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace a file, or make it with its folders; on disk when this returns.

    Args:
        mode: of the file, less what the umask takes.

    Raises:
        OSError: nothing was changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _write_beside(path, content, mode)
    try:
        _replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def create(path: Path, content: bytes, mode: int = 0o666) -> bool:
    """Make a file in a folder that is there; False when another process was first."""
    unfinished = _write_beside(path, content, mode)
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    sync_directory(path.parent)
    return True


def rename(unfinished: Path, path: Path) -> None:
    """Give a finished file or folder of the same file system its name, replacing what has it."""
    if os.name == "posix" or unfinished.is_file():
        _sync(unfinished)
    _replace(unfinished, path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Names in a folder are on disk when this returns."""
    if os.name == "posix":  # elsewhere a directory cannot be opened, and need not be
        _sync(directory)


def _sync(path: Path) -> None:
    # Windows syncs only what is open for writing.
    file = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = os.open(unfinished, flags, mode)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return unfinished


def _replace(new: Path, path: Path) -> None:
    """As os.replace; on Windows that fails while somebody reads the file, so it is tried again."""
    for left in reversed(range(_TRIES)):
        try:
            os.replace(new, path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(_AGAIN_S)
