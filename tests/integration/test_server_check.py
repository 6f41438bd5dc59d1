"""`tickhouse server-check` against the embedded server over HTTP, and with faults that it names."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cli.diagnostics import server_parts
from cli.diagnostics.check import Check
from cli.diagnostics.server_parts import PARTS
from cli.diagnostics.server_trial import ServerTrial
from core.sections import ClickhouseSettings
from tests.support.altering_proxy import Fault, before
from tests.support.warehouse_server import ROOT, Warehouse

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    running = Warehouse(tmp_path_factory.mktemp("somebodys"))
    running.start()
    try:
        yield running
    finally:
        running.stop()


def databases(server: Warehouse) -> set[str]:
    connection = server.client
    connection.database = None
    return {name for (name,) in connection.query("SHOW DATABASES").result_rows}


def tried(where: ClickhouseSettings, *parts: str) -> dict[str, Check]:
    """These parts of the check alone."""
    trial = ServerTrial(where)
    try:
        checks = trial.run(server_parts.server, {name: PARTS[name] for name in parts})
        return {check.name: check for check in checks}
    finally:
        trial.close()


def behind(server: Warehouse, url: str) -> ClickhouseSettings:
    return msgspec.structs.replace(server.settings, url=url)


def command(server: Warehouse, tmp_path: Path) -> list[str]:
    password = tmp_path / "password"
    password.write_text(f"{server.settings.password}\n")
    given = ("--url", server.url, "--user", server.settings.user)
    words = [sys.executable, "-W", "ignore", "-m", "cli.main", "server-check", *given]
    return [*words, "--password-file", str(password)]


@pytest.mark.heavy(suite="warehouse")
def test_the_embedded_server_is_good_and_nothing_is_left(server: Warehouse, tmp_path: Path) -> None:
    there = databases(server)
    environ = os.environ | {"TICKHOUSE_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command(server, tmp_path), cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, verdict = done.stdout.splitlines()
    assert verdict.startswith("VERDICT good: ClickHouse 26.")
    assert not [line for line in lines if line.startswith("bad")]
    assert "good  inserts: 12000 ticks and 10 records sent twice: 12000 and 10 stored" in lines
    # The embedded server has roles of its own, and takes no statement that makes some.
    assert [line.split(":")[0] for line in lines if line.startswith("note")] == ["note  roles"]
    for secret in (server.settings.password, server.url):
        assert secret not in verdict
    assert databases(server) == there


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What is begun in the background inherits that SIGINT is ignored: not so here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.heavy(suite="warehouse")
@pytest.mark.usefixtures("interruptible")
def test_interrupted_it_leaves_nothing(server: Warehouse, tmp_path: Path) -> None:
    there = databases(server)
    environ = os.environ | {"TICKHOUSE_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command(server, tmp_path), cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " schema: " in line:
                assert databases(server) > there
                process.send_signal(signal.SIGINT)
                break
        said = process.stdout.read()
    assert process.returncode == 130
    assert "are dropped" in said
    assert "VERDICT" not in said
    assert databases(server) == there


def test_an_old_version_is_named_and_nothing_is_tried(server: Warehouse) -> None:
    old = Fault(answer=lambda body: body.replace(b"26.9.2.1", b"24.3.2.1"))
    with before(server.url, old) as url:
        checks = tried(behind(server, url), *PARTS)
    assert (checks["server"].result, checks["server"].found) == ("failed", "version 24.3.2.1")
    assert "25.8 or newer" in checks["server"].remedy
    assert set(checks) == {"server"}


def test_no_server_is_named_at_once() -> None:
    check = tried(ClickhouseSettings(url="http://127.0.0.1:9", database="x"))["server"]
    assert check.result == "failed"
    assert "does not answer" in check.found


def test_a_time_zone_is_named(server: Warehouse) -> None:
    abroad = Fault(parameters=lambda given: given | {"session_timezone": "Asia/Tokyo"})
    with before(server.url, abroad) as url:
        check = tried(behind(server, url))["time zone"]
    assert check.result == "failed"
    assert "the epoch reads 1970-01-01 09:00:00" in check.found
    assert "session_timezone" in check.remedy


@pytest.mark.parametrize(
    ("who", "said"), [("board", "may only read"), ("streams.ticks", "Not enough privileges")]
)
def test_a_missing_grant_is_named(server: Warehouse, who: str, said: str) -> None:
    check = tried(server.settings_of(who))["database"]
    assert check.result == "failed"
    assert said in check.found
    assert "clickhouse-roles.sql" in check.remedy


def test_tables_that_are_there_with_other_columns_are_named_and_left(server: Warehouse) -> None:
    connection = server.client
    connection.database = None
    connection.command("CREATE DATABASE tickhouse")
    connection.command(
        "CREATE TABLE tickhouse.tick (source String, bid Float64, mine UInt8)"
        " ENGINE = MergeTree ORDER BY source"
    )
    connection.command("INSERT INTO tickhouse.tick VALUES ('theirs', 1, 2)")
    try:
        check = tried(server.settings, "schema", "tables there")["tables there"]
        assert check.result == "failed"
        assert "tickhouse.tick.bid is Float64, ours is Decimal(18, 8)" in check.found
        assert "tickhouse.tick.mine is UInt8, ours has no such column" in check.found
        assert connection.query("SELECT * FROM tickhouse.tick").result_rows == [("theirs", 1.0, 2)]
    finally:
        connection.command("DROP DATABASE tickhouse SYNC")


def test_repeats_that_are_stored_again_are_named(server: Warehouse) -> None:
    count = itertools.count()

    def forgetful(given: dict[str, str]) -> dict[str, str]:
        if "insert_deduplication_token" not in given:
            return given
        return given | {"insert_deduplication_token": str(next(count))}

    with before(server.url, Fault(parameters=forgetful)) as url:
        check = tried(behind(server, url), "schema", "inserts")["inserts"]
    assert check.result == "failed"
    assert check.found.endswith("sent twice: 12000 and 20 stored")
    assert "insert_deduplication_token" in check.remedy


def test_answers_that_are_lost_do_no_harm(server: Warehouse) -> None:
    lost = iter([True, False, False, True])

    def loses(given: dict[str, str]) -> bool:
        return "insert_deduplication_token" in given and next(lost, False)

    with before(server.url, Fault(loses=loses)) as url:
        checks = tried(behind(server, url), "schema", "inserts", "bars")
    assert {check.result for check in checks.values()} == {"ok"}
    assert next(lost, None) is None
