from pathlib import Path

import pytest

from adapters.mt5.venue.venue import Fill, Outcome
from core.contracts.order import EventKind, OrderEvent
from execution.journal import events
from execution.order_path import sizing
from tests.unit.execution.desk import KEY, Desk, story

SUBMITTED = ["entry received", "entry submitted"]


def submit(desk: Desk) -> OrderEvent:
    """Journal an order as the engine does, and die before or after it is sent."""
    signal = desk.signal(1.0, "s1")
    leg = sizing.Leg("buy", 0.1, 0)
    quote = desk.quotes.at("oanda", "EURUSD", 0)
    order = events.of_signal(signal, leg, 0, quote, desk.clock.now_us(), desk.settings.run)
    submitted = desk.ledger.record([signal, events.received(order, signal), order])[-1]
    assert isinstance(submitted, OrderEvent)
    return submitted


def send(desk: Desk, submitted: OrderEvent) -> Outcome:
    return desk.venue.send(events.venue_order(submitted, 0.005))


def restarted(home: Path, before: Desk, *, repeatable: bool) -> Desk:
    before.close()
    desk = Desk(home, repeatable=repeatable)
    desk.reconciler.at_start()
    return desk


@pytest.mark.parametrize("repeatable", [True, False])
def test_an_order_found_at_the_venue_gives_the_events_it_would_have_given(
    tmp_path: Path, repeatable: bool
) -> None:
    unbroken = Desk(tmp_path / "unbroken", repeatable=repeatable)
    unbroken.trade(1.0, "s1")
    first = Desk(tmp_path / "killed", repeatable=repeatable)
    send(first, submit(first))
    second = restarted(tmp_path / "killed", first, repeatable=repeatable)
    assert second.events() == unbroken.events()
    assert second.terminal.sent == []
    unbroken.close()
    second.close()


def test_in_a_replay_an_order_that_is_not_there_is_sent_now(tmp_path: Path) -> None:
    unbroken = Desk(tmp_path / "unbroken", repeatable=True)
    unbroken.trade(1.0, "s1")
    first = Desk(tmp_path / "killed", repeatable=True)
    submit(first)
    second = restarted(tmp_path / "killed", first, repeatable=True)
    assert second.events() == unbroken.events()
    assert len(second.terminal.sent) == 1
    unbroken.close()
    second.close()


def test_live_an_order_that_is_not_there_expires_and_is_never_sent(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    submit(first)
    second = restarted(tmp_path, first, repeatable=False)
    assert story(second.events()) == [*SUBMITTED, "entry expired"]
    assert second.terminal.sent == []
    assert not second.book.is_blocked("oanda", "EURUSD")
    second.close()


@pytest.mark.parametrize("lost", ["answer", "request"])
def test_in_a_replay_a_lost_answer_leaves_no_trace(tmp_path: Path, lost: str) -> None:
    unbroken, desk = Desk(tmp_path / "a", repeatable=True), Desk(tmp_path / "b", repeatable=True)
    unbroken.trade(1.0, "s1")
    desk.terminal.lose = [lost]
    desk.trade(1.0, "s1")
    assert desk.events() == unbroken.events()
    assert len(desk.terminal.sent) == 1
    unbroken.close()
    desk.close()


def test_live_a_lost_answer_blocks_the_feed_until_the_order_is_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.terminal.lose = ["answer"]
    assert desk.trade(1.0, "s1") == [*SUBMITTED, "entry unknown"]
    desk.at(5)
    assert desk.trade(-1.0, "s2") == ["entry received", "entry denied"]
    assert (desk.events()[-1].reason, desk.events()[-1].observed) == ("halted", 1.0)
    desk.reconciler.again()
    assert story(desk.events()[-3:]) == ["entry reconciled", "entry accepted", "entry filled"]
    assert desk.book.net(KEY) == 0.1
    assert len(desk.terminal.sent) == 1
    desk.close()


def test_live_an_unknown_order_that_is_not_found_stays_blocked_also_after_a_restart(
    tmp_path: Path,
) -> None:
    first = Desk(tmp_path)
    first.terminal.lose = ["request"]
    first.trade(1.0, "s1")
    second = restarted(tmp_path, first, repeatable=False)
    second.reconciler.again()
    assert story(second.events()) == [*SUBMITTED, "entry unknown"]
    assert second.book.is_blocked("oanda", "EURUSD")
    assert second.terminal.sent == []
    second.close()


def test_two_orders_of_the_venue_that_fit_are_ambiguous_and_block(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    submitted = submit(first)
    send(first, submitted)
    send(first, submitted)  # what must never happen
    second = restarted(tmp_path, first, repeatable=False)
    assert story(second.events()) == [*SUBMITTED, "entry unknown"]
    assert "more than one" in second.events()[-1].reason
    assert second.book.is_blocked("oanda", "EURUSD")
    second.close()


def test_live_an_accepted_order_waits_for_its_fill_in_the_history(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.terminal.hides_history = True
    assert desk.trade(1.0, "s1") == [*SUBMITTED, "entry accepted"]
    assert desk.book.is_blocked("oanda", "EURUSD")
    desk.terminal.hides_history = False
    desk.reconciler.again()
    assert desk.events()[-1].kind is EventKind.FILLED
    assert not desk.book.is_blocked("oanda", "EURUSD")
    desk.close()


def test_after_a_restart_everything_is_published_again_with_the_same_ids(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    first.trade(1.0, "s1")
    before = first.events()
    second = restarted(tmp_path, first, repeatable=False)
    second.bus = first.bus
    second.outbox._bus = first.bus
    assert second.events() == before
    second.close()


def test_an_order_that_may_still_arrive_is_not_given_up_after_a_restart(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    submit(first)
    first.close()
    second = Desk(tmp_path)
    second.reconciler._certain_s = second.reconciler._timer.seconds() + 60
    second.reconciler.at_start()
    assert story(second.events()) == SUBMITTED
    assert second.book.is_blocked("oanda", "EURUSD")
    second.reconciler._certain_s = 0.0
    second.reconciler.again()
    assert story(second.events()) == [*SUBMITTED, "entry expired"]
    second.close()


def test_fills_that_a_crash_kept_out_of_the_journal_are_added_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    submitted = submit(desk)
    fills = tuple(Fill(
        order=1, deal=deal, position=1, time_us=5, side="buy", volume=0.05, price=1.1,
        commission=0.0, swap=0.0, profit=0.0,
    ) for deal in (11, 12))  # fmt: skip
    half = Outcome("filled", "", 1, fills)
    records = list(events.outcome(submitted, EventKind.SUBMITTED, half, (), 5))
    desk.ledger.record(records[:-1])  # accepted, and the first of two fills
    assert desk.book.is_blocked("oanda", "EURUSD")
    rest = events.outcome(submitted, EventKind.PARTIALLY_FILLED, half, desk.book.deals, 5)
    desk.ledger.record(rest)
    assert [e.venue_deal for e in desk.events()[-2:]] == [11, 12]
    assert (desk.book.net(KEY), desk.book.is_blocked("oanda", "EURUSD")) == (0.1, False)
    desk.close()


def test_a_closing_filled_in_part_does_not_let_the_entry_of_a_reversal_follow(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    submitted = submit(desk)
    part = Outcome("filled", "", 1, (Fill(
        order=1, deal=11, position=1, time_us=5, side="buy", volume=0.04, price=1.1,
        commission=0.0, swap=0.0, profit=0.0,
    ),))  # fmt: skip
    assert desk.reconciler._conclude(submitted, part) is False
    assert story(desk.events())[-2:] == ["entry partially_filled", "entry cancelled"]
    desk.close()
