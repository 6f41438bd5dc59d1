"""Several strategies on one hedging account: each its tickets, its size, its mode."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.desk import parse
from execution.journal.position import Key
from execution.risk.limits import Limits, LimitsBook, of_settings
from execution.risk.limits_file import LimitsFile, Rules
from execution.risk.overrides import Overrides
from tests.unit.execution.desk import RUN, Desk, flat

STRATEGIES = parse(
    b"""[strategies.a]\nshare = 0.5\n[strategies.b]\nshare = 0.3
[strategies.c]\nshare = 0.2\nmode = "shadow"\n""",
    "desk.toml",
)


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Desks on one home; opening the next is a restart of the one before."""
    opened: list[Desk] = []

    def begin(folder: str = "home", **more: Any) -> Desk:
        for before in opened:
            before.close()
        (tmp_path / folder).mkdir(exist_ok=True)
        given = {"strategies": STRATEGIES, "lots": 1.0, "max_lots": 2.0, **more}
        opened.append(Desk(tmp_path / folder, **given))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def of(strategy: str) -> Key:
    return Key(strategy, "oanda", "EURUSD")


def test_strategies_hold_tickets_of_their_own_each_its_share(open_desk) -> None:
    stage = open_desk()
    stage.trade(1.0, "1" * 32, strategy="a")
    stage.trade(-1.0, "2" * 32, strategy="b")
    assert (stage.book.net(of("a")), stage.book.net(of("b"))) == (0.5, -0.3)
    stage.at(10)
    assert stage.trade(0.0, "3" * 32, strategy="b")[-1] == "opposite filled"
    assert (stage.book.net(of("a")), stage.book.net(of("b"))) == (0.5, 0.0)
    restarted = open_desk()
    assert restarted.book.net(of("a")) == 0.5
    assert restarted.book.realised(of("b")) == stage.book.realised(of("b")) != 0.0


def test_a_strategy_in_shadow_is_journalled_and_not_sent(open_desk) -> None:
    stage = open_desk()
    assert stage.trade(1.0, "1" * 32, strategy="c")[-1] == "entry cancelled"
    assert stage.trade(1.0, "2" * 32, strategy="a")[-1] == "entry filled"
    assert [request["volume"] for request in stage.terminal.sent] == [0.5]


def test_what_a_strategy_held_before_it_went_to_shadow_is_still_closed(open_desk) -> None:
    before = parse(STRATEGIES.content.replace(b'mode = "shadow"', b""), "desk.toml")
    held = open_desk(strategies=before)
    assert held.trade(1.0, "1" * 32, strategy="c")[-1] == "entry filled"
    stage = open_desk()
    story = stage.trade(-1.0, "2" * 32, strategy="c")
    assert story[-3:] == ["opposite filled", "entry received", "entry cancelled"]
    assert stage.book.net(of("c")) == 0.0


def test_a_strategy_that_is_not_on_the_desk_opens_nothing(open_desk) -> None:
    stage = open_desk()
    stage.trade(1.0, "1" * 32, strategy="stranger")
    assert stage.terminal.sent == []


def test_sizes_by_equity_take_the_share_of_it(open_desk) -> None:
    lots = []
    for home, strategies in (("alone", None), ("desk", STRATEGIES)):
        stage = open_desk(home, strategies=strategies)
        limits = LimitsFile(RUN.account, of_settings(stage.settings.execution))
        base = Limits(sizing="volatility", max_sized_lots=5.0, max_lots=5.0)
        book = LimitsBook("v", base, {}, {}, limits.rules.book.breakers, {})
        limits.rules = Rules(RUN.account, book, Overrides())
        stage.use(limits)
        signal = replace(stage.signal(1.0, "1" * 32), strategy="a")
        stage.engine.on_signal(signal)
        lots.append(stage.book.net(of("a")))
    assert lots[0] > 0
    assert abs(lots[1] - lots[0] / 2) <= 0.01


def limited(text: str) -> Any:
    own = f"[strategies.a.limits]\n{text}\n".encode()
    return parse(STRATEGIES.content.replace(b"[strategies.b]", own + b"[strategies.b]"), "desk")


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("max_lots = 0.4", "oversized"),
        ("max_position_lots = 0.4", "position_limit"),
        ("max_gross_capital = 0.1", "gross_exposure"),
        ("max_orders_per_minute = 0", "too_many"),
    ],
)
def test_limits_of_a_strategy_hold_for_it_alone(open_desk, limit: str, reason: str) -> None:
    strategies = limited(limit)
    stage = open_desk(strategies=strategies)
    assert stage.trade(1.0, "1" * 32, strategy="a")[-1] == "entry denied"
    denied = stage.events()[-1]
    assert denied.reason == reason
    version = strategies.named("a").version
    assert denied.limits_version == f"desk {version} under default-2"
    assert stage.trade(1.0, "2" * 32, strategy="b")[-1] == "entry filled"
    assert "desk" not in stage.events()[-1].limits_version


def test_a_strategys_losses_of_the_day_end_its_entries_and_not_its_exits(open_desk) -> None:
    strategies = limited("max_daily_loss_share = 0.005")  # of half of 100,000: 250
    falling = flat(seconds=6) + [(t, 1.094, 1.0941) for t, *_ in flat()[6:]]
    stage = open_desk(strategies=strategies, rows=falling)
    stage.ledger.activity.account(100_000.0, stage.clock.now_us())
    stage.trade(1.0, "1" * 32, strategy="a")
    stage.at(10, 1.094)  # half a lot, 61 pips below: 305
    assert stage.trade(-1.0, "2" * 32, strategy="a", reference_price=1.094)[-1] == "entry denied"
    assert stage.book.net(of("a")) == 0.0, "what reduces risk is never denied"
    assert stage.events()[-1].reason == "daily_loss"
    assert stage.trade(-1.0, "3" * 32, strategy="b", reference_price=1.094)[-1] == "entry filled"
    again = open_desk(strategies=strategies, rows=falling)
    again.at(20, 1.094)
    again.ledger.activity.account(100_000.0, again.clock.now_us())
    assert again.trade(1.0, "4" * 32, strategy="a", reference_price=1.094)[-1] == "entry denied", (
        "after a restart, too"
    )
    assert again.events()[-1].reason == "daily_loss"
