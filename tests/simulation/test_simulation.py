"""A thousand worlds keep every promise, and planted bugs do not get past a few of them."""

import logging
import os

import pytest

from core.contracts.order import EventKind, OrderEvent
from core.topics import ORDER_EVENTS
from tests.simulation import firm, tenancy, trips
from tests.simulation.bugs import BUGS
from tests.simulation.market import SYMBOLS
from tests.simulation.run import simulate
from tests.simulation.search import hunt, search
from tests.simulation.world import strategies_of

SOON = [number for number, bug in enumerate(BUGS) if bug.within <= 20]


@pytest.mark.heavy(suite="chaos")
def test_every_promise_holds_in_a_thousand_worlds() -> None:
    assert search(0, 1000, min(os.cpu_count() or 1, 4)) is None


def test_every_promise_holds_in_fifty_worlds() -> None:
    assert search(1000, 50, min(os.cpu_count() or 1, 4)) is None


@pytest.mark.parametrize("seed", [1056, 6948, 7506, 15479, 20879, 24172, 29532])
def test_a_seed_that_found_a_fault_stays_mended(seed: int) -> None:
    simulate(seed)


def test_several_strategies_hold_a_symbol_at_once_in_some_worlds() -> None:
    most = 0
    for seed in (seed for seed in range(40) if len(strategies_of(seed)) > 1):
        keys = set()
        for message in simulate(seed).bus.messages(ORDER_EVENTS):
            if isinstance(message, OrderEvent) and message.kind is EventKind.FILLED:
                keys.add((message.strategy, message.symbol))
        most = max(most, len(keys))
    assert most > len(SYMBOLS), "one strategy alone trades no more than the symbols"


def test_a_seed_gives_the_same_world_again() -> None:
    steps: list[list[str]] = [[], []]
    for lines in steps:
        simulate(7, lines.append)
    assert steps[0] == steps[1]
    assert len(steps[0]) > 50


@pytest.mark.parametrize("number", SOON, ids=lambda n: BUGS[n].text.replace(" ", "-"))
def test_a_planted_bug_is_found(number: int) -> None:
    try:
        assert hunt(number) is not None
    finally:
        logging.disable(logging.NOTSET)


def test_every_breaker_trips_in_some_world() -> None:
    missing = {*trips.NAMES, trips.LADDER}
    for seed in filter(trips.watched, range(300)):
        missing -= set(simulate(seed).trips.seen)
        if not missing:
            break
    assert not missing


def test_a_firms_rules_are_broken_in_some_worlds() -> None:
    assert any(simulate(seed).firm.broken for seed in filter(firm.holds, range(100)))


def test_a_second_execution_takes_the_account_and_trades_in_some_worlds() -> None:
    worlds = [simulate(seed) for seed in range(60) if tenancy.is_shared(seed)]
    assert any(world.tenancy.sent_by_the_other for world in worlds)
    assert any(world.tenancy.changes > 1 for world in worlds)
