"""The simulated terminal as a process: serves RemoteTerminal over loopback TCP.

`python -m adapters.simulator.server --home DIR --port P --market recorded --plan PLAN.json`

Who may connect and call what: `adapters.simulator.doorway`. A lock makes calls one after another,
so the account sees one order of requests. The modelled broker's delay is waited for outside it:
others are served meanwhile.
"""

import argparse
import logging
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from adapters.mt5.fence import Fence
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.remote import frames
from adapters.simulator.doorway import Doorway
from adapters.simulator.markets.generated import LIVELY, NEVER_CLOSES
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.markets.tape import TapedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core import crashpoint, durable, log, settings
from core.credentials import directory_of
from core.errors import TickhouseError
from core.process import Process
from core.settings import Settings

_call = msgspec.msgpack.Decoder(frames.Call)
_encoder = msgspec.msgpack.Encoder()
_NONE = msgspec.Raw(_encoder.encode(None))
_log = logging.getLogger(__name__)


class Server:
    """Serves one terminal on 127.0.0.1 until `close`."""

    def __init__(
        self,
        terminal: SimulatedTerminal,
        credentials: Path,
        port: int = 0,
        fence: Fence | None = None,
    ) -> None:
        """`credentials`: the home's. `port` 0 takes a free one. `fence`: whose orders are taken."""
        self._terminal, self._lock = terminal, threading.Lock()
        self._fence = fence or Fence()
        self.credentials = credentials
        self._doorway = Doorway(credentials, port, self._serve)
        self.address = self._doorway.address

    def close(self) -> None:
        """Stop accepting, finish the call at work, disconnect clients, close the account."""
        with self._lock:
            self._doorway.close()
            self._terminal.shutdown()

    def _serve(self, client: frames.Channel, allowed: frozenset[str]) -> None:
        try:
            while (frame := client.receive()) is not None:
                client.send(*self._answer(_call.decode(frame[0]), allowed))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.debug("client left: %s", error)

    def _answer(
        self, call: frames.Call, allowed: frozenset[str]
    ) -> tuple[bytes, memoryview | bytes]:
        if call.method not in frames.METHODS:
            return _failed(mt5.RES_E_UNSUPPORTED, f"no method {call.method!r}"), b""
        if call.method not in allowed:
            _log.warning("a client asked for %s, which it may not", call.method)
            return _failed(mt5.RES_E_AUTH_FAILED, f"{call.method}: not for this role"), b""
        with self._lock:
            self._terminal.at(call.now_msc)
            try:
                result, wait_s = self._result(call)
            except (TickhouseError, TypeError, ValueError) as error:
                _log.exception("%s failed", call.method)
                return _failed(mt5.RES_E_INTERNAL_FAIL, f"{call.method}: {error}"), b""
            code, text = self._terminal.last_error()
        if wait_s > 0:
            time.sleep(wait_s)
        if isinstance(result, np.ndarray):
            head = _encoder.encode(frames.Answer(code, text, _NONE, ticks=True))
            return head, np.ascontiguousarray(result).view(np.uint8).data if len(result) else b""
        return _encoder.encode(frames.Answer(code, text, msgspec.Raw(_encoder.encode(result)))), b""

    def _result(self, call: frames.Call) -> tuple[Any, float]:
        """What the terminal says, and how long the broker takes to say it."""
        if call.method == "claim":
            return self._fence.admits(call.claim, call.holder), 0.0
        if call.method == "wait_for_ticks":
            return True, self._terminal.until_ticks(*call.arguments)
        if call.method != "order_send":
            return getattr(self._terminal, call.method)(*call.arguments), 0.0
        if not self._fence.admits(call.claim, call.holder):
            return self._fence.refusal(call.claim), 0.0
        return self._terminal.decide(*call.arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the terminal until SIGTERM or SIGINT; 0 after a clean stop, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(
        prog="python -m adapters.simulator.server", description=__doc__
    )
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: a free one, see the address file")
    parser.add_argument("--market", choices=("recorded", "generated"), default="generated")
    parser.add_argument("--plan", type=Path)
    options = parser.parse_args(arguments)
    log.setup("terminal")
    run = options.home / "run"
    config = settings.load()
    crashpoint.arm_for("terminal", config.chaos.crash_at, run)
    with Process("terminal", run) as process:
        _serve(config, options, process, run / "terminal.address")
    return 0


def _serve(
    config: Settings, options: argparse.Namespace, process: Process, address_file: Path
) -> None:
    server = Server(
        terminal_of(config, options.home, options.market, options.plan),
        directory_of(options.home),
        options.port,
        Fence(options.home / "account.claim" if options.market == "generated" else None),
    )
    process.closing(lambda: address_file.unlink(missing_ok=True))
    process.closing(server.close)
    durable.write(address_file, server.address.encode())
    process.health.set("ready", server.address)
    _log.info("listening on %s", server.address)
    while not process.stopping.wait(1.0):  # not for ever: on Windows no signal ends that
        pass


def terminal_of(config: Settings, home: Path, market: str, plan: Path | None) -> SimulatedTerminal:
    """Compose market and account.

    Raises:
        SettingsError: a recorded market without a plan, or a plan that cannot be read.
    """
    chosen = config.terminal
    quotes: TapedMarket
    if market == "recorded":
        from adapters.simulator import planned  # readers of files, which a live market needs not

        recipe = planned.read(plan)
        quotes = planned.market_of(recipe)
        account = Path(recipe.account_log) if recipe.account_log else home / "replay-account.log"
    else:
        traits = {NEVER_CLOSES: chosen.never_closes, LIVELY: chosen.lively}
        shown = tuple(name for name, there in traits.items() if there)
        quotes = GeneratedMarket(chosen.symbols, chosen.source, chosen.seed, shown)
        account = home / "account.log"
    return SimulatedTerminal(
        quotes, log=account, balance=chosen.balance, currency=chosen.currency, seed=chosen.seed,
        login=chosen.login or 1, netting=chosen.netting,
    )  # fmt: skip


def _failed(code: int, text: str) -> bytes:
    return _encoder.encode(frames.Answer(code, text, _NONE))


if __name__ == "__main__":
    raise SystemExit(log.exit_code(main))
