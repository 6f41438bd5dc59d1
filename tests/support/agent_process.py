"""`python -m tests.support.agent_process HOME`: the agent beside a stand-in for the package.

The simulated account lives in HOME/account.log, as a broker's outlives the agent.
"""

import sys
from pathlib import Path

from adapters.simulator.broker.costs import Frictions
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core import log
from streams import agent
from tests.support.foreign_broker import ForeignBroker

NAMES = {"BTCUSD": "BITCOIN"}


def account(home: Path, slow_ms: int) -> SimulatedTerminal:
    """The broker's side: answers orders after `slow_ms`."""
    frictions = Frictions(latency_ms=(slow_ms, slow_ms), slip_probability=0.0)
    market = GeneratedMarket(tuple(NAMES), "x", 7)
    return SimulatedTerminal(market, log=home / "account.log", frictions=frictions)


if __name__ == "__main__":
    broker = ForeignBroker(account(Path(sys.argv[1]), int(sys.argv[2])), NAMES, "Etc/GMT-3")
    sys.modules["MetaTrader5"] = broker  # type: ignore[assignment]
    raise SystemExit(log.exit_code(agent.main))
