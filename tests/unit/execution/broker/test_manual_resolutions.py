"""A person's word on an order that nobody else can tell."""

from pathlib import Path
from typing import Literal

import pytest

from adapters.mt5.venue.venue import Outcome
from core.contracts.order import OrderEvent
from execution.broker import manual_resolutions as settlements
from execution.broker.manual_resolutions import ManualResolution
from tests.unit.execution.desk import KEY, Desk, story


def say(
    desk: Desk, home: Path, order: str, outcome: Literal["absent", "filled"], *deals: int
) -> list[str]:
    """Settle an order, let execution take it up; the events that it gave."""
    desk.reconciler._persons = settlements.directory_of(home / "journal")
    before = len(desk.events())
    said = ManualResolution(order, outcome, "ann", "looked", 5, deals)
    settlements.write(desk.reconciler._persons, said)
    desk.reconciler.again()
    assert settlements.waiting(desk.reconciler._persons) == []
    return story(desk.events()[before:])


def lost(desk: Desk, how: str) -> OrderEvent:
    """An entry whose request or answer was lost, and that cannot be found."""
    desk.terminal.lose = [how]
    desk.trade(1.0, "s1")
    desk.venue.find = lambda *_: Outcome("ambiguous", "more than one")  # type: ignore[method-assign]
    return desk.events()[-1]


def test_an_order_settled_as_absent_is_over_and_its_feed_trades_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    order = lost(desk, "request")
    story = say(desk, tmp_path, order.order_id, "absent")
    assert story == ["entry reconciled", "entry rejected"]
    assert desk.events()[-1].reason == "settled as absent by ann: looked"
    assert not desk.book.is_blocked("oanda", "EURUSD")
    desk.close()


def test_an_order_settled_as_filled_takes_the_fill_from_the_terminal(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    order = lost(desk, "answer")
    story = say(desk, tmp_path, order.order_id, "filled", 2)
    assert story == ["entry reconciled", "entry accepted", "entry filled"]
    assert (desk.events()[-1].venue_deal, desk.book.net(KEY)) == (2, 0.1)
    desk.close()


@pytest.mark.parametrize("deals", [(1,), (99,), (2, 99)])
def test_deals_that_do_not_fit_settle_nothing(tmp_path: Path, deals: tuple[int, ...]) -> None:
    desk = Desk(tmp_path)
    order = lost(desk, "answer")
    assert say(desk, tmp_path, order.order_id, "filled", *deals) == []
    assert desk.book.is_blocked("oanda", "EURUSD")
    desk.close()


def test_what_the_venue_shows_goes_before_what_a_person_says(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.terminal.lose = ["answer"]
    desk.trade(1.0, "s1")
    say(desk, tmp_path, desk.events()[-1].order_id, "absent")
    assert desk.book.net(KEY) == 0.1
    desk.close()


def test_a_word_waits_while_the_terminal_does_not_answer(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    order = lost(desk, "request")
    desk.venue.find = lambda *_: Outcome("unknown")  # type: ignore[method-assign]
    desk.reconciler._persons = settlements.directory_of(tmp_path / "journal")
    said = ManualResolution(order.order_id, "absent", "ann", "looked", 5)
    settlements.write(desk.reconciler._persons, said)
    desk.reconciler.again()
    assert len(settlements.waiting(desk.reconciler._persons)) == 1
    desk.close()


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    assert settlements.waiting(tmp_path) == []
    assert (tmp_path / "x.json").exists()


def test_a_file_that_is_no_text_is_left_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "o1.json").write_bytes(b'{"order_id":"\xff"}')
    assert settlements.waiting(tmp_path) == []
