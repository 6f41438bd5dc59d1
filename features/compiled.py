"""Compiling ahead of the first call, with a cache that notices every change of this package.

Numba's cache watches only the file of the function itself, while the families stand in several.
So the digest of the whole package goes into the compiled function as a constant, which is part
of the cache's key. Two processes that start together may both compile; each writes the cache by
renaming complete files, so the loser only did work for nothing.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from features.jit import njit


def package_stamp() -> int:
    """A positive number that changes with any source file of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big") | 1


def compiled(signature: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled for one signature, from the cache where there is a writable one."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(signature, cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # numba: "no locator available"
        return njit(signature, **options)(function)  # type: ignore[no-any-return]


def compile_apart() -> None:
    """Fill the cache from a process of its own, unless that was done for this version.

    Some 75 MiB that the compiler takes end with that process, where one that runs for weeks would
    keep them. Nothing without a writable cache: the first import compiles, as ever.
    """
    cache = Path(__file__).parent / "__pycache__"
    done = cache / f"compiled-{package_stamp()}-{version('numba')}-{sys.implementation.cache_tag}"
    if done.exists() or not os.access(cache, os.W_OK):
        return
    line = [sys.executable, "-c", "import features.kernel, features.peers"]
    if not subprocess.run(line, check=False).returncode:
        done.touch()
