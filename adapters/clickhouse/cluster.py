"""The schema's statements as a cluster takes them, where a setting names one (ADR 0027).

Everything above speaks of tables as one server holds them. Here each such statement becomes what it
means on a cluster: ON CLUSTER where every server keeps a definition of its own, Replicated engines,
and of the tables that grow with ticks a local part on each shard behind a Distributed table of the
table's own name, so that who reads or inserts needs to know nothing.

Text is rewritten, by the forms that this product writes; a form that is not known is refused, for
a statement that runs on one of six servers is worse than an error. SELECT and INSERT pass.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import SettingsError, WarehouseError
from core.sections import ClickhouseSettings

#: Divided over the shards by feed, so that all of one symbol lies together: FINAL, states of bars
#: and corrections are then right within a shard. All other tables are whole on every server.
SHARDED = frozenset({
    "tick", "tick_version", "bar_1m", "bar_5m", "bar_1h", "feature", "own_feature",
    "prediction", "shadow_prediction", "named_prediction",
})  # fmt: skip
KEY = "cityHash64(source, symbol)"
_EVERYWHERE = "{shard}-{replica}"  # a replica's name where all shards share a table
LOCAL = "_local"  # behind the name of a sharded table: its part on one shard

#: What every statement of ours carries on a cluster. An insert is acknowledged when a majority of
#: the replicas has it, and through a Distributed table when the shards have; the same live replica
#: is asked first each time, so that a process reads what it wrote; a subquery over shards is asked
#: once, for all.
SETTINGS: Mapping[str, str] = MappingProxyType({
    "insert_quorum": "auto",
    "insert_quorum_parallel": "1",
    "distributed_foreground_insert": "1",
    "load_balancing": "in_order",
    "prefer_localhost_replica": "1",
    "distributed_product_mode": "global",
    "distributed_ddl_output_mode": "throw",
    "alter_sync": "2",
    "mutations_sync": "2",
    "lightweight_deletes_sync": "2",
    # Rows are named by what another table says; that table's rows are with a majority before.
    "allow_nondeterministic_mutations": "1",
})  # fmt: skip

_CLUSTER = re.compile(r"[A-Za-z0-9_-]+")
_NAME = r"`?(?P<name>[a-zA-Z_]\w*)`?"
_TABLE = r"(?P<of>`?[a-zA-Z_][\w-]*`?\.)?" + _NAME
_IF_NOT, _IF = "IF NOT EXISTS ", "IF EXISTS "
_FORMS = {
    kind: re.compile(rf"^{form}", re.IGNORECASE)
    for kind, form in {
        "database": rf"(?:CREATE|DROP) DATABASE (?:{_IF_NOT}|{_IF})?{_NAME}",
        "replace": rf"CREATE OR REPLACE TABLE {_TABLE}",
        "create": rf"CREATE TABLE (?:{_IF_NOT})?{_TABLE}",
        "feed": rf"(?P<head>CREATE MATERIALIZED VIEW {_IF_NOT}){_TABLE} TO `?(?P<into>\w+)`?",
        "view": rf"(?:CREATE|DROP) VIEW (?:{_IF_NOT}|{_IF}){_TABLE}",
        "alter": rf"ALTER TABLE {_TABLE}",
        "delete": rf"DELETE FROM {_TABLE}",
        "truncate": rf"TRUNCATE TABLE (?:{_IF})?{_TABLE}",
        "drop": rf"DROP TABLE (?:{_IF})?{_TABLE}",
    }.items()
}
_ENGINE = re.compile(r"\bENGINE = (?P<engine>\w*MergeTree)(?:\((?P<given>[^()]*)\))?")
_WINDOW = re.compile(r"non_replicated_deduplication_window = (\d+)")
#: How a table's repeats are remembered; by time too, which the engine of one server does not.
_REMEMBERED = (
    r"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = 604800"
)
_COLUMNS = re.compile(r"\b(?:ADD|DROP|MODIFY|COMMENT|RENAME) COLUMN\b")
_OWN_SETTING = re.compile(r"\b(?:MODIFY|RESET) SETTING\b")
_FROM = re.compile(rf"\b(FROM|JOIN) ({'|'.join(sorted(SHARDED))})\b")
_COPIED = re.compile(r"\nAS SELECT \* FROM (\w+)\s*$")
_NOTED = re.compile(r"lightweight_delete_mode = '\w+'|lightweight_deletes_sync = \d")
_PASSES = ("SELECT", "WITH", "INSERT", "SHOW", "EXISTS", "DESCRIBE", "EXPLAIN", "SET")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as `system.clusters` names it; its servers have macros `shard` and `replica`."""

    name: str
    database: str

    def statements(self, statement: str) -> list[str]:
        """What to run, in order, at any one server of the cluster.

        Raises:
            WarehouseError: nobody has said what such a statement means on a cluster.
        """
        plain = _without_comments(statement)
        for kind, form in _FORMS.items():
            if match := form.match(plain):
                written: list[str] = getattr(self, f"_{kind}")(plain, match)
                return written
        if plain.upper().startswith(_PASSES):
            return [statement]
        raise WarehouseError(
            f"{plain.split(chr(10))[0][:80]!r} is not known on a cluster: give it on one server "
            "(TICKHOUSE_CLICKHOUSE__CLUSTER empty), or by ClickHouse's own tools"
        )

    @property
    def _on(self) -> str:
        return f" ON CLUSTER `{self.name}`"

    def _database(self, plain: str, match: re.Match[str]) -> list[str]:
        return [plain[: match.end()] + self._on + plain[match.end() :]]

    def _create(self, plain: str, match: re.Match[str]) -> list[str]:
        name, of = match["name"], match["of"] or ""
        if not self._is_sharded(match):
            return [self._replicated(plain, match, name, f"{self._path(of, name)}/all")]
        local = name + LOCAL
        path = f"{self._path(of, name)}/{{shard}}"
        part = self._replicated(plain, match, local, path, replica="{replica}")
        return [part, self._spread(name)]

    def _replace(self, plain: str, match: re.Match[str]) -> list[str]:
        """A table of another order in the place of one; killed anywhere, from the start."""
        name, copied = match["name"], _COPIED.search(plain)
        if self._is_sharded(match) or copied is None or copied[1] != name:
            raise WarehouseError(f"{match[0]!r} is not known on a cluster")
        other = f"{name}_replacing"
        # Its path is its own each time: the table that is replaced keeps the one that it has.
        path = f"{self._path('', name)}/{{uuid}}"
        successor = self._replicated(plain[: copied.start()], match, other, path)
        return [
            f"DROP TABLE IF EXISTS `{other}`{self._on} SYNC",
            successor,
            f"INSERT INTO `{other}` SELECT * FROM `{name}`",
            f"EXCHANGE TABLES `{other}` AND `{name}`{self._on}",
            f"DROP TABLE `{other}`{self._on} SYNC",
        ]

    def _feed(self, plain: str, match: re.Match[str]) -> list[str]:
        """A view that fills a table sees what is stored here, and stores beside it."""
        into, rest = match["into"], plain[match.end() :]
        if into not in SHARDED:
            raise WarehouseError(f"{match['name']} fills {into}, which is whole on every server")
        head = f"{match['head']}{match['name']}{self._on} TO {into}{LOCAL}"
        return [head + _FROM.sub(rf"\1 \2{LOCAL}", rest)]

    def _view(self, plain: str, match: re.Match[str]) -> list[str]:
        return [plain[: match.end()] + self._on + plain[match.end() :]]

    def _alter(self, plain: str, match: re.Match[str]) -> list[str]:
        rest = plain[match.end() :]
        if not self._is_sharded(match):
            # Settings of a table are each server's own; all else of it travels by itself.
            return [match[0] + (self._on if _OWN_SETTING.search(rest) else "") + rest]
        local = f"ALTER TABLE `{match['name']}{LOCAL}`{self._on}{rest}"
        if not _COLUMNS.search(rest):
            return [local]
        return [local, f"ALTER TABLE `{match['name']}`{self._on}{_columns_only(rest)}"]

    def _delete(self, plain: str, match: re.Match[str]) -> list[str]:
        # Noting beside a part is not asked for: ON CLUSTER it was seen to do nothing (25.8).
        rest = re.sub(r"\s*\bSETTINGS\s*$", "", _NOTED.sub("", plain[match.end() :]).rstrip())
        if not self._is_sharded(match):
            return [match[0] + rest]
        rest = _FROM.sub(rf"\1 \2{LOCAL}", rest)
        return [f"DELETE FROM `{match['name']}{LOCAL}`{self._on}{rest}"]

    def _truncate(self, plain: str, match: re.Match[str]) -> list[str]:
        if not self._is_sharded(match):
            return [plain]
        return [f"TRUNCATE TABLE IF EXISTS `{match['name']}{LOCAL}`{self._on}"]

    def _drop(self, plain: str, match: re.Match[str]) -> list[str]:
        rest = plain[match.end() :].replace(" SYNC", "")
        if rest.strip() or self._is_sharded(match):
            raise WarehouseError(f"{match[0]!r} is not known on a cluster")
        return [f"{match[0]}{self._on} SYNC"]  # at once: its path is free for the next of this name

    def _is_sharded(self, match: re.Match[str]) -> bool:
        """Marts may be named as tables are; they lie in databases of their own."""
        of = (match["of"] or "").strip("`.")
        return match["name"] in SHARDED and of in ("", self.database)

    def _path(self, of: str, name: str) -> str:
        """In Keeper. Written out, so that a server that comes later makes the same of it."""
        return f"/tickhouse/{self.name}/{of.strip('`.') or self.database}/{name}"

    def _replicated(
        self, plain: str, match: re.Match[str], name: str, path: str, replica: str = _EVERYWHERE
    ) -> str:  # fmt: skip
        engine = _ENGINE.search(plain)
        if engine is None:
            raise WarehouseError(f"table {match['name']} has no engine that can be replicated")
        given = f", {engine['given']}" if engine["given"] else ""
        replicated = f"ENGINE = Replicated{engine['engine']}('{path}', '{replica}'{given})"
        tail = _WINDOW.sub(_REMEMBERED, plain[engine.end() :])
        head = f"CREATE TABLE IF NOT EXISTS {match['of'] or ''}`{name}`{self._on}"
        return head + plain[match.end() : engine.start()] + replicated + tail

    def _spread(self, name: str) -> str:
        engine = f"Distributed(`{self.name}`, `{self.database}`, `{name}{LOCAL}`, {KEY})"
        return f"CREATE TABLE IF NOT EXISTS `{name}`{self._on} AS `{name}{LOCAL}` ENGINE = {engine}"


