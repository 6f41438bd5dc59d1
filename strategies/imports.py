"""What a person's strategy is made of, found without running it: modules of their own, packages.

A decision of long ago needs all of it. Modules of their own, wherever they lie, are kept as text
under the strategy's hash; installed packages, which nobody may copy, by name and version.
"""

import ast
import functools
import importlib.metadata
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

_PRODUCT = Path(__file__).resolve().parents[1]
_INSTALLED = ("site-packages", "dist-packages")
#: Every session notes these already.
_NOTED = ("numpy", "tickhouse")


class Parts(NamedTuple):
    """What belongs to a strategy beside what ships and what every session notes."""

    modules: dict[str, Path]  # a person's own, by dotted name
    packages: dict[str, str]  # installed ones: version by name


def of_file(path: Path) -> Parts:
    """What a strategy's file imports, and what that imports in turn; the file itself left out.

    A file that is no Python says nothing: whoever loads it says what is wrong with it.
    """
    parts = Parts({}, {})
    _follow(path, "", [str(path.parent), *sys.path], parts)
    return parts


def of_module(name: str) -> Parts:
    """A module and what it imports."""
    parts = Parts({}, {})
    _add(name, list(sys.path), parts)
    return parts


def _follow(path: Path, package: str, where: Sequence[str], parts: Parts) -> None:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for name in _imported(tree, package):
        _add(name, where, parts)


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*(above if node.level else ()), *(node.module or "").split(".")]
            name = ".".join(filter(None, base))
            yield from (f"{name}.{alias.name}" if name else alias.name for alias in node.names)


def _add(name: str, where: Sequence[str], parts: Parts) -> None:
    """Every module on the way to a dotted name; its last part may be no module."""
    top, *inner = name.split(".")
    if not top or top in _NOTED or top in sys.stdlib_module_names:
        return
    full, search = top, where
    for part in (*inner, None):
        spec = PathFinder.find_spec(full, search)
        if spec is None or not _is_own(spec, parts):
            return
        _keep(full, spec, where, parts)
        if part is None or not spec.submodule_search_locations:
            return
        full, search = f"{full}.{part}", list(spec.submodule_search_locations)


def _is_own(spec: ModuleSpec, parts: Parts) -> bool:
    """Notes an installed package on the way."""
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    path = Path(next(filter(None, places))).resolve()
    if any(part in _INSTALLED for part in path.parts):
        top = spec.name.partition(".")[0]
        for package in _distributions().get(top, ()):
            if package not in _NOTED:  # the product's own modules, installed from a wheel
                parts.packages[package] = importlib.metadata.version(package)
        return False
    inside = path.relative_to(_PRODUCT).parts if path.is_relative_to(_PRODUCT) else ("",)
    return Path(inside[0]).stem != spec.name.partition(".")[0]


def _keep(name: str, spec: ModuleSpec, where: Sequence[str], parts: Parts) -> None:
    path = Path(spec.origin) if spec.has_location and spec.origin else None
    if path is None or path.suffix != ".py" or name in parts.modules:
        return
    parts.modules[name] = path
    package = name if spec.submodule_search_locations else name.rpartition(".")[0]
    _follow(path, package, where, parts)


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
