import math
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from adapters.mt5.execution import Specification
from core.contracts.order import DenialReason as Why
from core.instruments import instrument
from core.settings import ExecutionSettings
from execution import risk
from execution.quotes import Quote
from execution.risk import Denial, Facts
from tests import replays
from tests.markets import TUESDAY

NOW = TUESDAY * 1000
LIMITS = ExecutionSettings(max_lots=1.0, max_orders_per_minute=3, max_quote_age_s=10.0)
SIGNAL = replays.signal("oanda", "EURUSD", (TUESDAY, 1.1, 1.1001), 1.0)
QUOTE = Quote(NOW - 1_000_000, 1.1, 1.1001, 0.0001)
RULES = Specification(5, 1e-5, 0.01, 50.0, 0.01)
GOOD = Facts(
    "active", False, NOW, SIGNAL, "buy", 0.1, instrument("EURUSD", NOW), RULES, QUOTE, 0, LIMITS
)
SATURDAY = int(datetime(2024, 1, 13, 12, tzinfo=UTC).timestamp() * 1e6)


def test_a_sound_entry_passes() -> None:
    assert risk.check_entry(GOOD) is None
    sell = replace(GOOD, side="sell", signal=replace(SIGNAL, target=-1.0, stop_price=1.2))
    assert risk.check_entry(sell) is None


def signal(**changes: object) -> dict[str, object]:
    return {"signal": replace(SIGNAL, **changes)}


@pytest.mark.parametrize(
    ("changes", "denial"),
    [
        ({"state": "halted"}, Denial(Why.HALTED, 0.0, 0.0)),
        ({"blocked": True}, Denial(Why.HALTED, 0.0, 1.0)),
        ({"state": "reducing"}, Denial(Why.REDUCING, 0.0, 0.1)),
        ({"instrument": None}, Denial(Why.UNKNOWN_SYMBOL, 1.0, 0.0)),
        ({"rules": None}, Denial(Why.UNKNOWN_SYMBOL, 1.0, 0.0)),
        (signal(ts_event_us=NOW - 3_000_000, expires_us=NOW - 1), Denial(Why.STALE_SIGNAL, 2.999999, 3.0)),  # noqa: E501
        (signal(expires_us=SATURDAY) | {"now_us": SATURDAY}, Denial(Why.MARKET_CLOSED, 1.0, 0.0)),
        ({"quote": None}, Denial(Why.STALE_QUOTE, 10.0, math.inf)),
        ({"quote": QUOTE._replace(time_us=NOW - 11_000_000)}, Denial(Why.STALE_QUOTE, 10.0, 11.0)),
        ({"entries": 3}, Denial(Why.TOO_MANY, 3.0, 4.0)),
        ({"volume": 1.01}, Denial(Why.OVERSIZED, 1.0, 1.01)),
        ({"rules": replace(RULES, volume_max=0.05)}, Denial(Why.OVERSIZED, 0.05, 0.1)),
        (signal(target=1.5), Denial(Why.OVERSIZED, 1.0, 1.5)),
        (signal(stop_price=1.1), Denial(Why.OFF_PRICE, 1.1, 1.1)),
        (signal(stop_price=0.0), Denial(Why.OFF_PRICE, 0.0, 1.1)),
        ({"side": "sell"}, Denial(Why.OFF_PRICE, SIGNAL.stop_price, 1.1001)),
        ({"quote": QUOTE._replace(usual_spread=0.00001)}, Denial(Why.WIDE_SPREAD, 5.0, pytest.approx(10))),  # noqa: E501
        (signal(reference_price=1.11), Denial(Why.OFF_PRICE, 0.005, pytest.approx(0.00904, abs=1e-5))),  # noqa: E501
    ],
)  # fmt: skip
def test_a_breached_limit_denies_with_limit_and_observed(
    changes: dict[str, object], denial: Denial
) -> None:
    assert risk.check_entry(replace(GOOD, **changes)) == denial


@pytest.mark.parametrize("field", ["target", "stop_price", "reference_price"])
def test_what_is_not_a_number_is_denied(field: str) -> None:
    denial = risk.check_entry(replace(GOOD, **signal(**{field: math.nan})))
    assert denial is not None
    assert denial.reason in (Why.OVERSIZED, Why.OFF_PRICE)


def test_the_limit_itself_is_allowed() -> None:
    changes = {"entries": 2, "volume": 1.0, "quote": QUOTE._replace(time_us=NOW - 10_000_000)}
    assert risk.check_entry(replace(GOOD, **changes, **signal(expires_us=NOW))) is None


def test_the_spread_says_nothing_before_its_median_is_known() -> None:
    wide = Quote(NOW, 1.0999, 1.1002, 0.0)
    assert risk.check_entry(replace(GOOD, quote=wide)) is None


def test_margin_is_compared_with_what_is_free() -> None:
    assert risk.check_margin(100.0, 100.0) is None
    assert risk.check_margin(100.01, 100.0) == Denial(Why.NO_MARGIN, 100.0, 100.01)
    assert risk.check_margin(None, 100.0) == Denial(Why.NO_CONVERSION_RATE, 1.0, 0.0)


def test_a_signal_for_what_is_held_is_only_checked_for_state_and_age() -> None:
    assert risk.check_held(replace(GOOD, quote=None, entries=99, volume=0.0)) is None
    stale = risk.check_held(replace(GOOD, **signal(expires_us=NOW - 1)))
    assert stale is not None
    assert stale.reason is Why.STALE_SIGNAL
