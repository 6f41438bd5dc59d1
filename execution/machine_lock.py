"""A name that one process of this machine holds at a time, whichever user runs it.

A file would have to be one that every user may open, in a folder that none can change. So it is a
name of the operating system's own, which is free again when its process has ended: on Windows a
mutex in the namespace of all sessions, on Linux an abstract socket. A container has names of its
own, and another system has none: there this holds nobody.
"""

import hashlib
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_EXISTS, _DENIED = 183, 5  # the second: another user made it


class TakenError(Exception):
    """Another process holds the name."""


@contextmanager
def held(name: str) -> Iterator[None]:
    """Hold a name; any text.

    Raises:
        TakenError: another process of this machine holds it.
    """
    name = f"tickhouse-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    if sys.platform == "win32":
        with _mutex(f"Global\\{name}"):
            yield
    elif sys.platform == "linux":
        with _socket(f"\0{name}"):
            yield
    else:
        yield


@contextmanager
def _socket(name: str) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        try:
            bound.bind(name)
        except OSError as error:
            raise TakenError(name) from error
        yield


@contextmanager
def _mutex(name: str) -> Iterator[None]:
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.CreateMutexW.argtypes = (ctypes.c_void_p, wintypes.BOOL, wintypes.LPCWSTR)
    kernel.CreateMutexW.restype = wintypes.HANDLE
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    handle = kernel.CreateMutexW(None, False, name)
    problem = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]
    if not handle and problem != _DENIED:
        raise OSError(problem, f"no mutex {name}")
    try:
        if not handle or problem == _EXISTS:
            raise TakenError(name)
        yield
    finally:
        if handle:
            kernel.CloseHandle(handle)
