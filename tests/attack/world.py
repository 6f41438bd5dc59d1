"""A warehouse with things worth stealing and spoiling, and how each would be noticed.

The judge of an attack is what it did, never what was thought of it: files that were opened, changed
or made; rows and tables that are not as they were; secrets in an answer; a call that went out.
"""

import contextlib
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from core import home_users, identity
from core.identity import Role
from tests.attack.watched import Watched
from tests.attack.words import Words, of_engine
from tests.support.warehouse_server import ROOT, Warehouse

#: Nobody may be told this; nor, who sees some rows only, the other rows or how many there are.
SECRET, HIDDEN, HIDDEN_ROWS = "k7Qz_nobody_may_read_this", "x4Wv_rows_of_others", 104_729
PASSWORD = "correct horse"
_COLUMNS = (
    "symbol LowCardinality(String), source LowCardinality(String), bid UInt32, seq UInt32, "
    "ts DateTime('UTC') DEFAULT '2024-01-01 00:00:00', note String"
)
_TABLE = (
    f"CREATE TABLE tickhouse.{{}} ({_COLUMNS}) ENGINE = ReplacingMergeTree ORDER BY (symbol, seq)"
)
_PLAIN = ("tick", "signal", "order_event", "audit_event", "reference_calendar")
#: Of these nobody but an admin takes a row.
KEPT = ("audit_event", "reference_calendar")
_ROWS = "".join(f"EURUSD\toanda\t{n}\t{n}\t2024-01-01 00:00:00\trow {n}\n" for n in range(50))
_HIDDEN = (
    "INSERT INTO tickhouse.hidden SELECT if(number < 3, 'EURUSD', {s:String}), 'oanda', 1, number, "
    f"'2024-01-01 00:00:00', if(number < 3, '', {{s:String}}) FROM numbers({HIDDEN_ROWS + 3})"
)


@dataclass(frozen=True)
class Attacker:
    """Who attacks: a name with its password."""

    name: str
    password: str
    role: Role

    @property
    def headers(self) -> dict[str, str]:
        if self.name == "default":
            return {}
        return {"X-ClickHouse-User": self.name, "X-ClickHouse-Key": self.password}


