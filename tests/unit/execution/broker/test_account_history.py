"""The account's history taken up line by line, and the balance that follows from it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.fence import Fence
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult
from adapters.simulator.broker import operations
from core import trading_control
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.trading_control import ControlCommand
from execution.broker.account_history import AccountHistory
from execution.journal import events
from execution.journal.position import Key
from execution.risk.trading_state import TradingState
from tests.support.markets import TUESDAY, terminal
from tests.unit.execution.desk import Desk, flat


class Office(Desk):
    """A desk with its watch on the account, opened."""

    def __init__(self, home: Path, **more: Any) -> None:
        super().__init__(home, **more)
        self.control = home / "control.json"
        self.trading = TradingState(self.control, home / "breakers.json")
        self.broker: AccountHistory = self.watched().events
        self.broker.poll()

    def does(self, operation: dict[str, object]) -> None:
        answer, _ = self.terminal.act(operation)
        assert answer.retcode == mt5.TRADE_RETCODE_DONE

    def poll(self, *seconds: float) -> list[OrderEvent]:
        before = len(self.events())
        for second in seconds:
            self.at(second)
            self.broker.poll()
        return self.events()[before:]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def test_the_books_open_with_the_balance_and_the_newest_deal(desk: Office) -> None:
    [opening] = desk.events()
    assert (opening.kind, opening.purpose, opening.profit) == (Kind.BOOKED, "opening", 100_000.0)
    assert opening.venue_deal == 1


@pytest.mark.parametrize(
    ("kind", "amount", "purpose"),
    [
        (mt5.DEAL_TYPE_BALANCE, 500.0, "deposit"),
        (mt5.DEAL_TYPE_BALANCE, -200.0, "withdrawal"),
        (mt5.DEAL_TYPE_CREDIT, 50.0, "credit"),
        (mt5.DEAL_TYPE_CORRECTION, -0.01, "correction"),
        (mt5.DEAL_TYPE_COMMISSION_MONTHLY, -7.0, "commission"),
        (mt5.DEAL_TYPE_INTEREST, 1.5, "interest"),
    ],
)
def test_money_that_is_no_trade_is_journalled_with_its_reason(
    desk: Office, kind: int, amount: float, purpose: str
) -> None:
    desk.does(operations.money(kind, amount, "by the broker"))
    [booked] = desk.poll(2)
    assert (booked.kind, booked.purpose, booked.profit) == (Kind.BOOKED, purpose, amount)
    assert booked.reason == "by the broker"
    assert desk.poll(3, 12) == []
    assert desk.broker.problem == ""


def test_a_persons_own_trade_is_booked_and_changes_nothing_of_ours(desk: Office) -> None:
    desk.trade(1.0)
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_BUY, 0.3))
    [booked] = desk.poll(3)
    assert (booked.purpose, booked.volume, booked.strategy) == ("manual", 0.3, "")
    assert not desk.book.broker.is_suspended("oanda", "EURUSD")
    assert desk.book.broker.lots_of_others() == 0.3
    desk.poll(4, 12)
    assert (desk.broker.problem, desk.trading.state) == ("", "active")


def test_a_stop_out_closes_our_position_with_its_reason(desk: Office) -> None:
    desk.trade(1.0)
    desk.at(3)
    desk.does(operations.stop_out(desk.terminal.positions_get()[0]))
    desk.engine.poll()
    assert (desk.events()[-1].kind, desk.events()[-1].reason) == (Kind.CLOSED, "stop_out")
    desk.poll(4, 12)
    assert desk.broker.problem == ""


def test_a_difference_that_lasts_halts_and_says_what_differs(desk: Office) -> None:
    desk.terminal.hidden_balance = 0.01
    desk.poll(2)
    assert desk.trading.state == "active"  # one look says nothing
    desk.poll(4, 8)
    assert desk.trading.state == "halted"
    assert desk.trading.current.by == "balance"
    assert "100000.01 USD differs by +0.01 from the journal's 100000.00" in desk.broker.problem


def test_history_that_lags_for_a_moment_does_not_halt(desk: Office) -> None:
    desk.trade(1.0)
    desk.at(3)
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.1, 1))
    desk.terminal.hides_history = True
    assert desk.poll(3.1, 4, 5) == []
    desk.terminal.hides_history = False
    assert [e.kind for e in desk.poll(6)] == [Kind.CLOSED]
    desk.poll(12, 13)
    assert (desk.trading.state, desk.broker.problem) == ("active", "")


def test_a_deal_late_by_itself_and_the_next_of_the_same_money_are_no_lasting_difference(
    desk: Office,
) -> None:
    buys = operations.by_hand("EURUSD", mt5.ORDER_TYPE_BUY, 0.1)
    desk.does(buys)  # its commission is the whole difference
    desk.terminal.hides_history = True
    desk.poll(1, 2, 3)
    desk.terminal.hides_history = False
    deals = desk.terminal.history_deals_get
    hidden = []

    def late(*span: float) -> object:
        """All but what came since."""
        return tuple(deal for deal in deals(*span) if deal.ticket not in hidden)

    desk.terminal.history_deals_get = late  # type: ignore[method-assign]
    known = {deal.ticket for deal in deals(0, 1e12)}
    desk.does(buys)
    hidden += [deal.ticket for deal in deals(0, 1e12) if deal.ticket not in known]
    assert len(hidden) == 1
    desk.poll(6.5, 7, 8)
    assert desk.trading.state == "active", "the first is booked, the second a moment old"
    hidden.clear()
    desk.poll(9)
    assert (desk.trading.state, desk.broker.problem) == ("active", "")


def test_a_difference_among_many_deals_halts_in_the_end(desk: Office) -> None:
    desk.terminal.hidden_balance = 0.01
    for second in range(1, 25):
        desk.does(operations.money(mt5.DEAL_TYPE_BALANCE, 1.0, "more"))
        desk.poll(second)
    assert desk.trading.current.by == "balance"


def test_an_account_that_changes_between_two_looks_at_it_says_nothing(desk: Office) -> None:
    answers = iter((0.5, 0.0, 0.5, 0.0, 0.5, 0.0))
    info = desk.terminal.account_info

    def changing() -> object:
        desk.terminal.hidden_balance = next(answers)
        return info()

    desk.terminal.account_info = changing  # type: ignore[method-assign]
    desk.poll(2, 8, 14)
    assert desk.trading.state == "active"


def test_a_person_who_resumes_accepts_the_difference_and_that_is_journalled(desk: Office) -> None:
    desk.terminal.hidden_balance = -3.0
    desk.poll(2, 4, 8)
    resumed = ControlCommand("active", "ann", "the broker's rounding", desk.clock.now_us() + 1)
    trading_control.write(desk.control, resumed)
    desk.trading.poll()
    [accepted] = desk.poll(9)
    assert (accepted.purpose, accepted.profit) == ("accepted", -3.0)
    assert accepted.reason == "accepted by ann: the broker's rounding"
    desk.poll(10, 20)
    assert (desk.trading.state, desk.broker.problem) == ("active", "")
    desk.terminal.hidden_balance = -4.0  # the next difference is another one
    desk.poll(21, 24, 28)
    assert desk.trading.state == "halted"


def test_an_order_done_twice_is_journalled_and_suspends_its_feed(desk: Office) -> None:
    desk.trade(1.0)
    desk.terminal._inner.order_send(desk.terminal.sent[0])
    [booked] = desk.poll(3)
    assert (booked.purpose, booked.venue_position, booked.observed) == ("unexpected", 2, 1.0)
    assert "was executed again" in booked.reason
    assert desk.trade(-1.0)[-1] == "entry denied"
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.1, 2))  # a person closes it
    desk.poll(5)
    assert not desk.book.broker.is_suspended("oanda", "EURUSD")


def test_what_another_execution_traded_under_a_name_that_was_refused_here_suspends_nothing(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the hand-over of an account both make the same order of one signal."""
    refused: list[Mapping[str, Any]] = []

    def refuse(request: Mapping[str, Any]) -> OrderSendResult:
        refused.append(request)
        return Fence().refusal(1)

    with monkeypatch.context() as patch:
        patch.setattr(desk.terminal, "order_send", refuse, raising=False)
        assert desk.trade(1.0)[-1] == "entry rejected"
    assert desk.book.fenced
    desk.terminal._inner.order_send(refused[0])  # as the other does, who has the account
    [booked] = desk.poll(3)
    assert (booked.kind, booked.purpose, booked.observed) == (Kind.BOOKED, "expert", 0.0)
    assert not desk.book.broker.is_suspended("oanda", "EURUSD")
    assert desk.trade(1.0)[-1] == "entry filled"


