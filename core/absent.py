"""Imports as if some packages were not installed.

Libraries take what happens to be there, a progress bar's colours or another library's arrays: of
that we use nothing, and a process would start later and be larger for it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from threading import get_ident

#: Of libraries that take them as well as arrays.
DATA_FRAMES = ("pandas", "polars", "pyarrow")


class _Absent(MetaPathFinder):
    """Finds none of some modules, for one thread: others import them meanwhile as ever."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names, self._thread = names, get_ident()

    def find_spec(self, name: str, *_: object) -> None:
        """Say nothing of other modules: the next finder is asked."""
        if name in self._names and get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is not wanted here", name=name)


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Within it this thread cannot import these modules, but those that are loaded already."""
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
