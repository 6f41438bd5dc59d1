"""What a firm's rules left a busy day's account, the calendar that stood over it, odd orders."""

from collections.abc import Iterator, Sequence

from clickhouse_connect.driver.client import Client

from cli.busy.account import account_states
from cli.busy.day import HOURS, MINUTE, Day
from core.calendar import CalendarEvent
from core.contracts.firm import FirmRecord, FirmRuleState, messages
from core.contracts.order import EventKind, OrderEvent
from execution.risk import firm_rules
from execution.risk.firm_rules import reading
from execution.risk.limits import parse
from quality import own_orders

#: Share of the day, currency, importance, name, what it said in the end.
_EVENTS = (
    (0.15, "EUR", "medium", "Industrial production", "0.4"),
    (0.36, "USD", "high", "Nonfarm payrolls", "187"),
    (0.62, "USD", "high", "Interest rate decision", "4.25"),
    (0.80, "GBP", "low", "House prices", ""),
)


def calendar(day: Day) -> list[CalendarEvent]:
    """Events as published the week before; one moved by half an hour, one called off."""
    week = 7 * HOURS * 60 * MINUTE
    known = [
        CalendarEvent(
            "busy", f"busy-{place}", day.start_us - week, day.at(share), currency, importance,
            name, publication="stated",
        )
        for place, (share, currency, importance, name, _) in enumerate(_EVENTS)
    ]  # fmt: skip
    return [*known, *_changed(day, known)]


def _changed(day: Day, known: Sequence[CalendarEvent]) -> Iterator[CalendarEvent]:
    for event, (share, *_, actual) in zip(known, _EVENTS, strict=True):
        yield CalendarEvent(
            event.source, event.event_id, day.at(share) + MINUTE,
            event.ts_event_us + (30 * MINUTE if event.currency == "EUR" else 0),
            event.currency, event.importance, event.name, actual=actual,
            is_cancelled=not actual, publication="stated",
        )  # fmt: skip


def rule_states(day: Day, events: Sequence[OrderEvent]) -> list[FirmRuleState]:
    """Each minute's figures of the firm in the example that ships, over the day's account."""
    book = parse(firm_rules.EXAMPLE.read_bytes(), str(firm_rules.EXAMPLE))
    ((firm, rules),) = book.firms.items()
    entries = [e.ts_event_us for e in events if e.kind == EventKind.FILLED]
    state, states = None, list[FirmRuleState]()
    for now in account_states(day, events):
        looks = reading(now.ts_event_us, now.balance, now.equity)
        state = state or firm_rules.opened(rules, firm, looks)
        state, breaches = firm_rules.fold(rules, state, looks, entries=entries)
        record = FirmRecord(
            run_id=now.run_id, mode=now.mode, account=now.account, ts_init_us=now.ts_init_us,
            seq=now.seq, version=book.version, state=state, breaches=breaches,
            figures=tuple(firm_rules.figures(rules, state)),
        )  # fmt: skip
        states += messages(record)
    return states


def score_orders(client: Client, day: Day) -> None:
    """The day's entries after its first half, as the asset `scored_orders` scores them."""
    orders = own_orders.read(client, day.run.run_id, day.start_us, day.end_us + MINUTE)
    own_orders.store(client, own_orders.scored(orders, day.at(0.5)))
