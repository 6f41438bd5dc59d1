"""`python -m tests.agent_process HOME`: the product's agent beside a stand-in for the package.

The simulated account lives in HOME/account.log, as a broker's outlives the agent.
"""

import sys
from pathlib import Path

from adapters.mt5.costs import Frictions
from adapters.mt5.fake import SimulatedTerminal
from adapters.mt5.generated_market import GeneratedMarket
from streams import agent
from tests.foreign_broker import ForeignBroker

NAMES = {"BTCUSD": "BITCOIN"}


def account(home: Path, slow_ms: int) -> SimulatedTerminal:
    """The broker's side: answers orders after `slow_ms`."""
    frictions = Frictions(latency_ms=(slow_ms, slow_ms), slip_probability=0.0)
    market = GeneratedMarket(tuple(NAMES), "x", 7)
    return SimulatedTerminal(market, log=home / "account.log", frictions=frictions)


if __name__ == "__main__":
    made = ForeignBroker(account(Path(sys.argv[1]), int(sys.argv[2])), NAMES, "Etc/GMT-3")
    sys.modules["MetaTrader5"] = made  # type: ignore[assignment]
    raise SystemExit(agent.main())
