"""`python -m tests.chaos.terminal`: the simulated terminal's process, on real ticks that go on."""

import argparse
from pathlib import Path

from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core import log
from core.credentials import directory_of
from core.process import Process
from tests.chaos.market import market


def account(home: Path, begin_msc: int, *, netting: bool) -> SimulatedTerminal:
    """The account of a run, folded from its log."""
    return SimulatedTerminal(market(begin_msc), log=home / "account.log", netting=netting)


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--begin", type=int, required=True, help="of the market, epoch ms")
    parser.add_argument("--netting", action="store_true", help="one position of each symbol")
    options = parser.parse_args()
    log.setup("terminal")
    with Process("terminal", options.home / "run") as process:
        broker = account(options.home, options.begin, netting=options.netting)
        server = Server(broker, directory_of(options.home), options.port)
        process.closing(server.close)
        process.health.set("ready", server.address)
        process.stopping.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
