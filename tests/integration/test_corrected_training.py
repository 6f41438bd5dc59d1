"""Trainings after a correction: rows as a replay of the corrected ticks gives them, and as before.

The oracle is the sampler of the signals flow on all ticks of a run, from its first one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from adapters.clickhouse.native import Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from cli.main import main
from core.clock import ManualClock
from core.contracts.tick import TickArray, TickBatch
from core.errors import ModelError
from core.instruments import trading_day
from core.metrics import Histograms
from core.sections import ModelSettings
from core.settings import Settings
from features.catalog import FEATURE_SET_HASH, NAMES
from features.peers import MEMORY_MSC
from models.serving.card import Span
from models.training.corrected import FORGOTTEN_MSC, reaches
from models.training.dataset import Dataset, read_dataset, read_decided
from models.training.rebuilt import rebuilt
from models.training.train import train
from orchestration.restatement import learned, rows
from orchestration.restatement.rows import ALL as ALL_OF_IT
from orchestration.restatement.rows import Restatement
from orchestration.restatement.work import Desk
from streams.records import Sampled
from streams.sample import Sampler
from tests.support.corrections import correct, tick_file
from tests.support.orders import at
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]

ALL = Span(0, 1 << 62)
COUNT = 30_000
QUICK = ModelSettings(horizon_s=5.0, rounds=5, depth=2, threads=1, members=("xgboost",))
FEEDS = {"EURUSD": "EURUSD_oanda", "XAUUSD": "XAUUSD_oanda"}


def ticks_of_a_source() -> dict[str, TickArray]:
    """Two symbols over the same market time, so that each is the other's peer."""
    known = {symbol: recorded_ticks(name).copy() for symbol, name in FEEDS.items()}
    start = max(int(ticks["time_msc"][0]) for ticks in known.values())
    later = {s: ticks[ticks["time_msc"] >= start][:COUNT] for s, ticks in known.items()}
    end = min(int(ticks["time_msc"][-1]) for ticks in later.values())
    return {s: ticks[ticks["time_msc"] <= end] for s, ticks in later.items()}


def sampled(ticks: Mapping[str, TickArray]) -> list[Sampled]:
    """What a replay of the ticks gives, with the kernel's hours."""
    sampler = Sampler(1000, Histograms(), None, keep_hours=True)
    for number, (symbol, known) in enumerate(ticks.items()):
        data = np.ascontiguousarray(known).tobytes()
        sampler.rows(TickBatch("run-1", "replay", "oanda", symbol, 0, number, data), 0)
    return sampler.release()


def store(server: Warehouse, ticks: Mapping[str, TickArray], rows: list[Sampled]) -> None:
    with Writer(server.settings) as writer:
        for symbol, known in ticks.items():
            writer.insert("tick", tick_columns("oanda", symbol, known))
        for part in rows:
            same = {"run_id": "run-1", "mode": "replay", "account": "a", "strategy": "s",
                    "source": "oanda", "symbol": part.symbol,
                    "feature_set_hash": FEATURE_SET_HASH}  # fmt: skip
            count = len(part.time_msc)
            columns = [Column(n, "LowCardinality(String)", [v] * count) for n, v in same.items()]
            writer.insert("feature", [
                *columns,
                Column("ts_event", "DateTime64(6, 'UTC')", part.time_msc * 1000),
                Column("ts_init", "DateTime64(6, 'UTC')", part.time_msc * 1000),
                Column("seq", "UInt32", part.seq.astype(np.uint32)),
                Column("mid", "Float64", part.mid), Column("spread", "Float64", part.spread),
                *(Column(n, "Float32", v) for n, v in zip(NAMES, part.features.T, strict=True)),
            ])  # fmt: skip