def table_of(stored: str) -> str:
    """The table that one which stores rows belongs to: itself, or the one that it is a part of."""
    return stored.removesuffix(LOCAL)


def cluster_of(settings: ClickhouseSettings) -> Cluster | None:
    """The cluster that the settings name, if they name one.

    Raises:
        SettingsError: no name that a server's configuration could have.
    """
    if not settings.cluster:
        return None
    if not _CLUSTER.fullmatch(settings.cluster):
        raise SettingsError(
            f"TICKHOUSE_CLICKHOUSE__CLUSTER is {settings.cluster!r}: give a name that "
            "`SELECT cluster FROM system.clusters` answers: letters, digits, _ and -"
        )
    return Cluster(settings.cluster, settings.database)


def _without_comments(statement: str) -> str:
    """Without comment lines before it, and without remarks to the linter."""
    lines = [re.sub(r"\s*-- noqa.*$", "", line) for line in statement.strip().splitlines()]
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("--")):
        del lines[0]
    return "\n".join(lines).rstrip()


def _columns_only(clauses: str) -> str:
    """Of an ALTER's clauses what a table without rows of its own takes, too."""
    if re.search(r"\b(?:INDEX|UPDATE|DELETE|TTL)\b", re.sub(r"'[^']*'", "''", clauses)):
        raise WarehouseError("columns and something else in one ALTER are not known on a cluster")
    return re.sub(r"\s+SETTINGS\s[^']*$", "", clauses)
