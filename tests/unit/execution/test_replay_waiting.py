"""A replay with orders that wait: filled by the first quote that reaches them, killed or not."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from core.contracts.risk import GRACE_US, MarketRisk, MarketRiskEnd
from core.contracts.signal import OrderSignal, signal_id
from core.topics import MARKET_RISK
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from tests.support import replays
from tests.support.memory_bus import MemoryBus
from tests.unit.execution.desk import Unreliable

LATENCY_MSC = (20, 120)  # of the modelled broker


def orders() -> list[OrderSignal]:
    """About one order per feed and 4 seconds, by a strategy of its own."""
    everything = []
    for source, symbol, price, step in replays.FEEDS:
        rng = random.Random(f"orders {source} {symbol}")
        rows, planned = replays.rows(source, symbol, price, step), []
        for time_msc, bid, ask in [row for row in rows if row[0] < rows[-1][0] - 75_000]:
            if rng.random() < 0.12 and (not planned or planned[-1].time_msc < time_msc):
                one = _order(rng, (source, symbol), time_msc, (bid, ask), step)
                planned.append(_changed(one, planned, step) if rng.random() < 0.5 else one)
        everything += planned
    return sorted(everything, key=lambda s: s.time_msc)


def _order(
    rng: random.Random, feed: tuple[str, str], time_msc: int, quote: tuple[float, float],
    step: float,
) -> OrderSignal:  # fmt: skip
    bid, ask = quote
    sign, entry = rng.choice((1, -1)), rng.choice(("limit", "stop"))
    ahead = rng.choice((3, 8, 20)) * step * (1 if entry == "stop" else -1)
    price, at = round((ask if sign > 0 else bid) + sign * ahead, 5), time_msc * 1000
    action = "cancel" if rng.random() < 0.35 else "place"
    life_us = rng.choice((4, 11, 30)) * 1_000_000
    run = replays.RUN
    return OrderSignal(
        signal_id=signal_id(run.run_id, "waits", *feed, time_msc, 0), run_id=run.run_id,
        mode=run.mode, account=run.account, strategy="waits", source=feed[0], symbol=feed[1],
        ts_event_us=at, ts_init_us=at, time_msc=time_msc, seq=0,
        target=sign * rng.choice((0.3, 0.5)), reference_price=(bid + ask) / 2,
        stop_price=price - sign * 60 * step, horizon_us=at + life_us + 9_000_000,
        expires_us=at + life_us, confidence=0.6, model="waits", prediction_id="",
        name=rng.choice(("one", "two")), action=action, entry=entry, entry_price=price,
        expiry=rng.choice(("gtc", "specified")), one_of="pair",
    )  # fmt: skip


def _changed(one: OrderSignal, before: list[OrderSignal], step: float) -> OrderSignal:
    """Other terms for what was placed last in the feed; now and then it is gone."""
    placed = [s for s in before if s.symbol == one.symbol and s.action == "place"][-1:]
    if not placed or placed[0].expires_us < one.ts_event_us + 2_000_000:
        return one
    for last in placed:
        away = (one.entry_price - one.reference_price) * (1 if last.entry == one.entry else -1)
        away *= 1 if (last.target > 0) == (one.target > 0) else -1
        price = round(one.reference_price + 0.6 * away, 5)
        one = replace(
            one, name=last.name, entry=last.entry, target=last.target, entry_price=price,
            stop_price=price - (60 if last.target > 0 else -60) * step,
        )  # fmt: skip
    return replace(one, action="modify")


ORDERS = orders()


def waiting(events: Sequence[OrderEvent]) -> dict[str, list[OrderEvent]]:
    """The events of each order that was placed to wait."""
    names = {e.order_id for e in events if e.kind is Kind.SUBMITTED and e.strategy == "waits"}
    names &= {e.order_id for e in events if e.purpose == "entry"}
    return {name: [e for e in events if e.order_id == name] for name in sorted(names)}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[OrderEvent]]:
    home = tmp_path_factory.mktemp("waiting")
    assert replays.run(home, replays.filled_bus(ORDERS))
    return home, replays.events(home)


def test_every_end_of_an_order_is_there(reference: tuple[Path, list[OrderEvent]]) -> None:
    stories = waiting(reference[1]).values()
    ends = {next(e.kind for e in reversed(s) if e.kind is not Kind.CLOSED) for s in stories}
    assert {Kind.FILLED, Kind.EXPIRED, Kind.CANCELLED} <= ends
    assert Kind.MODIFIED in {e.kind for s in stories for e in s}
    assert all(story[2].kind in (Kind.ACCEPTED, Kind.REJECTED) for story in stories)
    reasons = {e.reason for s in stories for e in s if e.kind is Kind.CANCELLING}
    assert reasons == {
        "its time is over", "the strategy takes it back", "another of pair was filled",
    }  # fmt: skip


def test_each_is_filled_by_the_first_quote_that_reaches_it_after_it_arrived(
    reference: tuple[Path, list[OrderEvent]],
) -> None:
    """Looked for in the rows themselves, by a rule written down here again."""
    quotes = {(f[0], f[1]): replays.rows(*f) for f in replays.FEEDS}
    filled = moved = 0
    for story in waiting(reference[1]).values():
        fills = [e for e in story if e.kind is Kind.FILLED]
        feed = story[0].source, story[0].symbol
        *before, last = _terms(story)
        until = fills[0].ts_event_us // 1000 if fills else story[-1].ts_event_us // 1000
        for (since, signal), (left, _) in pairwise([*before, last, (until, last[1])]):
            late = left + (LATENCY_MSC[0] if left < until else 0)
            sure = [q for q in quotes[feed] if since + LATENCY_MSC[1] <= q[0] < late]
            assert not any(map(_reaches(signal), sure)), "an earlier quote reached it"
        if not fills:
            continue
        filled, moved = filled + 1, moved + bool(before)
        since, signal = last
        assert until >= since + LATENCY_MSC[0]
        ((at, *_),) = [[q for q in quotes[feed] if q[0] == until and _reaches(signal)(q)]]
        market = at[2] if signal.target > 0 else at[1]
        assert fills[0].price == (signal.entry_price if signal.entry == "limit" else market)
        assert fills[0].stop_price == signal.stop_price
    assert filled > 10
    assert moved > 3


def _terms(story: Sequence[OrderEvent]) -> list[tuple[int, OrderSignal]]:
    """Since when an order was sent under which terms; a change of its side is none."""
    placed = next(s for s in ORDERS if s.signal_id == story[0].signal_id)
    changes = [e for e in story if e.kind is Kind.MODIFIED]
    return [(placed.time_msc, placed)] + [
        (e.ts_event_us // 1000, replace(placed, entry_price=e.price, stop_price=e.stop_price))
        for e in changes
    ]


def _reaches(signal: OrderSignal) -> Any:
    def reaches(quote: tuple[int, float, float]) -> bool:
        price = quote[2] if signal.target > 0 else quote[1]
        below = (signal.target > 0) == (signal.entry == "limit")
        return price <= signal.entry_price if below else price >= signal.entry_price

    return reaches


def test_the_books_profit_is_the_accounts(reference: tuple[Path, list[OrderEvent]]) -> None:
    home, events = reference
    money = sum(e.profit + e.commission + e.swap for e in events)
    account = replays.terminal(home)
    account.at(replays.TUESDAY + 3_600_000)
    assert account.account_info().balance == pytest.approx(100_000 + money, abs=1e-6)
    assert account.orders_get() == ()
    account.shutdown()


def test_lost_answers_leave_no_trace(
    reference: tuple[Path, list[OrderEvent]], tmp_path: Path
) -> None:
    unreliable, rng = Unreliable(replays.terminal(tmp_path)), random.Random(5)
    unreliable.lose = [rng.choice(["", "answer", "request"]) for _ in range(900)]
    replays.run(tmp_path, replays.filled_bus(ORDERS), unreliable)
    assert replays.events(tmp_path) == reference[1]


class Dying(Unreliable):
    """Ends the process before or after some requests."""

    chance = random.Random(11)

    def order_send(self, request: Any) -> Any:
        if self.chance.random() < 0.015:
            raise KeyboardInterrupt
        answer = super().order_send(request)
        if self.chance.random() < 0.015:
            raise KeyboardInterrupt
        return answer


def test_a_replay_that_is_killed_again_and_again_gives_the_same_events(
    reference: tuple[Path, list[OrderEvent]], tmp_path: Path
) -> None:
    bus, died = replays.filled_bus(ORDERS), 0
    Dying.chance.seed(11)
    while True:
        try:
            assert replays.run(tmp_path, bus, Dying(replays.terminal(tmp_path)))  # type: ignore[arg-type]
            break
        except KeyboardInterrupt:
            died += 1
    assert died > 5
    assert replays.events(tmp_path) == reference[1]


def with_figures(bus: MemoryBus) -> MemoryBus:
    """Figures of risk each minute; every other one is of a wild market."""
    minute, source = replays.TUESDAY * 1000, replays.market()
    feeds = [(name, symbol) for name, symbol, _, _ in replays.FEEDS]
    number, mids = 1, [price for _, _, price, _ in replays.FEEDS]
    while (cut := source.slice(number)) is not None:
        while minute <= cut.end_msc * 1000:
            sigma = [1e-2 if minute // 60_000_000 % 2 == 0 else 1e-5] * 3
            message = MarketRisk(
                run_id=replays.RUN.run_id, mode="replay", ts_event_us=minute, slice=number,
                feeds=feeds, mids=mids, sigma=sigma,
                correlation=[1.0, 0.9, 0.0, 0.9, 1.0, 0.0, 0.0, 0.0, 1.0], shrinkage=0.0,
                observations=100,
            )  # fmt: skip
            bus.publish(MARKET_RISK, "k", codec.encode(message))
            minute += 60_000_000
        bus.publish(MARKET_RISK, "k", codec.encode(MarketRiskEnd(replays.RUN.run_id, number)))
        number += 1
    return bus


def test_limits_on_risk_take_them_back_when_figures_come_killed_or_not(tmp_path: Path) -> None:
    folder = tmp_path / "limits"
    folder.mkdir()
    (folder / "limits.toml").write_text('version = "t"\n[limits]\nmax_var_equity = 0.02\n')
    limits = LimitsFile(replays.RUN.account, of_settings(replays.SETTINGS.execution), folder)
    Dying.chance.seed(12)
    whole, cut_short = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    cut_short.mkdir()
    assert replays.run(whole, with_figures(replays.filled_bus(ORDERS)), limits=limits)
    bus, died = with_figures(replays.filled_bus(ORDERS)), 0
    while True:
        try:
            dying: Any = Dying(replays.terminal(cut_short))
            assert replays.run(cut_short, bus, dying, limits)
            break
        except KeyboardInterrupt:
            died += 1
    whole_events = replays.events(whole)
    back = [e for e in whole_events if (e.kind, e.reason) == (Kind.CANCELLING, "value_at_risk")]
    assert len(back) > 2
    assert any(e.ts_event_us % 60_000_000 == GRACE_US for e in back), "when figures came"
    assert died > 5
    assert replays.events(cut_short) == whole_events


def test_targets_beside_them_are_traded_as_without(
    tmp_path: Path,
) -> None:
    """Another strategy's orders change nothing but what both share: tickets and counts."""
    traded = []
    for name, more in (("alone", ()), ("beside", ORDERS[::12])):
        (tmp_path / name).mkdir()
        replays.run(tmp_path / name, replays.filled_bus(more))
        events = replays.events(tmp_path / name)
        assert not any(e.reason == "too_many" for e in events)
        others = [e for e in events if e.strategy != "waits"]
        # A closing by the broker is seen when its feed is looked at: with orders that is sooner.
        traded.append(
            sorted((e.ts_event_us, e.signal_id, e.purpose, e.kind, e.price) for e in others)
        )
    assert traded[0] == traded[1]
