"""A strategy as one text under one hash, and back: what a session keeps, and `explain` uses.

A file that imports nothing of a person's own is that file. Everything else is a set: JSON with the
text of each module, and installed packages by version. A set that is unpacked is used as it is, or
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
from strategies.imports import Parts

_SUFFIX = ".set.json"


class StrategySet(msgspec.Struct, frozen=True):
    """What a strategy is made of. `entry`: module and class of an entry point; "": its file."""

    strategy: str
    entry: str
    modules: dict[str, str]  # text by dotted name; of a file, the strategy's name is its own
    inits: list[str]  # of these, packages
    packages: dict[str, str]  # installed: version by name


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


def file_name(body: bytes, name: str) -> str:
    """What `unpack` calls the text itself."""
    return f"{name}{_SUFFIX if _decoded(body) else '.py'}"


def unpack(body: bytes, name: str, folder: Path) -> None:
    """Write what was kept into a folder of strategies.

    Raises:
        SettingsError: it names a module that is none, and would lie elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file_name(body, name)).write_bytes(body)
    one = _decoded(body)
    for module, text in one.modules.items() if one else ():
        if not all(part.isidentifier() for part in module.split(".")):
            raise SettingsError(f"strategy {name!r}: it holds {module!r}, which is no module")
        path = folder.joinpath(*module.split("."))
        path = (
            path / "__init__.py"
            if one and module in one.inits
            else path.with_name(f"{path.name}.py")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def read(name: str, folder: Path) -> tuple[bytes, StrategySet] | None:
    """A set that was unpacked here; None when there is none."""
    path = folder / f"{name}{_SUFFIX}"
    if not path.is_file():
        return None
    body = path.read_bytes()
    one = _decoded(body)
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


def _decoded(body: bytes) -> StrategySet | None:
    try:
        return msgspec.json.decode(body, type=StrategySet)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
