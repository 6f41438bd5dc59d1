"""Clients' files and client money as Dagster makes them: what it finds is a check's answer."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from audit.clients import register
from audit.privacy.vault import Vault
from core import client_files as published
from core import settings as product
from core.clock import SystemClock
from orchestration.defs.maintenance import client_files
from orchestration.defs.statement import client_money
from orchestration.resources import Tickhouse
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
DAY = "2024-01-09"


def materialized(
    asset: dg.AssetsDefinition, instance: dg.DagsterInstance, day: str | None = None
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [asset], partition_key=day, instance=instance, resources={"tickhouse": Tickhouse()}
    )


def test_the_check_publishes_what_lacks_and_needs_no_vault_without_clients(
    dagster_instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    assert materialized(client_files, dagster_instance).success
    assert not published.path_in(tmp_path / "home").exists()
    monkeypatch.setenv("TICKHOUSE_PRIVACY__VAULT", str(tmp_path / "vault"))
    settings, clock = product.load(), SystemClock()
    who = Vault(settings, clock, "ann").add({"name": "Zebulon Quartermain"}, [], "a client")
    register.note(settings, clock, register.ADDED, who, "ann", False, "new", category="company")
    done = materialized(client_files, dagster_instance)
    [event] = done.asset_materializations_for_node("client_files")
    lacking = event.metadata["lacking"].value
    assert lacking == {who: ["agreement", "owners", "registration"]}
    state = published.load(published.path_in(tmp_path / "home"))
    assert state is not None
    assert state.clients[0].lacking(clock.now_us()) == ["agreement", "owners", "registration"]


def test_a_day_without_a_statement_fails_the_check_of_client_money(
    warehouse: Warehouse, dagster_instance: dg.DagsterInstance, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    empty_tables(warehouse)
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse.reached(monkeypatch)
    nobody = materialized(client_money, dagster_instance, DAY)
    assert [c.passed for c in nobody.get_asset_check_evaluations()] == [True]
    day = datetime(2024, 1, 9, 12, tzinfo=UTC)
    warehouse.client.insert(
        "order_event", [["demo", "simulated", "booked", "opening", day, 1000.0, 1]],
        column_names=["mode", "account", "kind", "purpose", "ts_event", "profit", "seq"],
    )  # fmt: skip
    done = materialized(client_money, dagster_instance, DAY)
    [check] = done.get_asset_check_evaluations()
    assert (done.success, check.passed) == (True, False)
    assert "simulated statement: no statement" in str(check.metadata["breaks"].value)
