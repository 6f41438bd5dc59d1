"""A loopback port that halts: beside the control file, for when a disk is full or slow.

It can halt and nothing else, so it asks nobody who they are. One line of JSON, the Order, in;
`halted` out once checks see it. The port is free and stands in `<home>/execution/halt_port`.
"""

import contextlib
import logging
import socket
import threading
from pathlib import Path
from types import TracebackType

import msgspec

from core.trading_control import ControlCommand, port_path_in
from execution.risk.trading_state import TradingState

_LONGEST = 65_536
_log = logging.getLogger(__name__)


class HaltPort:
    """Listens while the block runs."""

    def __init__(self, home: Path, trading: TradingState) -> None:
        self._path, self._trading = port_path_in(home), trading
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name="halt port", daemon=True)

    def __enter__(self) -> "HaltPort":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(str(self.port))
        except OSError as error:  # the control file still halts
            _log.error("halt port %d: %s cannot be written: %s", self.port, self._path, error)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # wakes the thread, also where shutdown does not
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2.0)

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(1.0)
                self._answer(caller)

    def _answer(self, caller: socket.socket) -> None:
        try:
            with caller.makefile("rb") as lines:
                order = msgspec.json.decode(lines.readline(_LONGEST), type=ControlCommand)
            if order.state == "halted":
                self._halt(order)
                caller.sendall(b"halted\n")
            else:
                caller.sendall(b"only a halt is taken here\n")
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.warning("halt port: %s", error)

    def _halt(self, order: ControlCommand) -> None:
        try:
            self._trading.halt(order)
        except OSError as error:  # halted all the same, but only until this process ends
            _log.error("halted, and the control file cannot be written: %s", error)
