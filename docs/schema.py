"""Tables, views and marts as their own files describe them, for the page of the schema."""

import re
from pathlib import Path
from typing import NamedTuple

import yaml

from adapters.clickhouse import migrate
from docs import words

_WITHIN = {"lineage_cut"}  # what other views are made of
_ROOT = Path(__file__).resolve().parents[1]
_BEGINS = re.compile(r"CREATE (?:(?:TABLE|VIEW) IF NOT EXISTS|OR REPLACE TABLE) (\w+)")
_COLUMN = re.compile(
    r"^    `?(\w+)`? (.+?)(?: CODEC \(.*\))? COMMENT '((?:[^']|'')*)'", re.MULTILINE
)
_ALTERED = re.compile(r"(?:--.*\n)*ALTER TABLE (\w+)\s+ADD COLUMN")
_ADDED = re.compile(
    r"ADD COLUMN IF NOT EXISTS `?(\w+)`? (.+?)(?: DEFAULT \S+)?(?: CODEC \(.*\))? COMMENT"
    r" '((?:[^']|'')*)'"
)
_ORDER = re.compile(r"ORDER BY \(([^)]*)\)\nSETTINGS")
_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")


class Described(NamedTuple):
    """A table, view or mart."""

    name: str
    description: str
    identity: str  # columns that name a row; of tables only
    columns: list[tuple[str, str, str]]  # name, type, meaning


def tables() -> list[Described]:
    """What migrations make and people read, by name; the state behind bars is left out.

    A view that a later migration makes anew is that one's.
    """
    statements = [
        part for migration in migrate.product_migrations() for part in migration.statements()
    ]
    described = {
        table.name: table
        for table in (
            _described(part)
            for part in statements
            if _BEGINS.search(part) and "AggregateFunction" not in part
        )
        if table.name not in _WITHIN
    }
    for part in statements:
        if (altered := _ALTERED.match(part)) and altered[1] in described:
            described[altered[1]].columns.extend(_added(part))
    return sorted(described.values(), key=lambda table: table.name)


def marts() -> list[Described]:
    """Models that answer questions, in the order of their folders."""
    described = []
    for path in sorted((_ROOT / "dbt" / "models" / "marts").glob("*/_*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            columns = [
                (
                    f"`{c['name']}`",
                    _kind(str(c.get("data_type", ""))),
                    str(c.get("description", "")),
                )
                for c in model.get("columns", [])
            ]
            described.append(Described(model["name"], model.get("description", ""), "", columns))
    return described


def _added(statement: str) -> list[tuple[str, str, str]]:
    """Columns that a table was given later."""
    return [
        (f"`{column}`", _kind(kind), meaning.replace("''", "'"))
        for column, kind, meaning in _ADDED.findall(statement)
    ]


def _described(statement: str) -> Described:
    name = _BEGINS.search(statement)
    assert name is not None
    head, _, body = statement.partition("CREATE ")
    order = _ORDER.search(body)
    columns = [
        (f"`{column}`", _kind(kind), meaning.replace("''", "'"))
        for column, kind, meaning in _COLUMN.findall(body)
    ]
    comment = " ".join(line.removeprefix("--").strip() for line in head.splitlines())
    comment = words.TABLES.get(name[1], comment)  # an applied migration cannot be corrected
    parameters = list(dict.fromkeys(_PARAMETER.findall(body)))
    if parameters:
        named = ", ".join(f"`{given}`" for given, _ in parameters)
        comment += f" Parameters: {named}."
        columns = columns or [(f"`{column}`", "", "") for column in _selected(body)]
    identity = ", ".join(f"`{part.strip()}`" for part in order[1].split(",")) if order else ""
    return Described(name[1], comment.strip(), identity, columns)


def _selected(body: str) -> list[str]:
    """Names of the columns of a view that names no types."""
    named = re.findall(r" AS `?(\w+)`?,?$", body, re.MULTILINE)
    return list(dict.fromkeys(named)) or ["*"]  # a UNION names them twice


def _kind(text: str) -> str:
    text = text.partition(" ALIAS ")[0].replace("LowCardinality(String)", "String")
    return f"`{text}`" if text else ""
