"""Keeps clickhouse-connect from importing pandas to insert plain rows.

At its first insert the library imports pandas, only to ask whether the rows are a frame of it:
60 MiB for as long as the process lives, in several processes that live for weeks. A stand-in in
its place answers that without, and is pandas for all else.
"""

import importlib
import sys
from importlib.util import find_spec
from typing import Any

from clickhouse_connect.driver import options


class _Frame:
    """No rows are one, while nobody has imported pandas; whoever makes one gets pandas' own."""

    def __new__(cls, *args: Any, **named: Any) -> Any:
        return importlib.import_module("pandas").DataFrame(*args, **named)


class _Pandas:
    def __getattr__(self, name: str) -> Any:
        if name == "DataFrame" and "pandas" not in sys.modules:
            return _Frame
        return getattr(importlib.import_module("pandas"), name)


def install() -> None:
    """Put the stand-in where the library looks, if there is a pandas. Frames work as before."""
    if find_spec("pandas"):
        options.pd = _Pandas()
        options.pd_time_test = options._pd_time_test  # it would be set together with pandas
