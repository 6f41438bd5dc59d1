"""A million order events: every nightly report of that day, from source tables to folder.

    python -m benchmarks.bench_reports [EVENTS]

Prints seconds of each report with its dbt build, and the peak memory here and in the warehouse.
"""

import os
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.machine import describe
from core.clock import SystemClock
from core.contracts.order import OrderEvent
from core.settings import Settings
from orchestration.reporting import make
from reports import catalog
from tests.compliance import DAY, TEMPLATES, import_reference
from tests.orders import at, filled, journalled, store
from tests.warehouse_server import Warehouse

_PER_BLOCK = 60_000
_DAILY = ("broker-reconciliation", "rts22", "order-records", "controls")


def main(events: int) -> None:
    """Fill a warehouse and time the night."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = Warehouse(home)
        server.start()
        try:
            server.migrate()
            os.environ |= {"TICKHOUSE_HOME": str(home), "TICKHOUSE_CLICKHOUSE__URL": server.url}
            import_reference(sorted(TEMPLATES.glob("*.csv")))
            _fill(home, server, events)
            _night(Settings(home=str(home), clickhouse=server.settings), server)
        finally:
            server.stop()


def _fill(home: Path, server: Warehouse, events: int) -> None:
    begin, orders = at(f"{DAY} 00:00"), events // 3
    planned: list[OrderEvent] = []
    for n in range(orders):
        symbol = "EUIX50" if n % 10 == 0 else "EURUSD"
        at_us = begin + n * (86_000_000_000 // orders)
        planned += filled(n + 1, at_us, source="oanda", symbol=symbol)
    made = journalled(home / "execution" / "acc1" / "journal", planned)
    for start in range(0, len(made), _PER_BLOCK):
        store(server.settings, made[start : start + _PER_BLOCK])
    print(f"{len(made):,} events, {orders:,} fills stored")


def _night(settings: Settings, server: Warehouse) -> None:
    begin = time.monotonic()
    for name in _DAILY:
        before = time.monotonic()
        version, _ = make(
            settings, catalog.named(name), date.fromisoformat(DAY), "live", None, "bench",
            SystemClock(),
        )  # fmt: skip
        rows = sum(max(0, f.rows) for f in version.manifest.files.values())
        print(f"{name:22} {time.monotonic() - before:6.1f} s  {rows:,} rows")
    total = time.monotonic() - begin
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"night {total:.1f} s; peak {own / 1024:.0f} MiB here, {int(peak) / 1024:.0f} MiB warehouse"
    )


if __name__ == "__main__":
    print(describe())
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
