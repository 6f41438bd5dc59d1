"""Marts before dbt ever ran: there, empty, and as dbt itself makes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.clickhouse import marts
from dashboards.grafana.__main__ import BOARDS
from dashboards.grafana.macros import ALL, BoardSpan, expand
from features.catalog import NAMES
from orchestration import empty_marts
from orchestration.restatement.marts import worlds
from tests.support.board_panels import targets
from tests.support.warehouse_server import Warehouse, migrated

_DAY = BoardSpan(1_790_000_000, 1_790_003_600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    running = migrated(tmp_path_factory.mktemp("home"), NAMES)
    yield running
    running.stop()


def test_they_are_made_for_every_mode_once(server: Warehouse) -> None:
    created = marts.make(server.client)
    assert len(created) == len(marts.MODES) * len(marts.statements())
    assert {"tickhouse_marts.fct_trade", "tickhouse_marts_demo.fct_trade"} <= set(created)
    assert marts.make(server.client) == []
    assert worlds(server.client, "tickhouse") == []  # nothing of theirs is to be restated


def test_one_of_another_version_is_made_anew_while_it_is_empty(server: Warehouse) -> None:
    marts.make(server.client)
    for table in ("dim_model", "dim_symbol"):
        server.client.command(f"ALTER TABLE tickhouse_marts.{table} ADD COLUMN other UInt8")
    server.client.command("INSERT INTO tickhouse_marts.dim_symbol (symbol) VALUES ('EURUSD')")
    assert marts.make(server.client) == ["tickhouse_marts.dim_model"]
    assert server.client.command("SELECT count() FROM tickhouse_marts.dim_symbol") == 1
    server.client.command("DROP TABLE tickhouse_marts.dim_symbol")


@pytest.mark.parametrize("mode", marts.MODES)
def test_panels_that_read_marts_are_answered_before_dbt_ran(server: Warehouse, mode: str) -> None:
    marts.make(server.client)
    chosen = {
        "mode": mode,
        "marts": marts.database(server.client, mode),
        "source": "sim",
        "symbol": "EURUSD",
        "account": ALL,
        "model": ALL,
        "order": "",
    }
    of_marts = [sql for name in BOARDS for _, _, sql in targets(name) if "${marts}" in sql]
    assert of_marts
    for sql in of_marts:
        server.client.query(expand(sql, _DAY, chosen))


@pytest.mark.process
@pytest.mark.heavy(suite="models")
def test_the_file_is_what_dbt_makes(tmp_path: Path) -> None:
    assert empty_marts.statements(tmp_path / "a") == marts.FILE.read_text(), "make empty-marts"
