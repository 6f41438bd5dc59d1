"""Attacks by grammar: number n of a seed is always the same one.

All kinds of statement, with their settings, parameters, data that comes along, sessions, quoting,
comments, several in one request, and half of what was accepted once spoilt at random.
"""

import re
from dataclasses import dataclass, field
from random import Random

from tests.attack.expressions import Expressions
from tests.attack.words import COLUMNS, PRIVILEGES, SYSTEM_COMMANDS, Words

_TOKEN = re.compile(r"\s+|\w+|'[^']*'|`[^`]*`|.", re.DOTALL)
_SPACES = (" ", "\n", "\t", "\u00a0", "\u3000", "\ufeff", "/**/", "/* ' */", "--x\n", "#!\n", "\0")
_VALUES = ("0", "1", "'1'", "2", "100", "1e-9", "18446744073709551615", "'x'", "DEFAULT")
_KINDS = [
    "TABLE",
    "DATABASE",
    "VIEW",
    "DICTIONARY",
    "FUNCTION",
    "USER",
    "ROLE",
    "QUOTA",
    "POLICY",
    "PROFILE",
    "INDEX",
    "COLUMN",
]


@dataclass(frozen=True)
class Attack:
    """One request. parameters: of its URL, besides the statement."""

    sql: str
    parameters: dict[str, str] = field(default_factory=dict)
    data: str = ""  # follows the statement
    method: str = "POST"


def attack(words: Words, seed: int, number: int) -> Attack:
    """Number `number` of a seed."""
    return Grammar(words, Random(f"{seed}/{number}")).attack()


