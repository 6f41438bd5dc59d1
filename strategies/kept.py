"""A strategy with what it imports as one text: packed, and used again as it was kept.

How such a text stands in a folder: core.strategy_set. A set that was unpacked is used as it is, or
what it lacks here is named.
"""

import contextlib
import importlib
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.errors import SettingsError
from core.strategy_set import SUFFIX, StrategySet, decoded
from strategies.imports import Parts


def packed(name: str, own: Path | None, entry: str, parts: Parts) -> bytes:
    """The text to keep. `own`: the strategy's file, None for an entry point."""
    if own is not None and not parts.modules and not parts.packages:
        return own.read_bytes()
    paths = parts.modules | ({name: own} if own is not None else {})
    one = StrategySet(
        name, entry,
        {module: path.read_text("utf-8") for module, path in sorted(paths.items())},
        sorted(module for module, path in paths.items() if path.name == "__init__.py"),
        dict(sorted(parts.packages.items())),
    )  # fmt: skip
    return msgspec.json.encode(one, order="sorted")


def read(name: str, folder: Path) -> tuple[bytes, StrategySet] | None:
    """A set that was unpacked here; None when there is none."""
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        return None
    body = path.read_bytes()
    one = decoded(body)
    return (body, one) if one else None


def refuse_lacking(one: StrategySet) -> None:
    """Raises SettingsError: a package that it needs is missing here, or of another version."""
    for name, version in one.packages.items():
        here = ""
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            here = importlib.metadata.version(name)
        if here != version:
            raise SettingsError(
                f"strategy {one.strategy!r} decided with package {name} {version}; here is"
                f" {here or 'none'}: install {name}=={version}"
            )


@contextlib.contextmanager
def importable(folder: Path, modules: set[str]) -> Iterator[None]:
    """A person's own modules come from here first, and none from an earlier strategy's folder.

    They are imported once more at the end, for those that a function imports when it is called.
    Nothing compiled is left beside them: a file that was put back may be as old as another.
    """
    for name in modules:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
