"""Venue versus journal: what became of orders whose outcome is not journalled.

Live, an order is sent at most once: what the venue does not show was never sent (EXPIRED) when
the journal ends at SUBMITTED at start, and blocks its feed when an answer was lost. In a replay
the market stands still and the simulated account is durable, so an order that is provably not
there is sent now for the first time, and the events are those of a run that never stopped.
"""

import logging
from pathlib import Path

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Outcome
from core.clock import Clock, SystemTimer, Timer
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal
from core.errors import UnavailableError
from execution.broker import manual_resolutions
from execution.broker.manual_resolutions import ManualResolution
from execution.broker.residues import Residues
from execution.journal import events
from execution.journal.ledger import Ledger

_log = logging.getLogger(__name__)
_WAIT_S = 0.01
_ENDED = ("filled", "rejected", "expired", "met")
_DOUBTFUL = (Kind.SUBMITTED, Kind.ACCEPTED)


class Reconciler:
    """Settles orders.

    Args:
        repeatable: a replay, see above.
        patience_s: how long a live order's fill is waited for, or a replay's venue.
        late_s: how long after a start an order that an earlier run may have sent can still
            arrive at the broker. Until then its feed stays blocked, however absent it is.
        persons: directory of `manual_resolutions`.
        residues: on a netting account that several strategies share.
    """

    def __init__(
        self,
        ledger: Ledger,
        venue: Venue,
        clock: Clock,
        collar: float,
        *,
        repeatable: bool,
        patience_s: float = 1.0,
        late_s: float = 10.0,
        timer: Timer | None = None,
        persons: Path | None = None,
        residues: Residues | None = None,
    ) -> None:
        self._ledger, self._venue, self._clock = ledger, venue, clock
        self._collar, self.repeatable, self._patience_s = collar, repeatable, patience_s
        self._timer: Timer = timer or SystemTimer()
        self._persons, self.residues = persons, residues
        self._certain_s = self._timer.seconds() + late_s

    def settle(self, submitted: OrderEvent, answer: Outcome) -> bool:
        """Journal what an order just sent became; True when it is filled whole."""
        if self.repeatable:
            return self._conclude(submitted, self._until_certain(submitted, answer))
        if answer.kind == "working" and submitted.order_id not in self._ledger.book.working:
            outcome = self._await_fill(submitted)
            decided = outcome.kind in (*_ENDED, "ambiguous") or outcome.fills
            return self._conclude(submitted, outcome if decided else answer)
        return self._conclude(submitted, answer)

    def at_start(self) -> None:
        """Settle what an earlier run of this process left behind."""
        for submitted in list(self._ledger.book.unsettled.values()):
            self._venue.at(submitted.ts_init_us)
            if self.repeatable:
                self._conclude(submitted, self._until_certain(submitted, Outcome("unknown")))
                continue
            self._take_up(submitted)

    def again(self) -> None:
        """Look once more for every unsettled order; then take up what a person said of one.

        One that waits untouched at the venue is only seen to be there.
        """
        untouched = self._untouched()
        for submitted in list(self._ledger.book.unsettled.values()):
            if submitted.order_id not in untouched:
                self._take_up(submitted)

        for path, resolution in manual_resolutions.waiting(self._persons) if self._persons else ():
            order = self._ledger.book.unsettled.get(resolution.order_id)
            if order is None or self._by_person(order, resolution):
                self._ledger.sync()
                path.unlink()

    def _untouched(self) -> set[str]:
        """Orders that rest at the venue as they were placed."""
        book = self._ledger.book
        resting = {held.ticket: name for name, held in book.working.items() if book.rests(name)}
        if not resting:
            return set()
        return {
            resting[order.ticket]
            for order in self._venue.working()
            if order.ticket in resting
            and order.volume == book.unsettled[resting[order.ticket]].volume
        }

    def _by_person(self, submitted: OrderEvent, resolution: ManualResolution) -> bool:
        """Settle an order as a person says; False while the venue does not answer.

        What the venue shows of it for certain was taken up before.
        """
        outcome = self._find(submitted)
        if outcome.kind == "unknown":
            return False
        if outcome.kind == "working" and submitted.order_id in self._ledger.book.working:
            _log.warning("order %s waits at the venue: remove it there", submitted.order_id)
            return True
        outcome = Outcome("rejected", f"settled as absent by {resolution.by}: {resolution.reason}")
        if resolution.outcome == "filled":
            order = events.venue_order(submitted, self._collar)
            outcome = self._venue.named(order, submitted.ts_init_us, resolution.deals)
            if not outcome.fills:
                _log.warning(
                    "order %s: deals %s do not fit it", resolution.order_id, resolution.deals
                )
                return True
        if resolution.outcome == "absent" and self._kind(submitted) in (
            Kind.ACCEPTED, Kind.PARTIALLY_FILLED,
        ):  # fmt: skip
            now = self._clock.now_us()
            self._ledger.record([events.later(submitted, Kind.CANCELLED, now, outcome.reason)])
            return True
        self._conclude(submitted, outcome)
        return True

    def _take_up(self, submitted: OrderEvent) -> None:
        outcome = self._find(submitted)
        waits = submitted.order_id in self._ledger.book.working
        if outcome.kind in _ENDED or (outcome.kind == "working" and (outcome.fills or waits)):
            self._conclude(submitted, outcome)
        elif outcome.kind == "absent" and self._kind(submitted) is Kind.SUBMITTED:
            # Of an earlier run, which died before or while it was sent: nobody was answered.
            if self._timer.seconds() >= self._certain_s:
                text = "never sent: execution stopped before"
                expired = events.later(submitted, Kind.EXPIRED, self._clock.now_us(), text)
                self._ledger.record([expired])
        elif outcome.kind == "ambiguous" and self._kind(submitted) in _DOUBTFUL:
            self._conclude(submitted, outcome)

    def _conclude(self, submitted: OrderEvent, outcome: Outcome) -> bool:
        before = self._kind(submitted)
        if outcome.kind in ("unknown", "absent", "ambiguous"):
            if before is Kind.SUBMITTED or (outcome.kind, before) == ("ambiguous", Kind.ACCEPTED):
                _log.warning("order %s: no answer (%s)", submitted.order_id, outcome.reason)
                now = self._clock.now_us()
                self._ledger.record([events.later(submitted, Kind.UNKNOWN, now, outcome.reason)])
            return False
        known, now = self._ledger.book.deals, self._clock.now_us()
        fresh = any(fill.deal not in known for fill in outcome.fills)
        taken = before in (Kind.ACCEPTED, Kind.PARTIALLY_FILLED)
        if outcome.kind == "working" and taken and not fresh:
            return False
        following = events.outcome(submitted, before, outcome, known, now)
        stamped = [self._stamped(event) for event in following]
        self._ledger.record(self.residues.beside(stamped) if self.residues else stamped)
        # Only a closing that is whole lets the entry of a reversal follow.
        return round(sum(fill.volume for fill in outcome.fills), 8) >= submitted.volume

    def _stamped(self, event: OrderEvent) -> OrderEvent:
        # A simulated venue answers before the market time of the fill; ours is then the fill's.
        if self.repeatable and event.ts_event_us > event.ts_init_us:
            return replace(event, ts_init_us=event.ts_event_us)
        return event

    def _until_certain(self, submitted: OrderEvent, answer: Outcome) -> Outcome:
        """Ask, and send what is provably not there, until the simulated venue has decided."""
        take_profit = self._ledger.book.take_profit(submitted)
        order = events.venue_order(submitted, self._collar, take_profit, self._waits(submitted))
        deadline = self._timer.seconds() + max(self._patience_s, 60.0)
        while answer.kind != "rejected":
            outcome = self._find(submitted)
            if outcome.kind in ("filled", "expired", "met"):
                return outcome
            if outcome.kind in ("working", "rejected") and order.entry != "market":
                return outcome
            if outcome.kind == "absent" and answer.kind == "unknown":
                answer = self._venue.send(order)
                continue
            if self._timer.seconds() > deadline:
                raise UnavailableError(
                    f"order {submitted.order_id}: the terminal does not say what became of it"
                    f" ({outcome.reason or outcome.kind}); restart it, execution then goes on"
                )
            self._timer.sleep(_WAIT_S)
        return answer

    def _await_fill(self, submitted: OrderEvent) -> Outcome:
        deadline = self._timer.seconds() + self._patience_s
        while (outcome := self._find(submitted)).kind not in ("filled", "met"):
            if self._timer.seconds() >= deadline:
                break
            self._timer.sleep(_WAIT_S)
        return outcome

    def _find(self, submitted: OrderEvent) -> Outcome:
        order = events.venue_order(submitted, self._collar, waits=self._waits(submitted))
        return self._venue.find(order, submitted.ts_init_us)

    def _waits(self, submitted: OrderEvent) -> OrderSignal | None:
        working = self._ledger.book.working.get(submitted.order_id)
        return working.signal if working else None

    def _kind(self, submitted: OrderEvent) -> Kind:
        return self._ledger.book.orders[submitted.order_id].kind
