"""What must hold after a chaos run, from the files and tables that it left, never from memory.

Journal: what execution decided and knows. The terminal's log: what the broker really did. The
warehouse: what everybody else sees.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.recognition import magic_of
from adapters.simulator.terminal import SimulatedTerminal
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from execution.journal import journal
from execution.journal.book import Book
from tests.chaos.people import Halt, requests
from tests.chaos.stack import FIRM_LOTS, LOTS

_CENT = 0.005
_SOON_MS = 10_000


class Left(NamedTuple):
    """What a run left."""

    events: list[OrderEvent]
    book: Book
    requests: list[dict[str, Any]]  # accepted by the terminal
    terminal: SimulatedTerminal  # its account, folded from its log
    stored: list[tuple[str, str, str]]  # event id, kind, hash in the warehouse
    halts: list[Halt]


def left(
    home: Path, path: Path, terminal: SimulatedTerminal, stored: Any, halts: list[Halt]
) -> Left:
    """Read it; the journal's checksums, chain and transitions are checked on the way."""
    book, events = Book(), []
    for place in journal.read(path):
        book.apply(place.record)
        if isinstance(place.record, OrderEvent):
            events.append(place.record)
    return Left(events, book, requests(home), terminal, stored, halts)


def _orders(remains: Left) -> list[dict[str, Any]]:
    """Requests for orders; what changes one, or takes it back, is none."""
    actions = mt5.TRADE_ACTION_DEAL, mt5.TRADE_ACTION_PENDING
    return [r for r in remains.requests if r["request"]["action"] in actions]


def no_change_unjournalled(remains: Left) -> Iterator[str]:
    """No order was changed more often than the journal had asked for it."""
    changes = Counter(
        r["request"]["order"]
        for r in remains.requests
        if r["request"]["action"] == mt5.TRADE_ACTION_MODIFY
    )
    tickets = {e.order_id: e.venue_order for e in remains.events if e.kind is Kind.ACCEPTED}
    noted = Counter(tickets.get(e.order_id) for e in remains.events if e.kind is Kind.MODIFYING)
    yield from (
        f"order {ticket} was changed {count} times, and that was journalled {noted[ticket]} times"
        for ticket, count in changes.items()
        if count > noted[ticket]
    )


def no_double_order(remains: Left) -> Iterator[str]:
    """Each order reached the broker at most once."""
    counts = Counter(r["request"]["comment"] for r in _orders(remains))
    yield from (f"{name} was carried out {n} times" for name, n in counts.items() if n > 1)


def no_unjournalled_order(remains: Left) -> Iterator[str]:
    """What the broker has was journalled as submitted before."""
    submitted = {e.order_id: e for e in remains.events if e.kind is Kind.SUBMITTED}
    for record in _orders(remains):
        name, sent_us = record["request"]["comment"], record["sent_msc"] * 1000
        if name not in submitted:
            yield f"{name} is at the broker and not in the journal"
        elif submitted[name].ts_init_us > sent_us + 1000:
            yield f"{name} was journalled after it was sent"


def exposure_within_limits(remains: Left) -> Iterator[str]:
    """At no deal was more open in a symbol than the limit allows."""
    held: Counter[str] = Counter()
    for deal in remains.terminal.history_deals_get(1.0, 4e9):
        held[deal.symbol] += round((1 if deal.type == 0 else -1) * deal.volume * 1e6)
        if abs(held[deal.symbol]) > LOTS * 1e6 + 1:
            yield f"{held[deal.symbol] / 1e6} lots of {deal.symbol} after deal {deal.ticket}"


def no_more_lots_than_the_firm_allows(remains: Left) -> Iterator[str]:
    """At no deal was more open in all symbols, long and short alike."""
    held: Counter[int] = Counter()
    for deal in remains.terminal.history_deals_get(1.0, 4e9):
        held[deal.position_id] += round((1 if deal.type == 0 else -1) * deal.volume * 1e6)
        lots = sum(map(abs, held.values())) / 1e6
        if lots > FIRM_LOTS + 1e-6:
            yield f"{lots} lots are open after deal {deal.ticket}, the firm allows {FIRM_LOTS}"


