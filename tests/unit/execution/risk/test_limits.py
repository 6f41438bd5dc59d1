import math
from pathlib import Path

import pytest

from core.errors import InputError
from core.sections import ExecutionSettings
from execution.risk import limits
from execution.risk.limits import Limits, of_settings, parse, render

GOOD = b"""version = "desk-7"

[limits]
max_lots = 2
collar = 0.01

[symbols.XAUUSD]
restricted = true
max_lots = 0.5

[accounts.simulated]
max_lots = 3.0

[accounts.simulated.symbols.EURUSD]
max_lots = 4.0

[breakers]
crash_move_1s = 0.01

[breakers.symbols.BTCUSD]
crash_move_1s = 0.05
"""


def test_without_a_file_the_limits_are_those_of_the_settings() -> None:
    book = of_settings(ExecutionSettings(max_lots=7.0, limits_version="v1"))
    assert (book.version, book.of("any", "EURUSD").max_lots) == ("v1", 7.0)
    assert of_settings(ExecutionSettings()).base == Limits()


def test_the_nearest_table_wins() -> None:
    book = parse(GOOD, "f")
    assert book.of("other", "EURUSD").max_lots == 2.0
    assert book.of("simulated", "").max_lots == 3.0
    assert book.of("simulated", "EURUSD").max_lots == 4.0
    gold = book.of("other", "XAUUSD")
    assert (gold.restricted, gold.max_lots, gold.collar) == (True, 0.5, 0.01)
    assert book.breakers_of("BTCUSD").crash_move_1s == 0.05
    assert book.breakers_of("EURUSD").crash_move_1s == 0.01


def test_the_version_follows_from_every_byte() -> None:
    first, second = parse(GOOD, "f").version, parse(GOOD + b"\n", "f").version
    assert first.startswith("desk-7+")
    assert first != second


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"max_lots = 2", b"max_lotz = 2", r"row 4: \[limits\] max_lotz: unknown.*'max_lots'"),
        (b"max_lots = 0.5", b"max_lots = true", r"row 9: \[symbols.XAUUSD\] max_lots: Expected"),
        (b"max_lots = 3.0", b"max_lots = -1", r"row 12: \[accounts.simulated\] max_lots: -1"),
        (b"max_lots = 4.0", b"max_lots = nan", r"row 15: .*EURUSD\] max_lots: nan"),
        (b"crash_move_1s = 0.05", b"crash = 'stop'", r"row 21: .*crash: Invalid enum"),
        (b"[breakers]", b"[brakers]", r"row 17: brakers: unknown; did you mean 'breakers'"),
        (b"[limits]", b"[limits", "not TOML.*line 3"),
        (b'"desk-7"', b"7", "version: write version"),
        (b'"desk-7"', b'""', "version: write version"),
        (b"[symbols.XAUUSD]", b"[symbols]", "a table"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_key(old: bytes, new: bytes, problem: str) -> None:
    with pytest.raises(InputError, match="my.toml.*" + problem):
        parse(GOOD.replace(old, new, 1), "my.toml")


def test_what_is_shown_can_be_read_again() -> None:
    for book in (parse(GOOD, "f"), of_settings(ExecutionSettings(lots=0.3))):
        again = parse(render(book).encode(), "again")
        assert again[1:] == book[1:]


def test_shipped_limits_are_finite_in_equities_of_the_account() -> None:
    book = limits.of_settings(ExecutionSettings())
    shipped, ladder = book.base, book.breakers
    assert ladder.half_at_drawdown < ladder.reducing_at_drawdown < ladder.halted_at_drawdown < 1
    off = [name for name in Limits.__struct_fields__ if getattr(shipped, name) == math.inf]
    assert off == [
        "max_order_value",
        "max_position_lots",
        "max_gross_exposure",
        "max_daily_loss",
        "max_drawdown",  # each until here in equities too, or, the last, as a ladder
        "max_var_equity",  # from here on what needs the stream's figures of risk
        "max_shortfall_equity",
        "max_order_var_equity",
        "max_currency_equity",
        "max_correlated_equity",
        "max_stress_equity",
    ]


def test_a_file_of_one_line_is_enough(tmp_path: Path) -> None:
    assert parse(b'version = "a"', "f").base == Limits()
