"""What each role may have the engine do. The engine itself knows no rights.

A statement is understood before it runs, by the engine's own parser (parsed.py), and may hold only
what the lists name (allowed.toml): kinds of statement, every key of its tree, functions, engines,
settings. What stands nowhere is refused, so that what nobody thought of, or what a newer engine
brings, is refused too. Then come the tables: which database, and whether they may be changed.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import WarehouseError
from core.identity import User
from warehouse.access import allowances
from warehouse.access.allowances import Allowance
from warehouse.access.parsed import Name, Shape

ACCESS_DENIED, READONLY = 497, 164
_WORD = re.compile(r"\w+")
_VIEW = re.compile(r"(\w+\.)?\w+")
# The database that chDB makes takes names which it does not know for files.
_FILES = "default"
_SYSTEM, _INFORMATION = "system", "information_schema"
_READING = ("read", "perhaps", "list", "enter")
_ADDING = (*_READING, "insert", "create", "extend", "temporary")
_COLUMNS_OF_ALL = frozenset(
    {"Asterisk", "QualifiedAsterisk", "ColumnsRegexpMatcher", "QualifiedColumnsRegexpMatcher"}
)
_COUNTED = (_INFORMATION, "tables", "columns")  # have columns that count
_EXPLAINED = frozenset(
    {
        "actions", "column_structure", "compact", "description", "distributed", "dump_ast",
        "dump_passes", "dump_tree", "graph", "header", "indexes", "input_headers", "json",
        "keep_logical_steps", "oneline", "pretty", "projections", "run_passes",
        "run_query_tree_passes", "sorting",
    }
)  # fmt: skip
_COUNTING_PLANS = ("ExplainQuery.settings", "ExplainQuery.kind=EXPLAIN_ESTIMATE")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement runs: the database its request names, if any, its parameters, and the
    table functions of the engine, in lower case.
    """

    database: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    table_functions: frozenset[str] = frozenset()


def check(shape: Shape, user: User, place: Place) -> None:
    """Let a statement of this user pass, or refuse it as ClickHouse would.

    Args:
        shape: what the statement asks for.
        user: who asks; an admin may do everything but what ends the engine.
        place: where it would run.

    Raises:
        WarehouseError: code 497, or 164 when a reader would change something.
    """
    if not shape.explained <= _EXPLAINED:
        # Some plans that are not optimised end the engine, and with it everybody's warehouse.
        setting = min(shape.explained - _EXPLAINED)
        raise _refusal(ACCESS_DENIED, user, f"EXPLAIN with {setting} is for nobody")
    if user.role == "admin":
        return
    allowance = allowances.of(user.role)
    if shape.kind not in allowance.statements:
        raise _kind_refused(user, shape)
    _check_form(shape, user, allowance)
    _check_calls(shape, user, allowance)
    check_settings(shape.settings, user)
    reads = shape.kind in allowances.of("analyst").statements
    for name in (*shape.identifiers, *(name for _, name in shape.tables)):
        _check_bound(name, user, place, reads)
    views = _check_table_functions(shape, user, place, allowance)
    for use, name in (*shape.tables, *views):
        _check_table(use, name.bound(place.parameters), user, place, shape.kind)
    if user.row_filters:
        _check_uncounted(shape, user, place)


def is_word_for_word(sql: str, shape: Shape, user: User) -> bool:
    """Whether a role may run this very text, though its kind is for others."""
    allowance = allowances.of(user.role)
    if shape.kind in allowance.statements or not allowance.word_for_word:
        return False
    digest = hashlib.sha256(sql.encode("utf-8", "surrogateescape")).hexdigest()
    return digest in allowance.word_for_word


def check_settings(names: Iterable[str], user: User) -> None:
    """Settings of a statement or a request.

    Raises:
        WarehouseError: 164 or 497, one that the lists do not name.
    """
    known = allowances.lists().settings
    for name in names:
        if name not in known:
            code = READONLY if _only_reads(user) else ACCESS_DENIED
            raise _refusal(code, user, f"Cannot modify '{name}': this setting is for admins")


def check_brought(shape: Shape, data_format: str, user: User) -> None:
    """A table that comes along with a request, as the CREATE statement that is made of it. It
    runs before the user's settings hold, so it is columns and types and nothing else.

    Raises:
        WarehouseError: 497, it is more than that.
    """
    more = sorted(shape.nodes - allowances.lists().brought)
    if more or shape.functions or shape.engines != {"Memory"} or shape.kind != "CreateQuery":
        what = more[0] if more else "an expression"
        raise _refusal(ACCESS_DENIED, user, f"{what} in external columns is for admins")
    if not _WORD.fullmatch(data_format) or data_format.upper() == "VALUES":
        raise _refusal(ACCESS_DENIED, user, f"external data in format {data_format} is for admins")


def _only_reads(user: User) -> bool:
    return allowances.of(user.role).statements == allowances.of("analyst").statements


def _kind_refused(user: User, shape: Shape) -> WarehouseError:
    if shape.nodes and _only_reads(user):
        text = f"Cannot execute query in readonly mode: role {user.role} may only read"
        return _refusal(READONLY, user, text)
    return _refusal(ACCESS_DENIED, user, f"{shape.kind} is for admins")


def _check_form(shape: Shape, user: User, allowance: Allowance) -> None:
    for more in sorted(shape.nodes - allowance.nodes) or sorted(shape.values - allowance.values):
        raise _refusal(ACCESS_DENIED, user, f"{more} is for admins")


