"""The words that statements are made of: the engine's own lists, so that a newer engine brings its
new words by itself, and what a warehouse and the machine hold that is worth an attack.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("symbol", "source", "bid", "seq", "ts", "note", "_path", "_file", "_table", "total_rows")
_WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
REACHING, COMMON = _WORDS["reaching"].split(), _WORDS["common"].split()
SYSTEM_COMMANDS, PRIVILEGES = _WORDS["system"], _WORDS["privileges"]


@dataclass(frozen=True)
class Words:
    """What statements may name. paths: files worth reading or writing. url: a server that counts
    who calls. tables: names of tables, with their databases.
    """

    functions: tuple[str, ...]
    table_functions: tuple[str, ...]
    engines: tuple[str, ...]
    database_engines: tuple[str, ...]
    settings: tuple[str, ...]
    table_settings: tuple[str, ...]
    formats: tuple[str, ...]
    types: tuple[str, ...]
    keywords: tuple[str, ...]
    tables: tuple[str, ...]
    paths: tuple[str, ...]
    url: str


def of_engine(
    ask: Callable[[str], list[str]], tables: tuple[str, ...], paths: tuple[str, ...], url: str
) -> Words:
    """The words of a running engine.

    Args:
        ask: answers a query with the values of its one column.
        tables: of the warehouse.
        paths: of files.
        url: of a server.
    """

    def names(table: str) -> tuple[str, ...]:
        return tuple(ask(f"SELECT DISTINCT name FROM system.{table} ORDER BY name"))

    system = (f"system.{name}" for name in ask("SHOW TABLES FROM system"))
    return Words(
        functions=names("functions"), table_functions=names("table_functions"),
        engines=names("table_engines"), database_engines=names("database_engines"),
        settings=names("settings"), table_settings=names("merge_tree_settings"),
        formats=names("formats"), types=names("data_type_families"),
        keywords=tuple(ask("SELECT keyword FROM system.keywords ORDER BY keyword")),
        tables=(*tables, *system), paths=paths, url=url,
    )  # fmt: skip
