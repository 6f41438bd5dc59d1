"""Strategies that people bring: one Python file, loaded by path or by name.

A file lies in `HOME/strategies/NAME.py`, with what it imports beside it, or is installed as an
entry point of the group `tickhouse.strategies`. It defines one class with the members of
`strategies.protocol.Strategy`. Loading one runs its code with our rights, so only the owner of the
home can put one there.
"""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from core import durable, renamed
from core.errors import SettingsError
from core.strategy_set import GROUP, StrategySet
from strategies import imports, kept

_MEMBERS = ("name", "horizon_s", "needs_model", "targets")
_REMEMBERING = ("name", "horizon_s", "needs_model", "state_size", "step")
_OF_SEVERAL = ("name", "horizon_s", "needs_model", "pair_targets")
_METHODS = ("targets", "step", "pair_targets", "orders", "step_orders", "pair_orders", "wishes")
#: That let orders wait.
_INSTEAD = {"targets": "orders", "step": "step_orders", "pair_targets": "pair_orders"}
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
    defined = strategy_class(_module(path), path)
    if defined.name != path.stem:
        raise SettingsError(
            f"{path}: its strategy is named {defined.name!r}; name the file {defined.name}.py, or"
            f" the strategy {path.stem!r}: a run finds it by that name"
        )
    for own in (path, *_beside(path)):
        target = folder / own.relative_to(path.parent)
        if own.resolve() != target.resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            durable.write(target, own.read_bytes())
    return path.stem


def _beside(path: Path) -> list[Path]:
    """Modules next to a strategy's file that it imports."""
    modules = imports.of_file(path).modules.values()
    return [own for own in modules if own.is_relative_to(path.parent)]


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
    if folder is not None and (unpacked := kept.read(name, folder)):
        return _of_set(unpacked[1], folder)
    if path is not None and path.is_file():
        return strategy_class(_module(path), path)
    for point in _points():
        if point.name == name:
            return _checked(point.load(), f"entry point {point.value}")
    return None


def digest(name: str, folder: Path) -> str:
    """SHA-256 of what a plug-in is made of, "" for what ships: part of a run's identity."""
    body = content(name, folder)
    return hashlib.sha256(body).hexdigest() if body else ""


def content(name: str, folder: Path) -> bytes:
    """What a plug-in is made of, as one text; b"" for what ships."""
    if unpacked := kept.read(name, folder):
        return unpacked[0]
    path = folder / f"{name}.py"
    if path.is_file():
        return kept.packed(name, path, "", imports.of_file(path))
    for point in _points():
        if point.name == name:
            return kept.packed(name, None, point.value, imports.of_module(point.module))
    return b""


def _of_set(one: StrategySet, folder: Path) -> type[Any]:
    kept.refuse_lacking(one)
    if not one.entry:
        path = folder / f"{one.strategy}.py"
        return strategy_class(_module(path), path)
    module, _, name = one.entry.partition(":")
    with kept.importable(folder, set(one.modules)):
        try:
            strategy = getattr(importlib.import_module(module), name)
        except Exception as error:  # whatever the person's code raises
            raise SettingsError(f"entry point {one.entry}: cannot be loaded, {error!r}") from error
    return _checked(strategy, f"entry point {one.entry}")


def strategy_class(module: ModuleType, path: Path) -> type[Any]:
    """The one strategy a module defines itself; imported ones do not count."""
    own = [
        member
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__ == module.__name__
        and any(callable(getattr(member, name, None)) for name in _METHODS)
    ]  # fmt: skip
    if len(own) != 1:
        raise SettingsError(
            f"{path}: {len(own)} classes with a method targets(), step(), pair_targets()"
            f" or orders(), one is needed;"
            f" {_EXAMPLE}"
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
    with kept.importable(path.parent, set(imports.of_file(path).modules)):
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever the person's code raises
            where = _place(error, path)
            raise SettingsError(f"{path}: cannot be loaded, {where}{error!r}") from error
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


def _checked(strategy: Any, where: str) -> type[Any]:
    if inspect.isclass(strategy):
        renamed.adopt(strategy)
    remembers = hasattr(strategy, "step") or hasattr(strategy, "step_orders")
    members = _REMEMBERING if remembers else _MEMBERS
    of_several = hasattr(strategy, "pair_targets") or hasattr(strategy, "pair_orders")
    members = _OF_SEVERAL if of_several else members
    lacks = {m for m in members if m != "horizon_s" and not hasattr(strategy, m)}
    lacks -= {m for m, other in _INSTEAD.items() if hasattr(strategy, other)}
    if missing := sorted(lacks):
        raise SettingsError(f"{where}: its strategy lacks {', '.join(missing)}; {_EXAMPLE}")
    if not inspect.isclass(strategy):
        raise SettingsError(f"{where}: a strategy is a class that takes the signal settings")
    return strategy


def _points() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=GROUP))
