"""What follows from a busy day's orders: positions, account, exposure, the twin, the statement."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.busy.day import MINUTE, SOURCE, SYMBOLS, Day
from cli.busy.orders import FILLS
from core.contracts.exposure import ExposureRate
from core.contracts.order import AccountState, EventKind, OrderEvent, PositionState
from core.contracts.twin import TwinComparison
from reports.statement import BrokerStatement, Holding, StatementDeal, StatementFunds
from streams import exposure

_OPENING = 100_000.0


def positions(events: Sequence[OrderEvent]) -> list[PositionState]:
    """The net position of a symbol after each of its fills."""
    held, price, realised = dict.fromkeys(SYMBOLS, 0.0), dict.fromkeys(SYMBOLS, 0.0), 0.0
    states = []
    for event in events:
        if event.kind not in FILLS:
            continue
        way = event.volume if event.side == "buy" else -event.volume
        held[event.symbol] = round(held[event.symbol] + way, 8)
        if event.purpose == "entry":
            price[event.symbol] = event.price
        realised += event.profit + event.commission
        states.append(
            PositionState(
                run_id=event.run_id,
                mode=event.mode,
                account=event.account,
                strategy=event.strategy,
                source=SOURCE,
                symbol=event.symbol,
                ts_event_us=event.ts_event_us,
                ts_init_us=event.ts_init_us,
                seq=event.seq,
                volume=held[event.symbol],
                price=price[event.symbol],
                stop_price=event.stop_price,
                profit_realised=realised,
            )
        )
    return states


def account_states(day: Day, events: Sequence[OrderEvent]) -> list[AccountState]:
    """What the terminal says each minute."""
    run, dice, due = day.run, day.dice("equity"), list(events)[::-1]
    balance, seq, states = _OPENING, 0, []
    for now in range(day.start_us, day.end_us + 1, MINUTE):
        while due and due[-1].ts_event_us <= now:
            event = due.pop()
            seq = event.seq
            balance += event.profit + event.commission + event.swap
        floating = float(dice.normal(0.0, 150.0))
        states.append(
            AccountState(
                run_id=run.run_id,
                mode=run.mode,
                account=run.account,
                ts_event_us=now,
                ts_init_us=now,
                seq=seq,
                currency="USD",
                balance=round(balance, 2),
                equity=round(balance + floating, 2),
                margin=2_000.0,
            )
        )
    return states


def exposures(events: Sequence[OrderEvent], states: Sequence[PositionState]) -> list[ExposureRate]:
    """As the executions flow keeps it: each event, then the position after it."""
    after = {state.seq: state for state in states}
    folded, rates = None, list[ExposureRate]()
    for event in events:
        for message in (event, after.get(event.seq)):
            if message is not None:
                folded, changes = exposure.fold(folded, message)
                rates += changes
    return rates


def twins(events: Sequence[OrderEvent]) -> list[TwinComparison]:
    """The same orders at a simulated terminal: quicker and cheaper, now and then refused."""
    sent = {e.order_id: e for e in events if e.kind == EventKind.SUBMITTED}
    outcomes = {e.order_id: e for e in events if e.kind in (EventKind.FILLED, EventKind.REJECTED)}
    return [
        _twin(sent[name], outcome, number)
        for number, (name, outcome) in enumerate(outcomes.items())
        if name in sent
    ]


def _twin(sent: OrderEvent, outcome: OrderEvent, number: int) -> TwinComparison:
    filled, refuses = outcome.kind == EventKind.FILLED, number % 23 == 7
    better = sent.price * 2e-5 * (1 if sent.side == "buy" else -1)
    return TwinComparison(
        run_id=sent.run_id, mode=sent.mode, account=sent.account, strategy=sent.strategy,
        order_id=sent.order_id, source=SOURCE, symbol=sent.symbol, ts_event_us=sent.ts_event_us,
        ts_init_us=outcome.ts_init_us, side=sent.side, purpose=sent.purpose, volume=sent.volume,
        price=sent.price, arrival_mid=sent.arrival_mid, real_outcome=outcome.kind.value,
        real_reason=outcome.reason, real_volume=outcome.volume if filled else 0.0,
        real_price=outcome.price if filled else 0.0, real_commission=outcome.commission,
        real_latency_ms=(outcome.ts_event_us - sent.ts_event_us) / 1000 if filled else 0.0,
        twin_outcome="rejected" if refuses else "filled",
        twin_reason="10006 request rejected" if refuses else "",
        twin_volume=0.0 if refuses else sent.volume,
        twin_price=0.0 if refuses else sent.price - better,
        twin_commission=0.0 if refuses else -3.0, twin_latency_ms=0.0 if refuses else 25.0,
    )  # fmt: skip


def statement(day: Day, events: Sequence[OrderEvent]) -> BrokerStatement:
    """The broker's own books: as ours, but for a deal it lacks and one at another price."""
    of_day = datetime.fromtimestamp(day.end_us / 1e6, UTC).date()
    head = of_day, day.end_us, day.run.mode, day.run.account
    fills = [e for e in events if e.kind in FILLS or e.kind == EventKind.BOOKED][1:]
    deals = [
        StatementDeal(
            *head, deal=e.venue_deal, position=e.venue_position,
            kind=e.side if e.kind in FILLS else "balance",
            entry="in" if e.purpose == "entry" else "out", symbol=e.symbol,
            ts_event_us=e.ts_event_us, volume=e.volume,
            price=e.price * (1.0001 if place == 5 else 1.0), commission=e.commission, swap=e.swap,
            profit=e.profit,
        )
        for place, e in enumerate(fills)
    ]  # fmt: skip
    newest = {state.symbol: state for state in positions(events)}
    holdings = [
        Holding(*head, 1, state.symbol, state.volume, state.price)
        for state in newest.values()
        if state.volume
    ]
    ended = account_states(day, events)[-1]
    funds = StatementFunds(*head, day.end_us, "USD", ended.balance, ended.equity)
    return BrokerStatement(deals, holdings, funds)
