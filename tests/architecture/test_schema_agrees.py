"""Contract fields are the source of the schema: every message's fields are its table's columns."""

import re

import msgspec
import numpy as np
import pytest

from adapters.clickhouse import correction_rows, migrate, rows
from adapters.clickhouse.native import Column
from core.calendar import CalendarEvent
from core.contracts.exposure import ExposureRate
from core.contracts.firm import FirmRuleState
from core.contracts.operations import RiskState
from core.contracts.order import AccountState, OrderEvent, PositionState
from core.contracts.regime import RegimeState
from core.contracts.risk import (
    Correlation,
    CurrencyExposure,
    FeedExposure,
    PortfolioRisk,
    StressResult,
    ValueAtRisk,
)
from core.contracts.session import Session
from core.contracts.signal import OrderSignal
from core.contracts.tick import TICK, QuarantineBatch
from core.contracts.twin import TwinComparison
from core.instruments import Instrument
from core.tick_versions import KNOWN

_ADDED = r"ADD COLUMN IF NOT EXISTS (\w+) (\S+(?: 'UTC'\))?)(?: CODEC \(.*?\)\))? COMMENT"
_TYPES = {float: "Float64", bool: "Bool"}


def columns_of(table: str) -> dict[str, str]:
    """Stored columns of a table by the migrations' text: name to type. Aliases are left out."""
    texts = [migration.text for migration in migrate.product_migrations()]
    begins = re.compile(rf"(?:EXISTS|OR REPLACE TABLE) {table} \(")
    begin = [match for text in texts if (match := begins.search(text))][-1]
    body = begin.string[begin.end() : begin.string.index("\n)\n", begin.end())]
    columns = re.findall(r"^    (\w+) (.+?)(?: CODEC \(.*\))? COMMENT '", body, re.MULTILINE)
    for migration in migrate.product_migrations():
        for part in migration.statements():
            if f"ALTER TABLE {table} ADD" in part:
                columns += re.findall(_ADDED, part)
            if f"ALTER TABLE {table} DROP" in part:
                gone = re.findall(r"DROP COLUMN IF EXISTS (\w+)", part)
                columns = [column for column in columns if column[0] not in gone]
    return {name: kind for name, kind in columns if "ALIAS" not in kind}


@pytest.mark.parametrize(
    ("message", "table"),
    [
        (OrderSignal, "signal"),
        (OrderEvent, "order_event"),
        (PositionState, "position"),
        (AccountState, "account_state"),
        (TwinComparison, "twin_comparison"),
        (RiskState, "risk_state"),
        (ExposureRate, "exposure_rate"),
        (Session, "session"),
        (RegimeState, "regime"),
        (PortfolioRisk, "portfolio_risk"),
        (ValueAtRisk, "value_at_risk"),
        (FeedExposure, "feed_exposure"),
        (CurrencyExposure, "currency_exposure"),
        (Correlation, "correlation"),
        (StressResult, "stress_result"),
        (FirmRuleState, "firm_rule_state"),
        (CalendarEvent, "calendar_event"),
    ],
)
def test_a_message_has_its_tables_columns(message: type[msgspec.Struct], table: str) -> None:
    columns = columns_of(table)
    assert {rows.column_name(field) for field in msgspec.structs.fields(message)} == set(columns)
    for field in msgspec.structs.fields(message):
        name = rows.column_name(field)
        if field.name.endswith("_us"):
            assert columns[name] == "DateTime64(6, 'UTC')"
        elif field.type in _TYPES:
            assert columns[name] == _TYPES[field.type]
        elif field.type is int:
            assert "Int" in columns[name]
        else:
            assert columns[name] in ("String", "LowCardinality(String)")


def test_instrument_is_the_reference_data_plus_its_source() -> None:
    names = (rows.column_name(field) for field in msgspec.structs.fields(Instrument))
    assert set(columns_of("instrument")) == {*names, "source"}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("tick", correction_rows.tick_columns("s", "X", np.zeros(1, KNOWN))),
        ("tick_quarantine", rows.quarantine_columns(QuarantineBatch(*"rmsxo", []), 0)),
        ("stage_latency", rows.latency_columns([])),
        ("process_state", rows.process_columns([])),
    ],
)
def test_a_blocks_columns_are_its_tables(table: str, columns: list[Column]) -> None:
    assert set(columns_of(table)) == {column.name for column in columns}


def test_a_block_of_new_ticks_leaves_out_only_what_is_zero_of_each() -> None:
    names = {column.name for column in rows.tick_columns("s", "X", np.zeros(1, TICK))}
    assert set(columns_of("tick")) - names == {"ts_noted"}


def test_every_stored_column_has_a_comment() -> None:
    for migration in migrate.product_migrations():
        for statement in migration.statements():
            if "CREATE TABLE" not in statement:
                continue
            body = statement[statement.index("(\n") + 2 : statement.index("\n)\n")]
            # A column starts at four spaces; what is indented deeper goes on with it.
            for column in re.split(r",\n(?=    \w)", body):
                assert " COMMENT '" in column, f"{migration.name}: {column}"
