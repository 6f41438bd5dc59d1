"""One step of the engine runs while the network is waited for: a transfer's two halves overlap.

At most one step, so an exchange is still used by one thread at a time and a slow client costs one
piece more, not a queue of them.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Self

_Proceed = Callable[[Callable[[], Any]], Awaitable[Any]]


class Ahead:
    """Runs one step ahead. proceed: runs a step in a thread.

    Use as a context manager: whatever ends the transfer, its step has ended before it is left,
    so that the exchange may be closed.
    """

    def __init__(self, proceed: _Proceed) -> None:
        self._proceed = proceed
        self._step: asyncio.Future[Any] | None = None

    def begin(self, step: Callable[[], Any]) -> None:
        """Start a step; the one before must have been awaited."""
        self._step = asyncio.ensure_future(self._proceed(step))

    async def result(self) -> Any:
        """What the step returned or raised; None when none was begun."""
        step, self._step = self._step, None
        return None if step is None else await step

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # the transfer has failed already, and says why
            await self.result()
