import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.mt5.venue.venue import Specification
from core.contracts.order import DenialReason as Why
from core.instruments import instrument
from execution.order_path.quotes import Quote
from execution.risk import checks as risk
from execution.risk.checks import Denial, RiskContext
from execution.risk.limits import Limits
from tests.support import replays
from tests.support.markets import TUESDAY

NOW = TUESDAY * 1000
LIMITS = Limits(max_lots=1.0, max_orders_per_minute=3, max_quote_age_s=10.0)
SIGNAL = replays.signal("oanda", "EURUSD", (TUESDAY, 1.1, 1.1001), 1.0)
QUOTE = Quote(NOW - 1_000_000, 1.1, 1.1001, 0.0001)
SPECIFICATION = Specification(5, 1e-5, 0.01, 50.0, 0.01)
SMALL_LOTS = replace(SPECIFICATION, volume_max=0.05)
GOOD = RiskContext(
    signal=SIGNAL,
    now_us=NOW,
    quote=QUOTE,
    specification=SPECIFICATION,
    instrument=instrument("EURUSD", NOW),
    limits=LIMITS,
    limits_version="t",
    collar=LIMITS.collar,
    state="active",
    blocked=False,
    side="buy",
    volume=0.1,
    equity=1000.0,
)
SATURDAY = int(datetime(2024, 1, 13, 12, tzinfo=UTC).timestamp() * 1e6)


def test_a_sound_entry_passes() -> None:
    assert risk.check_entry(GOOD) is None
    sell = replace(GOOD, side="sell", signal=replace(SIGNAL, target=-1.0, stop_price=1.2))
    assert risk.check_entry(sell) is None


def limits(**changes: float) -> dict[str, object]:
    return {"limits": replace(LIMITS, **changes)}


def signal(**changes: object) -> dict[str, object]:
    return {"signal": replace(SIGNAL, **changes)}


@pytest.mark.parametrize(
    ("changes", "denial"),
    [
        ({"state": "halted"}, Denial(Why.HALTED, 0.0, 0.0)),
        ({"blocked": True}, Denial(Why.HALTED, 0.0, 1.0)),
        ({"state": "reducing"}, Denial(Why.REDUCING, 0.0, 0.1)),
        ({"instrument": None}, Denial(Why.UNKNOWN_SYMBOL, 1.0, 0.0)),
        ({"specification": None}, Denial(Why.UNKNOWN_SYMBOL, 1.0, 0.0)),
        (signal(ts_event_us=NOW - 3_000_000, expires_us=NOW - 1), Denial(Why.STALE_SIGNAL, 2.999999, 3.0)),  # noqa: E501
        (signal(expires_us=SATURDAY) | {"now_us": SATURDAY}, Denial(Why.MARKET_CLOSED, 1.0, 0.0)),
        ({"quote": None}, Denial(Why.STALE_QUOTE, 10.0, math.inf)),
        ({"quote": QUOTE._replace(time_us=NOW - 11_000_000)}, Denial(Why.STALE_QUOTE, 10.0, 11.0)),
        ({"entries": 3}, Denial(Why.TOO_MANY, 3.0, 4.0)),
        ({"volume": 1.01}, Denial(Why.OVERSIZED, 1.0, 1.01)),
        ({"specification": SMALL_LOTS}, Denial(Why.OVERSIZED, 0.05, 0.1)),
        (signal(target=1.5), Denial(Why.OVERSIZED, 1.0, 1.5)),
        (limits(restricted=True), Denial(Why.RESTRICTED, 0.0, 0.1)),
        (limits(max_messages_per_second=2) | {"messages": 2}, Denial(Why.MESSAGE_RATE, 2.0, 3.0)),
        (limits(max_repeats=2) | {"repeats": 2}, Denial(Why.THROTTLED, 2.0, 3.0)),
        (limits(max_repeats=2) | {"throttled": True}, Denial(Why.THROTTLED, 2.0, 1.0)),
        (limits(max_order_value=99.0) | {"value": 99.5}, Denial(Why.ORDER_VALUE, 99.0, 99.5)),
        (limits(max_order_value=99.0) | {"value": None}, Denial(Why.NO_CONVERSION_RATE, 1.0, 0.0)),
        (limits(max_order_equity=0.099) | {"value": 99.5}, Denial(Why.ORDER_VALUE, 99.0, 99.5)),
        ({"value": 3_000.5}, Denial(Why.ORDER_VALUE, 3_000.0, 3_000.5)),  # as shipped
        ({"value": 1.0, "equity": -5.0}, Denial(Why.ORDER_VALUE, 0.0, 1.0)),
        ({"value": 1_000.0, "net": 0.5}, Denial(Why.POSITION_LIMIT, 5_000.0, 6_000.0)),
        ({"value": 1_000.0, "gross": 9_500.0}, Denial(Why.GROSS_EXPOSURE, 10_000.0, 10_500.0)),
        (limits(max_position_lots=0.5) | {"net": 0.5}, Denial(Why.POSITION_LIMIT, 0.5, 0.6)),
        (limits(max_gross_exposure=9.0) | {"gross": 8.0, "value": 1.5}, Denial(Why.GROSS_EXPOSURE, 9.0, 9.5)),  # noqa: E501
        (limits(max_gross_exposure=9.0) | {"gross": None, "value": 1.5}, Denial(Why.NO_CONVERSION_RATE, 1.0, 0.0)),  # noqa: E501
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


def test_the_limits_of_money_and_rate_themselves_are_allowed() -> None:
    changes = limits(
        max_messages_per_second=3, max_repeats=3, max_order_value=99.0, max_position_lots=0.6,
        max_gross_exposure=100.0,
    )  # fmt: skip
    seen = {"messages": 2, "repeats": 2, "value": 99.0, "net": 0.5, "gross": 1.0}
    assert risk.check_entry(replace(GOOD, **changes, **seen)) is None


@given(net=st.floats(-5, 5), volume=st.floats(0.01, 5), side=st.sampled_from(["buy", "sell"]))
def test_a_position_limit_stops_exactly_what_leads_further_beyond_it(
    net: float, volume: float, side: str
) -> None:
    facts = replace(GOOD, net=net, volume=volume, side=side, **limits(max_position_lots=2.0))
    after = abs(net + (volume if side == "buy" else -volume))
    denial = risk.position_limit(facts)
    assert (denial is not None) == (after > 2.0 + 1e-9 and after > abs(net))


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_losses_are_denied_above_their_limits_and_never_below(
    daily: float, drawdown: float, most: float, deepest: float
) -> None:
    limits_ = replace(LIMITS, max_daily_loss=most, max_drawdown=deepest)
    denial = risk.check_losses(daily, drawdown, limits_)
    assert (denial is not None) == (daily > most or drawdown > deepest)
    if denial:
        assert denial.observed > denial.limit


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