def _check_calls(shape: Shape, user: User, allowance: Allowance) -> None:
    for name in shape.functions:
        if not allowances.function_allowed(name):
            raise _refusal(ACCESS_DENIED, user, f"{name}() is for admins")
    for name in shape.engines - allowance.engines:
        raise _refusal(ACCESS_DENIED, user, f"engine {name} is for admins")
    for name in shape.table_settings - allowances.lists().table_settings:
        raise _refusal(ACCESS_DENIED, user, f"table setting {name} is for admins")
    for first in shape.merged:
        _check_merged(first, user)


def _check_table_functions(
    shape: Shape, user: User, place: Place, allowance: Allowance
) -> list[tuple[str, Name]]:
    """The views among them: one that takes parameters is written as a function."""
    others = {n for n in shape.table_functions if n.lower() not in allowance.table_functions}
    for name in others:
        if name.lower() in place.table_functions or not _VIEW.fullmatch(name):
            raise _refusal(ACCESS_DENIED, user, f"{name}() is for admins")
    return [("read", Name(tuple(name.split(".")))) for name in others]


def _check_merged(first: object, user: User) -> None:
    database = ""
    if isinstance(first, dict) and first.get("type") == "Literal":
        database = str(first["value"].get("value", ""))
    refused = (_FILES, _SYSTEM, _INFORMATION)
    if not _WORD.fullmatch(database) or database.lower() in refused:
        raise _refusal(ACCESS_DENIED, user, "merge() of this database is for admins")


def _check_bound(name: Name, user: User, place: Place, reads: bool) -> None:
    for part in name.parts:
        if not part.startswith("{"):
            continue
        if not reads:
            raise _refusal(ACCESS_DENIED, user, f"a name as parameter {part} outside a query")
        if not _WORD.fullmatch(place.parameters.get(part[1:-1], "")):
            text = f"parameter {part} is no plain name that came with this request"
            raise _refusal(ACCESS_DENIED, user, text)


def _check_table(use: str, name: Name, user: User, place: Place, kind: str) -> None:
    if use == "database":
        if kind == "CreateQuery" and _plain_database(name.parts[0]):
            return
        raise _refusal(ACCESS_DENIED, user, f"{kind} of a database is for admins")
    if use in ("enter", "list"):
        # Bare names are judged by the database of the request: no session enters one of these.
        if use == "enter" and name.parts[0].lower() in (_FILES, _SYSTEM, _INFORMATION):
            raise _refusal(ACCESS_DENIED, user, f"USE of database {name.parts[0]} is for admins")
        return
    if len(name.parts) > 2 and use != "perhaps":
        raise _refusal(ACCESS_DENIED, user, f"the name {'.'.join(name.parts)} is for admins")
    _check_database(use, name, user, place)
    if allowances.lists().append_only.fullmatch(name.parts[-1].lower()) and use not in _ADDING:
        raise _refusal(ACCESS_DENIED, user, f"{kind} of {name.parts[-1]} is for admins")


def _check_database(use: str, name: Name, user: User, place: Place) -> None:
    database, table = _resolved(name, place)
    if "/" in table or "\\" in table:
        raise _refusal(ACCESS_DENIED, user, "a path in place of a table is for admins")
    if database == _FILES:
        # A table of the session, or of a WITH: the gate cannot know them all.
        here = len(name.parts) == 1 and use not in ("create", "replace", "extend")
        if not (here and _WORD.fullmatch(table) and not os.path.lexists(table)):
            raise _refusal(ACCESS_DENIED, user, f"{table!r} of database {_FILES} is for admins")
    elif database == _SYSTEM:
        known = allowances.lists()
        tables = known.system_filtered if user.row_filters else known.system
        if use not in _READING or table.lower() not in tables:
            raise _refusal(ACCESS_DENIED, user, f"{_SYSTEM}.{table} is for admins")
    elif database == _INFORMATION and use not in _READING:
        raise _refusal(ACCESS_DENIED, user, f"{_INFORMATION}.{table} is for admins")


def _check_uncounted(shape: Shape, user: User, place: Place) -> None:
    """Counts of all rows are none of the business of who may see some."""
    for plan in _COUNTING_PLANS:
        if plan in shape.nodes or plan in shape.values:
            raise _refusal(ACCESS_DENIED, user, "a plan with counts is for who sees all rows")
    read = {_resolved(name.bound(place.parameters), place) for _, name in shape.tables}
    counted = any(db == _INFORMATION or (db == _SYSTEM and t.lower() in _COUNTED) for db, t in read)
    if not counted and not shape.kind.startswith("Show"):
        return
    if counted and shape.nodes & _COLUMNS_OF_ALL:
        raise _refusal(ACCESS_DENIED, user, "name the columns: * of these tables counts all rows")
    for name in shape.identifiers:
        parts = {part.lower() for part in name.bound(place.parameters).parts}
        if parts & allowances.lists().counting:
            raise _refusal(ACCESS_DENIED, user, f"{name.parts[-1]} is for who sees all rows")


def _resolved(name: Name, place: Place) -> tuple[str, str]:
    database = name.parts[0] if len(name.parts) > 1 else place.database or _FILES
    return database.lower(), name.parts[-1]


def _plain_database(name: str) -> bool:
    return bool(_WORD.fullmatch(name)) and name.lower() not in (_FILES, _SYSTEM, _INFORMATION)


def _refusal(code: int, user: User, what: str) -> WarehouseError:
    name = {ACCESS_DENIED: "ACCESS_DENIED", READONLY: "READONLY"}[code]
    said = f"Not enough privileges. {what}" if code == ACCESS_DENIED else what
    return WarehouseError(f"Code: {code}. DB::Exception: {user.name}: {said}. ({name})", code)
