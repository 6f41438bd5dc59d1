"""`audit verify` after one more day, beside a verification of everything.

`python -m benchmarks.bench_verify [--events N] [--days N]`

A journal of trades over so many days, the same rows in a real warehouse, each day sealed. Then one
day more: verified from where the last seal was found whole, and in full, in turns.
"""

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from audit import signing, trail
from benchmarks.machine import Stopwatch, describe
from core.clock import ManualClock
from core.contracts.order import OrderEvent
from core.sections import ReportSettings
from core.settings import Settings
from execution.journal import segments
from execution.journal.journal import Journal
from execution.journal.reader import placed_events
from tests.support import traded_journal
from tests.support.warehouse_server import Warehouse

_REPEATS = 3
_DAY_S = 86_400
_BLOCK = 20_000


def trades(path: Path, server: Warehouse, first: int, last: int) -> None:
    """Journalled, and in the warehouse."""
    opened, rows = Journal(path, careful=False), list[OrderEvent]()
    with Writer(server.settings) as writer:
        for number in range(first, last + 1):
            for entries in traded_journal.trade(number):
                rows += [e for e in opened.append(entries) if isinstance(e, OrderEvent)]
            if len(rows) > _BLOCK or number == last:
                writer.insert("order_event", message_columns(rows))
                rows.clear()
    opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=10)
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        measure(
            Path(temporary),
            options.events // options.days // traded_journal.PER_TRADE,
            options.days,
        )


def measure(directory: Path, per_day: int, days: int) -> None:
    """Print seconds of both."""
    server = Warehouse(directory / "warehouse")
    server.start()
    server.migrate()
    key, home = directory / "vault" / "seal.pem", directory / "home"
    public = signing.generate(key, home)
    settings = Settings(
        home=str(home), clickhouse=server.settings, reports=ReportSettings(signing_key=str(key))
    )
    path, kept = home / "execution" / "acc1" / "journal", trail.archive(settings)
    source = trail.Source("acc1", path, placed_events, True, segments.pieces)
    begin = datetime.fromtimestamp(traded_journal.BEGIN_US / 1e6, UTC).date()
    for day in range(days + 1):
        first = day * _DAY_S + 1
        trades(path, server, first, first + per_day - 1)
        over = ManualClock(traded_journal.BEGIN_US + (day + 2) * _DAY_S * 1_000_000)
        if day == days:
            trail.remember(settings, [source], server.client, kept, public, "bench", over)
        trail.seal_home(settings, [source], begin + timedelta(days=day), key, over)
    assert server.process is not None
    for full in (False, True) * _REPEATS:
        watch = Stopwatch(server.process.pid)
        done = trail.verify_home(settings, [source], server.client, kept, public, over, full=full)
        assert not done.breaks, done.breaks
        print(f"{'full' if full else 'one more day'}: {watch.took()} with the warehouse's,"
              f" {done.verdicts[1].events} events")  # fmt: skip
    server.stop()


if __name__ == "__main__":
    main()