def every_position_has_its_stop(remains: Left) -> Iterator[str]:
    """The stop rides in the entry's own request; what makes a shared position smaller has none."""
    for record in remains.requests:
        request = record["request"]
        if request["action"] == mt5.TRADE_ACTION_REMOVE:
            continue
        naked = not request["position"] and not request["sl"]
        if naked and not _only_reduced(remains, record):
            yield f"{request['comment'] or request['order']} opened a position without a stop"


def _only_reduced(remains: Left, record: dict[str, Any]) -> bool:
    """Whether a request left less of a netting account's position, or it got its stop at once.

    The broker's stop may close the whole while an order is on its way that only made it smaller.
    """
    request, held = record["request"], 0.0
    for deal in remains.terminal.history_deals_get(1.0, 4e9):
        if deal.symbol != request["symbol"]:
            continue
        before, held = held, held + (1 if deal.type == 0 else -1) * deal.volume
        if deal.magic == request["magic"] and abs(held) > abs(before) + 1e-9:
            return any(
                later["request"]["action"] == mt5.TRADE_ACTION_SLTP
                and later["request"]["symbol"] == request["symbol"]
                and 0 <= later["sent_msc"] - record["sent_msc"] < _SOON_MS
                for later in remains.requests
            )
    return remains.terminal.account_info().margin_mode != mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING


def journal_and_terminal_agree(remains: Left) -> Iterator[str]:
    """The same deals, the same money, and nothing open or unsettled after the rest."""
    broker = remains.book.broker
    there = {d.ticket for d in remains.terminal.history_deals_get(0.0, 4e9)}
    missing = {ticket for ticket in there if ticket > broker.watermark} - remains.book.deals
    if missing or remains.book.deals - there:
        yield f"deals only there {sorted(missing)}, only here {sorted(remains.book.deals - there)}"
    theirs = remains.terminal.account_info().balance
    if abs(theirs - broker.balance) > _CENT:
        yield f"the journal says {broker.balance:.2f}, the account {theirs:.2f}"
    for name, open_ in (
        ("orders at the terminal", remains.terminal.orders_get()),
        ("journal", remains.book.positions), ("terminal", remains.terminal.positions_get()),
        ("unsettled orders", remains.book.unsettled),
    ):  # fmt: skip
        if open_:
            yield f"{name}: {list(open_)} left"


def nothing_adds_risk_while_halted(remains: Left) -> Iterator[str]:
    """No entry that was decided on after a halt and before its end reached the broker."""
    sent = {r["request"]["magic"] for r in remains.requests}
    for event in remains.events:
        if event.kind is not Kind.SUBMITTED or event.purpose != "entry":
            continue
        inside = any(h.begin_us < event.ts_init_us < h.end_us for h in remains.halts)
        if inside and magic_of(event.order_id) in sent:
            yield f"{event.order_id} was sent while trading was halted"


def warehouse_has_the_journal(remains: Left) -> Iterator[str]:
    """Every event once, with its hash, and none besides."""
    here = {(e.event_id, e.kind.value, e.hash) for e in remains.events}
    there = Counter(remains.stored)
    if missing := here - set(there):
        yield f"{len(missing)} events are not in the warehouse, e.g. {min(missing)}"
    if foreign := set(there) - here:
        yield f"{len(foreign)} rows are not in the journal, e.g. {min(foreign)}"
    yield from (f"{row} is there {n} times" for row, n in there.items() if n > 1)


PROMISES: dict[str, Callable[[Left], Iterator[str]]] = {
    "no double order": no_double_order,
    "no unjournalled order": no_unjournalled_order,
    "no change unjournalled": no_change_unjournalled,
    "exposure within limits": exposure_within_limits,
    "no more lots than the firm allows": no_more_lots_than_the_firm_allows,
    "every position has its stop": every_position_has_its_stop,
    "journal and terminal agree": journal_and_terminal_agree,
    "nothing that adds risk while halted": nothing_adds_risk_while_halted,
    "the warehouse has the journal": warehouse_has_the_journal,
}


def broken(remains: Left) -> dict[str, list[str]]:
    """Each promise, with what breaks it."""
    return {name: list(check(remains)) for name, check in PROMISES.items()}
