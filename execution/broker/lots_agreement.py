"""Whether the lots of strategies that share an account's positions sum to what it holds.

Position and history are read at different moments, and some brokers' history lags: a difference
counts only when it stays the same for a while. It then halts trading until a person resumes, which
accepts it: what the strategies do not hold is somebody else's from then on, and suspends its
symbol until that volume is gone. Nothing is sent in the symbol meanwhile, see `SharedPositions`.
"""

import logging

from msgspec.structs import replace

from adapters.mt5.venue.venue import Fill
from core.clock import Clock, Timer
from core.sections import RunSettings
from core.trading_control import ControlCommand
from execution.broker.shared_closings import SharedClosings
from execution.broker.shared_position import SharedPositions
from execution.journal import brokerage, events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.risk.trading_state import TradingState

_log = logging.getLogger(__name__)
NAME = "positions"  # who halts
Feed = tuple[str, str]


class LotsAgreement:
    """Compares, some times a minute."""

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, venue: SharedPositions,
        trading: TradingState, closings: SharedClosings, timer: Timer, patience_s: float = 5.0,
    ) -> None:  # fmt: skip
        self._run, self._clock, self._ledger, self._venue = run, clock, ledger, venue
        self._trading, self._closings, self._timer = trading, closings, timer
        self._patience_s = patience_s
        self._difference: dict[Feed, float] = {}
        self._since_s = 0.0
        self.problem = ""  # in words; empty while all agrees

    def poll(self) -> None:
        """Compare; halt, or take as accepted what a person resumed after.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        difference = self._differences()
        if difference != self._difference:
            self._difference, self._since_s = difference, self._timer.seconds()
        if not difference:
            self.problem = ""
        elif self._timer.seconds() - self._since_s >= self._patience_s:
            self._differs(difference)

    def _differences(self) -> dict[Feed, float]:
        """Signed lots that the account holds beyond the books, by feed; nothing while in doubt."""
        book, there = self._ledger.book, dict[Feed, float]()
        for held in self._venue.positions():
            there[held.source, held.symbol] = held.volume
        feeds = dict.fromkeys([*there, *(p.key[1:] for p in book.positions.values())])
        beyond = {f: round(there.get(f, 0.0) - book.account_lots(*f), 8) for f in feeds}
        return {f: lots for f, lots in beyond.items() if lots and not book.is_blocked(*f)}

    def _differs(self, difference: dict[Feed, float]) -> None:
        person = self._trading.lifted(NAME)
        if person is not None:
            self._accept(person, difference)
            return
        said = ", ".join(f"{symbol} {lots:+g} lots" for (_, symbol), lots in difference.items())
        self.problem = f"the account holds beyond what the strategies hold: {said}"
        text = f"{self.problem}; compare deals and journal, then resume: that accepts it"
        if self._trading.trip(ControlCommand("halted", NAME, text, self._clock.now_us())):
            _log.warning("trading halted: %s", text)

    def _accept(self, person: ControlCommand, difference: dict[Feed, float]) -> None:
        now, text = self._clock.now_us(), f"accepted by {person.by}: {person.reason}"
        for (source, symbol), lots in difference.items():
            place = self._closings.place_of_others(source, symbol, 1)
            fill = replace(
                _NOTHING, position=place, time_us=now, side="buy" if lots > 0 else "sell",
                volume=abs(lots), cause=brokerage.HELD_BEFORE,
            )  # fmt: skip
            key = Key("", source, symbol)
            event = events.booked(fill, key, now, self._run, text, name=f"{now}", suspends=True)
            self._ledger.record([event])
        self._ledger.sync()
        self._trading.forget(NAME)
        self.problem = ""


_NOTHING = Fill(
    order=0, deal=0, position=0, time_us=0, side="buy", volume=0.0, price=0.0, commission=0.0,
    swap=0.0, profit=0.0,
)  # fmt: skip
