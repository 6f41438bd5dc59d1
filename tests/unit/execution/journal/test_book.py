from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.contracts.order import EventKind as Kind
from core.contracts.order import ExecutionMarker
from core.errors import JournalError
from execution.journal import lifecycle
from execution.journal.book import HELD
from tests.unit.execution.journal.folded import KEY, a_signal, event, exit_event, fold, opened


@pytest.mark.parametrize("before", list(lifecycle.NEXT))
def test_only_the_listed_transitions_are_possible(before: Kind | None) -> None:
    for kind in Kind:
        if lifecycle.may_follow(before, kind):
            lifecycle.check(before, kind, "o1")
        else:
            with pytest.raises(JournalError, match=f"o1: {kind.value} cannot follow"):
                lifecycle.check(before, kind, "o1")


def test_an_entry_opens_a_position_that_its_exit_closes_with_profit_after_costs() -> None:
    book = fold(a_signal("s1"), *opened(commission=-0.35))
    assert book.net(KEY) == 0.1
    assert book.positions[7].horizon_us == 60
    for record in (
        exit_event(Kind.SUBMITTED, "o2", 0),
        exit_event(Kind.ACCEPTED, "o2", 0),
        exit_event(Kind.FILLED, "o2", 2, commission=-0.35, swap=-0.1, profit=5.0),
    ):
        book.apply(record)
    assert book.net(KEY) == 0
    assert book.positions == {}
    assert book.realised(KEY) == 4.2


def test_a_stop_at_the_broker_closes_the_position_of_the_order_that_opened_it() -> None:
    stop = event(Kind.CLOSED, side="sell", purpose="stop", venue_deal=2, venue_position=7)
    book = fold(a_signal("s1"), *opened(), stop)
    assert book.positions == {}
    assert book.orders["o1"].kind is Kind.CLOSED


def test_a_signal_for_what_is_held_moves_the_horizon() -> None:
    held = event(Kind.RECEIVED, "o9", signal_id="s2", reason=HELD)
    book = fold(a_signal("s1"), *opened(), a_signal("s2", 99), held)
    assert book.positions[7].horizon_us == 99
    assert book.received("s2")


def test_a_denied_signal_does_not_move_the_horizon() -> None:
    second = {"signal_id": "s2"}
    book = fold(
        a_signal("s1"), *opened(), a_signal("s2", 99), event(Kind.RECEIVED, "o9", **second),
        event(Kind.DENIED, "o9", **second),
    )  # fmt: skip
    assert book.positions[7].horizon_us == 60


def test_a_refused_exit_is_due_again_a_second_later() -> None:
    book = fold(
        a_signal("s1"), *opened(), exit_event(Kind.SUBMITTED, "o2", 0),
        exit_event(Kind.REJECTED, "o2", 0),
    )  # fmt: skip
    held = book.positions[7]
    assert (held.refused, held.retry_us, held.retry_purpose) == (1, 1_000_010, "horizon")


def test_the_same_fill_twice_is_refused() -> None:
    with pytest.raises(JournalError, match="counted twice"):
        fold(a_signal("s1"), *opened(), *opened(order="o2"))


def test_a_fill_of_a_position_nobody_opened_is_refused() -> None:
    with pytest.raises(JournalError, match="not open in the journal"):
        fold(
            exit_event(Kind.SUBMITTED, "o2", 0), exit_event(Kind.ACCEPTED, "o2", 0),
            exit_event(Kind.FILLED, "o2", 2),
        )  # fmt: skip


def test_the_newest_marker_is_kept() -> None:
    book = fold(ExecutionMarker("r", 1, 5), ExecutionMarker("r", 2, 9))
    assert book.marker == ExecutionMarker("r", 2, 9)


#: Of an order that waits for its price, which one at the market never does.
MODIFICATIONS = (Kind.MODIFYING, Kind.MODIFIED, Kind.UNMODIFIED)


@given(st.lists(st.sampled_from(list(Kind)), max_size=12))
def test_any_sequence_is_either_possible_or_refused_and_never_half_applied(
    kinds: list[Kind],
) -> None:
    book, last = fold(a_signal("s1")), None
    deals = count(1)
    for kind in kinds:
        fill = kind in (Kind.FILLED, Kind.PARTIALLY_FILLED)
        next_event = event(kind, venue_deal=next(deals) if fill else 0, venue_position=7)
        possible = lifecycle.may_follow(last, kind) and kind not in MODIFICATIONS
        if kind is Kind.CLOSED or not possible:
            before = book.count("o1")
            if kind is not Kind.CLOSED:
                with pytest.raises(JournalError):
                    book.apply(next_event)
            assert book.count("o1") == before
            continue
        book.apply(next_event)
        last = last if kind in lifecycle.ASIDE else kind
    assert book.is_blocked("oanda", "EURUSD") == (last in lifecycle.UNSETTLED)


class Trading(RuleBasedStateMachine):
    """Opens, adds, closes in parts, stops; the book must agree with plain arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.names = fold(a_signal("s1")), count(1)
        self.held: dict[int, float] = {}
        self.owner: dict[int, str] = {}
        self.money = 0.0

    @rule(lots=st.integers(1, 9), cents=st.integers(-500, 0))
    def enter(self, lots: int, cents: int) -> None:
        number = next(self.names)
        more = {"volume": lots / 100, "commission": cents / 100}
        for record in opened(number, number, f"o{number}", **more):
            self.book.apply(record)
        self.held[number], self.owner[number] = lots / 100, f"o{number}"
        self.money += cents / 100

    @precondition(lambda self: self.held)
    @rule(data=st.data(), cents=st.integers(-5000, 5000), by_broker=st.booleans())
    def leave(self, data: st.DataObject, cents: int, by_broker: bool) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.held)))
        hundredths = round(self.held[ticket] * 100)
        volume = data.draw(st.integers(1, hundredths)) / 100
        number = next(self.names)
        order = self.owner[ticket] if by_broker else f"o{number}"
        common = {"side": "sell", "venue_position": ticket, "venue_deal": number, "volume": volume}
        kinds = [Kind.CLOSED] if by_broker else [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILLED]
        purpose = "stop" if by_broker else "horizon"
        for kind in kinds:
            self.book.apply(event(kind, order, purpose=purpose, profit=cents / 100, **common))
        self.held[ticket] = round(self.held[ticket] - volume, 8)
        if not self.held[ticket]:
            del self.held[ticket]
        self.money += cents / 100

    @invariant()
    def positions_agree(self) -> None:
        assert {t: p.volume for t, p in self.book.positions.items()} == self.held
        assert self.book.net(KEY) == round(sum(self.held.values()), 8)
        assert self.book.realised(KEY) == pytest.approx(self.money, abs=0.006)


TestTrading = Trading.TestCase
