"""What a statement asks for, by the engine's own parser: never by a scan of the text.

`parseQueryToJSON` is a pure function of the engine. It gives the whole tree, settings and names as
they were written among it, and refuses what it cannot give whole; that nothing is missing is
checked by writing the statement anew from the tree. A tree is walked once and becomes a Shape, a
flat list of what occurs in it. Whether a role may do that is for policy.py.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from core.errors import WarehouseError

#: Parses a text: (its tree as JSON, the text written from the tree, the text written by the
#: parser). Raises WarehouseError with the engine's code.
Parse = Callable[[str], tuple[str, str, str]]
#: Writes a text in the engine's own way.
Format = Callable[[str], str]

_SYNTAX_ERROR = 62
# BAD_ARGUMENTS, CANNOT_RESTORE_FROM_FIELD_DUMP: what the engine says of what has no tree.
_UNSUPPORTED = (36, 536)
# Statements whose tree the engine does not give. They show one table: what follows is read as
# the FROM of a query.
_SHOWS = re.compile(
    r"(DESCRIBE TABLE|(?:EXISTS|SHOW CREATE) (?:TEMPORARY )?(?:TABLE|VIEW|DICTIONARY)) (.+)",
    re.DOTALL,
)
_SHOWS_ENGINE = re.compile(
    r"(?:EXISTS|SHOW CREATE) DATABASE `?\w+`?|SHOW ENGINES|SHOW FUNCTIONS(?: I?LIKE '[^'\\]*')?"
    r"|SHOW SETTING `?\w+`?"
)
# Rows in the text itself. Every quote is a delimiter and no name is called, so that there is
# nothing to evaluate wherever the engine's reader of rows may stand.
_ROWS = re.compile(
    r"(?is)(INSERT\s+INTO\s.+?)\bVALUES((?:\s|[(),\[\]+\-.\d]|'[^'\\]*'"
    r"|\{\w+:[\w(), ]+\}|NULL\b|TRUE\b|FALSE\b)+;?\s*)\Z"
)
_PARENTHESES = str.maketrans("", "", "()")


# Keys whose values tell variants of a statement apart.
_VARIANTS = {
    "AlterCommand.command_type",
    "AlterQuery.alter_object",
    "DropQuery.kind",
    "ExplainQuery.kind",
    "Function.kind",
    "TTLElement.destination_type",
    "TTLElement.mode",
    "ViewTargets.targets.kind",
}
_TABLE_SETTINGS = ("Storage", "AlterCommand")
# What adds to a table and takes nothing from it.
_EXTENDING = {"ADD_COLUMN", "COMMENT_COLUMN", "ADD_INDEX", "MATERIALIZE_INDEX"}
_USES = {
    "InsertQuery": "insert",
    "DropQuery": "change",
    "OptimizeQuery": "change",
    "DeleteQuery": "change",
    "UpdateQuery": "change",
    "CreateIndexQuery": "change",
    "DropIndexQuery": "change",
    "CheckTableQuery": "read",
    "ShowColumnsQuery": "read",
    "ShowIndexesQuery": "read",
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name in parts; the part `{t}` is to be bound from parameter t."""

    parts: tuple[str, ...]

    def bound(self, parameters: Mapping[str, str]) -> "Name":
        """The name with its parameters filled in; one that is not given stays."""
        return Name(
            tuple(
                parameters.get(part[1:-1], part) if part.startswith("{") else part
                for part in self.parts
            )
        )


