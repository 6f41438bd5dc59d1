"""`make load`: 50 s of 8 writers and 8 readers, then an insert of 1 GiB. Exits 1 on any failure.

The same in a few seconds is tests/integration/test_warehouse_load.py.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import urllib3

from benchmarks.machine import describe
from tests.load.traffic import PeakMemory, Traffic, blocks, descriptors, make_tables, resident_mib
from tests.support.warehouse_server import Warehouse

_MOST_DESCRIPTORS = 800
_SETTLE_S = 10  # sessions live 2 s, are looked for every 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=50)
    parser.add_argument("--mib", type=int, default=1024, help="size of the large insert")
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as directory:
        server = Warehouse(Path(directory))
        server.start()
        try:
            make_tables(server)
            failed = [*_traffic(server, options.seconds), *_large(server, options.mib)]
        finally:
            server.stop()
    print(describe())
    print("\n".join(f"FAILED: {text}" for text in failed) or "all held")
    return 1 if failed else 0


def _traffic(server: Warehouse, seconds: float) -> list[str]:
    assert server.process is not None
    pid, traffic = server.process.pid, Traffic(server)
    traffic.run(seconds / 5)  # warm: caches and threads are there
    time.sleep(_SETTLE_S)
    before, files = resident_mib(pid), descriptors(pid)
    later = Traffic(server)
    first = traffic.stored()
    later.run(seconds)
    time.sleep(_SETTLE_S)
    after, files_after = resident_mib(pid), descriptors(pid)
    stored, viewed = traffic.stored(), traffic.viewed()
    acknowledged = {
        writer: (rows + later.acknowledged[writer][0], numbers + later.acknowledged[writer][1])
        for writer, (rows, numbers) in traffic.acknowledged.items()
    }
    rows = sum(count for count, _ in acknowledged.values())
    print(f"{rows:,} rows acknowledged ({sum(c for c, _ in first.values()):,} while warming)")
    print(f"{later.reads:,} reads; {before:.0f} MiB and {files} descriptors, then ", end="")
    print(f"{after:.0f} MiB and {files_after}")
    failed = [f"error: {text}" for text in (traffic.errors + later.errors)[:5]]
    if not acknowledged == stored == viewed:
        failed.append(f"acknowledged {acknowledged}, stored {stored}, in the view {viewed}")
    if after > before + 200:
        failed.append("memory grew by more than 200 MiB")
    # The engine keeps its idle threads, each with three files under /proc; sessions leave none.
    if files_after > _MOST_DESCRIPTORS:
        failed.append(f"more than {_MOST_DESCRIPTORS} descriptors")
    return failed


def _large(server: Warehouse, mib: int) -> list[str]:
    assert server.process is not None
    with PeakMemory(server.process.pid) as memory, urllib3.PoolManager() as http:
        url = f"{server.url}/?query=INSERT+INTO+traffic.row+FORMAT+Native"
        started = time.monotonic()
        answer = http.request("POST", url, body=blocks(mib), headers=server.owner, retries=False)
        seconds = time.monotonic() - started
    print(f"insert of {mib} MiB: {seconds:.1f} s, memory peak {memory.above:.0f} MiB above before")
    failed = [] if answer.status == 200 else [answer.data.decode()]
    return failed + ([f"{memory.above:.0f} MiB for {mib}"] if memory.above > mib * 0.75 else [])


if __name__ == "__main__":
    sys.exit(main())
