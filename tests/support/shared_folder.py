"""What takes seconds to make is made by one process of a run, for all of them.

Workers of `make test` and the heavy suites have one folder among them, which the process that
started them names in the environment and removes. A process by itself has one of its own.
"""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core import file_lock

_NAMED = "TESTS_SHARED_FOLDER"
_PATIENCE_S = 600.0


@contextmanager
def shared() -> Iterator[None]:
    """Processes that are started within share a folder; where one is named, they share that."""
    if os.environ.get(_NAMED):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tests-") as folder:
        os.environ[_NAMED] = folder
        try:
            yield
        finally:
            del os.environ[_NAMED]


@functools.cache
def folder() -> Path:
    """The one of this run."""
    if named := os.environ.get(_NAMED):
        return Path(named)
    own = Path(tempfile.mkdtemp(prefix="tests-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of this name with what `make` wrote into it: whole, for nobody to change."""
    place = folder() / name
    with file_lock.locked(folder() / f"{name}.lock", _PATIENCE_S):
        if not place.exists():
            unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder()))
            make(unfinished)
            unfinished.rename(place)
    return place
