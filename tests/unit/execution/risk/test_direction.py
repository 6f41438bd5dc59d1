"""Which way limits go: what is unknown raises."""

import msgspec
import pytest

from execution.risk import direction
from execution.risk.direction import changes
from execution.risk.firm_rules import FirmRules
from execution.risk.limits import Breakers, Limits, parse
from execution.risk.news import NewsRule
from execution.risk.overrides import Override

FIRM = '[accounts.a]\nfirm = "f"\n[firms.f]\ndated = 2026-01-01\ndaily_loss = 1000\n'


def book(text: str):
    return parse(f'version = "t"\n{text}'.encode(), "t")


def test_every_number_has_a_direction_or_always_raises() -> None:
    """A new limit that the table does not know is one that two people sign: this names them."""
    known = direction.HIGHER_RAISES | direction.LOWER_RAISES | set(direction.LADDERS)
    kinds = (Limits, Breakers, FirmRules, NewsRule)
    fields = {name for kind in kinds for name in kind.__struct_fields__}
    assert known <= fields
    assert {"sizing", "resize_share", "kelly_payoff"} <= fields - known


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("[limits]\nmax_lots = 1.0", "[limits]\nmax_lots = 0.5", "lowers"),
        ("[limits]\nmax_lots = 1.0", "[limits]\nmax_lots = inf", "raises"),
        ("[limits]\nrepeat_window_s = 300.0", "[limits]\nrepeat_window_s = 30.0", "raises"),
        ("[limits]\nrestricted = true", "", "raises"),
        ("", "[limits]\nrestricted = true", "lowers"),
        ("", '[limits]\nsizing = "kelly"', "raises"),
        ("", "[limits]\nresize_share = 0.1", "raises"),
        ('[breakers]\ncrash = "reducing"', '[breakers]\ncrash = "none"', "raises"),
        ('[breakers]\ncrash = "none"', '[breakers]\ncrash = "reducing"', "lowers"),
        ("", "[breakers.symbols.BTCUSD]\ncrash_move_1s = 0.5", "raises"),
        ("[symbols.XAUUSD]\nmax_lots = 0.2", "", "raises"),  # a table that goes takes its limit
        ("", "[accounts.a.symbols.XAUUSD]\nmax_lots = 5.0", "raises"),
        ("", FIRM, "lowers"),
        (FIRM, "", "raises"),
        (FIRM, FIRM.replace('"f"', '"g"').replace("firms.f", "firms.g"), "raises"),
        (FIRM, FIRM + "margin_share = 0.5", "lowers"),
        (FIRM, FIRM.replace("1000", "2000"), "raises"),
        (FIRM, FIRM + 'zone = "Europe/Prague"', "raises"),
        (FIRM, FIRM + 'source = "their page"', "lowers"),
        ("", "[news.payrolls]\nbefore_min = 5", "lowers"),
        ("[news.payrolls]\nbefore_min = 5", "[news.payrolls]\nbefore_min = 4", "raises"),
        ("[news.payrolls]\nbefore_min = 5", "", "raises"),
    ],
)
def test_a_change_goes_one_way(before: str, after: str, way: str) -> None:
    assert {c.direction for c in changes(book(before), book(after))} == {way}


def test_one_looser_number_among_many_stricter_raises() -> None:
    before, after = b'version = "a"\n', b'version = "b"\n[limits]\nmax_lots = 0.1\ncollar = 0.1\n'
    assert direction.raises("limits", "", before, after)
    assert not direction.raises("limits", "", before, b'version = "b"\n[limits]\nmax_lots = 0.1\n')
    assert direction.raises("limits", "", before, b"no limits")


@pytest.mark.parametrize(
    ("rule", "value", "symbol", "up"),
    [
        ("max_lots", 0.5, "", True),  # XAUUSD has 0.2
        ("max_lots", 0.5, "EURUSD", False),
        ("max_lots", float("nan"), "", True),
        ("nonsense", 0.0, "", True),
    ],
)
def test_an_override_is_compared_with_all_it_holds_for(
    rule: str, value: float, symbol: str, up: bool
) -> None:
    override = Override(
        rule=rule, value=value, account="simulated", symbol=symbol, by="ann", reason="", from_us=0,
        until_us=1,
    )  # fmt: skip
    limits = b'version = "t"\n[symbols.XAUUSD]\nmax_lots = 0.2\n'
    assert direction.override_raises(parse(limits, "t"), override) is up
    if value == value:
        assert direction.raises("override", "", limits, msgspec.json.encode(override)) is up
