"""A retail client's initial margin by class of instrument, and where no class is known."""

import pytest
from msgspec.structs import replace

from core.instruments import shipped
from execution.risk.limits import parse
from execution.risk.retail import initial_margin_share

EURUSD = shipped()["EURUSD"][0]


@pytest.mark.parametrize(
    ("symbol", "base", "quote", "share"),
    [
        ("EURUSD", "EUR", "USD", 0.0333), ("CADCHF", "CAD", "CHF", 0.0333),
        ("NZDUSD", "NZD", "USD", 0.05), ("USDTRY", "USD", "TRY", 0.05),
        ("XAUEUR", "XAU", "EUR", 0.05), ("XAGUSD", "XAG", "USD", 0.10),
        ("BTCUSD", "BTC", "USD", 0.50), ("GER40", "GER40", "EUR", 0.50),
    ],
)  # fmt: skip
def test_shares_are_those_of_the_decisions_annex(
    symbol: str, base: str, quote: str, share: float
) -> None:
    traded = replace(EURUSD, symbol=symbol, base=base, quote=quote)
    assert initial_margin_share(traded, {}) == share
    assert initial_margin_share(traded, {symbol: 0.2}) == 0.2


def test_shares_of_ones_own_are_shares() -> None:
    text = """version = "r"
[accounts.a]
firm = "retail"
[firms.retail]
dated = 2026-11-23
retail = true
retail_margins = { GER40 = %s }
"""
    book = parse((text % "0.05").encode(), "limits.toml")
    named = book.firm_of("a")
    assert named is not None
    assert named[1].retail_margins == {"GER40": 0.05}
    with pytest.raises(Exception, match="GER40 is above 0 and at most 1, not 5"):
        parse((text % "5.0").encode(), "limits.toml")
