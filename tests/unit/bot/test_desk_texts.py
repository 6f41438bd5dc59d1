from pathlib import Path
from typing import Any

import pytest

from bot import desk_texts
from bot.chart import chart_of
from core import trading_control
from core.clock import ManualClock
from core.contracts.firm import FirmRuleState
from core.sections import RuleSettings
from dashboards.live.items import Items
from tests.support.bot_desk import START_US, BotDesk


@pytest.fixture
def items() -> Items:
    items = Items()
    items.put("now", START_US)
    items.put("quote|sim/EURUSD", {
        "source": "sim", "symbol": "EURUSD", "bid": 1.1, "ask": 1.1001,
        "time": START_US - 3_000_000, "received": START_US, "digits": 5,
        "contract": 100_000.0, "base": "EUR", "quote": "USD",
        "session": "fx",
    })  # fmt: skip
    return items


def beat(name: str, ago_us: int, status: str = "ready", detail: str = "") -> dict[str, Any]:
    return {"process": name, "status": status, "detail": detail, "time": START_US - ago_us}


def test_status_names_what_is_late_away_or_unwell(items: Items, tmp_path: Path) -> None:
    items.put("process|a", beat("collector", 1_000_000))
    items.put("process|b", beat("streams.ticks", 31_000_000))
    items.put("process|c", beat("execution", 0, "degraded", "no terminal"))
    items.put("link|warehouse", {"up": False, "since": START_US - 120_000_000, "problem": "gone"})
    items.put("alert|x", {"id": "x"})
    assert desk_texts.status(items, tmp_path, RuleSettings()).splitlines() == [
        "Trading is active.",
        "The warehouse does not answer for 2 min.",
        "1 of 3 processes beat and are ready.",
        "  execution: degraded no terminal",
        "  streams.ticks: silent for 31 s",
        "  EURUSD 1.10000/1.10010, 3 s old",
        "1 alerts: /alerts",
    ]


def test_a_control_file_that_cannot_be_read_is_a_halt(tmp_path: Path) -> None:
    trading_control.path_in(tmp_path).write_bytes(b"\xff")
    assert desk_texts.trading(tmp_path).startswith("Trading is halted: ")
    trading_control.halt(tmp_path, "ann", "why", ManualClock(START_US), "flatten")
    assert desk_texts.trading(tmp_path) == "Trading is HALTED since 11-16 12:00 by ann: why"


def test_a_position_is_valued_at_the_side_it_would_close_at(items: Items) -> None:
    assert desk_texts.positions(items) == "Nothing is held."
    held = {"feed": "sim/EURUSD", "account": "a", "realised": 0.0, "seq": 1, "price": 1.099}
    items.put("position|a|sim/EURUSD", held | {"volume": -0.2, "stop": 0.0})
    assert desk_texts.positions(items) == (
        "EURUSD -0.2 at 1.09900, no stop\n  now 1.10010: -22.00 USD"
    )
    items.put("position|a|sim/EURUSD", held | {"volume": 0.2, "stop": 1.09})
    assert desk_texts.positions(items).endswith("stop 1.09000\n  now 1.10000: +20.00 USD")
    items.put("quote|sim/EURUSD", None)
    assert desk_texts.positions(items) == "EURUSD +0.2 at 1.09900, stop 1.09000"


def test_profit_of_the_day_is_unknown_without_its_beginning(items: Items) -> None:
    items.put("account|a", {
        "account": "a", "mode": "demo", "currency": "USD", "balance": 1000.0, "equity": 990.0,
        "margin": 0.0, "time": START_US,
    })  # fmt: skip
    assert "today: unknown while the warehouse is away" in desk_texts.profit(items)
    items.put("day_open", 1100.0)
    assert desk_texts.profit(items).endswith("today -110.00 USD (-10.00%)")


def test_what_is_left_before_a_firms_rules_is_in_risk_and_limits(tmp_path: Path) -> None:
    desk = BotDesk(tmp_path)
    rule = {
        "firm": "prop", "rule": "daily_loss", "limit": 5000.0, "observed": 1200.0, "left": 3800.0,
        "broken": 0, "least": 3100.0, "leastAt": START_US, "time": START_US,
    }  # fmt: skip
    assert {"firm", "rule"} <= set(FirmRuleState.__struct_fields__)
    desk.items.put("firm|a|daily_loss", rule)
    line = "prop daily loss: 3,800.00 left of 5,000.00 (least 3,100.00)"
    assert desk.write("/limits")[0].startswith(f"{line}\nLimits ")
    desk.items.put("firm|a|daily_loss", rule | {"broken": START_US})
    assert "daily loss: BROKEN 11-16 12:00" in desk.write("/limits")[0]
    assert desk.write("/risk")[0].startswith("✖ prop daily loss: BROKEN")  # without a warehouse


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("/why", "Name an order or signal"), ("/chart", "Name one symbol"),
        ("/chart NOPE", "There are: none yet"), ("/daily x", "Give a number of days"),
        ("/daily -1", "Give a number of days"), ("/daily ²", "Give a number of days"),
        ("/signals", "No signal yet."), ("/orders", "No orders."),
        ("/profit", "not been heard of yet"), ("/alerts", "No alert fires."),
    ],
)  # fmt: skip
def test_a_desk_of_which_nothing_is_known_and_words_that_mean_nothing(
    tmp_path: Path, words: str, wanted: str
) -> None:
    assert wanted in BotDesk(tmp_path).write(words)[0]


def test_an_order_is_named_by_the_beginning_of_its_id(items: Items) -> None:
    fill = {"order": "abcdef0123456789", "time": 1, "feed": "sim/EURUSD"}
    items.put("fill|1", fill)
    items.put("fill|2", fill | {"order": "abcdef01aaaaaaaa"})
    items.put("denial|3", fill | {"order": "99999999ffff"})
    assert desk_texts.full_id(items, "#99999999") == "99999999ffff"
    assert desk_texts.full_id(items, "abcdef01") == "abcdef01"  # of two
    assert desk_texts.full_id(items, "9999") == "9999"  # too short to be meant


def test_a_chart_shows_the_last_two_hours_with_fills_and_the_position(items: Items) -> None:
    assert chart_of(items, "sim/EURUSD") is None
    begin = START_US // 1_000_000
    for minute in range(130):
        bar = [begin + minute * 60, 1.1, 1.2, 1.0, 1.15 if minute % 2 else 1.05]
        items.put(f"bar|sim/EURUSD|{bar[0]}", bar)
    late = (begin + 60 * 60) * 1_000_000
    fill = {"feed": "sim/EURUSD", "time": late, "price": 1.1, "side": "buy", "order": "o"}
    items.put("fill|1", fill)
    items.put("fill|old", fill | {"time": START_US})
    items.put("fill|other", fill | {"feed": "sim/XAUUSD"})
    items.put("position|a|sim/EURUSD", {
        "feed": "sim/EURUSD", "volume": 0.1, "price": 1.1, "stop": 1.01,
    })  # fmt: skip
    chart = chart_of(items, "sim/EURUSD")
    assert chart is not None
    assert (len(chart.candles), len(chart.fills), chart.held, chart.stop) == (120, 1, 1.1, 1.01)
    assert chart.title == "EURUSD 1.15 at 14:09:00 UTC, +0.1 lots held"
    picture = chart.png()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture == chart.png()
