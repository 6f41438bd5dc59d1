"""The simulated terminal in another process: round trip, slice reading, orders; generation.

`python benchmarks/bench_terminal.py [FILE.parquet ...]` (default: three oanda files of the test
data). Prints one JSON object: microseconds for latencies, million ticks per second for reading.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real import symbols
from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.markets.generated import day_ticks
from adapters.simulator.markets.tickfile import ParquetTicks
from core.credentials import directory_of


def percentiles(work: Callable[[], object], count: int) -> dict[str, float]:
    """p50, p99 and p99.9 in microseconds of repeated calls."""
    taken = np.empty(count)
    for index in range(count):
        begin = time.perf_counter_ns()
        work()
        taken[index] = (time.perf_counter_ns() - begin) / 1e3
    p50, p99, p999 = np.percentile(taken, [50, 99, 99.9])
    return {
        "p50": round(float(p50), 1),
        "p99": round(float(p99), 1),
        "p99.9": round(float(p999), 1),
    }


def read_slices(remote: RemoteTerminal) -> tuple[int, float]:
    """Ticks read and seconds taken for all slices of all feeds."""
    total, number, begin = 0, 1, time.perf_counter()
    feeds = remote.feeds()
    while remote.slice(number) is not None:
        total += sum(len(remote.slice_ticks(number, *feed)) for feed in feeds)
        number += 1
    return total, time.perf_counter() - begin


def round_trips(remote: RemoteTerminal) -> dict[str, dict[str, float]]:
    """Latency of a read, and of orders opened and closed every ten seconds of market time."""
    part = remote.slice(5)
    start = part.end_msc if part else 0
    (name, *_) = symbols.resolve(remote).values()
    form = {"action": mt5.TRADE_ACTION_DEAL, "symbol": name, "volume": 0.1, "comment": "bench"}
    step = iter(range(1_000_000))

    def order() -> None:
        count = next(step)
        remote.at(start + 10_000 * count)
        kind = {"type": mt5.ORDER_TYPE_BUY}
        held = remote.positions_get() if count % 2 else ()
        if held:
            kind = {"type": mt5.ORDER_TYPE_SELL, "position": held[0].ticket}
        remote.order_send({**form, **kind})

    remote.at(start)
    return {
        "terminal_info": percentiles(remote.terminal_info, 5000),
        "symbol_info_tick": percentiles(lambda: remote.symbol_info_tick(name), 5000),
        "account_info": percentiles(remote.account_info, 5000),
        "order_send_with_fsync": percentiles(order, 1000),
    }


def start(home: Path, paths: list[str]) -> tuple["subprocess.Popen[bytes]", RemoteTerminal]:
    """A terminal process on recorded files, and its client."""
    files = [ParquetTicks(path) for path in paths]
    rows = [{"path": f.path, "source": f.source, "symbol": f.symbol} for f in files]
    (home / "plan.json").write_text(json.dumps({"files": rows}))
    command = [sys.executable, "-m", "adapters.simulator.server", "--home", str(home)]
    process = subprocess.Popen(
        [*command, "--market", "recorded", "--plan", str(home / "plan.json")]
    )
    address = home / "run" / "terminal.address"
    while not (address.exists() and address.read_text()):
        time.sleep(0.05)
    return process, RemoteTerminal(TcpLink(address.read_text(), directory_of(home), "execution"))


def main() -> None:
    """Run and print."""
    data = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data")) / "ticks"
    names = ("EURUSD_oanda", "NZDUSD_oanda", "XAUUSD_oanda")
    paths = sys.argv[1:] or [str(data / f"{name}.parquet") for name in names]
    with tempfile.TemporaryDirectory() as home:
        process, remote = start(Path(home), paths)
        try:
            used = time.process_time()
            total, seconds = read_slices(remote)
            used = time.process_time() - used
            again = read_slices(remote)[1]
            result: dict[str, object] = {
                "ticks": total,
                "slices_Mticks_per_s": round(total / seconds / 1e6, 2),
                "slices_client_cpu_s": round(used, 3),
                "slices_again_Mticks_per_s": round(total / again / 1e6, 2),
                **round_trips(remote),
            }
        finally:
            remote.shutdown()
            process.terminate()
            process.wait()
    for symbol in ("EURUSD", "XAUUSD", "BTCUSD"):
        begin = time.perf_counter()
        count = len(day_ticks(symbol, 20_614, 7))
        result[f"generate_{symbol}_day_s"] = round(time.perf_counter() - begin, 3)
        result[f"generate_{symbol}_ticks"] = count
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
