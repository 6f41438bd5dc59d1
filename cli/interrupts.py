"""Ctrl-C, SIGTERM and a closed terminal all mean one thing: drain, once."""

import signal
import sys
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Interrupts:
    """While entered, those signals raise KeyboardInterrupt, until `stopping` is set.

    Not only the first one raises: Python drops what a signal raises within a finalizer, and the
    next Ctrl-C must then still work.
    """

    def __init__(self) -> None:
        self.stopping = False

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.stopping:
            raise KeyboardInterrupt
        print("Already stopping; it takes seconds, on a busy machine a minute.", file=sys.stderr)
