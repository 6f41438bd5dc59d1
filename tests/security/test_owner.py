"""A home as it starts, without typing: whoever is here reads, its owner changes, and each process
may do its own and nothing else.
"""

import http.client
import io
import json
import os
import stat
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.clickhouse import client
from adapters.clickhouse.native import Column
from adapters.clickhouse.writer import Writer
from cli import main as cli
from core import credentials, home_users, identity, settings
from core.errors import SettingsError, WarehouseError
from core.home_users import OWNER, ROLES, credential
from tests.support.warehouse_server import ROOT, Warehouse, command, migrated

PASSWORD = "correct horse"
SECRET = "read me if you can"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A plain stack's warehouse: no user was ever added."""
    warehouse = migrated(tmp_path_factory.mktemp("plain"))
    try:
        yield warehouse
    finally:
        warehouse.stop()


@pytest.fixture
def home(server: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run on the server's home, and know nothing else of it."""
    monkeypatch.setenv("TICKHOUSE_HOME", str(server.home))
    return server.home


def ask(
    server: Warehouse, sql: str, headers: dict[str, str] | None = None, **params: str
) -> tuple[int, str]:
    """ClickHouse's exception code, or 0, and the answer; as nobody, unless headers say more."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    given = {"database": "tickhouse", **params}
    connection.request("POST", "/?" + urllib.parse.urlencode(given), sql.encode(), headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return int(response.headers.get("X-ClickHouse-Exception-Code", 0)), text


def as_(server: Warehouse, name: str) -> dict[str, str]:
    where = server.settings_of(name)
    return {"X-ClickHouse-User": where.user, "X-ClickHouse-Key": where.password}


@pytest.mark.process
def test_whoever_is_here_reads(server: Warehouse) -> None:
    assert ask(server, "SELECT count() FROM tick") == (0, "0\n")
    assert ask(server, "SHOW TABLES LIKE 'tick'") == (0, "tick\n")
    assert ask(server, "SELECT 1", session_id="mine") == (0, "1\n")
    assert ask(server, "SELECT 1", {"X-ClickHouse-User": "default"}) == (0, "1\n")


@pytest.mark.process
def test_a_reader_is_told_the_columns_of_an_empty_answer(server: Warehouse) -> None:
    """The live page asks so, on a home where nothing was traded yet."""
    for name in ("board", "reader", "grafana"):
        connection = client.connect(server.settings_of(name))
        server.clients.append(connection)
        answer = connection.query(
            "SELECT symbol, seq FROM tick WHERE symbol = {s:String}", {"s": "none"}
        )
        assert (list(answer.column_names), answer.result_rows) == (["symbol", "seq"], [])


CHANGES = [
    "INSERT INTO audit_event (stream, seq) VALUES ('s', 1)",
    "INSERT INTO audit_event (stream, seq) FORMAT TSV\ns\t1\n",
    "CREATE TABLE mine (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (a Int8)",
    "CREATE DATABASE mine",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE FUNCTION f AS (x) -> x",
    "CREATE USER me IDENTIFIED BY 'x'",
    "DROP TABLE tick",
    "TRUNCATE TABLE tick",
    "ALTER TABLE tick DELETE WHERE 1",
    "RENAME TABLE tick TO gone",
    "OPTIMIZE TABLE tick FINAL",
    "SYSTEM FLUSH LOGS",
    "BACKUP DATABASE tickhouse TO File('{file}')",
    "SELECT * FROM file('{file}', 'LineAsString')",
    "SELECT file('{file}')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM default.`{file}`",
    "SELECT 1 INTO OUTFILE '{file}.new'",
    "INSERT INTO FUNCTION file('{file}', 'CSV', 'a String') VALUES ('x')",
    "SELECT * FROM system.users",
    "SELECT 1 SETTINGS readonly = 0",
]


@pytest.mark.process
@pytest.mark.parametrize("way", [{}, {"session_id": "changes"}, {"readonly": "0"}])
@pytest.mark.parametrize("sql", CHANGES)
def test_whoever_is_here_changes_nothing_and_reaches_no_file(
    server: Warehouse, tmp_path: Path, sql: str, way: dict[str, str]
) -> None:
    file = tmp_path / "data.csv"
    file.write_text(SECRET)
    code, text = ask(server, sql.format(file=file), **way)
    assert code in (164, 497), text
    assert "`tickhouse sql`" in text
    assert "`tickhouse users owner`" in text
    assert SECRET not in text
    assert [file.read_text(), *os.listdir(tmp_path)] == [SECRET, "data.csv"]


@pytest.mark.process
def test_the_names_of_the_homes_own_need_their_passwords(server: Warehouse) -> None:
    for name in ("tickhouse.owner", "owner", "tickhouse.nobody"):
        for password in ("", "guess", "x" * 43):
            head = {"X-ClickHouse-User": name, "X-ClickHouse-Key": password}
            assert ask(server, "SELECT 1", head)[0] == 516
    others = {"X-ClickHouse-User": "tickhouse.owner"}
    others["X-ClickHouse-Key"] = as_(server, "board")["X-ClickHouse-Key"]
    assert ask(server, "SELECT 1", others)[0] == 516
    assert ask(server, "SELECT 1", as_(server, OWNER)) == (0, "1\n")


INSERT = "INSERT INTO audit_event (stream, seq) VALUES ('own', 1)"
CREATE = "CREATE TABLE IF NOT EXISTS own (a Int8) ENGINE = MergeTree ORDER BY a"
FILE = "SELECT * FROM file('/etc/hostname', 'LineAsString')"
#: What a role may beyond reading.
MAY = {
    "admin": {INSERT, CREATE, FILE},
    "writer": {INSERT, CREATE},
    "recorder": {INSERT},
    "analyst": set(),
    "grafana": set(),
}


@pytest.mark.process
@pytest.mark.parametrize("name", ROLES)
def test_each_process_may_do_its_own_and_nothing_else(server: Warehouse, name: str) -> None:
    head = as_(server, name)
    assert ask(server, "SELECT count() FROM tick", head)[0] == 0
    for sql in (INSERT, CREATE, FILE):
        code, text = ask(server, sql, head)
        assert (code == 0) == (sql in MAY[ROLES[name]]), text
        assert "Nobody signed in" not in text
    for sql in ("CREATE USER me", "DROP DATABASE tickhouse", "TRUNCATE TABLE audit_event"):
        if name != OWNER:
            assert ask(server, sql, head)[0] in (164, 497)


def test_only_the_owner_may_do_everything() -> None:
    assert [name for name, role in ROLES.items() if role == "admin"] == [OWNER]
    streams = {role for name, role in ROLES.items() if name.startswith(("streams.", "watch"))}
    assert streams == {"recorder"}
    assert {ROLES[name] for name in ("board", "reader")} == {"analyst"}


@pytest.mark.process
def test_the_query_log_tells_which_process_asked(server: Warehouse) -> None:
    ask(server, "SELECT 4711", as_(server, "board"))
    ask(server, "SYSTEM FLUSH LOGS", as_(server, OWNER))
    question = "SELECT DISTINCT log_comment FROM system.query_log WHERE query LIKE 'SELECT 4711%'"
    assert ask(server, question, as_(server, OWNER)) == (0, "user=tickhouse.board\n")


@pytest.mark.process
def test_a_process_finds_its_credential_by_itself(server: Warehouse, home: Path) -> None:
    by_home = settings.load({"TICKHOUSE_HOME": str(home)})
    by_url = settings.load({"TICKHOUSE_HOME": str(home), "TICKHOUSE_CLICKHOUSE__URL": server.url})
    elsewhere = settings.load(
        {"TICKHOUSE_HOME": str(home), "TICKHOUSE_CLICKHOUSE__URL": "http://127.0.0.1:9"}
    )
    assert by_home.clickhouse.credentials == by_url.clickhouse.credentials == server.credentials
    assert elsewhere.clickhouse.credentials == ""  # our passwords are told to nobody else
    signed = home_users.as_process(by_url, "streams.ticks").clickhouse
    with Writer(signed) as writer:
        writer.insert("audit_event", [Column("seq", "UInt64", np.array([9], "uint64"))])
    forgotten = by_url.clickhouse  # who does not say which process it is may read
    with Writer(forgotten) as writer, pytest.raises(WarehouseError, match="tickhouse sql"):
        writer.insert("audit_event", [Column("seq", "UInt64", np.array([9], "uint64"))])


def sql_command(*words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "cli.main", "sql", *words]
    return subprocess.run(
        line, input=text, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ
    )


@pytest.mark.process
def test_the_command_asks_as_the_owner(server: Warehouse, home: Path) -> None:
    done = sql_command("CREATE TABLE asked (a Int8) ENGINE = Memory")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert sql_command(text="INSERT INTO asked VALUES (1), (2)").returncode == 0
    shown = sql_command("SELECT a FROM asked ORDER BY a")
    assert "│ 1 │" in shown.stdout
    rows = sql_command("SELECT a FROM asked ORDER BY a", "--format", "JSONEachRow").stdout
    assert [json.loads(line) for line in rows.splitlines()] == [{"a": 1}, {"a": 2}]
    wrong = sql_command("SELECT nothing FROM asked")
    assert wrong.returncode == cli.FAILED
    assert "Code: 47" in wrong.stderr
    assert sql_command(text=" ").returncode == cli.FAILED
    password = server.settings.password
    assert password not in shown.stdout + shown.stderr + wrong.stderr


@pytest.mark.process
def test_the_command_names_a_home_and_one_without_tables_is_no_obstacle(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    try:
        done = sql_command("--home", str(tmp_path), "CREATE DATABASE first")
        assert (done.returncode, done.stderr) == (0, "")
        assert "first" in sql_command("SHOW DATABASES", "--home", str(tmp_path)).stdout
    finally:
        warehouse.stop()
    alone = sql_command("SHOW DATABASES", "--home", str(tmp_path))
    assert "first" in alone.stdout, alone.stderr
    assert "one is started for this command" in alone.stderr
    never = sql_command("SELECT 1", "--home", str(tmp_path / "never"))
    assert never.returncode == cli.FAILED
    assert "nothing was ever stored" in never.stderr
    assert not (tmp_path / "never").exists()


@pytest.mark.process
def test_the_owner_is_told_to_other_clients(
    server: Warehouse, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["users", "owner"]) == 0
    output = capsys.readouterr().out
    file = home / "credentials" / credential(OWNER)
    assert "tickhouse.owner" in output
    assert str(file) in output
    assert file.read_text() not in output
    assert cli.main(["users", "owner", "--show"]) == 0
    assert capsys.readouterr().out == file.read_text() + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.process
def test_users_shut_strangers_out_and_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    try:
        assert ask(warehouse, "SELECT 1", database="default") == (0, "1\n")
        for words in (("add", "root", "--role", "admin"), ("add", "ann"), ("remove", "root")):
            monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
            assert cli.main(["users", *words]) == 0
            assert ask(warehouse, "SELECT 1", database="default")[0] == 516
            for name in ROLES:
                answer = ask(warehouse, "SELECT 1", as_(warehouse, name), database="default")
                assert answer == (0, "1\n")
        (tmp_path / "identity.json").write_text("{")  # nobody else, but the home's own
        assert ask(warehouse, "SELECT 1", as_(warehouse, OWNER), database="default")[0] == 0
        assert ask(warehouse, "SELECT 1", database="default")[0] == 516
    finally:
        warehouse.stop()


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with users, whose owner's credential is out of reach."""
    users = [
        identity.new_user("root", "admin", PASSWORD),
        identity.new_user("ann", "analyst", PASSWORD),
    ]
    identity.save(identity.path_in(tmp_path), {user.name: user for user in users})
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    return tmp_path


def users(monkeypatch: pytest.MonkeyPatch, *words: str, said: tuple[str, ...]) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in said)))
    return cli.main(["users", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "eve", "--role", "admin"), ("another one",)),
        (("add", "eve", "--role", "admin", "--by", "root"), ("guess", "another one")),
        (("add", "eve", "--role", "admin", "--by", "ann"), (PASSWORD, "another one")),
        (("add", "eve", "--role", "admin", "--by", "nobody"), (PASSWORD, "another one")),
        (("password", "root"), ("another one",)),
        (("remove", "root"), ()),
    ],
)
def test_nobody_becomes_an_admin_without_one(
    guarded: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    before = identity.path_in(guarded).read_bytes()
    assert users(monkeypatch, *words, said=said) == cli.FAILED
    assert identity.path_in(guarded).read_bytes() == before
    assert not credentials.directory_of(guarded).exists()  # and none is made for the asking


def test_an_admin_or_the_owner_answers_for_an_admin(
    guarded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = ("add", "eve", "--role", "admin", "--by", "root")
    assert users(monkeypatch, *by, said=(PASSWORD, "another one")) == 0
    credentials.secret(credentials.directory_of(guarded), credential(OWNER))
    assert users(monkeypatch, "add", "bob", "--role", "admin", said=("another one",)) == 0
    people = identity.load(identity.path_in(guarded))
    assert people["eve"].role == people["bob"].role == "admin"


def test_nobody_is_called_as_the_homes_own() -> None:
    with pytest.raises(SettingsError, match="the home's own"):
        identity.new_user("tickhouse.owner", "admin", PASSWORD)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "emptied": lambda file: file.write_text(""),
    "cut": lambda file: file.write_text(file.read_text()[:-1]),
    "readable by all": lambda file: file.chmod(0o644),
    "readable by the group": lambda file: file.chmod(0o640),
    "a link": lambda file: (file.rename(file.with_name("x")), file.symlink_to("x")),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.process
@pytest.mark.parametrize("name", DAMAGE)
def test_a_credential_that_cannot_be_trusted_is_refused_with_its_remedy(
    tmp_path: Path, name: str
) -> None:
    directory = credentials.directory_of(tmp_path)
    home_users.known(directory)
    file = directory / credential(OWNER)
    DAMAGE[name](file)
    where = settings.load({"TICKHOUSE_HOME": str(tmp_path)}).clickhouse
    with pytest.raises(SettingsError, match="remove the file, and start again"):
        home_users.sign_in(where, OWNER)
    started = subprocess.run(
        command(tmp_path, 0), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert started.returncode == 1
    assert str(file) in started.stderr
    assert "remove the file, and start again" in started.stderr


@pytest.mark.process
def test_a_credential_that_is_gone_lets_nobody_in_until_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    try:
        old = as_(warehouse, OWNER)
        (tmp_path / "credentials" / credential(OWNER)).unlink()
        assert ask(warehouse, "SELECT 1", as_(warehouse, OWNER), database="default")[0] == 516
        assert ask(warehouse, "SELECT 1", old, database="default")[0] == 0
    finally:
        warehouse.stop()
    warehouse.start()
    try:
        assert ask(warehouse, "SELECT 1", as_(warehouse, OWNER), database="default")[0] == 0
        assert ask(warehouse, "SELECT 1", old, database="default")[0] == 516
    finally:
        warehouse.stop()
