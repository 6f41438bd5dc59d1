"""Ways to a terminal in another process: what a remote terminal needs of a connection.

TCP on loopback leads to the simulated terminal. Another way (a bus with TLS, to the agent of a real
one) comes from outside: this package knows no bus.
"""

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Protocol

from adapters.mt5.remote import frames, hello
from core import tls
from core.process import Stopping

_RETRY_S = 0.05
_CONNECT_S = 1.0


class Link(Protocol):
    """One conversation: call, answer, call. One thread."""

    def open(self, timeout_s: float) -> bool:
        """Make sure there is a connection; False when none comes about in time."""
        ...

    def ask(self, call: bytes, timeout_s: float) -> tuple[bytes, bytes | bytearray]:
        """Send once; head and tail of the answer.

        Raises:
            ConnectionRefusedError: the call was surely not carried out.
            OSError: no answer; it may have been.
        """
        ...

    def drop(self) -> None:
        """Forget the connection: the next `open` makes another."""
        ...

    def close(self) -> None:
        """No more calls."""
        ...


class Exchange(Protocol):
    """Something that takes bytes to an answerer and brings its bytes back; as Link."""

    def open(self, timeout_s: float) -> bool:
        """See Link."""
        ...

    def ask(self, request: bytes, timeout_s: float) -> bytes:
        """See Link."""
        ...

    def close(self) -> None:
        """See Link."""
        ...

    @property
    def problem(self) -> str:
        """Why there is no answerer."""
        ...


class TcpLink:
    """Implements Link to the simulated terminal of a home."""

    def __init__(
        self, address: str, credentials: Path, role: str, stopping: Stopping | None = None
    ) -> None:
        """`address`: host:port. `credentials`: the folder of that home; `role`: who we are.

        `stopping`: once set, nobody waits here for a connection or an answer: for who sends no
        orders, as the outcome of one on its way would be unknown.

        Raises:
            SettingsError: there is no secret of ours in the role's file.
        """
        host, _, port = address.rpartition(":")
        self._address = host or "127.0.0.1", int(port)
        self._role, self._key = role, hello.secret_of(credentials, role)
        self._credential, self._refused = credentials / f"terminal.{role}", False
        self._context, self._problem = tls.trusted(credentials.parent), ""
        self._socket: socket.socket | None = None
        self._channel: frames.Channel | None = None
        self._stopping: threading.Event = stopping or threading.Event()
        if stopping is not None:
            stopping.then(self._wait_no_longer)

    def __str__(self) -> str:
        host, port = self._address
        named = f"terminal at {host}:{port}{self._problem and ': ' + self._problem}"
        if not self._refused:
            return named
        return (
            f"{named} knows another secret than {self._credential}: it is of another home"
            " (TICKHOUSE_TERMINAL__CREDENTIALS names that one's folder), or was started before the"
            " file was made anew (start it again)"
        )

    def open(self, timeout_s: float) -> bool:
        """See Link."""
        deadline = time.monotonic() + timeout_s
        while self._channel is None and not self._stopping.is_set():
            if time.monotonic() > deadline:
                return False
            try:
                self._connect()
            except hello.RefusedError:
                self._refused = True
                return False
            except OSError as error:
                self._problem = tls.why(error) if isinstance(error, ssl.SSLError) else ""
                time.sleep(_RETRY_S)
        return timeout_s > 0 and not self._stopping.is_set()

    def _wait_no_longer(self) -> None:
        if (channel := self._channel) is not None:
            channel.end()

    def _connect(self) -> None:
        with contextlib.ExitStack() as failing:
            connection: socket.socket = failing.enter_context(
                socket.create_connection(self._address, timeout=_CONNECT_S)
            )
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_hostname=self._address[0])
                failing.enter_context(connection)
            hello.introduce(connection, self._role, self._key, _CONNECT_S)
            failing.pop_all()
        self._socket, self._channel, self._refused = connection, frames.Channel(connection), False

    def ask(self, call: bytes, timeout_s: float) -> tuple[bytes, bytes | bytearray]:
        """See Link."""
        if self._channel is None or self._socket is None:
            raise ConnectionRefusedError("not connected")
        self._socket.settimeout(max(timeout_s, 0.001))
        self._channel.send(call)
        frame = self._channel.receive()
        if frame is None:
            raise ConnectionError("closed before the answer")
        return frame

    def drop(self) -> None:
        """See Link."""
        if self._channel is not None:
            self._channel.close()
        self._channel = self._socket = None

    def close(self) -> None:
        """See Link."""
        self.drop()


class ExchangeLink:
    """Implements Link over an exchange. `drop` looks again for who answers there."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._present = False

    def __str__(self) -> str:
        return self._exchange.problem

    def open(self, timeout_s: float) -> bool:
        """See Link."""
        self._present = timeout_s > 0 and (self._present or self._exchange.open(timeout_s))
        return self._present

    def ask(self, call: bytes, timeout_s: float) -> tuple[bytes, bytes]:
        """See Link."""
        return frames.split(self._exchange.ask(call, timeout_s))

    def drop(self) -> None:
        """See Link."""
        self._present = False

    def close(self) -> None:
        """See Link."""
        self._exchange.close()
