"""What each role may have the engine do. The engine itself knows no rights.

Three nets, because each alone has holes that were found by trying: `readonly=1` lets
`file('/etc/passwd')` (the scalar function), `INTO OUTFILE` and `merge()` (around row filters)
pass; the engine's own classification calls them reading; and words can be hidden from a scan
behind quotes the scan does not know. So a statement of anyone but an admin must pass all three,
and what the scan cannot read for certain is refused.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from adapters.clickhouse.embedded.statement import first_word
from core.errors import WarehouseError
from core.identity import Role, User

ACCESS_DENIED, READONLY, SYNTAX_ERROR = 497, 164, 62


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READING = _words("SELECT WITH FROM SHOW DESCRIBE DESC EXPLAIN EXISTS USE SET VALUES (")
_WRITING = _READING | _words(
    "INSERT CREATE ALTER DROP TRUNCATE RENAME EXCHANGE OPTIMIZE DELETE UPDATE REPLACE CHECK"
)
_RECORDING = _READING | {"INSERT"}  # adds rows and changes none
#: Tables that hold who did what: nobody but an admin does more than add to them.
_APPEND_ONLY = re.compile(r"audit_event|reference_\w+")
#: Table functions that make rows up or only rearrange what the statement itself names.
_HARMLESS = _words(
    "numbers numbers_mt zeros zeros_mt generateseries generate_series generaterandom values null "
    "view viewifpermitted format input primes sqlstandardvalues"
)
#: Ordinary functions that read files, run things or ask services.
_DANGEROUS = _words("file executable catboostevaluate joinget joingetornull eval")
_EXPRESSIONS = _words(
    "SELECT WITH AS DEFAULT MATERIALIZED ALIAS EPHEMERAL TTL CODEC CONSTRAINT INDEX PROJECTION "
    "SETTINGS STATISTICS ENGINE"
)
#: With data that nobody scanned: VALUES may otherwise hold any expression, file() among them.
LITERALS_ONLY = {
    "input_format_values_interpret_expressions": "0",
    "input_format_values_deduce_templates_of_expressions": "0",
}
_MERGE = frozenset({"merge"})
_AI = re.compile(r"ai[a-z]+")
_ENGINES = re.compile(
    r"((Replicated)?(Shared)?(Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing|Coalescing)?"
    r"MergeTree|Memory|Null|Log|TinyLog|StripeLog|Set|Join|View|MaterializedView|Atomic)",
    re.IGNORECASE,
)

_SCAN = re.compile(
    r"(?P<space>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<quoted>`(?:[^`\\]|\\.|``)*`|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<word>[A-Za-z_0-9]+)"
    r"|(?P<sign>[-+*/%=<>!,.;:?@^&|~()\[\]{}])",
    re.DOTALL,
)


class Token(NamedTuple):
    """A word, a quoted name (without its quotes), a string or a sign of a statement."""

    kind: str
    text: str

    @property
    def upper(self) -> str:
        """Keywords in capitals; names that are quoted are no keywords."""
        return self.text.upper() if self.kind in ("word", "sign") else ""


def check(sql: str, user: User, classified: str, functions: frozenset[str]) -> None:
    """Let a statement of this user pass, or refuse it as ClickHouse would.

    Args:
        sql: the statement as the engine will get it.
        user: who asks.
        classified: the engine's own class of it (READ_ONLY, MUTATING, MUTATING_GLOBAL, CONTROL,
            UNKNOWN).
        functions: names of the engine's table functions, in lower case.

    Raises:
        WarehouseError: code 497 or 164 when it is not allowed, 62 when it cannot be told.
    """
    if user.role == "admin":
        return
    tokens = list(_tokens(sql))
    first = tokens[0].upper if tokens else ""
    if first != first_word(sql):  # sessions go by that one: a SET must be known as such
        raise _unreadable("what stands before the first word")
    if user.role in ("writer", "recorder"):
        _check_writer(first, tokens, classified, user)
    elif first not in _READING or classified.startswith("MUTATING"):
        raise _refusal(
            READONLY, user, f"Cannot execute query in readonly mode: role {user.role} may only read"
        )
    _check_control(first, tokens, classified, user)
    _check_reach(tokens, user, functions - (_MERGE if user.role == "writer" else frozenset()))


def check_parameters(sql: str, parameters: Mapping[str, str], user: User) -> None:
    """A bound parameter may be a name (`{t:Identifier}`), and a name may not be a path.

    Raises:
        WarehouseError: 497, a value the engine could take for a file.
    """
    if not parameters or not any(token.upper == "IDENTIFIER" for token in _tokens(sql)):
        return
    for name, value in parameters.items():
        if not {"/", "\\"}.isdisjoint(value):
            raise _refusal(ACCESS_DENIED, user, f"a path in parameter {name} is for admins")


def check_table(structure: str, data_format: str, user: User, functions: frozenset[str]) -> None:
    """External data: its columns are names and types. They become part of a CREATE statement
    that runs before the user's settings hold, so expressions are refused.

    Raises:
        WarehouseError: 497, or 62 when it cannot be told.
    """
    tokens, depth = list(_tokens(structure)), 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "sign" else "", 0)
        odd = token.kind == "sign" and token.text not in "(),=-."
        if odd or depth < 0 or token.upper in _EXPRESSIONS:
            raise _refusal(ACCESS_DENIED, user, f"{token.text} in external columns is for admins")
    if depth or not re.fullmatch(r"\w+", data_format) or data_format.upper() == "VALUES":
        raise _refusal(ACCESS_DENIED, user, f"external data in format {data_format} is for admins")
    _check_reach(tokens, user, functions)


def check_input(sql: str, user: User) -> None:
    """An INSERT whose data travels apart, so that `check` has not read it.

    Raises:
        WarehouseError: 497, the statement would have the data evaluated.
    """
    for token in _tokens(sql):
        if token.text.lower().startswith("input_format_values"):
            raise _refusal(ACCESS_DENIED, user, f"{token.text} is for admins")


def _check_writer(first: str, tokens: list[Token], classified: str, user: User) -> None:
    second = tokens[1].upper if len(tokens) > 1 else ""
    if first not in (_WRITING if user.role == "writer" else _RECORDING):
        raise _refusal(ACCESS_DENIED, user, f"{first or 'this statement'} is for admins")
    if classified == "MUTATING_GLOBAL" or (first, second) == ("DROP", "DATABASE"):
        raise _refusal(ACCESS_DENIED, user, f"{first} {second} is for admins".strip())
    if first not in _RECORDING and any(_APPEND_ONLY.fullmatch(t.text.lower()) for t in tokens):
        raise _refusal(ACCESS_DENIED, user, f"{first} on an audit table is for admins")
    words = [token.upper for token in tokens]
    for at, word in enumerate(words):
        if word == "ENGINE":
            name = next((t for t in tokens[at + 1 : at + 3] if t.kind in ("word", "quoted")), None)
            if name and not _ENGINES.fullmatch(name.text):
                raise _refusal(ACCESS_DENIED, user, f"engine {name.text} is for admins")
    if first == "CREATE" and {"SOURCE", "DICTIONARY"} & set(words):
        raise _refusal(ACCESS_DENIED, user, "dictionaries are for admins")


def _check_control(first: str, tokens: list[Token], classified: str, user: User) -> None:
    if classified == "CONTROL" and first not in ("USE", "SET", "CREATE", "DROP"):
        raise _refusal(ACCESS_DENIED, user, f"{first or 'this statement'} is for admins")
    for here, following in pairwise(tokens):
        if (here.upper, following.upper) in (("INTO", "OUTFILE"), ("FROM", "INFILE")):
            raise _refusal(ACCESS_DENIED, user, f"{here.upper} {following.upper} is for admins")
        if here.upper == ";":
            raise WarehouseError(
                "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). "
                "(SYNTAX_ERROR)",
                SYNTAX_ERROR,
            )


def _check_reach(tokens: list[Token], user: User, functions: frozenset[str]) -> None:
    for here, following in pairwise(tokens):
        if here.kind in ("word", "quoted") and following.text == "(":
            name = here.text.lower()
            outside = name in functions and name not in _HARMLESS
            if outside or name in _DANGEROUS or _AI.fullmatch(name):
                raise _refusal(ACCESS_DENIED, user, f"{here.text}() is for admins")
        # The engine takes FROM 'path' and FROM `/path` for files.
        if here.upper in ("FROM", "JOIN", "INTO", "TABLE") and following.kind == "string":
            raise _refusal(ACCESS_DENIED, user, "a file in place of a table is for admins")
        if following.kind == "quoted" and "/" in following.text:
            raise _refusal(ACCESS_DENIED, user, "a path in place of a name is for admins")


def _tokens(sql: str) -> Iterator[Token]:
    """Every token but space and comments.

    Raises:
        WarehouseError: a sign the scan does not know (heredocs and typographic quotes among
            them, which the engine would read as quotes), or an escape within a quoted name.
    """
    at = 0
    while at < len(sql):
        match = _SCAN.match(sql, at)
        if match is None:
            raise _unreadable(f"{sql[at]!r} at position {at + 1} outside quotes")
        at, kind, text = match.end(), match.lastgroup or "", match[0]
        if kind == "quoted":
            if "\\" in text:
                raise _unreadable(f"a backslash in the quoted name {text}")
            text = text[1:-1].replace(text[0] * 2, text[0])
        if kind != "space":
            yield Token(kind, text)


def _unreadable(what: str) -> WarehouseError:
    return WarehouseError(
        f"Code: {SYNTAX_ERROR}. DB::Exception: Syntax error: {what} is not accepted from this "
        "user. (SYNTAX_ERROR)",
        SYNTAX_ERROR,
    )


def _refusal(code: int, user: User, what: str) -> WarehouseError:
    name = {ACCESS_DENIED: "ACCESS_DENIED", READONLY: "READONLY"}[code]
    said = f"Not enough privileges. {what}" if code == ACCESS_DENIED else what
    return WarehouseError(f"Code: {code}. DB::Exception: {user.name}: {said}. ({name})", code)


_LIMITS: dict[Role, tuple[float, int]] = {  # seconds, MiB; 0 is none
    "admin": (0, 0),
    "writer": (0, 0),
    "recorder": (0, 0),
    "analyst": (60, 2048),
    "risk": (60, 2048),  # of the warehouse no more than an analyst
    "grafana": (30, 1024),
}


def bound(user: User, asked: dict[str, str]) -> dict[str, str]:
    """The settings a statement of this user runs with: those asked for, within the user's bounds.

    Limits may be tightened by the asker and never loosened. Caches of results are off for who
    has row filters: the engine has one user and would share them.
    """
    role_seconds, role_mib = _LIMITS[user.role]
    settings = dict(asked)
    _cap(settings, "max_execution_time", user.max_seconds or role_seconds)
    _cap(settings, "max_memory_usage", (user.max_memory_mib or role_mib) * 2**20)
    if user.role not in ("admin", "writer"):
        settings |= {"readonly": "1", "use_query_cache": "0", "allow_introspection_functions": "0"}
        settings.pop("additional_table_filters", None)
        settings.pop("additional_result_filter", None)
        settings.pop("timeout_overflow_mode", None)  # `break` would pass off a part as the whole
    if user.row_filters:
        settings["additional_table_filters"] = _map(user.row_filters)
        settings["use_query_condition_cache"] = "0"
    if user.password:
        settings["log_comment"] = " ".join(
            filter(None, (f"user={user.name}", asked.get("log_comment")))
        )
    return settings


def _cap(settings: dict[str, str], name: str, limit: float) -> None:
    if not limit:
        return
    try:
        asked = float(settings.get(name, 0))
    except ValueError:
        return  # the engine says what is wrong with it
    if not 0 < asked <= limit:
        settings[name] = f"{limit:g}" if name == "max_execution_time" else str(int(limit))


def _map(values: dict[str, str]) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    return "{" + ", ".join(f"{quoted(k)}: {quoted(v)}" for k, v in values.items()) + "}"
