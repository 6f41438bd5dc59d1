"""Several strategies on one hedging account: each its tickets, its size, its mode."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.desk import parse
from execution.journal.book import Key
from execution.risk.limits import Limits, LimitsBook, of_settings
from execution.risk.limits_file import LimitsFile, Rules
from execution.risk.overrides import Overrides
from tests.unit.execution.desk import RUN, Desk

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
