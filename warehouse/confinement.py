"""What the warehouse's process gives up before it serves anybody: Linux's Landlock.

Whatever a statement tricks the engine into, it then writes only to the home's folders of data,
reads nothing of its user's but those, the file of people and the code, starts no program, and opens
no connection. Rules hold for the calling thread and all that it makes later, for ever.

Numbers and structures: the kernel's `include/uapi/linux/landlock.h`; each version of it knows more.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_ASK_VERSION, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = 0b111 | 1 << 14 | 1 << 15  # execute, write, read, truncate, ioctl
_READ = _READ_FILE | _READ_FOLDER
_DEVICES = 0b110  # /dev/null and its like: read and write
_CONNECT = 1 << 1
_SIGNALS = 1 << 1

#: Version -> file rights that it handles: those of the first 13, then rename, truncate, ioctl.
_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def enter(written: Sequence[Path], read: Sequence[Path]) -> str:
    """Keep only: all rights in some folders, reading in others, devices like /dev/null.

    To be called while the process has one thread. What is not there is passed over.

    Returns:
        Why it could not be done, "" when it was.
    """
    if sys.platform != "linux":
        return "only Linux has Landlock"
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _ASK_VERSION)
    if version < 1:
        return f"this kernel offers no Landlock ({os.strerror(ctypes.get_errno())})"
    try:
        _enter(libc, version, written, read)
    except OSError as error:
        return f"Landlock refused: {error}"
    return ""


def code() -> Iterator[Path]:
    """Where Python, its packages, the system's libraries and time zones lie."""
    yield from (Path(p) for p in ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys"))
    yield from (Path(p) for p in (sys.prefix, sys.base_prefix))
    for entry in {Path(p or ".").resolve() for p in sys.path}:
        packaged = entry.name in ("site-packages", "dist-packages") or entry.suffix == ".zip"
        # The checkout may hold the home, and more that is nobody's: its packages are enough.
        yield from [entry] if packaged else (p.parent for p in entry.glob("*/__init__.py"))


def _enter(libc: ctypes.CDLL, version: int, written: Sequence[Path], read: Sequence[Path]) -> None:
    files = _HANDLED[max(known for known in _HANDLED if known <= version)]
    rules = _Ruleset(files, _CONNECT if version >= 4 else 0, _SIGNALS if version >= 6 else 0)
    size = 8 * (1 if version < 4 else 2 if version < 6 else 3)
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(rules), size, 0))
    try:
        for path in written:
            _allow(libc, ruleset, path, files & ~1)  # it writes and starts nothing there
        for path in read:
            _allow(libc, ruleset, path, _READ)
        _allow(libc, ruleset, Path("/dev"), (_READ | _DEVICES) & files)
        _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _FILE_RIGHTS
        rule = _PathBeneath(rights, opened)
        _checked(libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(opened)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
