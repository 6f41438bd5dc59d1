"""Features of a person's own: one Python file each in HOME/features, compiled by numba.

A file `NAME.py` defines `FEATURE`, which says what it is and what it remembers, and a function
`update(state, ticks, out)` that folds consecutive ticks of one feed into its state and writes a
value for each. All it remembers stands in the declared state, so that a stream, a backtest and a
restart give the same bits; `features.own_check` tries to show the opposite. Loading a file runs its
code with our rights, so only the owner of the home can put one there.
"""

import ast
import hashlib
import importlib.util
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import ModelError, SettingsError
from features.catalog import FEATURE_SET_HASH, NAMES

#: A feature is one file, so that its hash says all of it.
_IMPORTS = {"math", "numba", "numpy", "tickhouse", "typing"}
_EXAMPLE = "docs/how-to/write-a-feature.md shows one"


class OwnFeature(NamedTuple):
    """What a person's feature is.

    Attributes:
        name: the file's name, and the column's.
        unit: for people.
        definition: how it is computed, in a sentence.
        warm_up_s: seconds of market time before which it may be NaN; after them never.
        state: fields as NumPy writes them, `("low", "f8")` or `("ring", "f8", (64,))`; all zero
            before the first tick.
    """

    name: str
    unit: str
    definition: str
    warm_up_s: float
    state: tuple[Any, ...]


class DefinedFeature(NamedTuple):
    """What a feature is that one expression defines: features.defined says of what.

    Attributes:
        name: the file's name, and the column's.
        unit: for people.
        definition: how it is computed, in a sentence.
        value: the expression.
    """

    name: str
    unit: str
    definition: str
    value: str


class LoadedFeature(NamedTuple):
    """A feature that was read. `content`: SHA-256 of its file, `body`."""

    feature: OwnFeature
    update: Callable[..., Any]
    dtype: np.dtype[Any]
    path: Path
    content: str
    body: bytes


def of_folder(folder: Path) -> tuple[LoadedFeature, ...]:
    """All of a folder by name, such as HOME/features.

    Raises:
        SettingsError: one of them is no feature.
    """
    return tuple(load(path) for path in sorted(folder.glob("*.py")))


def set_hash(features: Sequence[LoadedFeature]) -> str:
    """Identity of the catalogue with these; without any, the catalogue's own."""
    if not features:
        return FEATURE_SET_HASH
    parts = [FEATURE_SET_HASH, *((f.feature.name, f.content) for f in features)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


_in_use: tuple[LoadedFeature, ...] = ()


def use(features: Sequence[LoadedFeature]) -> tuple[LoadedFeature, ...]:
    """Take these for `feature_index` and `in_use`: a process knows those of one home."""
    global _in_use
    _in_use = tuple(features)
    return _in_use


def in_use() -> tuple[LoadedFeature, ...]:
    """Those that this process knows."""
    return _in_use


def column_names() -> tuple[str, ...]:
    """Of a row's columns: the catalogue's, then a person's own by name."""
    return (*NAMES, *(loaded.feature.name for loaded in _in_use))


def columns_of(feature_set_hash: str) -> int:
    """How many columns the rows of a feature set have that this process serves.

    Raises:
        ModelError: it serves another.
    """
    sets = {FEATURE_SET_HASH: len(NAMES), set_hash(_in_use): len(column_names())}
    if feature_set_hash not in sets:
        names = ", ".join(column_names()[len(NAMES) :]) or "none"
        raise ModelError(
            f"model made for feature set {feature_set_hash}, this is {FEATURE_SET_HASH}, with your"
            f" own features ({names}) {set_hash(_in_use)}; put the features' files back as they"
            " were when it was trained, or train again: tickhouse train"
        )
    return sets[feature_set_hash]


def feature_index(name: str) -> int:
    """The column of a feature in a row: the catalogue's, then a person's own by name.

    Raises:
        SettingsError: there is none of that name.
    """
    names = column_names()
    if name not in names:
        own_names = ", ".join(names[len(NAMES) :]) or "none"
        raise SettingsError(
            f"no feature {name!r}: neither of the catalogue nor of your own ({own_names}); put one"
            " into HOME/features (tickhouse features check FILE --install), where controls are have"
            " it signed (tickhouse controls approve feature NAME), and start anew"
        )
    return names.index(name)


def load(path: Path) -> LoadedFeature:
    """The feature of a file.

    Raises:
        SettingsError: what is wrong with it, with its line where there is one.
    """
    try:
        body = path.read_bytes()
        tree = ast.parse(body)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; name a feature's Python file") from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise SettingsError(f"{path}: line {line}: no Python, {error}") from error
    _refuse_imports(tree, path)
    feature, update = _defined(path)
    return LoadedFeature(
        feature, update, _dtype(feature, path), path, hashlib.sha256(body).hexdigest(), body
    )


def _refuse_imports(tree: ast.AST, path: Path) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for name in names:
            if name.partition(".")[0] not in _IMPORTS:
                raise SettingsError(
                    f"{path}: line {node.lineno}: imports {name}; a feature is one file, and may"
                    f" import {', '.join(sorted(_IMPORTS))}"
                )


def _defined(path: Path) -> tuple[OwnFeature, Callable[..., Any]]:
    spec = importlib.util.spec_from_file_location(f"tickhouse_feature_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the person's code raises
        raise SettingsError(f"{path}: cannot be loaded, {error!r}") from error
    feature, update = getattr(module, "FEATURE", None), getattr(module, "update", None)
    if isinstance(feature, DefinedFeature) and update is None:
        feature, update = _built(feature, path)
    if not isinstance(feature, OwnFeature) or not callable(update):
        raise SettingsError(
            f"{path}: it needs FEATURE, an OwnFeature, and a function update(), or FEATURE, a"
            f" DefinedFeature, alone; {_EXAMPLE}"
        )
    _check_words(feature, path)
    return feature, getattr(update, "py_func", update)  # also of one that is compiled already


def _built(defined: DefinedFeature, path: Path) -> tuple[OwnFeature, Callable[..., Any]]:
    from features.defined import build  # numba, which most processes need not

    try:
        built = build(defined.value)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}; {_EXAMPLE}") from error
    name, unit, definition, _ = defined
    return OwnFeature(name, unit, definition, built.warm_up_s, built.state), built.update


def _check_words(feature: OwnFeature, path: Path) -> None:
    name = feature.name
    if name != path.stem:
        raise SettingsError(
            f"{path}: its feature is named {name!r}; name the file {name}.py, or the feature"
            f" {path.stem!r}"
        )
    if not (name.isidentifier() and name == name.lower()) or name in NAMES:
        why = "is a feature that ships" if name in NAMES else "is no name in small letters"
        raise SettingsError(f"{path}: {name!r} {why}; choose another")
    warm_up = feature.warm_up_s
    if not isinstance(warm_up, (int, float)) or not 0 <= warm_up < math.inf:
        raise SettingsError(f"{path}: warm_up_s is {warm_up!r}, and must be 0 seconds or more")


def _dtype(feature: OwnFeature, path: Path) -> np.dtype[Any]:
    try:
        dtype = np.dtype(list(feature.state) or [("unused", "i1")])
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{path}: state is no list of NumPy fields: {error}") from error
    if dtype.hasobject:
        raise SettingsError(f"{path}: state holds Python objects; numbers and arrays of them only")
    return dtype
