"""A warehouse for the occasion: started on a home where none runs, ended with whoever started it.

An import, an explanation or an analyst's session needs the home's data for a while. The process
started here is one of its own session, so that Ctrl-C in a notebook interrupts the query and not
the server; and it ends when its parent is gone, for a server left behind would hold the home.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import file_lock, home_version, tls
from core.errors import UnavailableError

_START_S, _POLL_S = 60.0, 0.5


def answering_url(home: Path) -> str:
    """The address of a home's warehouse if it answers; a killed one leaves its file behind."""
    try:
        url = _url_file(home).read_text().strip()
        secured = urllib.request.HTTPSHandler(context=tls.trusted(home))
        with urllib.request.build_opener(secured).open(f"{url}/ping", timeout=5) as answer:
            return url if answer.status == 200 else ""
    except (OSError, ValueError):
        return ""


def is_stored(home: Path) -> bool:
    """Whether a warehouse ever kept anything in a home."""
    return (home / "warehouse").is_dir()


@contextmanager
def reached(home: Path, url: str = "") -> Iterator[str]:
    """The address of a home's warehouse: `url` if given, the one that answers, or one `started`."""
    if there := url or answering_url(home):
        yield there
        return
    with started(home) as there:
        yield there


@contextmanager
def started(home: Path) -> Iterator[str]:
    """The address of a warehouse of our own on a home where none answers; it ends with the block.

    Raises:
        UnavailableError: it does not start, or one that does not answer holds the home.
    """
    lock = home / "warehouse" / "lock"
    if file_lock.is_held(lock):  # its address must stay for who comes when it answers again
        raise UnavailableError(
            f"the warehouse of {home} (process {file_lock.holder(lock)}) runs and does not answer: "
            "try again, or see logs/warehouse.log there"
        )
    home_version.begin(home)
    _url_file(home).unlink(missing_ok=True)
    command = [sys.executable, "-m", "warehouse.occasion", str(os.getpid())]
    process = subprocess.Popen(
        [*command, "--port", "0", "--home", str(home)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield _started_url(process, home)
    finally:
        process.terminate()
        process.wait()


def _started_url(process: subprocess.Popen[bytes], home: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _url_file(home).exists() and (url := answering_url(home)):
            return url
        time.sleep(0.05)
    raise UnavailableError(
        f"the warehouse of {home} did not start; what it said is above (is another one using it?)"
    )


def _url_file(home: Path) -> Path:
    return home / "run" / "warehouse.url"


def _end_with(parent: int) -> None:
    # Begun before the process gives up its files; this thread keeps its rights and uses none.
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    from warehouse.__main__ import main

    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    sys.exit(main(sys.argv[2:]))
