"""Strategies that people bring: one Python file, loaded by path or by name.

A file lies in `HOME/strategies/NAME.py`, or is installed as an entry point of the group
`tickhouse.strategies`. It defines one class with the members of `strategies.protocol.Strategy`.
Loading one runs its code with our rights, so only the owner of the home can put one there.
"""

import hashlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from core import durable, renamed
from core.errors import SettingsError

GROUP = "tickhouse.strategies"
_MEMBERS = ("name", "horizon_s", "needs_model", "targets")
_EXAMPLE = "docs/how-to/write-a-strategy.md shows one"


def install(given: str, folder: Path) -> str:
    """The name of a strategy given on a command line; a file is copied to the plug-in folder.

    Every process, and a later `explain`, then finds the same file by its name.

    Raises:
        SettingsError: the file is missing, or defines no strategy, or one of another name.
    """
    if not given.endswith(".py"):
        return given
    path = Path(given)
    found = strategy_class(_module(path), path)
    if found.name != path.stem:
        raise SettingsError(
            f"{path}: its strategy is named {found.name!r}; name the file {found.name}.py, or the"
            f" strategy {path.stem!r}: a run finds it by that name"
        )
    target = folder / path.name
    if path.resolve() != target.resolve():
        durable.write(target, path.read_bytes())
    return path.stem


def refuse_taken(given: str, shipped: Collection[str]) -> None:
    """Refuse a file that is named like a strategy that ships.

    Raises:
        SettingsError: it is.
    """
    if Path(given).stem in shipped:
        raise SettingsError(
            f"{given}: {Path(given).stem!r} ships with Tickhouse; name it otherwise"
        )


def names(folder: Path | None) -> list[str]:
    """Strategies that can be loaded by name."""
    files = [p.stem for p in folder.glob("*.py")] if folder and folder.is_dir() else []
    return sorted({*files, *(point.name for point in _points())})


def load(name: str, folder: Path | None) -> type[Any] | None:
    """The class of a name; None when there is no such plug-in.

    Raises:
        SettingsError: the plug-in is broken.
    """
    path = folder / f"{name}.py" if folder else None
    if path is not None and path.is_file():
        return strategy_class(_module(path), path)
    for point in _points():
        if point.name == name:
            return _checked(point.load(), f"entry point {point.value}")
    return None


def digest(name: str, folder: Path) -> str:
    """SHA-256 of a plug-in's file, "" for what is no file: part of a run's identity."""
    path = folder / f"{name}.py"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def strategy_class(module: ModuleType, path: Path) -> type[Any]:
    """The one strategy a module defines itself; imported ones do not count."""
    own = [
        member
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__ == module.__name__
        and callable(getattr(member, "targets", getattr(member, "wishes", None)))
    ]  # fmt: skip
    if len(own) != 1:
        raise SettingsError(
            f"{path}: {len(own)} classes with a method targets(), one is needed; {_EXAMPLE}"
        )
    return _checked(own[0], str(path))


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        raise SettingsError(f"{path}: no such file; give the path of a strategy's Python file")
    spec = importlib.util.spec_from_file_location(f"tickhouse_strategy_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    renamed.install()
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the person's code raises
        raise SettingsError(f"{path}: cannot be loaded, {_place(error, path)}{error!r}") from error
    return module


def _place(error: BaseException, path: Path) -> str:
    """The line of the file that raised, when it did."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
    return f"line {line}: " if line else ""


def _checked(found: Any, where: str) -> type[Any]:
    if inspect.isclass(found):
        renamed.adopt(found)
    if missing := [m for m in _MEMBERS if m != "horizon_s" and not hasattr(found, m)]:
        raise SettingsError(f"{where}: its strategy lacks {', '.join(missing)}; {_EXAMPLE}")
    if not inspect.isclass(found):
        raise SettingsError(f"{where}: a strategy is a class that takes the signal settings")
    return found


def _points() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=GROUP))
