"""The lists of allowed.toml: what each role's statements may hold.

They are data, so that a reviewer reads them as such and an upgrade of the engine changes nothing
by itself.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from core.identity import Role

_FILE = resources.files("warehouse.access").joinpath("allowed.toml")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one role may do; names of functions are in lower case."""

    statements: frozenset[str]
    nodes: frozenset[str]
    values: frozenset[str]
    engines: frozenset[str]
    table_functions: frozenset[str]
    word_for_word: frozenset[str]  # SHA-256 of whole statements


@dataclass(frozen=True, slots=True)
class Lists:
    """What holds for every role but admin."""

    engine: str
    brought: frozenset[str]
    functions: frozenset[str]
    combinators: tuple[str, ...]
    refused_functions: frozenset[str]
    settings: frozenset[str]
    table_settings: frozenset[str]
    append_only: re.Pattern[str]
    system: frozenset[str]
    system_filtered: frozenset[str]
    counting: frozenset[str]


@cache
def lists() -> Lists:
    """The lists of all roles."""
    data = _data()
    functions, settings, tables = data["functions"], data["settings"], data["tables"]
    append_only = (word.replace("*", r"\w+") for word in tables["append_only"].split())
    return Lists(
        engine=data["engine"],
        brought=_pairs([data["brought"]], "nodes", ".") | set(data["brought"]["nodes"]),
        functions=_words(functions["allowed"]) | _words(functions["special"]),
        combinators=tuple(functions["combinators"].split()),
        refused_functions=_words(functions["refused"]),
        settings=_words(settings["allowed"]),
        table_settings=_words(settings["tables"]),
        append_only=re.compile("|".join(append_only)),
        system=_words(tables["system"]),
        system_filtered=_words(tables["system_filtered"]),
        counting=_words(tables["counting"]),
    )


@cache
def of(role: Role) -> Allowance:
    """A role's allowance. Admins have none: nobody asks."""
    data = _data()
    parts = [data[name] for name in data["roles"][role]]
    return Allowance(
        _words(*(part["statements"] for part in parts)),
        _pairs(parts, "nodes", ".") | {name for part in parts for name in part["nodes"]},
        _pairs(parts, "values", "="),
        _words(*(part.get("engines", "") for part in parts)),
        _words(data["functions"]["tables"], *(part.get("table_functions", "") for part in parts)),
        _words(*(part.get("word_for_word", "") for part in parts)),
    )


def function_allowed(name: str) -> bool:
    """Whether a function, or an aggregate function with its combinators, is on the list."""
    name = name.lower()
    known = lists()
    while name not in known.functions:
        ending = next((c for c in known.combinators if name.endswith(c) and name != c), "")
        if not ending or name in known.refused_functions:
            return False
        name = name.removesuffix(ending)
    return True


def unknown(names: Callable[[str], set[str]]) -> list[str]:
    """What the lists name and this engine does not have: they were made for another one.

    Args:
        names: the engine's names in a table of `system`, in lower case.
    """
    known, words = lists(), _data()["functions"]
    functions = known.functions - _words(words["special"]) | known.refused_functions
    return sorted(
        [
            *(functions - names("functions")),
            *(known.settings - names("settings")),
            *(known.table_settings - names("merge_tree_settings")),
        ]
    )


def _pairs(parts: list[dict[str, Any]], what: str, sign: str) -> frozenset[str]:
    return frozenset(
        f"{name}{sign}{word}"
        for part in parts
        for name, text in part.get(what, {}).items()
        for word in text.split()
    )


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))
