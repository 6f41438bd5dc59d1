"""Expressions, names and queries by grammar, from one random source: the same seed, the same text.

Most are statements that the engine accepts, because what it refuses to read proves nothing; names
are written in each way that the engine reads.
"""

from random import Random

from tests.attack.words import COLUMNS, COMMON, REACHING, Words

_OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "!=",
    "<",
    ">",
    "AND",
    "OR",
    "||",
    "LIKE",
    "ILIKE",
    "<=>",
)
_STRANGE = (
    "тик",
    "名前",
    "é",
    "🙂",
    "\u00a0",
    "a'b",
    "a`b",
    "a\\b",
    "\u202e",
    "\uff26\uff29\uff2c\uff25",
    "İ",
)
_JOINS = ("JOIN", "LEFT JOIN", "ASOF JOIN", "CROSS JOIN", ",", "GLOBAL ANY JOIN", "PASTE JOIN",
          "SEMI LEFT JOIN", "FULL OUTER JOIN", "ARRAY JOIN")  # fmt: skip
KNOWN = ("tick", "signal", "order_event", "audit_event", "reference_calendar", "hidden", "last")


class Expressions:
    """A source of expressions and queries. depth bounds how far they nest."""

    def __init__(self, words: Words, random: Random) -> None:
        self.words, self.random = words, random

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, *things: str) -> str:
        return self.random.choice(things)

    def name(self, plain: str) -> str:
        """A name, in one of the ways of writing it."""
        way = self.random.randrange(24)
        if way < 16:
            return plain
        if way < 19:
            return f"`{plain}`"
        if way < 21:
            return f'"{plain}"'
        if way == 21:
            return "`" + "".join(f"\\x{ord(c):02x}" if c.isalpha() else c for c in plain) + "`"
        if way == 22:
            return "".join(c.upper() if self.chance(0.5) else c.lower() for c in plain)
        return "{t:Identifier}"

    def table(self) -> str:
        """A table, or what the engine might take for one."""
        if self.chance(0.5):
            return f"tickhouse.{self.one(*KNOWN)}"
        way = self.random.randrange(20)
        if way < 13:
            return ".".join(map(self.name, self.random.choice(self.words.tables).split(".")))
        if way < 16:
            return self.name(self.random.choice(self.words.tables).rpartition(".")[2])
        path = self.random.choice(self.words.paths)
        if way == 16:
            return f"default.`{path}`"
        if way == 17:
            return f"`{path}`"
        if way == 18:
            return "default.{t:Identifier}"
        return f"`{self.one(*_STRANGE)}`".replace("``", "`")

    def text(self) -> str:
        """A literal string."""
        said = self.random.choice((*self.words.paths, self.words.url, "x", "1", "", *_STRANGE))
        way = self.random.randrange(8)
        if way == 0 and "$" not in said:
            return f"$q${said}$q$"
        if way == 1:
            return "'" + "".join(f"\\x{b:02x}" for b in said.encode()) + "'"
        if way == 2:
            return f"x'{said.encode().hex()}'"
        return "'" + said.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def literal(self) -> str:
        """A constant."""
        numbers = ("0", "1", "-1", "0x1F", "1e3", "18446744073709551615", "inf", "NULL", "nan")
        others = ("[1, 2]", "(1, 'a')", "map('a', 1)", "{p:String}", "{n:UInt64}", "INTERVAL 1 DAY",
                  "DATE '2024-01-01'", "TRUE", "*", "[]")  # fmt: skip
        return self.text() if self.chance(0.4) else self.one(*numbers, *others)

    def called(self) -> str:
        """The name of a function: of any, of one that reaches out, or of a usual one."""
        way = self.random.random()
        chosen = REACHING if way < 0.25 else COMMON if way < 0.6 else self.words.functions
        name = str(self.random.choice(chosen))
        if self.chance(0.06):
            name += self.one("If", "State", "Merge", "OrNull", "Array", "Distinct", "MergeState")
        return self.name(name)

    def expression(self, depth: int = 3) -> str:
        """Any expression."""
        if self.chance(0.6):
            return self.sound(depth)
        if depth <= 0 or self.chance(0.3):
            return self.name(self.one(*COLUMNS)) if self.chance(0.5) else self.literal()
        way = self.random.randrange(16)
        inner = lambda: self.expression(depth - 1)  # noqa: E731
        if way < 6:
            return self.call(depth)
        return [
            lambda: f"({inner()} {self.one(*_OPERATORS)} {inner()})",
            lambda: f"{inner()} {self.one('IN', 'NOT IN', 'GLOBAL IN')} {self.set_of(depth)}",
            lambda: f"({self.query(depth - 1)})",
            lambda: f"CASE WHEN {inner()} THEN {inner()} ELSE {inner()} END",
            lambda: f"CAST({inner()} AS {self.type_name()})",
            lambda: f"{inner()}::{self.one('String', 'UInt8', 'Array(String)')}",
            lambda: f"EXISTS({self.query(depth - 1)})",
            lambda: f"{self.called()}({inner()}) OVER (PARTITION BY {inner()} ORDER BY {inner()})",
            lambda: f"{inner()} AS {self.one('a', 'b', 'symbol')}",
            lambda: (
                self.one("COLUMNS('.*')", "t.*", "*", "* EXCEPT (bid)")
                + self.one("", f" APPLY({self.called()})", f" APPLY(x -> {inner()})")
            ),
        ][way - 6]()

    def sound(self, depth: int) -> str:
        """A string from a table of known columns, that the engine can work out but for a hole: what
        would reach something, in a place where everything else is right.
        """
        if self.chance(0.06):
            return self.hole()
        if depth <= 0 or self.chance(0.3):
            return f"toString({self.one(*COLUMNS[:6])})" if self.chance(0.7) else self.text()
        shape = self.one(
            "concat({}, {})", "upper({})", "if({} = {}, {}, {})", "substring({}, 1, 9)", "({} || {})",
            "arrayStringConcat([{}, {}])", "CAST({} AS String)", "hex({})", "coalesce({}, {})",
            "CASE WHEN {} LIKE '%a' THEN {} ELSE {} END", "toString({} IN ({}, {}))", "{}::String",
            "arrayStringConcat(arrayMap(x -> concat(x, {}), [{}]))", "formatRow('CSV', {}, {})",
            "toString(length({}))", "tupleElement(({}, {}), 1)", "map('k', {})['k']",
        )  # fmt: skip
        return "".join(
            part + (self.sound(depth - 1) if place else "")
            for place, part in zip([1] * shape.count("{}") + [0], shape.split("{}"), strict=True)
        )

    def hole(self) -> str:
        """What reads a file, calls out, tells of the server, or looks where it may not; a string."""
        path, call = self.text(), self.name(self.random.choice(REACHING))
        table = self.name(self.random.choice(self.words.table_functions))
        return self.one(
            f"file({path})", f"{call}({path})", f"toString({call}('max_threads'))", f"toString({call}(1))",
            f"(SELECT * FROM file({path}, 'LineAsString') LIMIT 1)", f"toString({call}())",
            f"(SELECT toString(*) FROM {table}({path}, 'LineAsString', 's String') LIMIT 1)",
            f"(SELECT toString(*) FROM url({path}, 'LineAsString') LIMIT 1)",
            f"toString('x' IN default.`{self.random.choice(self.words.paths)}`)",
            f"(SELECT toString(tuple(*)) FROM {self.table()} LIMIT 1)",
            f"(SELECT toString(count()) FROM {self.table()})",
            f"{call}('tickhouse.tick', 'note', {path})", f"toString({call}({path}, 1))",
            f"(SELECT toString(count()) FROM merge({self.one('tickhouse', 'system')!r}, '.*'))",
            "(SELECT any(note) FROM mine)", f"toString({self.name(self.random.choice(self.words.functions))}())",
            f"toString({self.name(self.random.choice(self.words.functions))}({self.literal()}))",
        )  # fmt: skip

    def sound_query(self, depth: int) -> str:
        """A query of known tables and columns, in many of its forms."""
        table = self.one(*(f"tickhouse.{name}" for name in KNOWN))
        inner = f"(SELECT * FROM {table} WHERE {self.sound(1)} != 'x')"
        source = self.one(
            table, f"{table} AS t", inner, f"{inner} AS t", f"{table} FINAL", f"view(SELECT * FROM {table})",
            f"{table} AS t JOIN (SELECT symbol FROM {table}) AS u USING (symbol)",
            f"{table} ARRAY JOIN [{self.sound(1)}] AS j", f"(SELECT * FROM {table} UNION ALL SELECT * FROM {table})",
            f"{table} AS t, (SELECT 1 AS one) AS u", f"{table} PREWHERE {self.sound(1)} != 'x'",
        )  # fmt: skip
        rest = self.one(
            "", "", f" WHERE {self.sound(2)} != 'x'", " GROUP BY ALL", f" ORDER BY {self.sound(1)}",
            f" GROUP BY {self.sound(1)} AS g", f" ORDER BY 1 LIMIT 1 BY {self.sound(1)}", " QUALIFY 1",
            f" HAVING {self.sound(1)} != 'x'", f" WHERE symbol IN ({self.text()}, {self.sound(1)})",
        )  # fmt: skip
        select = (
            self.one("", "", "*, ", "COLUMNS('o'), ", "* EXCEPT (bid), ")
            if "BY" not in rest
            else ""
        )
        start = self.one(
            "",
            "",
            "",
            f"WITH c AS (SELECT {self.sound(1)} FROM {table}) ",
            f"WITH {self.text()} AS w ",
        )
        items = ", ".join(self.sound(depth) for _ in range(self.random.choice((1, 1, 2))))
        limit = self.one(" LIMIT 20", " LIMIT 20", " LIMIT 1 OFFSET 1", "")
        if " AS g" in rest:
            items = "count(), any(" + self.sound(depth) + ")"
        return f"{start}SELECT {select}{items} FROM {source}{rest}{limit}"

    def call(self, depth: int) -> str:
        """A function with arguments."""
        arguments = [self.expression(depth - 1) for _ in range(self.random.randrange(4))]
        if self.chance(0.1):
            arguments.insert(0, f"x -> {self.expression(depth - 1)}")
        parameters = f"({self.literal()})" if self.chance(0.05) else ""
        comment = self.one("", "", "", "", "/*;*/", " ", "--\n")
        return f"{self.called()}{comment}{parameters}({', '.join(arguments)})"

    def set_of(self, depth: int) -> str:
        if self.chance(0.4):
            return self.table()
        return f"({self.query(depth - 1) if self.chance(0.6) else self.literal()})"

    def type_name(self) -> str:
        return str(self.one("String", "Nullable(UInt8)", *self.words.types[:40]))

    def table_function(self, depth: int) -> str:
        """A function that stands for a table."""
        reaching = [name for name in REACHING if name in self.words.table_functions]
        name = self.name(
            self.random.choice(reaching if self.chance(0.5) else list(self.words.table_functions))
        )
        formats = self.one("LineAsString", "RawBLOB", "CSV", "TSV", "Parquet")
        first = self.text() if self.chance(0.8) else self.expression(depth - 1)
        more = self.one("", f", '{formats}'", f", '{formats}', 's String'", ", system, one",
                        f", {self.table()}", ", 'tick'", ", headers('a' = 'b')")  # fmt: skip
        return f"{name}({first}{more})"

    def source(self, depth: int) -> str:
        """What may stand after FROM."""
        way = self.random.random()
        if depth <= 0 or way < 0.55:
            source = self.table()
        elif way < 0.75:
            source = self.table_function(depth)
        elif way < 0.9:
            source = f"({self.query(depth - 1)})"
        else:
            source = f"{self.source(depth - 1)} {self.one(*_JOINS)} {self.source(depth - 1)}"
            source += self.one("", " USING (symbol)", f" ON {self.expression(depth - 2)}")
        return source + self.one("", "", "", " AS t", " AS t", " FINAL")

    def query(self, depth: int = 3) -> str:
        """A SELECT, or several put together."""
        query = self.sound_query(depth - 1) if self.chance(0.6) else self._select(depth)
        if depth > 0 and self.chance(0.08):
            union = self.one("UNION ALL", "UNION DISTINCT", "EXCEPT", "INTERSECT")
            query = f"{query} {union} {self._select(depth - 1)}"
        return query

    def _select(self, depth: int) -> str:
        parts = [self._with(depth), "SELECT", self.one("", "", "", "DISTINCT")]
        parts.append(
            ", ".join(self.expression(depth - 1) for _ in range(self.random.choice((1, 1, 2))))
        )
        if self.chance(0.75):
            parts.append(f"FROM {self.source(depth - 1)}")
        clauses = ("PREWHERE", "WHERE", "GROUP BY", "HAVING", "QUALIFY", "ORDER BY")
        parts += [f"{c} {self.expression(depth - 1)}" for c in clauses if self.chance(0.12)]
        parts.append(
            self.one("", "", "", "LIMIT 5", "LIMIT 1 BY symbol", "WITH TOTALS", "OFFSET 1")
        )
        return " ".join(part for part in parts if part)

    def _with(self, depth: int) -> str:
        if depth <= 0 or not self.chance(0.15):
            return ""
        return self.one(
            f"WITH c AS ({self.query(depth - 1)})",
            f"WITH {self.expression(depth - 1)} AS w",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3)",
            f"WITH (x -> {self.expression(depth - 1)}) AS f",
        )
