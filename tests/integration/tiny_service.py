"""A process as small as the supervisor's tests need: NAME JOURNAL MODE.

It notes in the journal when it starts and ends, answers for its health, and ends on SIGTERM
(unless stubborn). One that talks writes fifty lines a second.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from core.health import Health


def main(name: str, journal: str, mode: str) -> None:
    def note(what: str) -> None:
        with open(journal, "a") as file:
            file.write(f"{what} {name} {os.getpid()}\n")

    note("start")
    if mode == "crashes":
        sys.exit(f"{name}: no such market")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    health = Health(name, Path(os.environ["TICKHOUSE_HOME"]) / "run")
    if mode != "never ready":
        health.set("ready", "all is well")
    if mode == "talks":
        while not ended.wait(0.02):
            print(f"{name} says {time.time_ns()} {'.' * 400}", flush=True)
    while not ended.wait(1.5 if mode == "ends" else 60) or mode == "stubborn":
        if mode == "ends":
            break
    note("end")
    health.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
