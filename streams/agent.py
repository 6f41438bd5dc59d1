"""The agent of a real terminal: stands beside it, and answers for it over the bus.

`python -m streams.agent` on the terminal's host (extra `edge`); everything else may then run
elsewhere with `TICKHOUSE_TERMINAL__KIND=agent`. It knows the terminal's own functions and nothing
else: no code travels, no file is read, and it decides nothing. One agent, one session, one thread;
a second agent of the same name leaves again.
"""

import logging
import sys

from adapters.bus.rpc.server import RpcServer
from adapters.mt5.fence import Fence
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.remote.answers import TerminalCalls
from core import log, settings
from core.errors import SettingsError, UnavailableError
from core.process import Process, stop_on_signals
from core.settings import Settings

_log = logging.getLogger("agent")


def main() -> int:
    """Answer until SIGTERM or Ctrl-C: 0.

    1 when terminal or bus stay away (start again), 2 for an error that a person must mend.
    """
    log.setup("agent")
    stopping = stop_on_signals()
    config = settings.load()
    with Process("agent", config.home_path / "run", stopping) as process:
        _run(config, process)
    return 0


def _run(config: Settings, process: Process) -> None:
    if config.terminal.kind != "real":
        raise SettingsError("an agent stands beside a real terminal: TICKHOUSE_TERMINAL__KIND=real")
    if not config.bus.url:
        raise SettingsError("the agent needs the bus's address: TICKHOUSE_BUS__URL=tls://host:4222")
    terminal = RealTerminal(config.terminal)
    answerer = RpcServer(config.bus, config.terminal.agent)
    process.closing(terminal.shutdown)
    process.closing(answerer.close)
    answerer.claim()
    if not terminal.initialize():
        code, text = terminal.last_error()
        raise UnavailableError(f"the terminal does not answer: {code} {text}")
    process.health.set("ready", f"answers as {config.terminal.agent}")
    _log.info("answers as %s at %s", config.terminal.agent, answerer.url)
    fence = Fence(config.home_path / "account.claim")
    answerer.serve(TerminalCalls(terminal, fence).answer, process.stopping)


if __name__ == "__main__":
    sys.exit(log.exit_code(main))
