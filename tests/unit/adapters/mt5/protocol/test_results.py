"""The named tuples are those of the real package: the same fields in the same order."""

from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.protocol import results, symbol_info

TABLE = Path(__file__).with_name("tuples_5_0_6231.txt")
LINES = [line.split() for line in TABLE.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("name", "fields"), [(line[0], line[1:]) for line in LINES])
def test_fields_and_their_order_equal_the_packages(name: str, fields: list[str]) -> None:
    ours: Any = getattr(symbol_info if name == "SymbolInfo" else results, name)
    assert list(ours._fields) == fields


def test_the_table_has_every_tuple_the_trading_functions_return() -> None:
    assert {line[0] for line in LINES} == {
        "AccountInfo", "OrderCheckResult", "OrderSendResult", "SymbolInfo", "TerminalInfo", "Tick",
        "TradeDeal", "TradeOrder", "TradePosition", "TradeRequest",
    }  # fmt: skip
