"""Roles that we write for a ClickHouse server of one's own may do what the embedded roles may."""

import re
from pathlib import Path

import pytest

from adapters.clickhouse.corrections import LEAVE_OUT
from tests.support.warehouse_server import Warehouse, warehouse
from warehouse.access import allowances

__all__ = ["warehouse"]
FILE = Path(__file__).parents[2] / "containers" / "clickhouse-roles.sql"
GRANT = re.compile(r"GRANT (?P<what>[A-Z ,]+) ON (?P<where>\S+) TO tickhouse_(?P<role>\w+)")
EMBEDDED = ("analyst", "recorder", "writer")


def statements() -> list[str]:
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("--")]
    return [one.strip() for one in "\n".join(lines).split(";") if one.strip()]


def granted(role: str) -> set[tuple[str, str]]:
    grants = (GRANT.fullmatch(one) for one in statements())
    return {
        (what.strip(), one["where"])
        for one in grants
        if one and one["role"] == role
        for what in one["what"].split(",")
    }


def test_every_statement_is_one_that_the_engine_knows(warehouse: Warehouse) -> None:
    for sql in statements():
        query = "SELECT formatQuerySingleLine({sql:String})"
        assert warehouse.client.query(query, parameters={"sql": sql}).result_rows == [(sql,)]


@pytest.mark.parametrize("role", EMBEDDED)
def test_a_role_inserts_where_the_embedded_one_does(role: str) -> None:
    inserts = "InsertQuery" in allowances.of(role).statements
    assert inserts == any(what in ("INSERT", "ALL") for what, _ in granted(role))


def test_who_corrects_ticks_may_leave_out_what_was_there_before(warehouse: Warehouse) -> None:
    """And deletes from no other table; the embedded role may run this one statement."""
    query = "SELECT formatQuerySingleLine({sql:String})"
    [(written,)] = warehouse.client.query(query, parameters={"sql": LEAVE_OUT}).result_rows
    table = written.removeprefix("DELETE FROM ").split()[0]
    assert len(allowances.of("recorder").word_for_word) == 1
    assert granted("recorder") == {
        ("SELECT", "tickhouse*.*"), ("SHOW", "tickhouse*.*"), ("INSERT", "tickhouse.*"),
        ("ALTER DELETE", f"tickhouse.{table}"),
    }  # fmt: skip
