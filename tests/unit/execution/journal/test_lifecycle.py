"""Any sequence of events: what the lifecycle allows is folded, everything else is refused."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.errors import JournalError
from execution.journal import lifecycle
from execution.journal.book import Book
from tests.unit.execution.desk import KEY
from tests.unit.execution.journal.test_book import MODIFICATIONS, a_signal

FILLS = (Kind.PARTIALLY_FILLED, Kind.FILLED, Kind.CLOSED)
EVENT = OrderEvent(
    seq=0, event_id="", kind=Kind.RECEIVED, run_id="live", mode="live", account="simulated",
    order_id="o1", signal_id="s1", ts_event_us=1, ts_init_us=1, side="buy", purpose="entry",
    volume=0.01, price=1.1, venue_position=1, **KEY._asdict(),
)  # fmt: skip


class OneOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book, self.deals, self.open = Book(), 0, 0
        self.last: Kind | None = None
        self.book.apply(a_signal("s1"))

    def _event(self, kind: Kind) -> OrderEvent:
        if kind not in FILLS:
            return replace(EVENT, kind=kind)
        self.deals += 1
        side = "sell" if kind is Kind.CLOSED else "buy"
        return replace(EVENT, kind=kind, venue_deal=self.deals, side=side)

    @rule(kind=st.sampled_from(list(Kind)))
    @precondition(lambda self: self.open < 50)
    def any_event(self, kind: Kind) -> None:
        if not lifecycle.may_follow(self.last, kind):
            with pytest.raises(JournalError, match=f"{kind.value} cannot follow"):
                self.book.apply(self._event(kind))
            return
        if kind is Kind.CLOSED and not self.open:
            return  # a broker cannot close what is not open
        if kind in MODIFICATIONS:
            with pytest.raises(JournalError, match="it does not wait"):
                self.book.apply(self._event(kind))
            return
        self.book.apply(self._event(kind))
        self.last = self.last if kind in lifecycle.ASIDE else kind
        self.open += {Kind.CLOSED: -1}.get(kind, 1) if kind in FILLS else 0

    @rule(data=st.data())
    @precondition(lambda self: self.open < 50)
    def next_event(self, data: st.DataObject) -> None:
        allowed = sorted(lifecycle.NEXT[self.last])
        if allowed:
            self.any_event(data.draw(st.sampled_from(allowed)))

    @invariant()
    def state_is_the_fold(self) -> None:
        assert self.book.net(KEY) == round(self.open * 0.01, 8)
        unsettled = self.last in lifecycle.UNSETTLED
        sent = "o1" in self.book.unsettled
        assert not sent or unsettled
        assert (self.book.orders["o1"].kind if self.last else None) is self.last


OneOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOneOrder = OneOrder.TestCase
