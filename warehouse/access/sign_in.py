"""Who asks, found out at the cost of nobody else.

Checking a password takes a tenth of a second on purpose. That happens on threads of its own, so
queries never wait for it; who passed, or failed with the same password, is answered from memory;
the same password sent by many clients at once is checked once; and who guesses waits.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from warehouse.access.credentials import credentials, redacted
from warehouse.access.gate import AUTHENTICATION_FAILED, Gate, Grant
from warehouse.access.throttle import Throttle
from warehouse.engine.answer import refusal
from warehouse.protocol.request import Request
from warehouse.protocol.status import TOO_MANY_QUERIES

_THREADS, _MOST_WAITING = 2, 128

_Credentials = tuple[str, str, str]  # address, name, password


class SignIn:
    """Sign-ins of one gate. Used from one event loop."""

    def __init__(self, gate: Gate, throttle: Throttle | None = None) -> None:
        self._gate, self._throttle = gate, throttle or Throttle()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="sign-in")
        self._checks: dict[_Credentials, asyncio.Task[Grant]] = {}

    async def grant(self, request: Request, address: str) -> Grant:
        """The leave of whoever sent a request.

        Raises:
            WarehouseError: 516 it is nobody known, or too soon after wrong guesses; 202 too many
                sign in at once.
        """
        known = self._gate.recall(request.parameters, request.headers)
        if known is not None:
            return known
        key = (address, *credentials(request.parameters, request.headers))
        check = self._checks.get(key)
        if check is None:
            self._admit(address, key[1])
            check = self._checks[key] = asyncio.create_task(self._check(request, address, key[1]))
            check.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(check)  # others may wait for it too

    def close(self) -> None:
        """Wait for running checks."""
        self._pool.shutdown(wait=True)

    def _admit(self, address: str, name: str) -> None:
        if len(self._checks) >= _MOST_WAITING:
            raise refusal(
                TOO_MANY_QUERIES,
                f"Too many sign in at once: {len(self._checks)}, try again",
                "TOO_MANY_SIMULTANEOUS_QUERIES",
            )
        wait_s = self._throttle.begin((address, name))
        if wait_s > 0:
            raise refusal(
                AUTHENTICATION_FAILED,
                f"{redacted(name)[:64]}: too many wrong passwords: wait {wait_s:.0f} s",
                "AUTHENTICATION_FAILED",
            )

    def _forget(self, key: _Credentials, done: asyncio.Task[Grant]) -> None:
        del self._checks[key]
        if not done.cancelled():
            done.exception()  # seen, also when nobody waits for it any more

    async def _check(self, request: Request, address: str, name: str) -> Grant:
        loop = asyncio.get_running_loop()
        grant = await loop.run_in_executor(
            self._pool, self._gate.admit, request.parameters, request.headers
        )
        self._throttle.passed((address, name))
        return grant
