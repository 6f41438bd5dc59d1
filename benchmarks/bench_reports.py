"""A million order events: every nightly report of that day, from source tables to folder.

    python -m benchmarks.bench_reports [EVENTS]

Prints seconds of each report with its dbt build, beside them CPU seconds of renderer, dbt and
warehouse (what to compare on a machine that others use), and the peak memory of both processes.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from benchmarks.machine import describe
from core.clock import SystemClock
from core.contracts.order import OrderEvent
from core.settings import Settings
from orchestration import reporting
from reports import catalog
from reports.base import Report
from reports.package import Version
from tests.support.compliance import DAY, TEMPLATES, import_reference
from tests.support.orders import at, filled, journalled, store
from tests.support.warehouse_server import Warehouse

_PER_BLOCK = 60_000
Result = TypeVar("Result")
_DAILY = (
    "broker-reconciliation",
    "rts22",
    "order-records",
    "controls",
    "execution-quality",
    "clock-sync",
    "emir",
)


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
    stored = journalled(home / "execution" / "acc1" / "journal", planned)
    for start in range(0, len(stored), _PER_BLOCK):
        store(server.settings, stored[start : start + _PER_BLOCK])
    print(f"{len(stored):,} events, {orders:,} fills stored")


def _cpu(server: Warehouse) -> tuple[float, float, float]:
    """CPU seconds so far: of this process, of children that ended, of the warehouse."""
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    here, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (
        here.ru_utime + here.ru_stime, children.ru_utime + children.ru_stime,
        ticks / os.sysconf("SC_CLK_TCK"),
    )  # fmt: skip


def _night(settings: Settings, server: Warehouse) -> None:
    """As Dagster's reports_job: the marts of all once, then report by report."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of filling is none of the night
    begin, day, clock = time.monotonic(), date.fromisoformat(DAY), SystemClock()
    reports = [catalog.named(name) for name in _DAILY]
    _timed(server, "marts", lambda: reporting.build(settings, reports, day, "live", "bench"))
    for report in reports:

        def rendered(report: Report = report) -> Version:
            return reporting.render(settings, report, day, "live", "bench", "bench", clock)[0]

        version = _timed(server, report.name, rendered)
        print(f"{'':24}{sum(max(0, f.rows) for f in version.manifest.files.values()):,} rows")
    total = time.monotonic() - begin
    assert server.process is not None
    here, there = _peak_mib("self"), _peak_mib(str(server.process.pid))
    print(f"night {total:.1f} s; peak {here} MiB here, {there} MiB warehouse")


def _timed(server: Warehouse, name: str, work: Callable[[], Result]) -> Result:
    before, cpu = time.monotonic(), _cpu(server)
    result = work()
    spent = [after - was for after, was in zip(_cpu(server), cpu, strict=True)]
    print(
        f"{name:22} {time.monotonic() - before:6.1f} s  CPU {spent[0]:5.1f} here"
        f" {spent[1]:5.1f} dbt {spent[2]:5.1f} warehouse"
    )
    return result


def _peak_mib(process: str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(x.split()[1] for x in status.splitlines() if x.startswith("VmHWM"))) // 1024


if __name__ == "__main__":
    print(describe())
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
