"""Dagster's processes end in time when they are told to.

Its daemon waits up to 30 seconds for each of its threads, one after the other; a thread that
evaluates a sensor on a busy machine takes them. Who supervises it kills it after 15, so it nearly
always ends by this bound, which comes late there: 10 seconds became 13 beside twenty processes that
burn. What such a thread was at, the next start does again: that is what Dagster does after a crash.
"""

import os
import signal
import socket
import threading
import time

END_WITHIN_S = 5.0


def end_within(seconds: float = END_WITHIN_S) -> None:
    """From now on a signal to end that Python code handles ends the process so long after it.

    Called in the main thread. The handlers stay whose they are: the interpreter says beside them,
    by a byte in a socket, that a signal came.
    """
    heard, said = socket.socketpair()
    said.setblocking(False)
    signal.set_wakeup_fd(said.fileno(), warn_on_full_buffer=False)
    threading.Thread(
        target=_end_after, args=(heard, said, seconds), name="bounded-end", daemon=True
    ).start()


def _end_after(heard: socket.socket, _said: socket.socket, seconds: float) -> None:
    """`_said` stays open as long as somebody listens."""
    while heard.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
        pass
    time.sleep(seconds)
    os._exit(0)
