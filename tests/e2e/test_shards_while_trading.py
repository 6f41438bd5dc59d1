"""`tickhouse up` on two shards, of which one is killed, then on three, then on one, trading on.

What was traded and stored in the end is held against all ticks on the bus: each is stored, each row
has the bits that one pass over them gives, and each signal is one, and one order at most.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from adapters.bus import select
from adapters.clickhouse import client
from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TickBatch
from core.credentials import directory_of
from core.home_users import OWNER, sign_in
from core.metrics import Histograms
from core.sections import BusSettings, ClickhouseSettings
from core.topics import SIGNALS, TICKS, Topic
from execution.journal import journal
from features.catalog import NAMES
from streams.sample import Sampler
from tests.support import new_home
from tests.support.running_stack import healthy, status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival"), pytest.mark.timeout(900)]

_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]


BUSY = """
import numpy as np
from tickhouse import FEATURE_NAMES, Targets

MOVED = FEATURE_NAMES.index("return_5s")


class Busy:
    name, horizon_s, needs_model = "busy", 3.0, False

    def __init__(self, settings):
        pass

    def targets(self, rows, probabilities):
        return Targets(np.where(rows[:, MOVED] > 0, 1, -1), np.full(len(rows), 0.5))
"""


class Desk:
    """A home that is started, asked and stopped as a person does."""

    def __init__(self, folder: Path) -> None:
        self.home, self._log = folder / "home", folder / "up.log"
        (new_home.for_up(self.home) / "strategies").mkdir(mode=0o700)
        (self.home / "strategies" / "busy.py").write_text(BUSY)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
        self.environment = kept | {
            "PYTHONPATH": str(_ROOT),
            "TICKHOUSE_HOME": str(self.home),
            "TICKHOUSE_RUN__STRATEGY": "busy",
            "TICKHOUSE_SIGNALS__EXPIRY_S": "30",  # a busy machine is late
            "TICKHOUSE_EXECUTION__MAX_QUOTE_AGE_S": "30",
            "TICKHOUSE_COLLECTOR__BACKFILL_MINUTES": "3",
            "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
        }

    @contextmanager
    def up(self, shards: int) -> Iterator[None]:
        """Until its end, when all was drained."""
        environment = self.environment | {"TICKHOUSE_STREAMS__SHARDS": str(shards)}
        with self._log.open("ab") as log:
            started = subprocess.Popen(
                [*_TICKHOUSE, "up", "--bare"], env=environment, stdout=log, stderr=log
            )
        try:
            healthy(self.environment, started)
            yield
            started.send_signal(signal.SIGTERM)
            assert started.wait(timeout=120) == 0, self._log.read_text()[-3000:]
        finally:
            started.kill()
            started.wait()

    def deal(self, shards: int) -> str:
        done = subprocess.run(
            [*_TICKHOUSE, "shards", str(shards)], env=self.environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def trades_on(self) -> None:
        """Until more was filled."""
        filled = self.kinds()[EventKind.FILLED]
        until(lambda: self.kinds()[EventKind.FILLED] > filled + 2, 240.0, every_s=0.5)

    def kinds(self) -> Counter[str]:
        return Counter(event.kind for event in self.events())

    def events(self) -> list[OrderEvent]:
        path = self.home / "execution" / "simulated" / "journal"
        return list(journal.events(path)) if path.exists() else []


def on_bus(desk: Desk, topic: Topic) -> list[object]:
    """All that the topic holds."""
    stack = status_of(desk.environment).stack
    assert stack is not None
    settings = BusSettings(url=stack.urls["bus"], credentials=str(directory_of(desk.home)))
    bus = select.connect(settings, "owner")
    reader, end, content = bus.subscribe(topic), bus.end(topic), list[object]()
    while reader.position() < end:
        if message := reader.next(5.0):
            content.append(codec.decode(topic.name, message.payload))
    reader.close()
    bus.close()
    return content


def stored(desk: Desk, statement: str) -> list[tuple[object, ...]]:
    stack = status_of(desk.environment).stack
    assert stack is not None
    where = ClickhouseSettings(
        url=stack.urls["warehouse"], credentials=str(directory_of(desk.home))
    )
    connection = client.connect(sign_in(where, OWNER))
    rows = [tuple(row) for row in connection.query(statement).result_rows]
    connection.close()
    return rows


def one_pass(batches: list[TickBatch]) -> dict[tuple[str, int, int], bytes]:
    """Rows of all ticks in the order of the bus."""
    sampler, rows = Sampler(1000, Histograms(), None), dict[tuple[str, int, int], bytes]()
    for batch in batches:
        for sampled in sampler.rows(batch, 0):
            names = zip(sampled.time_msc.tolist(), sampled.seq.tolist(), strict=True)
            for n, (time_msc, seq) in enumerate(names):
                rows[sampled.symbol, time_msc, seq] = sampled.features[n].tobytes()
    return rows


def test_shards_are_killed_added_and_removed_and_nothing_is_lost_or_done_twice(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    with desk.up(2):
        desk.trades_on()
        pids = {name: one.pid for name, one in status_of(desk.environment).processes.items()}
        os.kill(pids["streams.signals.0"], signal.SIGKILL)
        os.kill(pids["streams.ticks.1"], signal.SIGKILL)
        after = healthy(desk.environment, restarted="streams.signals.0").processes
        others = set(pids) - {"streams.signals.0", "streams.ticks.1"}
        assert {name: after[name].pid for name in others} == {name: pids[name] for name in others}
        desk.trades_on()
    refused = subprocess.run(
        [*_TICKHOUSE, "up", "--bare"], env=desk.environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "tickhouse shards 1" in refused.stderr
    assert "2 to 3" in desk.deal(3)
    with desk.up(3):
        desk.trades_on()
    assert "3 to 1" in desk.deal(1)
    with desk.up(1):
        desk.trades_on()
        events = desk.events()  # before the bus is read: it goes on
        signals = [s for s in on_bus(desk, SIGNALS) if isinstance(s, Signal)]
        batches = [b for b in on_bus(desk, TICKS) if isinstance(b, TickBatch)]
        end_us = max(int(batch.ticks["time_msc"][-1]) for batch in batches) * 1000
        past = f"ts_event < fromUnixTimestamp64Micro({end_us - 20_000_000})"
        until(
            lambda: stored(desk, f"SELECT max(ts_event) > fromUnixTimestamp64Micro({end_us - 1})"
                                 " FROM feature")[0][0], 60.0, every_s=1.0,
        )  # fmt: skip
        ticks = stored(desk, f"SELECT symbol, count() FROM tick FINAL WHERE {past} GROUP BY symbol")
        names = ", ".join(NAMES)
        rows = stored(
            desk, "SELECT symbol, toUnixTimestamp64Milli(ts_event), seq, "
            f"[{names}] FROM feature FINAL WHERE {past}",
        )  # fmt: skip
        kept = stored(desk, f"SELECT signal_id FROM signal FINAL WHERE {past}")
    ids = [one.signal_id for one in signals]
    assert len(ids) == len(set(ids))
    early = {one.signal_id for one in signals if one.ts_event_us < end_us - 20_000_000}
    assert {name for (name,) in kept} == early
    entries = Counter(
        event.signal_id
        for event in events
        if event.kind == EventKind.SUBMITTED and event.purpose == "entry"
    )
    assert entries.keys() <= set(ids)
    assert set(entries.values()) == {1}
    last_msc = end_us // 1000 - 20_000
    came = Counter[str]()
    for batch in batches:
        came[batch.symbol] += int((batch.ticks["time_msc"] < last_msc).sum())
    assert dict(ticks) == dict(came)
    expected = {key: row for key, row in one_pass(batches).items() if key[1] < last_msc}
    came_out = {
        (str(s), int(t), int(q)): np.asarray(v, np.float32).tobytes() for s, t, q, v in rows
    }
    assert came_out.keys() == expected.keys()
    assert came_out == expected