class World:
    """A running warehouse on a home of its own, below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.outside, self.home = directory / "outside", directory / "home"
        self.lock = threading.Lock()
        self.http = urllib3.PoolManager(maxsize=8, retries=False, timeout=120.0)
        self._decoys = self._plant_files()
        self._listener = _Listener()
        self.server = Warehouse(
            self.home, environ={"PYTHONPATH": str(ROOT)}, cwd=self.home / "backups" / "plans"
        )

    def start(self) -> None:
        """Start the warehouse, fill it, and begin to watch."""
        self.server.start()
        self._owner, self._own = self.server.owner, list(self._processes())
        self._plant_users()
        self.repair()
        self.words = self._words()
        self._watched = Watched(self._decoys)
        self._tree = dict(self._files())

    def stop(self) -> None:
        self.server.stop()
        self._watched.close()
        self._listener.close()
        self.http.clear()

    def repair(self) -> None:
        """Put back what those may change who may change something."""
        for name in self._column("SELECT name FROM system.databases WHERE name NOT IN "
                                 "('system', 'information_schema', 'INFORMATION_SCHEMA', 'default')"):  # fmt: skip
            self.ask(f"DROP DATABASE {_quoted(name)} SYNC")
        self.ask("CREATE DATABASE tickhouse")
        for table in (*_PLAIN, "hidden"):
            statement = _TABLE.format(table)
            self.ask(statement.replace("Replacing", "") if table in KEPT else statement)
        for table in _PLAIN:
            self.ask(f"INSERT INTO tickhouse.{table} FORMAT TSV", _ROWS)
        self.ask(_HIDDEN, parameters={"param_s": HIDDEN})
        self.ask(
            "CREATE VIEW tickhouse.last AS SELECT symbol, max(bid) AS bid FROM tickhouse.tick GROUP BY symbol"
        )
        self._plant_session()

    def ask(self, sql: str, data: str = "", parameters: dict[str, str] | None = None) -> str:
        """A statement of the owner's, who sees and may do everything."""
        query = urlencode({"query": sql, **(parameters or {})})
        answer = self.http.request(
            "POST", f"{self.server.url}/?{query}", body=data.encode(), headers=self._owner
        )
        if answer.status != 200:
            raise RuntimeError(f"{sql}: {answer.data.decode('utf-8', 'replace')}")
        return answer.data.decode("utf-8", "replace")

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Every table that is not the engine's, with its definition and the hashes of its rows."""
        contents = {}
        listed = "SELECT database || '.' || name FROM system.tables WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')"
        for name in self._column(listed):
            database, _, table = name.partition(".")
            contents[name] = self._content(f"{_quoted(database)}.{_quoted(table)}", table)
        return contents

    def _content(self, quoted: str, table: str) -> tuple[str, ...]:
        with contextlib.suppress(RuntimeError):  # a writer may break what is not kept
            return self._rows(quoted, table)
        return ("broken",)

    def _rows(self, quoted: str, table: str) -> tuple[str, ...]:
        definition = hashlib.blake2b(self.ask(f"SHOW CREATE TABLE {quoted}").encode()).hexdigest()
        if table not in (*_PLAIN, "hidden"):
            return (definition,)
        hashed = "hex(sipHash64(symbol, source, bid, seq, ts, note))"
        if table == "hidden":  # too many to be told one by one
            hashed = "toString((count(), sum(seq)))"
        # A row may be replaced by who may add one of its key; its key stays.
        keys = "DISTINCT concat('key ', toString(symbol), ' ', toString(seq))"
        sampled = "seq % 97 = 0" if table == "hidden" else "1"
        return (
            definition,
            *sorted(self._column(f"SELECT {hashed} FROM {quoted}")),
            *sorted(self._column(f"SELECT {keys} FROM {quoted} WHERE {sampled}")),
        )

    def engine_s_own(self) -> str:
        """What no role but admin makes: functions, tables of `default`."""
        return self.ask(
            "SELECT (SELECT arraySort(groupArray(name)) FROM system.functions WHERE origin != "
            "'System'), (SELECT arraySort(groupArray(name)) FROM system.tables "
            "WHERE database = 'default')"
        )

    def traces(self) -> list[str]:
        """What was done to files and beyond this process since the start, if anything."""
        now, traces = dict(self._files()), []
        traces += [f"{path} was opened" for path in self._watched.opened()]
        traces += [f"{p} is there" for p in now.keys() - self._tree.keys()]
        traces += [f"{p} is gone" for p in self._tree.keys() - now.keys()]
        traces += [
            f"{p} is changed" for p in now.keys() & self._tree.keys() if now[p] != self._tree[p]
        ]
        self._tree = now
        return traces + self._listener.called()

    def resident_mib(self) -> float:
        """Memory that the server holds."""
        assert self.server.process is not None
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def lives(self) -> bool:
        return self.server.process is not None and self.server.process.poll() is None

    @property
    def admins(self) -> list[Attacker]:
        """Of whom no more is expected than that he ends nothing and stays in the home."""
        return [Attacker(*self._owner.values(), role="admin")]

    @property
    def strangers(self) -> list[Attacker]:
        """Whoever is on the machine, and the home's processes."""
        return [Attacker("default", "", "analyst"), *self._own]

    @property
    def people(self) -> list[Attacker]:
        """Who was added, and nobody, who is to be kept out then."""
        people: dict[str, Role] = {
            "ann": "analyst",
            "rita": "risk",
            "wim": "writer",
            "rec": "recorder",
        }
        known = [Attacker(name, PASSWORD, role) for name, role in people.items()]
        return [*known, Attacker("default", "out", "analyst")]

    def _processes(self) -> Iterator[Attacker]:
        for name in (home_users.GRAFANA, "board", "streams.ticks", home_users.SETUP):
            known = self.server.settings_of(name)
            yield Attacker(known.user, known.password, home_users.ROLES[name])

    def _plant_files(self) -> list[Path]:
        named = [self.outside / n for n in ("secret.csv", "id_ed25519", "data.parquet")]
        # In the home only the gate stands before a file: Landlock lets the engine read there.
        named += [
            self.home / n
            for n in ("backups/plans/data.csv", "backups/plans/secret.tsv", "backups/notes.txt")
        ]
        for path in named:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{SECRET}\n")
        return named

    def _plant_users(self) -> None:
        mine = {"tickhouse.hidden": "symbol = 'EURUSD'"}
        people = [
            identity.new_user("ann", "analyst", PASSWORD, mine),
            identity.new_user("rita", "risk", PASSWORD),
            identity.new_user("wim", "writer", PASSWORD),
            identity.new_user("rec", "recorder", PASSWORD),
        ]
        self._people = {person.name: person for person in people}

    def add_people(self) -> None:
        """From now on nobody gets in without a password."""
        identity.save(identity.path_in(self.home), self._people)
        self._tree = dict(self._files())

    def _plant_session(self) -> None:
        session = {"session_id": "planted", "session_timeout": "3600"}
        self.ask("CREATE TEMPORARY TABLE IF NOT EXISTS mine (note String)", parameters=session)
        self.ask("INSERT INTO mine FORMAT TSV", SECRET + "\n", parameters=session)

    def _words(self) -> Words:
        tables = (
            *(f"tickhouse.{name}" for name in (*_PLAIN, "hidden", "last")),
            "mine",
            "information_schema.tables",
        )
        credentials = sorted((self.home / "credentials").iterdir())
        self._decoys += credentials
        paths = (
            *(str(path) for path in self._decoys),
            *("data.csv", "../notes.txt", "backups/*", "/etc/passwd", "*", "../../credentials/*"),
            *(str(self.outside / "made.csv"), str(self.home / "backups" / "made.csv"), "made.csv"),
        )
        return of_engine(self._column, tables, paths, self._listener.url)

    def _column(self, sql: str) -> list[str]:
        return self.ask(
            f"SELECT * FROM ({sql}) FORMAT TSVRaw" if sql.startswith("SELECT") else sql
        ).splitlines()

    def _files(self) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """All but what the engine keeps for itself; opened by nobody to find out."""
        engine = self.home / "warehouse" / "engine"
        for top in (self.outside, self.home):
            for folder, folders, names in os.walk(top):
                if Path(folder) == engine:
                    folders.clear()
                for name in names if Path(folder) != engine else []:
                    path = Path(folder) / name
                    if path.parent.name == "tmp" and not path.exists():
                        continue
                    status = path.lstat()
                    yield path, (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)


class _Listener:
    """Notes who calls, at `url`."""

    def __init__(self) -> None:
        calls: list[str] = []
        self._calls = calls

        class Handler(http.server.BaseHTTPRequestHandler):
            def setup(self) -> None:
                calls.append("the network was reached")
                super().setup()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/x"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def called(self) -> list[str]:
        calls = self._calls[:]
        self._calls.clear()
        return calls

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