@dataclass(slots=True)
class Shape:
    """One statement, flat. Made once, then only read.

    kind: type of its root. nodes: `Type.key` of all that occurs. values: `Type.key=value` of the
    keys that tell variants apart. tables: (use, name), uses being read, insert, create, replace,
    extend, change, temporary, database, enter, list and perhaps (x IN t). identifiers: columns,
    aliases and all other names.
    """

    kind: str
    nodes: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    table_functions: set[str] = field(default_factory=set)
    engines: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    table_settings: set[str] = field(default_factory=set)
    explained: set[str] = field(default_factory=set)  # settings of an EXPLAIN
    tables: set[tuple[str, Name]] = field(default_factory=set)
    identifiers: set[Name] = field(default_factory=set)
    merged: list[Any] = field(default_factory=list)  # first arguments of merge()
    evaluates: bool = False  # rows in the text, whose parameters the engine has to evaluate


def shape_of(sql: str, parse: Parse, write: Format) -> Shape:
    """What a statement asks for.

    Args:
        sql: the statement; one whose data travels apart ends with a FORMAT clause.
        parse: the engine's parser.
        write: the engine's way to write a statement.

    Returns:
        Its shape; of what has no tree, one whose kind no list names.

    Raises:
        WarehouseError: 62 or the engine's own code.
    """
    if "\0" in sql:
        raise unreadable("a zero byte")
    try:
        return _parsed(sql, parse)
    except WarehouseError as error:
        if error.code not in _UNSUPPORTED:
            raise
        return _without_tree(sql, parse, write, str(error))


def _without_tree(sql: str, parse: Parse, write: Format, error: str) -> Shape:
    if rows := _ROWS.fullmatch(sql):
        return replace(_parsed(f"{rows[1]}\nFORMAT Values", parse), evaluates=True)
    text = write(sql)
    if shows := _SHOWS.fullmatch(text):
        return replace(_parsed(f"SELECT * FROM {shows[2]}", parse), kind="DescribeQuery")
    if _SHOWS_ENGINE.fullmatch(text):
        return Shape("ShowQuery")
    return Shape(f"a statement that cannot be looked into ({error})")


def _parsed(sql: str, parse: Parse) -> Shape:
    tree, from_tree, written = parse(sql)
    if from_tree.translate(_PARENTHESES) != written.translate(_PARENTHESES):
        raise unreadable("a statement that its tree does not hold whole")
    try:
        root = msgspec.json.decode(tree)
    except RecursionError:
        raise unreadable("nesting so deep") from None
    return _walked(root)


def _walked(root: dict[str, Any]) -> Shape:
    shape = Shape(str(root.get("type")))
    todo: list[tuple[Any, str, str]] = [(root, "", "")]  # value, the node it is in, under which key
    while todo:
        value, owner, key = todo.pop()
        if isinstance(value, list):
            todo += [(item, owner, key) for item in value]
        elif isinstance(value, dict):
            kind = value.get("type")
            here = kind if isinstance(kind, str) else f"{owner}.{key}"
            shape.nodes.add(here)
            fields = [(k, v) for k, v in value.items() if k != "type" and not _says_nothing(v)]
            shape.nodes.update(f"{here}.{k}" for k, _ in fields)
            shape.values.update(
                f"{here}.{k}={str(v).replace(' ', '_')}"
                for k, v in fields
                if f"{here}.{k}" in _VARIANTS
            )
            if _note(shape, here, value, owner, key):
                todo += [(v, here, k) for k, v in fields]
    return shape


def _says_nothing(value: Any) -> bool:
    return value is None or value is False or value == "" or value == []


def _note(shape: Shape, here: str, node: dict[str, Any], owner: str, key: str) -> bool:
    """Take down what a node means. Whether what is below it matters."""
    if here == "Literal":
        return False
    if here == "Function":
        return _note_function(shape, node, key)
    if here == "SetQuery":
        if owner == "ExplainQuery":
            shape.explained.update(change["name"] for change in node.get("changes") or ())
            return True  # what to show, no settings of the engine
        kept = shape.table_settings if owner in _TABLE_SETTINGS else shape.settings
        kept.update(change["name"] for change in node.get("changes") or ())
        kept.update(node.get("default_settings") or ())
        return True
    if here == "ColumnsApplyTransformer" and node.get("func_name"):
        shape.functions.add(node["func_name"])
    if here == "Identifier":
        shape.identifiers.add(_name(node))
    shape.tables.update(_tables(here, node))
    return True


