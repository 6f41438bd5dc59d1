"""A live account's deposit is of the moment in which it was opened, for as long as it lives."""

from pathlib import Path

import msgspec

from adapters.simulator.broker.request_log import RequestLog, witness_of
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal

NOON = 1_772_452_800_000
FOREVER = (0.0, 4e9)


def terminal(log: Path, now_msc: int) -> SimulatedTerminal:
    return SimulatedTerminal(GeneratedMarket(["BTCUSD"]), log=log, now_msc=lambda: now_msc)


def test_the_deposit_is_dated_when_the_account_was_opened_and_stays_so(tmp_path: Path) -> None:
    for now in (NOON, NOON + 86_400_000):
        opened = terminal(tmp_path / "account.log", now)
        [deposit] = opened.history_deals_get(*FOREVER)
        assert (deposit.time_msc, deposit.time) == (NOON, NOON // 1000)
        opened.shutdown()


def test_an_account_of_a_version_before_keeps_its_deposit_of_1970(tmp_path: Path) -> None:
    log = tmp_path / "account.log"
    terminal(log, NOON).shutdown()
    header = msgspec.json.decode(log.read_bytes()[9:])
    assert header.pop("opened_msc") == NOON
    log.unlink()
    witness_of(log).unlink()
    RequestLog(log, header).close()  # as it was written
    old = terminal(log, NOON)
    [deposit] = old.history_deals_get(*FOREVER)
    assert deposit.time_msc == 0
    old.shutdown()
