"""The account's history, line by line, and the balance that must follow from it to the cent.

Every deal is journalled once: a closing of ours with its position, anybody else's trade and money
that is no trade (deposits, corrections, commission) as BOOKED with its reason. Then

    opening + all deals since = balance of the account

is checked at start and continuously. History and account are read at different moments, and some
brokers' history lags: so the account is read before and after, a moment in which it changed says
nothing, and a difference counts only when it stays the same for a while. It then halts trading,
until a person resumes, which accepts the difference: that too is journalled.
"""

import logging

from msgspec.structs import replace

from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Account, Deal, Fill, VenuePosition
from core.clock import Clock, Timer
from core.sections import RunSettings
from core.trading_control import ControlCommand
from execution.broker.closings import Closings, reduces
from execution.broker.shared_closings import SharedClosings
from execution.journal import brokerage, events
from execution.journal.ledger import Ledger
from execution.journal.position import Key
from execution.risk.trading_state import TradingState

_log = logging.getLogger(__name__)
NAME = "balance"  # who halts
_BACK_US = 900_000_000  # so late may a deal show up in the history
_TIMES = 3  # and so often must a difference be seen
_DOUBTFUL = 3  # patiences: so long may deals of the same money look like one difference


class AccountHistory:
    """Takes up what happened on the account, and compares its balance.

    Args:
        patience_s: how long a difference may last: longer than the history lags.
    """

    def __init__(
        self, run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue, trading: TradingState,
        closings: Closings, timer: Timer, patience_s: float = 5.0,
    ) -> None:  # fmt: skip
        self._run, self._clock, self._ledger, self._venue = run, clock, ledger, venue
        self._trading, self._closings, self._timer = trading, closings, timer
        self._patience_s = patience_s
        self._difference = (0.0, 0.0)  # balance, credit
        self._since_s, self._unchanged = 0.0, 0
        self._first_s, self._booked = 0.0, 0.0  # of this difference; the journal's balance then
        self.problem = ""  # in words; empty while all agrees

    def poll(self) -> Account | None:
        """Read account, history, account; journal what is new; compare.

        The account, with all that made it journalled; None when it changed meanwhile.

        Raises:
            UnavailableError: the terminal does not answer.
        """
        before = self._venue.account()
        deals = self._venue.deals(self._since_us())
        after = self._venue.account()
        if (before.balance, before.credit) != (after.balance, after.credit):
            return None
        if not self._ledger.book.broker.opened and not self._open(deals, after):
            return after
        pending = self._journal(deals, netting=after.netting)
        self._compare(after, pending)
        return after

    def _since_us(self) -> int:
        book = self._ledger.book
        if not book.broker.opened:
            return 0
        waiting = [event.ts_init_us for event in book.unsettled.values()]
        return max(min([book.broker.latest_us, *waiting]) - _BACK_US, 0)

    def _open(self, deals: tuple[Deal, ...], account: Account) -> bool:
        """Begin the books, at a moment when history and account are known to agree.

        A history that begins after the account did never sums up; then a while of silence does.
        """
        if self._ledger.book.unsettled:
            return False
        summed = sum(d.money for d in deals if d.fill.cause != brokerage.CREDIT)
        missing = round(account.balance - summed, account.digits)
        if missing and not self._lasts((missing, float(len(deals)))):
            return False
        held = self._venue.positions() if account.netting else ()
        if held and len(self._venue.deals(0)) != len(deals):
            return False
        self._difference, self._unchanged = (0.0, 0.0), 0
        newest = max(deals, key=lambda d: d.fill.deal, default=None)
        self._begin(brokerage.OPENING, account.balance, newest.fill if newest else None)
        if account.credit:
            self._begin(brokerage.OPENING_CREDIT, account.credit, None)
        for position in held:
            self._belongs_to_others(position)
        return True

    def _belongs_to_others(self, held: VenuePosition) -> None:
        """What a netting account held before our books began: an entry of ours would go into it."""
        now, book = self._clock.now_us(), self._ledger.book
        volume = round(held.volume - book.account_lots(held.source, held.symbol), 8)
        if not volume:
            return
        fill = _money(brokerage.HELD_BEFORE, 0.0, now, 0)
        fill = replace(
            fill, position=held.ticket, side="buy" if volume > 0 else "sell", volume=abs(volume),
            price=held.price,
        )  # fmt: skip
        key = Key("", held.source, held.symbol)
        text = "the account held it before its books began"
        event = events.booked(fill, key, now, self._run, text, name=f"{held.ticket}", suspends=True)
        self._ledger.record([event])

    def _begin(self, cause: str, amount: float, newest: Fill | None) -> None:
        now = self._clock.now_us()
        opening = _money(
            cause, amount, newest.time_us if newest else now, newest.deal if newest else 0
        )
        self._ledger.record([events.booked(opening, _NOBODY, now, self._run)])

    def _journal(self, deals: tuple[Deal, ...], *, netting: bool) -> float:
        """Take up what is new; money of deals whose orders are not settled yet."""
        book, pending = self._ledger.book, 0.0
        fresh = [d for d in deals if d.fill.deal > book.broker.watermark]
        in_question = self._positions_in_question(fresh)
        for deal in sorted(fresh, key=lambda d: (d.fill.time_us, d.fill.deal)):
            if deal.fill.deal in book.deals:
                continue
            if deal.fill.position in in_question:
                pending += deal.money
            else:
                self._take(deal, netting=netting)
        return pending

    def _positions_in_question(self, deals: list[Deal]) -> set[int]:
        """Positions that an unsettled order of ours may have to do with: they wait for it."""
        book = self._ledger.book
        if self._venue.shared:
            return {d.fill.position for d in deals if self._is_in_question(d)}
        blocked = {p.ticket for p in book.positions.values() if book.is_blocked(*p.key[1:])}
        waiting = {
            d.fill.position for d in deals if book.magics.get(d.magic) in book.unsettled and d.entry
        }
        return blocked | waiting

    def _is_in_question(self, deal: Deal) -> bool:
        book = self._ledger.book
        if not deal.entry:
            return False
        own = book.magics.get(deal.magic) in book.unsettled
        return own or book.is_blocked(deal.source, deal.symbol)

    def _take(self, deal: Deal, *, netting: bool) -> None:
        book, fill = self._ledger.book, deal.fill
        held = book.positions.get(fill.position)
        if held is not None and deal.entry in ("out", "reverse") and reduces(fill, held):
            self._closings.record(fill, held)
            return
        order = book.magics.get(deal.magic, "")
        # What the account refused from us, or we never sent, went nowhere: under its name, which a
        # signal gives, the execution that has the account traded.
        ours = bool(order) and fill.cause == "expert" and order not in book.fenced
        text = deal.comment
        if ours:
            text = f"order {order} was executed again, after its end, or on what is not ours"
            fill = replace(fill, cause="unexpected")
            _log.warning("%s: position %s at the terminal is not managed", text, fill.position)
        if deal.entry and isinstance(self._closings, SharedClosings):
            if not ours:
                self._closings.take(deal)
                return
            place = self._closings.place_of_others(deal.source, deal.symbol, fill.position)
            fill = replace(fill, position=place)
        suspends = bool(deal.entry) and (ours or netting)
        key = Key("", deal.source, deal.symbol)
        now = self._clock.now_us()
        self._ledger.record([events.booked(fill, key, now, self._run, text, suspends=suspends)])

    def _compare(self, account: Account, pending: float) -> None:
        broker = self._ledger.book.broker
        balance = round(account.balance - broker.balance - pending, account.digits)
        credit = round(account.credit - broker.credit, account.digits)
        if not balance and not credit:
            self._difference, self._unchanged, self.problem = (0.0, 0.0), 0, ""
        elif self._lasts((balance, credit), broker.balance):
            self._differs(account, balance, credit)

    def _lasts(self, difference: tuple[float, float], booked: float = 0.0) -> bool:
        """Whether a difference was the same for long enough.

        When a deal was booked and the difference is the same, the next one of the same money may
        be on its way: waited for anew, but not for ever.
        """
        now_s = self._timer.seconds()
        if difference != self._difference:
            self._difference, self._first_s = difference, now_s
            self._since_s, self._unchanged = now_s, 0
        elif booked != self._booked and now_s - self._first_s < _DOUBTFUL * self._patience_s:
            self._since_s, self._unchanged = now_s, 0
        self._booked = booked
        self._unchanged += 1
        return self._unchanged >= _TIMES and now_s - self._since_s >= self._patience_s

    def _differs(self, account: Account, balance: float, credit: float) -> None:
        person = self._trading.lifted(NAME)
        if person is not None:
            self._accept(person, balance, credit)
            return
        broker = self._ledger.book.broker
        self.problem = (
            f"balance {account.balance:.2f} {account.currency} differs by {balance:+.2f} from the"
            f" journal's {broker.balance:.2f}"
        )
        if credit:
            self.problem += f", credit by {credit:+.2f}"
        text = f"{self.problem}; compare deals and journal, then resume: that accepts it"
        if self._trading.trip(ControlCommand("halted", NAME, text, self._clock.now_us())):
            _log.warning("trading halted: %s", text)

    def _accept(self, person: ControlCommand, balance: float, credit: float) -> None:
        now, text = self._clock.now_us(), f"accepted by {person.by}: {person.reason}"
        amounts = ((brokerage.ACCEPTED, balance), (brokerage.ACCEPTED_CREDIT, credit))
        for cause, amount in amounts:
            if amount:
                correction = _money(cause, amount, now, 0)
                event = events.booked(correction, _NOBODY, now, self._run, text, name=f"{now}")
                self._ledger.record([event])
        self._ledger.sync()
        self._trading.forget(NAME)
        self.problem = ""


_NOBODY = Key("", "", "")


def _money(cause: str, amount: float, time_us: int, deal: int) -> Fill:
    return Fill(
        order=0, deal=deal, position=0, time_us=time_us, side="buy", volume=0.0, price=0.0,
        commission=0.0, swap=0.0, profit=amount, cause=cause,
    )  # fmt: skip