def test_what_another_execution_traded_under_a_name_that_was_never_sent_suspends_nothing(
    tmp_path: Path,
) -> None:
    """It halted between journalling and sending, and lost the account."""
    desk = Office(tmp_path, control=tmp_path / "control.json")
    desk.events()  # syncs
    sync = desk.journal.sync

    def halt_meanwhile() -> None:
        trading_control.write(desk.control, ControlCommand("halted", "ann", "news", 1))
        desk.engine._trading.poll()
        sync()

    desk.journal.sync = halt_meanwhile  # type: ignore[method-assign]
    assert desk.trade(1.0)[-1] == "entry expired"
    desk.journal.sync = sync  # type: ignore[method-assign]
    submitted = next(e for e in desk.events() if e.kind is Kind.SUBMITTED)
    desk.venue.send(events.venue_order(submitted, 0.005))  # as the other does
    [booked] = desk.poll(3)
    assert (booked.purpose, booked.observed) == ("expert", 0.0)
    assert not desk.book.broker.is_suspended("oanda", "EURUSD")
    desk.close()


def test_the_books_are_the_same_after_a_restart(desk: Office, tmp_path: Path) -> None:
    desk.trade(1.0)
    desk.does(operations.money(mt5.DEAL_TYPE_BALANCE, 500.0))
    desk.does(operations.money(mt5.DEAL_TYPE_CREDIT, 20.0))
    desk.poll(3)
    before = desk.book.broker
    desk.close()
    again = Office(tmp_path)
    assert vars(again.book.broker) == vars(before)
    assert again.book.broker.balance == again.venue.account().balance
    again.close()


