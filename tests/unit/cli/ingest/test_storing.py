"""An import reads everything before it stores anything, and stores the same blocks every time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.clickhouse.tick_store import Changed, FileOfTicks
from adapters.files.assumptions import FileOptions
from cli.ingest.checking import check, expand
from cli.ingest.results import ImportResult
from cli.ingest.storing import BLOCK_TICKS, IngestRules, store_all
from core.contracts.tick import OUT_OF_ORDER, SAME_MILLISECOND, QuarantineBatch, TickArray
from core.errors import InputError
from tests.support.recordings import recorded_ticks

NOW = IngestRules(now_us=1_800_000_000_000_000)
NAME = "DAT_ASCII_EURUSD_T_202001.csv"
LATEST = np.datetime64("2020-01-01T17:00:00.000")


def run(
    paths: Sequence[Path], options: FileOptions, store: "Kept", rules: IngestRules
) -> ImportResult:
    return store_all(check(paths, options), store, rules)


class Kept:
    """A store that keeps what it is given, in order."""

    def __init__(self, *, takes_groups: bool = True) -> None:
        self.takes_groups, self.groups = takes_groups, list[list[str]]()
        self.calls: list[tuple[str, str, bytes]] = []
        self.batches: list[QuarantineBatch] = []
        self.feeds: dict[tuple[str, str], list[TickArray]] = {}

    def begin(self, file: FileOfTicks) -> None:
        self.feed = file.span[:2]

    def ticks(self, ticks: TickArray) -> None:
        self.calls.append((*self.feed, ticks.tobytes()))
        self.feeds.setdefault(self.feed, []).append(ticks)

    def end(self, *, refused: bool = False) -> Changed:
        return Changed(0, 0)

    def together(self, files: Sequence[tuple[FileOfTicks, TickArray]]) -> bool:
        self.groups.append([file.name for file, _ in files])
        if self.takes_groups:
            for file, ticks in files:
                self.begin(file)
                self.ticks(ticks)
        return self.takes_groups

    def quarantined(self, batch: QuarantineBatch) -> None:
        self.batches.append(batch)


def histdata(path: Path, rows: list[str]) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def rows(count: int, price: str = "1.1") -> list[str]:
    times = LATEST + np.arange(count).astype("m8[ms]") * 7
    texts = [str(t) for t in times]
    return [f"{t[:10].replace('-', '')} {t[11:].replace(':', '').replace('.', '')},{price},1.2,0"
            for t in texts]  # fmt: skip


def imported(paths, rules=NOW, **options):
    store = Kept()
    return run(paths, FileOptions(**options), store, rules), store


def test_a_damaged_file_anywhere_stores_nothing(tmp_path):
    good = histdata(tmp_path / NAME, rows(10))
    bad = histdata(tmp_path / "DAT_ASCII_EURUSD_T_202002.csv", ["20200201 170000065,1.1,0"])
    store = Kept()
    with pytest.raises(InputError, match="202002"):
        run([good, bad], FileOptions(), store, NOW)
    assert store.calls == []


def test_every_refused_row_is_quarantined_with_number_reason_and_origin(tmp_path):
    lines = rows(30)
    lines[3] = lines[3].replace("1.1", "nan")
    lines[4] = lines[4].replace("1.1", "-1")
    lines[5] = "what is this"
    lines[6] = lines[6].replace("2020", "2099")
    lines[7] = lines[6].replace("2099", "1989")
    result, store = imported([histdata(tmp_path / NAME, lines)])
    (batch,) = store.batches
    assert [(t.row, t.reason) for t in batch.ticks] == [
        (4, "nan_price"), (5, "non_positive_price"), (6, "unparseable"), (7, "future_time"),
        (8, "past_time"),
    ]  # fmt: skip
    assert batch.ticks[2].raw == "what is this"
    assert "bid=-1.0" in batch.ticks[1].raw
    name, _, digest = batch.origin.partition(":")
    assert (name, len(digest), batch.source, batch.symbol) == (NAME, 8, "histdata", "EURUSD")
    assert int(digest, 16) >= 0
    (file,) = result.files
    assert (file.rows, file.stored, file.quarantined.total()) == (30, 25, 5)


def test_flagged_ticks_are_kept_and_counted(tmp_path):
    lines = rows(6)
    lines[2] = lines[1]
    lines[4] = lines[0]
    lines[5] = lines[5].replace("1.1,", "1.3,")
    result, store = imported([histdata(tmp_path / NAME, lines)])
    (ticks,) = store.feeds["histdata", "EURUSD"]
    assert ticks["quality"].tolist() == [0, 0, SAME_MILLISECOND, 0, OUT_OF_ORDER, 1]
    assert ticks["seq"].tolist() == [0, 0, 1, 0, 1, 0]
    assert (ticks["ts_recv_us"] == ticks["time_msc"] * 1000).all()
    assert dict(result.files[0].flagged) == {"crossed": 1, "same ms": 1, "out of order": 1}


def test_a_second_import_sends_the_same_blocks(tmp_path):
    path = histdata(tmp_path / NAME, [*rows(BLOCK_TICKS + 10), "junk"])
    _, first = imported([path])
    _, second = imported([path], IngestRules(now_us=NOW.now_us + 10**9))
    assert [len(t) for t in first.feeds["histdata", "EURUSD"]] == [BLOCK_TICKS, 10]
    assert first.calls == second.calls
    assert first.batches == second.batches


def test_chunks_of_the_reader_do_not_move_the_blocks(tmp_path, monkeypatch):
    path = histdata(tmp_path / NAME, [*rows(1000), "junk", *rows(1000)])
    monkeypatch.setattr("cli.ingest.storing.BLOCK_TICKS", 300)
    _, complete = imported([path])
    monkeypatch.setattr("adapters.files.delimited.BLOCK_BYTES", 777)
    _, cut = imported([path])
    assert complete.calls == cut.calls
    assert complete.batches == cut.batches


def test_the_order_of_files_and_their_overlap_do_not_matter(tmp_path):
    lines = rows(100)
    one = histdata(tmp_path / NAME, lines[:60])
    two = histdata(tmp_path / "DAT_ASCII_EURUSD_T_202002.csv", lines[40:])

    def identities(paths):
        _, store = imported(paths)
        ticks = np.concatenate(store.feeds["histdata", "EURUSD"])
        assert not (ticks["quality"] & OUT_OF_ORDER).any()
        return set(ticks[["time_msc", "seq", "bid"]].tolist())

    assert identities([one, two]) == identities([two, one])
    assert len(identities([one, two])) == 100


def test_two_brokers_never_mix(recordings):
    names = ("EURUSD_oanda", "EURUSD_fxcm")
    result, store = imported([recordings / "ticks" / f"{name}.parquet" for name in names])
    counts = {feed: sum(map(len, parts)) for feed, parts in store.feeds.items()}
    oanda, other = recorded_ticks(names[0]), recorded_ticks(names[1])
    assert counts == {("oanda", "EURUSD"): len(oanda), ("fxcm", "EURUSD"): len(other)}
    fxcm = result.files[1]
    assert fxcm.flagged["crossed"] == np.sum(other["ask"] < other["bid"]) > 10_000
    assert fxcm.flagged["locked"] == np.sum(other["ask"] == other["bid"]) > 10_000
    assert result.files[0].flagged["same ms"] == np.sum(oanda["seq"] > 0) > 1_000
    assert fxcm.flagged["out of order"] == 0


def test_an_option_never_puts_two_feeds_under_one_name(recordings, tmp_path):
    unnamed = histdata(tmp_path / "ticks.csv", rows(3))
    named = histdata(tmp_path / "DAT_ASCII_GBPUSD_T_202001.csv", rows(3))
    with pytest.raises(InputError, match=r"GBPUSD_T.*says GBPUSD, not EURUSD: .*--symbol"):
        imported([unnamed, named], symbol="EURUSD")
    brokers = [recordings / "ticks" / f"EURUSD_{name}.parquet" for name in ("oanda", "fxcm")]
    with pytest.raises(InputError, match="says oanda, not mine"):
        imported(brokers, source="mine")
    export = tmp_path / "EURUSD_202211100000_202211102359.csv"
    export.write_text("<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n")
    with pytest.raises(InputError, match=r"says EST, not \+02:00"):
        imported([named, export], source="histdata", tz="+02:00")


def test_an_option_corrects_what_all_files_say_alike(tmp_path):
    paths = [histdata(tmp_path / f"DAT_ASCII_EURUSD_T_20200{i}.csv", rows(3)) for i in (1, 2)]
    result, store = imported(paths, source="mine", tz="UTC")
    assert list(store.feeds) == [("mine", "EURUSD")]
    assert result.files[0].zone == "UTC (option)"
    assert result.files[0].first_msc == int(LATEST.astype("M8[ms]").astype(np.int64))


@pytest.mark.parametrize(
    ("symbol", "advice"), [("EURUSDm", "--symbol EURUSD if it is that one"), ("FOO", "describe it")]
)
def test_a_symbol_that_nobody_described_is_refused_before_anything_is_stored(
    tmp_path, symbol, advice
):
    path = histdata(tmp_path / NAME, rows(5))
    store = Kept()
    with pytest.raises(InputError, match=f"{symbol} is no instrument known here.*{advice}"):
        run([path], FileOptions(symbol=symbol), store, NOW)
    assert store.calls == []
    assert store.batches == []


@pytest.mark.parametrize(
    ("factor", "unit"), [(1e-3, "seconds"), (1e3, "microseconds"), (1e6, "nanoseconds")]
)
def test_times_in_another_unit_are_refused_before_anything_is_stored(tmp_path, factor, unit):
    path = tmp_path / "EURUSD_x.parquet"
    times = (np.array([1_577_898_000_000, 1_577_898_001_000]) * factor).astype(np.int64)
    pq.write_table(pa.table({"time_msc": times, "bid": [1.1, 1.1], "ask": [1.2, 1.2]}), path)
    with pytest.raises(InputError, match=f"its times look like {unit} .* convert them"):
        imported([path])


def test_files_with_more_than_a_share_in_quarantine_are_told(tmp_path):
    lines = [*rows(97), "junk", "junk", "junk"]
    result, _ = imported([histdata(tmp_path / NAME, lines)])
    assert [file.path.name for file in result.beyond(0.01)] == [NAME]
    assert result.beyond(0.03) == []


def test_a_feed_cut_into_files_is_stored_as_one_that_is_not(tmp_path):
    lines = rows(40)
    _, whole = imported([histdata(tmp_path / NAME, lines)])
    names = [f"DAT_ASCII_EURUSD_T_20200{part}.csv" for part in (2, 3, 4, 5)]
    parts = [histdata(tmp_path / name, lines[13 * i :][:13]) for i, name in enumerate(names)]
    _, cut = imported(parts)
    refusing = Kept(takes_groups=False)
    run(parts, FileOptions(), refusing, NOW)
    one, *many = (np.concatenate(s.feeds["histdata", "EURUSD"]) for s in (whole, cut, refusing))
    assert [some.tobytes() for some in many] == [one.tobytes()] * 2
    assert cut.groups == refusing.groups == [names]


def test_only_neighbours_of_a_feed_in_the_order_of_time_are_stored_together(tmp_path):
    lines, name = rows(60), "DAT_ASCII_{}_T_20200{}.csv".format
    files = [("EURUSD", 1, 0, 10), ("EURUSD", 2, 9, 20), ("EURUSD", 3, 20, 30), ("EURUSD", 4, 5, 8),
             ("GBPUSD", 1, 0, 9), ("GBPUSD", 2, 9, 20), ("GBPUSD", 3, 20, 60)]  # fmt: skip
    paths = [histdata(tmp_path / name(s, n), lines[begin:end]) for s, n, begin, end in files]
    _, store = imported(paths)
    assert store.groups == [
        [name("EURUSD", n) for n in (2, 3)], [name("GBPUSD", n) for n in (1, 2, 3)],
    ]  # fmt: skip
    assert imported(paths, NOW._replace(complete=True))[1].groups == []


def test_a_file_with_hardly_a_readable_row_is_refused(tmp_path):
    lines = rows(1) + ["20200101 170000065;x,1,1,1"] * 30
    path = histdata(tmp_path / NAME, lines)
    with pytest.raises(InputError, match=r"row 2: of 31 rows 30 unparseable"):
        imported([path])


def test_a_file_changed_between_check_and_storing_is_not_stored(tmp_path):
    path = histdata(tmp_path / NAME, rows(5))
    checked, store = check([path], FileOptions()), Kept()
    histdata(path, rows(6))
    with pytest.raises(InputError, match="was changed"):
        store_all(checked, store, NOW)
    assert store.calls == []
    other = histdata(tmp_path / NAME.replace("202001", "202102"), rows(6))
    checked = check([path, other], FileOptions())
    histdata(path, rows(7))
    with pytest.raises(InputError, match="was changed"):
        store_all(checked, store, NOW)
    assert store.calls == []


@pytest.mark.reference
def test_folders_give_their_known_files_and_name_the_others(reference_data):
    chosen, skipped = expand([reference_data / "raw", reference_data / "raw/truefx"])
    assert len(chosen) == len(set(chosen)) == 16
    assert [p.name for p in skipped] == ["ethusdt_20240808.gz", "USDCHFd1_head500.csv"]


def test_a_folder_without_tick_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing\n")
    with pytest.raises(InputError, match="holds no file of a known format"):
        expand([tmp_path])


@pytest.mark.parametrize("room", [0, 70, 2_097_152])
def test_what_is_not_kept_while_checking_is_read_again(tmp_path, monkeypatch, room):
    files = [histdata(tmp_path / f"DAT_ASCII_EURUSD_T_20200{n}.csv", rows(50)) for n in (1, 2, 3)]
    monkeypatch.setattr("cli.ingest.checking.KEPT_TICKS", room)
    checked = check(files, FileOptions())
    assert [len(one.kept) > 0 for one in checked.files] == [room >= 50 * n for n in (1, 2, 3)]
    store, whole = Kept(takes_groups=False), Kept(takes_groups=False)
    result = store_all(checked, store, NOW)
    assert [file.stored for file in result.files] == [50, 50, 50]
    monkeypatch.setattr("cli.ingest.checking.KEPT_TICKS", 0)
    run(files, FileOptions(), whole, NOW)
    assert store.calls == whole.calls
