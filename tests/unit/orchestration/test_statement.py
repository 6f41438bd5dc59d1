"""The statement of a day is asked from the terminal that runs, and nobody is asked without one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from adapters.simulator.server import Server
from core.credentials import directory_of
from orchestration.defs.statement import broker_statement, statement_schedule
from orchestration.resources import Tickhouse
from tests.support.markets import TUESDAY, order, terminal
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
DAY = "2024-01-09"


@contextmanager
def traded(home: Path) -> Iterator[str]:
    """A simulated terminal in a server of its own, with one position."""
    built = terminal({"EURUSD_a": [(TUESDAY, 1.1, 1.1001), (TUESDAY + 1000, 1.1, 1.1001)]})
    built.at(TUESDAY)
    built.order_send(order("EURUSD", "buy"))
    server = Server(built, directory_of(home))
    yield server.address
    server.close()


def test_the_job_stores_what_the_terminal_says(
    warehouse: Warehouse, dagster_instance: dg.DagsterInstance, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    empty_tables(warehouse)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse.reached(monkeypatch)
    with traded(tmp_path) as address:
        monkeypatch.setenv("TICKHOUSE_TERMINAL__ADDRESS", address)
        after = datetime(2024, 1, 10, 0, 5, tzinfo=UTC)
        with dg.build_schedule_context(
            instance=dagster_instance, scheduled_execution_time=after
        ) as context:
            requested = statement_schedule(context)
        assert isinstance(requested, dg.RunRequest)
        assert requested.partition_key == DAY
        built = dg.materialize(
            [broker_statement], partition_key=DAY, instance=dagster_instance,
            resources={"tickhouse": Tickhouse()},
        )  # fmt: skip
    assert built.success
    stored = warehouse.client.query("SELECT statement_date, currency FROM broker_account")
    assert [(str(day), currency) for day, currency in stored.result_rows] == [(DAY, "USD")]
    deals = warehouse.client.query("SELECT kind, symbol FROM broker_deal ORDER BY deal")
    assert ("buy", "EURUSD") in deals.result_rows


def test_without_a_terminal_the_schedule_says_how_to_have_one(
    dagster_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with dg.build_schedule_context(instance=dagster_instance) as context:
        skipped = statement_schedule(context)
    assert isinstance(skipped, dg.SkipReason)
    assert "tickhouse up" in str(skipped.skip_message)
