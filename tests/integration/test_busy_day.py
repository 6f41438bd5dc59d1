"""The busy day: every panel of every board has rows, in every mode that trades; dbt goes on with
the tables that were there before it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.clickhouse import marts, traded_marts
from adapters.clickhouse.client import connect
from cli.main import main
from core.credentials import directory_of
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from dashboards.grafana.__main__ import BOARDS
from dashboards.grafana.check import check
from dashboards.grafana.macros import BoardSpan, expand
from orchestration import empty_marts
from tests.support.board_panels import check_columns, targets
from tests.support.busy_day import BusyHome, busy_home
from tests.support.grafana import TOKEN, Grafana, grafana
from warehouse import occasion

__all__ = ["grafana"]

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
MODES = ("demo", "shadow", "live")
#: Marts that boards read, and what they are made of.
OF_MARTS = sorted(
    {
        mart
        for name in BOARDS
        for _, _, sql in targets(name)
        for mart in re.findall(r"\$\{marts\}\.(\w+)", sql)
    }
)
_SELECTED = ("--select", *(f"+{mart}" for mart in OF_MARTS))


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusyHome]:
    with busy_home(tmp_path_factory.mktemp("home"), MODES) as home:
        for mode in MODES[1:]:
            home.build(mode, *_SELECTED)
        home.build("demo")
        yield home


EVERY = [
    pytest.param(panel, sql, id=f"{name}: {title}")
    for name in BOARDS
    for title, panel, sql in targets(name)
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("panel", "sql"), EVERY)
def test_every_panel_has_rows(busy: BusyHome, panel: dict[str, Any], sql: str, mode: str) -> None:
    answer = busy.grafana.query(busy.sql(mode, sql))
    check_columns(panel, answer)
    assert answer.result_rows, "nothing to draw"
    drawn = [value for row in answer.result_rows for value in row]
    assert any(value not in (None, "", 0) for value in drawn)


def test_the_check_of_somebodys_grafana_is_good(busy: BusyHome, grafana: Grafana) -> None:
    """Its statements, with the macros done as the plugin does, are answered by the warehouse."""
    client, day = busy.grafana, busy.days["live"]
    span = BoardSpan(day.start_us / 1e6, day.end_us / 1e6 + 60)
    grafana.answer = lambda sql: client.query(expand(sql, span, {})).result_rows
    findings = list(check(grafana.url, TOKEN))
    assert [finding for finding in findings if finding.state == "bad"] == []
    empty = [finding.says for finding in findings if finding.says.startswith("no rows")]
    assert empty == ["no rows in a day: Lineage of order $order, Trace of order $order"]


#: Tables that no board, alert or report reads: of the schema, of the kernel, of files.
_ELSEWHERE = {"schema_migration", "kernel_state", "strategy_state", "tick_file"}


def test_every_table_has_rows(busy: BusyHome) -> None:
    empty = busy.server.client.query(
        "SELECT name FROM system.tables WHERE database = 'tickhouse' AND total_rows = 0"
    ).result_rows
    assert {str(name) for (name,) in empty} <= _ELSEWHERE


def test_dbt_goes_on_with_the_empty_tables_as_with_its_own(busy: BusyHome) -> None:
    ours = contents(busy)
    busy.server.client.command("DROP DATABASE tickhouse_marts_demo")
    busy.build("demo")
    assert contents(busy) == ours
    made_by_dbt = empty_marts.made_by_dbt(busy.server.client, "demo")
    assert made_by_dbt == list(marts.statements().values()), "make empty-marts"
    # Three of them are EMIR's: nothing that is traded there falls under it.
    assert sum(rows > 0 for rows, _, _ in ours.values()) >= len(ours) - 7


def test_marts_filled_without_dbt_are_those_that_it_builds(busy: BusyHome) -> None:
    built = contents(busy)
    rows = traded_marts.fill(busy.server.client, "demo")
    assert contents(busy) == built
    assert all(rows.values()), rows


def contents(busy: BusyHome) -> dict[str, tuple[int, int, str]]:
    """Rows and checksum of each mart, and how it is stored."""
    kept = {}
    for table in marts.statements():
        name = f"tickhouse_marts_demo.{table}"
        ((rows, checksum),) = busy.server.client.query(
            f"SELECT count(), sum(cityHash64(*)) FROM {name}"
        ).result_rows
        created = str(busy.server.client.command(f"SHOW CREATE TABLE {name}"))
        kept[table] = (rows, checksum, created)
    return kept


def test_the_command_makes_it_up_in_a_home_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    left = tmp_path / "busy" / "left.txt"
    left.parent.mkdir()
    left.write_text("of the day before")
    assert main(["demo", "--busy", "--mode", "shadow"]) == 0
    assert "order events" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["busy"]
    assert not left.exists()
    with occasion.started(left.parent) as url:
        where = ClickhouseSettings(url=url, credentials=str(directory_of(left.parent)))
        client = connect(sign_in(where, OWNER))
        assert client.command("SELECT mode FROM running_mode") == "shadow"
        assert client.command("SELECT count() FROM tickhouse_marts_shadow.fct_trade")
        client.close()