def test_on_a_netting_account_a_person_beside_us_suspends_the_feed(tmp_path: Path) -> None:
    desk = Office(tmp_path, netting=True)
    desk.trade(1.0)
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.3))
    desk.engine.poll()
    desk.poll(3)
    assert not desk.book.positions  # ours is closed, the rest is theirs
    assert desk.book.broker.foreign[1].volume == -0.2
    assert desk.trade(1.0)[-1] == "entry denied"
    desk.poll(4, 12)
    assert desk.broker.problem == ""
    desk.close()


def test_what_a_netting_account_held_before_its_books_began_suspends_the_feed(
    tmp_path: Path,
) -> None:
    before = terminal({"EURUSD_oanda": flat()}, log=tmp_path / "account.log", netting=True)
    before.at(TUESDAY + 1000)
    before.act(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.3))
    before.shutdown()
    desk = Office(tmp_path, netting=True)
    [_, held] = desk.events()
    assert (held.purpose, held.venue_position, held.volume, held.side) == (
        "held_before", 1, 0.3, "sell",
    )  # fmt: skip
    assert desk.trade(1.0)[-1] == "entry denied"
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_BUY, 0.3))
    desk.poll(5, 12)
    assert desk.broker.problem == ""
    assert desk.trade(1.0)[-1] == "entry filled"
    desk.close()


def test_on_a_netting_account_an_order_that_met_a_persons_position_is_over_and_booked_as_theirs(
    tmp_path: Path,
) -> None:
    desk = Office(tmp_path, netting=True)
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_BUY, 0.3))
    assert desk.trade(-1.0)[-2:] == ["entry accepted", "entry cancelled"]
    assert desk.events()[-1].reason == "rest: it met a position that is not ours"
    manual, met = desk.poll(3)
    assert (manual.purpose, manual.volume) == ("manual", 0.3)
    assert (met.purpose, met.volume) == ("unexpected", 0.1)
    assert desk.events()[3].order_id in met.reason
    assert not desk.book.positions
    assert desk.book.broker.foreign[1].volume == 0.2
    assert desk.trade(1.0)[-1] == "entry denied"  # while the person holds the rest
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.2))
    desk.poll(5, 12)
    assert desk.broker.problem == ""
    assert desk.trade(1.0)[-1] == "entry filled"
    desk.close()


def test_on_a_netting_account_an_order_of_ours_that_met_a_person_is_named_behind_our_closing(
    tmp_path: Path,
) -> None:
    """A person turns the account over between two parts of an order."""
    desk = Office(tmp_path, netting=True)
    desk.trade(0.4)
    desk.does(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.1))
    part = {**desk.terminal.sent[0], "action": operations.PART, "order": 1, "volume": 0.06}
    desk.does({**part, "price": 0.0})
    desk.engine.poll()
    desk.poll(3)
    last = [(e.kind, e.purpose, e.volume) for e in desk.events()[-3:]]
    closed, theirs = (Kind.CLOSED, "manual", 0.04), (Kind.BOOKED, "manual", 0.06)
    assert last == [closed, theirs, (Kind.BOOKED, "unexpected", 0.06)]
    assert not desk.book.broker.foreign
    desk.close()


def test_on_a_netting_account_a_feed_belongs_to_one_strategy_at_a_time(tmp_path: Path) -> None:
    desk = Office(tmp_path, netting=True)
    desk.trade(1.0)
    desk.at(3)
    assert desk.trade(1.0, strategy="other") == ["entry received", "entry denied"]
    assert desk.events()[-1].reason == "symbol_taken"
    desk.close()


def test_on_a_netting_account_positions_add_up_and_keep_the_tighter_stop(tmp_path: Path) -> None:
    desk = Office(tmp_path, netting=True)
    desk.trade(0.5, stop_price=1.095)
    desk.at(3)
    desk.trade(1.0, stop_price=1.09)
    [held] = desk.venue.positions()
    assert (held.volume, held.stop_price) == (0.1, 1.095)
    assert desk.book.net(Key("scripted", "oanda", "EURUSD")) == 0.1
    desk.at(5)
    assert desk.trade(-1.0)[-1] == "entry filled"
    assert [p.volume for p in desk.venue.positions()] == [-0.1]
    desk.close()
