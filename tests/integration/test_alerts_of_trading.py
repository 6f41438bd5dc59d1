"""Each rule about trading fires with the real fault, and resolves once it is over."""

from collections.abc import Iterator

import pytest

from adapters.bus import select
from adapters.mt5.protocol import constants as mt5
from adapters.simulator.faults import Fault
from core.errors import BusyError
from core.sections import BusSettings
from execution.lease import Lease, holder_of
from tests.support.alarm_desk import RUN, AlarmDesk
from tests.support.servers import NatsServer
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
FALLS_AT_S = 500.0


@pytest.fixture(scope="module")
def desk(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlarmDesk]:
    trading = AlarmDesk(tmp_path_factory.mktemp("alarms"), warehouse, FALLS_AT_S)
    yield trading
    trading.close()


def fired(*rules: str) -> set[tuple[str, str]]:
    return {("fired", rule) for rule in rules}


def resolved(*rules: str) -> set[tuple[str, str]]:
    return {("resolved", rule) for rule in rules}


def test_a_broker_that_refuses_and_fills_again(desk: AlarmDesk) -> None:
    rules = ("refused", "unfilled", "breaker")
    desk.trade(20)
    assert desk.changes(*rules) == set()
    desk.trade(6, Fault("refuse", mt5.TRADE_RETCODE_NO_MONEY))
    assert desk.changes(*rules) == fired("refused", "unfilled")
    desk.trade(50)
    assert desk.changes(*rules) == resolved("refused", "unfilled")


def test_a_process_that_stands_still(desk: AlarmDesk) -> None:
    rules = ("latency", "stage_slow")
    desk.trade(30)
    assert desk.changes(*rules) == set()
    desk.trade(2, stopped_s=0.5)
    assert desk.changes(*rules) == fired(*rules)
    desk.trade(100)
    assert desk.changes(*rules) == resolved(*rules)


def test_an_order_whose_answer_is_lost_and_which_comes_late(desk: AlarmDesk) -> None:
    desk.trade(1, Fault("late", delay_ms=60_000))
    desk.turn(20.0)
    assert desk.changes("unknown_order") == fired("unknown_order")
    for _ in range(60):
        desk.turn()
    assert desk.changes("unknown_order") == resolved("unknown_order")


def test_a_market_that_falls_under_a_position_and_comes_back(desk: AlarmDesk) -> None:
    desk.until(FALLS_AT_S - 5)
    desk.trade(0 if desk.parts.ledger.book.positions else 1)
    assert desk.changes("drawdown", "breaker") == set()
    desk.until(FALLS_AT_S + 20)
    assert desk.changes("drawdown", "breaker") == fired("drawdown", "breaker")
    desk.until(FALLS_AT_S + 60)
    assert desk.changes("drawdown", "breaker") == resolved("drawdown")
    desk.resume()
    assert desk.changes("drawdown", "breaker") == resolved("breaker")


def test_an_account_that_another_execution_takes_over(
    desk: AlarmDesk, nats_server: NatsServer
) -> None:
    settings = BusSettings(url=nats_server.url)
    places = [select.lease(settings, RUN.account, "execution") for _ in range(2)]
    ours = Lease(places[0], RUN.account, holder_of(desk.journal.path), 0.05, 0.5)
    theirs = Lease(places[1], RUN.account, "elsewhere", 0.05, 0.5)
    ours.acquire(0)  # and then stands still: nobody renews it
    theirs.take(0)
    try:
        assert theirs.taken_over
        ours.renew()
        with pytest.raises(BusyError):
            desk.lose(ours)
        assert desk.changes("lease") == fired("lease")
        desk.resume()
        assert desk.changes("lease") == resolved("lease")
    finally:
        theirs.close()
        ours.close()