def same_rows(data: Dataset, expected: list[Sampled]) -> None:
    by_symbol = {part.symbol: part for part in expected}
    for index, feed in enumerate(data.feeds):
        own, part = data.feed == index, by_symbol[feed.partition(".")[2]]
        assert data.time_us[own].tolist() == (part.time_msc * 1000).tolist()
        assert data.mid[own].tobytes() == part.mid.tobytes()
        assert data.spread[own].tobytes() == part.spread.tobytes()
        differ = (data.rows[own] != part.features) & ~(
            np.isnan(data.rows[own]) & np.isnan(part.features)
        )
        assert not differ.any(), [NAMES[i] for i in np.flatnonzero(differ.any(axis=0))]


def gave_its_second(ticks: TickArray, place: int) -> bool:
    """First of its second and alone in its millisecond, with another of the second behind it."""
    before, own, behind = (int(ticks["time_msc"][place + step]) for step in (-1, 0, 1))
    return before // 1000 < own // 1000 == behind // 1000 and behind > own


def withdrawn(server: Warehouse, time_msc: int) -> None:
    command(server, "ticks", "withdraw", "oanda", "EURUSD", str(time_msc), "--reason", "never was")


def command(server: Warehouse, *words: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TICKHOUSE_HOME", str(server.home))
        server.reached(patch)
        assert main(list(words)) == 0


def added(server: Warehouse, ticks: TickArray) -> None:
    """By a file of one tick, within the first gap of two seconds in the second half."""
    half = len(ticks) // 2
    seconds = ticks["time_msc"][half:] // 1000
    place = half + int(np.flatnonzero(np.diff(seconds) > 1)[0])
    late = ticks[place : place + 1].copy()
    late["time_msc"] = (late["time_msc"] // 1000 + 1) * 1000
    command(server, "import", str(tick_file(server.home / "late", "EURUSD_oanda", late)))


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    running = migrated(tmp_path_factory.mktemp("trained"), NAMES)
    try:
        yield running
    finally:
        running.stop()


def test_rows_that_saw_a_corrected_tick_are_a_replays_of_the_corrected_ones(
    server: Warehouse,
) -> None:
    ticks = ticks_of_a_source()
    decided = sampled(ticks)
    store(server, ticks, decided)
    before = read_dataset(server.client, "run-1", ALL)
    same_rows(before, decided)
    card = train(server.client, "run-1", ALL, QUICK, server.home / "models", False)

    place = len(ticks["EURUSD"]) * 2 // 3
    while ticks["EURUSD"]["seq"][place]:
        place += 1
    new = ticks["EURUSD"].copy()
    new["bid"][place] = np.round(new["bid"][place] + 0.002, 5)
    new["ask"][place] = np.round(new["ask"][place] + 0.002, 5)
    msc = int(new["time_msc"][place])
    correct(server.client, msc, new["bid"][place], new["ask"][place], "2026-03-09 09:00", what=())
    after = read_dataset(server.client, "run-1", ALL)
    same_rows(after, sampled(ticks | {"EURUSD": new}))
    assert before.version
    assert after.version
    assert after.version.known_us > before.version.known_us
    assert after.data_hash() != before.data_hash()

    # What was decided is what it was, and the data version of before gives what was read before.
    assert read_decided(server.client, "run-1", ALL).rows.tobytes() == before.rows.tobytes()
    again = read_dataset(server.client, "run-1", ALL, as_of_us=before.version.known_us)
    assert again.data_hash() == before.data_hash()
    now = read_dataset(server.client, "run-1", ALL, as_of_us=after.version.known_us)
    assert now.data_hash() == after.data_hash()

    # A tick that gave a row is taken back: the second's next tick gives it.
    taken = int(np.flatnonzero(new["time_msc"] > msc + 60_000)[0])
    while not gave_its_second(new, taken):
        taken += 1
    withdrawn(server, int(new["time_msc"][taken]))
    lacking = np.delete(new, taken)
    same_rows(read_dataset(server.client, "run-1", ALL), sampled(ticks | {"EURUSD": lacking}))
    now = read_dataset(server.client, "run-1", ALL, as_of_us=after.version.known_us)
    assert now.data_hash() == after.data_hash()
    after = read_dataset(server.client, "run-1", ALL)

    # So the dataset of a model is there as long as its rows and ticks are.
    assert rebuilt(server.client, card).data_hash() == card.data_hash == before.data_hash()
    retrained = train(server.client, "run-1", ALL, QUICK, server.home / "models", False)
    assert retrained.data_hash == after.data_hash()
    assert rebuilt(server.client, retrained).data_hash() == after.data_hash()

    # A tick that is added to a second in which nothing was decided makes no row, for nobody
    # decided on it; answers to rows before it see it, and the dataset of before is the same.
    added(server, ticks["EURUSD"])
    now = read_dataset(server.client, "run-1", ALL)
    assert now.time_us.tolist() == after.time_us.tolist()
    assert [len(q.time_us) for q in now.quotes] == [len(q.time_us) + n for q, n in zip(
        after.quotes, (1, 0), strict=True)]  # fmt: skip
    assert rebuilt(server.client, retrained).data_hash() == after.data_hash()
    assert rebuilt(server.client, card).data_hash() == card.data_hash
    after = now

    # From an hour's snapshot instead of the run's first tick: the same bits.
    hours = [s.hour_us for part in decided if part.symbol == "EURUSD" for s in part.snapshots]
    assert min(hours) < msc * 1000
    for part in decided:
        for snapshot in part.snapshots:
            server.client.insert(
                "kernel_state",
                [["run-1", "replay", "oanda", part.symbol, _time(snapshot.hour_us),
                  FEATURE_SET_HASH, snapshot.state]],
                column_names=["run_id", "mode", "source", "symbol", "ts_event",
                              "feature_set_hash", "state"],
            )  # fmt: skip
    assert read_dataset(server.client, "run-1", ALL).data_hash() == after.data_hash()

    # Rows that saw it are counted and marked, and the model that learnt before is named.
    for what in ("feature", "label"):
        row = Restatement("c1", what, ALL_OF_IT, trading_day(msc * 1000), "oanda", "EURUSD")
        rows.write(server.client, [row], at("2026-03-09 09:00"))
    settings = Settings(home=str(server.home), clickhouse=server.settings)
    learned.restate(Desk(settings, server.client, ManualClock(at("2026-03-09 10:00")), "ann"))
    marked = {
        (row.what, row.subject): row
        for row in rows.listed(server.client)
        if row.correction_id == "c1" and row.what in ("feature", "label", "model")
    }
    assert {row.status for row in marked.values()} == {"marked"}
    assert ("model", card.sha256) in marked
    assert ("model", retrained.sha256) not in marked
    own = next(part for part in decided if part.symbol == "EURUSD").time_msc
    other = next(part for part in decided if part.symbol == "XAUUSD").time_msc
    assert marked["feature", "run-1 EURUSD"].rows == (own >= msc).sum()
    near = (other >= msc) & (other <= msc + MEMORY_MSC)
    assert marked["feature", "run-1 XAUUSD"].rows == near.sum()
    horizon = settings.models.horizon_s * 1000
    answered = (own >= msc - horizon - 30_000) & (own <= msc)
    assert marked["label", "run-1 EURUSD"].rows == answered.sum()
    assert ("label", "run-1 XAUUSD") not in marked

    # What is gone is said.
    server.client.command("DELETE FROM feature WHERE symbol = 'XAUUSD'")
    with pytest.raises(ModelError, match="cannot be rebuilt"):
        rebuilt(server.client, card)


def test_corrections_far_apart_are_computed_apart() -> None:
    week = FORGOTTEN_MSC
    assert reaches(np.array([], np.int64)) == []
    assert reaches(np.array([5, 9, 9 + week, 20 + 2 * week + 1])) == [
        (5, 9 + 2 * week),
        (20 + 2 * week + 1, 20 + 3 * week + 1),
    ]
