"""Ctrl-C, SIGTERM and a closed terminal all mean one thing: drain, once."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def first_signal_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal; ignore later ones, so that a drain can end."""
    seen = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        if not seen:
            seen = True
            raise KeyboardInterrupt
        print("Already stopping; it takes ten seconds at most.", file=sys.stderr)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