def _note_function(shape: Shape, node: dict[str, Any], key: str) -> bool:
    name, kind = node["name"], node.get("kind", "")
    if kind == "CODEC":
        return False  # names of codecs and numbers
    if kind in ("TABLE_ENGINE", "DATABASE_ENGINE"):
        shape.engines.add(name)
        return True
    arguments = (node.get("arguments") or {}).get("children") or []
    if key == "table_function":
        shape.table_functions.add(name)
        if name.lower() == "merge":
            shape.merged.append(arguments[0] if len(arguments) > 1 else None)
    elif key != "index_type":
        shape.functions.add(name)
        if name.lower().endswith(("in", "inignoreset")) and len(arguments) > 1:
            table = arguments[1]
            if table.get("type") == "Identifier":  # x IN t: a table, if there is no such column
                shape.tables.add(("perhaps", _name(table)))
    return True


def _tables(here: str, node: dict[str, Any]) -> list[tuple[str, Name]]:
    if here == "TableIdentifier":
        return [("read", _name(node))]
    if here == "UseQuery":
        return [("enter", _name(node["database"]))]
    if here == "ShowTablesQuery":
        return [("list", _name(node["from"]))] if node.get("from") else []
    if here == "CreateQuery":
        return [(_creates(node), _named(node)), *_copies(node)]
    if here == "AlterQuery":
        return [(_alters(node), _named(node))]
    if here == "AlterCommand" and node.get("from_table"):
        return [("read", _name_of(node.get("from_database"), node["from_table"]))]
    if here == "ViewTargets.targets" and node.get("table_name"):
        return [("insert", _name_of(node.get("table_database"), node["table_name"]))]
    if here == "RenameQuery.elements":
        return [("change", _named(node, "from_")), ("change", _named(node, "to_"))]
    if here == "DropQuery" and not (node.get("table") or node.get("table_ast")):
        return [("database", _named(node))]
    return [(_USES[here], _named(node))] if here in _USES else []


def _creates(node: dict[str, Any]) -> str:
    if node.get("is_temporary"):
        return "temporary"
    if not node.get("table"):
        return "database"
    replaces = ("replace_table", "create_or_replace", "replace_view")
    return "replace" if any(node.get(key) for key in replaces) else "create"


def _copies(node: dict[str, Any]) -> list[tuple[str, Name]]:
    if not node.get("as_table"):
        return []
    return [("read", _name_of(node.get("as_database"), node["as_table"]))]


def _alters(node: dict[str, Any]) -> str:
    commands = {command.get("command_type") for command in node["command_list"]["children"]}
    return "extend" if commands <= _EXTENDING else "change"


def _named(node: dict[str, Any], prefix: str = "") -> Name:
    parts: list[str] = []
    for what in ("database", "table"):
        value = node.get(f"{prefix}{what}_ast") or node.get(f"{prefix}{what}")
        if isinstance(value, dict):
            parts += _name(value).parts
        elif value:
            parts.append(str(value))
    return Name(tuple(parts))


def _name_of(database: str | None, table: str) -> Name:
    return Name((database, table) if database else (table,))


def _name(node: dict[str, Any]) -> Name:
    parts = node.get("name_parts") or [node.get("name", "")]
    bound = iter([parameter["name"] for parameter in node.get("children") or ()])
    return Name(tuple(part or "{" + next(bound, "") + "}" for part in parts))


def unreadable(what: str) -> WarehouseError:
    """The refusal of a text that cannot be told for certain."""
    return WarehouseError(
        f"Code: {_SYNTAX_ERROR}. DB::Exception: Syntax error: {what} is not accepted from this "
        "user. (SYNTAX_ERROR)",
        _SYNTAX_ERROR,
    )