class Grammar(Expressions):
    """Statements of all kinds."""

    def attack(self) -> Attack:
        """The next request."""
        sql, data = self.statement(), ""
        if self.chance(0.12):
            sql = self.spoilt(sql)
        if self.chance(0.03):
            sql += self.one("; ", ";;", ";\n--\n", "\0;") + self.statement()
        if sql.startswith(("SELECT", "WITH", "SHOW", "DESC")) and self.chance(0.3):
            sql += self.one(
                f" FORMAT {self.random.choice(self.words.formats)}", self.settings_clause(),
                f" INTO OUTFILE {self.text()}", f"{self.settings_clause()} FORMAT JSON",
            )  # fmt: skip
        if sql.lstrip()[:6].upper() == "INSERT" and self.chance(0.5):
            sql, data = f"{sql} FORMAT {self.random.choice(self.words.formats)}", self.rows()
        return Attack(sql, self.parameters(), data, "GET" if self.chance(0.06) else "POST")

    def parameters(self) -> dict[str, str]:
        """Of the URL: settings, names to be bound, sessions, another database."""
        parameters = {}
        if self.chance(0.5):
            parameters["database"] = self.one(*["tickhouse"] * 12, "system", "default", "../..")
        if self.chance(0.15):
            parameters[self.random.choice(self.words.settings)] = self.one(*_VALUES).strip("'")
        if self.chance(0.3):
            parameters["param_t"] = self.random.choice(
                (*self.words.paths, "tick", "audit_event", "one")
            )
            parameters |= {"param_p": self.random.choice(self.words.paths), "param_n": "7"}
        if self.chance(0.1):
            parameters |= {"session_id": self.one("planted", "mine"), "session_timeout": "5"}
        if self.chance(0.05):
            parameters["async_insert"] = "1"
        return parameters

    def statement(self) -> str:
        """A statement of any kind; most read, since that all roles may."""
        way = self.random.random()
        if way < 0.45:
            return self.query(4)
        if way < 0.55:
            return self.inserting()
        if way < 0.8:
            return self.changing()
        return self.showing() if way < 0.9 else self.ruling()

    def inserting(self) -> str:
        """INSERT in its forms."""
        target = self.one(self.table(), f"FUNCTION {self.table_function(2)}", self.table())
        columns = self.one("", "", f" ({self.one(*COLUMNS)})", " (* EXCEPT (ts))")
        rest = self.one(
            f"SELECT {self.expression(2)}, {self.expression(1)}",
            self.query(2),
            f"VALUES ({self.expression(2)}, {self.literal()})",
            f"FROM INFILE {self.text()} FORMAT CSV",
            f"WITH c AS ({self.query(1)}) SELECT * FROM c",
            "VALUES (1)",
        )
        return f"INSERT INTO {self.one('', 'TABLE ')}{target}{columns} {rest}"

    def changing(self) -> str:
        """What changes tables and what they are."""
        table, other, way = self.table(), self.table(), self.random.randrange(14)
        on = self.one("", "", "", f" ON CLUSTER {self.one('x', '`default`')}")
        return [
            lambda: self.creating(),
            lambda: self.creating(),
            lambda: self.creating(),
            lambda: f"DROP {self.one(*_KINDS)} {self.one('', 'IF EXISTS ')}{table}{on}",
            lambda: (
                f"TRUNCATE {self.one('', 'TABLE ', 'DATABASE ', 'ALL TABLES FROM ')}{table}{on}"
            ),
            lambda: self.altering(table) + self.one("", "", ", " + self._command()),
            lambda: self.altering(table),
            lambda: self.altering(table),
            lambda: f"RENAME {self.one('', *_KINDS[:4])} {table} TO {other}{on}",
            lambda: f"EXCHANGE TABLES {table} AND {other}{on}",
            lambda: f"OPTIMIZE TABLE {table} {self.one('FINAL', 'DEDUPLICATE', 'PARTITION ID 1')}",
            lambda: (
                f"{self.one('DETACH', 'ATTACH', 'UNDROP')} TABLE {table}{self.one('', ' PERMANENTLY', f' FROM {self.text()}')}"
            ),
            lambda: f"DELETE FROM {table} WHERE {self.expression(2)}",
            lambda: (
                f"UPDATE {table} SET {self.one(*COLUMNS)} = {self.expression(2)} WHERE {self.expression(1)}"
            ),
        ][way]()

    def creating(self) -> str:
        """CREATE in its forms."""
        name, way = self.one("tickhouse.new", "new", self.table()), self.random.randrange(14)
        start = self.one("CREATE", "CREATE", "CREATE OR REPLACE", "REPLACE", "ATTACH")
        exists = self.one("", " IF NOT EXISTS")
        columns = f"(a {self.type_name()} {self.one('', f'DEFAULT {self.expression(2)}')}, b String{self.one('', f' MATERIALIZED {self.expression(2)}', f' ALIAS {self.expression(2)}', ' TTL now()', ' CODEC(ZSTD)')})"
        engine = f"{self.name(self.random.choice(self.words.engines))}({self.one('', '', self.text(), self.literal())})"
        order = self.one("ORDER BY tuple()", "ORDER BY b", f"ORDER BY {self.expression(1)}", "")
        more = (
            f"{order}{self.settings_clause(self.words.table_settings) if self.chance(0.3) else ''}"
        )
        return [
            lambda: f"{start} TABLE{exists} {name} {columns} ENGINE = {engine} {more}",
            lambda: f"{start} TABLE{exists} {name} {columns} ENGINE = MergeTree {more}",
            lambda: f"{start} TABLE{exists} {name} ENGINE = {engine} {more} AS {self.query(2)}",
            lambda: (
                f"{start} TABLE{exists} {name} AS {self.one(self.table(), self.table_function(2))}"
            ),
            lambda: f"{start} TABLE {name} CLONE AS {self.table()}",
            lambda: (
                f"{start} TEMPORARY TABLE {name} {columns} {self.one('', f'ENGINE = {engine}')}"
            ),
            lambda: f"{start} VIEW{exists} {name} {self._secured()}AS {self.query(2)}",
            lambda: (
                f"{start} MATERIALIZED VIEW {name} {self.one(f'TO {self.table()}', 'ENGINE = Memory', f'REFRESH EVERY 1 SECOND TO {self.table()}')} {self._secured()}AS {self.query(2)}"
            ),
            lambda: (
                f"{start} DICTIONARY {name} (a UInt64, b String) PRIMARY KEY a SOURCE({self.one('FILE', 'HTTP', 'CLICKHOUSE', 'EXECUTABLE', 'MYSQL')}({self.one('path', 'url', 'command', 'query')} {self.text()} format 'TSV')) LAYOUT(FLAT()) LIFETIME(1)"
            ),
            lambda: f"{start} FUNCTION f{self.random.randrange(9)} AS (x) -> {self.expression(2)}",
            lambda: (
                f"{start} DATABASE {self.name('other')} ENGINE = {self.random.choice(self.words.database_engines)}({self.one('', self.text())})"
            ),
            lambda: f"{start} NAMED COLLECTION n AS url = {self.text()}",
            lambda: (
                f"CREATE INDEX i ON {self.table()} ({self.expression(1)}) TYPE {self.one('minmax', 'bloom_filter', 'text', 'set(0)')}"
            ),
            lambda: f"CREATE WINDOW VIEW {name} AS {self.query(1)}",
        ][way]()

    def _secured(self) -> str:
        return self.one("", "", "SQL SECURITY NONE ", "DEFINER = default SQL SECURITY DEFINER ")

    def altering(self, table: str) -> str:
        """ALTER TABLE."""
        return f"ALTER TABLE {table} {self._command()}"

    def _command(self) -> str:
        column, expression = self.one(*COLUMNS), self.expression(2)
        return self.one(
            f"ADD COLUMN n String DEFAULT {expression}", f"DROP COLUMN {column}",
            f"MODIFY COLUMN {column} {self.type_name()} DEFAULT {expression}", f"CLEAR COLUMN {column}",
            f"RENAME COLUMN {column} TO {self.one(*COLUMNS)}", f"DELETE WHERE {expression}",
            f"UPDATE {column} = {expression} WHERE {self.expression(1)}", f"MODIFY TTL {expression}",
            f"FREEZE WITH NAME {self.text()}", f"FETCH PARTITION 1 FROM {self.text()}",
            f"DROP PARTITION {self.one('ALL', 'tuple()', 'ID 1')}", f"MODIFY QUERY {self.query(1)}",
            f"REPLACE PARTITION tuple() FROM {self.table()}", f"ATTACH PARTITION ALL FROM {self.table()}",
            f"MOVE PARTITION tuple() TO {self.one('TABLE ' + self.table(), f'DISK {self.text()}')}",
            f"MODIFY SETTING {self.random.choice(self.words.table_settings)} = {self.one(*_VALUES)}",
            f"ADD CONSTRAINT c CHECK {expression}", f"ADD INDEX i {expression} TYPE minmax",
            f"ADD PROJECTION p ({self.query(1)})", f"MODIFY COMMENT {self.text()}",
            "MATERIALIZE COLUMN note", f"MODIFY ORDER BY {expression}", "DETACH PARTITION ALL",
            "MODIFY SQL SECURITY NONE", f"EXPORT PARTITION tuple() TO TABLE {self.table()}",
        )  # fmt: skip

    def showing(self) -> str:
        """SHOW, DESCRIBE, EXISTS, EXPLAIN, CHECK and the like."""
        table = self.table()
        return self.one(
            f"SHOW {self.one('TABLES', 'DATABASES', 'USERS', 'GRANTS', 'ROLES', 'ACCESS', 'PROCESSLIST')}",
            f"SHOW TABLES FROM {self.name('system')} LIKE {self.text()}",
            f"SHOW TABLES WHERE {self.expression(2)}", f"SHOW FULL COLUMNS FROM {table}",
            f"SHOW CREATE {self.one('', *_KINDS)} {table}", f"EXISTS {self.one('', *_KINDS)} {table}",
            f"DESCRIBE {self.one(table, self.table_function(2), f'({self.query(2)})')}",
            f"EXPLAIN {self.one('', 'AST', 'SYNTAX', 'QUERY TREE', 'PLAN', 'PIPELINE', 'ESTIMATE', 'TABLE OVERRIDE', 'CURRENT TRANSACTION')} {self.one('', 'actions = 1 ', 'run_passes = 1 ')}{self.one(self.query(3), self.inserting(), self.changing())}",
            f"CHECK TABLE {table}", f"USE {self.name(self.one('tickhouse', 'system', 'default'))}",
            f"SHOW SETTINGS LIKE {self.text()}", f"WATCH {table}", f"CHECK GRANT SELECT ON {table}",
            self.one(*self.words.keywords),
            f"SHOW {self.one(*self.words.keywords)}",
        )  # fmt: skip

    def ruling(self) -> str:
        """What is for whoever rules the server."""
        return self.one(
            f"SYSTEM {self.one(*SYSTEM_COMMANDS)}{self.one('', ' ON CLUSTER x', f' {self.table()}')}",
            f"SET {self.random.choice(self.words.settings)} = {self.one(*_VALUES)}",
            f"SET param_t = {self.text()}", f"KILL QUERY WHERE {self.expression(1)} {self.one('SYNC', 'ASYNC')}",
            f"GRANT {self.one(*PRIVILEGES)} ON *.* TO default", "REVOKE ALL ON *.* FROM default",
            "CREATE USER intruder IDENTIFIED BY 'x'", "ALTER USER default IDENTIFIED BY 'x'",
            f"BACKUP {self.one('TABLE', 'DATABASE')} {self.table()} TO {self.one('File', 'Disk', 'S3')}({self.text()})",
            f"RESTORE TABLE {self.table()} FROM File({self.text()})",
            f"EXECUTE AS default {self.query(1)}", "BEGIN TRANSACTION", "SET ROLE ALL",
            f"KILL MUTATION WHERE {self.expression(1)}",
            f"CREATE ROW POLICY p ON {self.table()} USING {self.expression(1)} TO ALL",
            f"{self.query(1)} PARALLEL WITH {self.changing()}",
            f"{self.changing()} PARALLEL WITH {self.changing()}",
            f"COPY {self.table()} TO {self.text()}", f"MOVE USER default TO {self.text()}",
            "CREATE RESOURCE r (READ DISK d)", "CREATE WORKLOAD all",
        )  # fmt: skip

    def settings_clause(self, names: tuple[str, ...] = ()) -> str:
        """SETTINGS with one or two of them."""
        chosen = self.random.sample(names or self.words.settings, self.random.choice((1, 1, 2)))
        return " SETTINGS " + ", ".join(f"{name} = {self.one(*_VALUES)}" for name in chosen)

    def rows(self) -> str:
        """Data, of whatever format."""
        return self.one(
            "1\t2\t3\n", '{"a": 1}\n', "(1, file('x'))", "", f"({self.expression(2)})", "\x01\x02"
        )

    def spoilt(self, sql: str) -> str:
        """The same with a few tokens changed."""
        tokens = _TOKEN.findall(sql)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            place = self.random.randrange(len(tokens))
            tokens[place : place + 1] = self.random.choice(
                (
                    [],
                    [tokens[place]] * 2,
                    [self.random.choice(tokens)],
                    [self.one(*_SPACES)],
                    [tokens[place], self.one(*_SPACES)],
                    [tokens[place].swapcase()],
                    [self.one(*self.words.keywords)],
                    ["(", tokens[place], ")"],
                )
            ) or [" "]
        return "".join(tokens)
