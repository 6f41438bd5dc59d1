"""What is refused, and that the message names the file, the place and the remedy."""

import io
import lzma
import re
import shutil
import zipfile
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.files.detect import open_file, reader_of
from core.errors import InputError
from tests.support import vendor_files
from tests.support.recordings import recorded_ticks
from tests.unit.adapters.files.tick_files import whole, written

HISTDATA = "20200101 170000065,1.121200,1.121720,0\n"
HOUR = datetime(2014, 5, 1, 12, tzinfo=UTC)
BI5 = "XAUUSD/2014/04/01/12h_ticks.bi5"
SOME = recorded_ticks("EURUSD_oanda")[:1_000]


def hour_of_gold():
    """The bytes of a Dukascopy file."""
    gold = vendor_files.of_hour(recorded_ticks("XAUUSD_oanda"), HOUR)
    return vendor_files.bi5_content(gold, HOUR, 3)


def refused(path, **options):
    """The error of reading a file to its end."""
    with pytest.raises(InputError) as caught:
        whole(open_file(path, **options))
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("ticks.csv", HISTDATA, "--symbol"),
        ("t.csv", "2014.01.01 22:00:58.616,1.3,1.4,1,1\n", "--source --symbol --tz"),
        ("t.csv", "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n",
         "--source --symbol --tz"),
        ("t.csv", "timestamp,bid,ask\n2013-01-01 22:00:00,1,2\n", "--source --symbol --tz"),
        ("t.csv", "timestamp,bid,ask\n2013-01-01T22:00:00Z,1,2\n", "--source --symbol"),
    ],
)  # fmt: skip
def test_what_a_file_does_not_say_is_asked_for_all_at_once(tmp_path, name, text, options):
    error = refused(written(tmp_path / name, text))
    assert str(error).endswith(f": give {options}")


def test_options_settle_what_is_ambiguous(tmp_path):
    path = written(tmp_path / "t.csv", "timestamp,bid,ask\n2013-07-01 22:00:00,1,2\n")
    file = open_file(path, source="s", symbol="EURUSD", tz="Europe/Athens")
    assert (file.source, file.symbol, file.zone) == ("s", "EURUSD", "Europe/Athens (option)")
    assert whole(file).ticks["time_msc"].tolist() == [1_372_705_200_000]  # 19:00 UTC


def test_an_option_does_not_contradict_times_that_state_utc(tmp_path):
    path = written(tmp_path / "t.csv", "timestamp,bid,ask\n2013-01-01 22:00:00+00:00,1,2\n")
    error = refused(path, source="s", symbol="EURUSD", tz="EST")
    assert "leave out --tz" in str(error)
    assert open_file(path, source="s", symbol="EURUSD", tz="UTC").zone.startswith("UTC")


def test_a_zone_that_does_not_exist_is_named(tmp_path):
    path = written(tmp_path / "DAT_ASCII_EURUSD_T_202001.csv", HISTDATA)
    assert "'Mars/Base' is no time zone" in str(refused(path, tz="Mars/Base"))


def test_json_whose_offset_contradicts_its_ticks_asks_for_the_zone(tmp_path):
    path = vendor_files.mt5_json(tmp_path, "EURUSD", SOME, 3_600_000, 0)
    error = refused(path)
    assert "claims the server is 0 h ahead of UTC, but its ticks are 1.00 h ahead" in str(error)
    assert "give --tz" in str(error)


@pytest.mark.parametrize("keep", [0.999, 0.5, 0.01])
def test_truncated_parquet(recordings, tmp_path, keep):
    content = (recordings / "ticks/USDJPY_truefx.parquet").read_bytes()
    path = written(tmp_path / "USDJPY_truefx.parquet", content[: int(len(content) * keep)])
    assert "is not a whole parquet" in str(refused(path))


def test_parquet_with_damaged_pages(recordings, tmp_path):
    content = bytearray((recordings / "ticks/USDJPY_truefx.parquet").read_bytes())
    content[4:1204] = bytes(1200)
    path = written(tmp_path / "USDJPY_truefx.parquet", bytes(content))
    assert "is not a whole parquet" in str(refused(path))


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"time_msc": [1], "bid": [1.0]}, "column ask is missing; it has time_msc, bid"),
        ({"time_msc": ["x"], "bid": [1.0], "ask": [1.0]}, "column time_msc is of type"),
    ],
)
def test_parquet_of_another_shape(tmp_path, columns, problem):
    pq.write_table(pa.table(columns), tmp_path / "EURUSD_x.parquet")
    assert problem in str(refused(tmp_path / "EURUSD_x.parquet"))


def test_parquet_rows_of_another_symbol_or_without_time_are_handed_back(tmp_path):
    path = tmp_path / "EURUSD_x.parquet"
    columns = {
        "symbol": ["EURUSD", "GBPUSD", "EURUSD", None],
        "time_msc": [1, 2, None, 4],
        "bid": [1.0, 1.0, 1.0, None],
        "ask": [2.0, None, 2.0, 2.0],
    }
    pq.write_table(pa.table(columns), path)
    read = whole(open_file(path))
    assert read.rows.tolist() == [1]
    assert [(r.row, r.reason) for r in read.refused] == [
        (2, "unknown_symbol"), (3, "unparseable"), (4, "unknown_symbol"),
    ]  # fmt: skip


def test_a_null_price_becomes_nan(tmp_path):
    columns = {"time_msc": [1, 2], "bid": [1.0, None], "ask": [2.0, 2.0]}
    pq.write_table(pa.table(columns), tmp_path / "EURUSD_x.parquet")
    assert np.isnan(whole(open_file(tmp_path / "EURUSD_x.parquet")).ticks["bid"][1])


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda b: b[:9000], "row .*ends in the middle of the LZMA stream"),
        (lambda b: b"not lzma at all" * 10, "row 1: is not LZMA"),
        (lambda b: b + b"more", "has bytes that are no whole record"),
        (lambda b: lzma.compress(lzma.decompress(b)[:-7], lzma.FORMAT_ALONE), "no whole record"),
        (
            lambda b: lzma.compress(
                np.array([0, 3_600_000], ">u4").repeat(5).tobytes(), lzma.FORMAT_ALONE
            ),
            "row 2: 3600000 ms is not within its hour",
        ),
    ],
)
def test_damaged_bi5(tmp_path, damage, problem):
    path = written(tmp_path / BI5, damage(hour_of_gold()))
    assert re.search(problem, str(refused(path)))


def test_bi5_outside_its_folders_and_of_unknown_points(tmp_path):
    content = hour_of_gold()
    assert "SYMBOL/YYYY/MM/DD" in str(refused(written(tmp_path / "22h_ticks.bi5", content)))
    assert "no such hour" in str(
        refused(written(tmp_path / "XAUUSD/2014/12/01/12h_ticks.bi5", content))
    )
    unknown = written(tmp_path / "LIGHTCMDUSD/2014/04/01/12h_ticks.bi5", content)
    assert "give --point" in str(refused(unknown))
    first = vendor_files.of_hour(recorded_ticks("XAUUSD_oanda"), HOUR)["bid"][0]
    assert whole(open_file(unknown, point=0.001)).ticks["bid"][0] == first


def zipped(path, name="20140506_eurusd_tick_quote.csv", text="158,1.38742,1.38755\n"):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return written(path, memory.getvalue())


def test_zips_that_are_not_lean(tmp_path):
    folder = tmp_path / "forex/oanda/tick/eurusd"
    good = folder / "20140506_quote.zip"
    assert len(whole(open_file(zipped(good))).ticks) == 1
    assert "holds 0 CSV files" in str(refused(zipped(good, "readme.md")))
    assert "is not a whole zip" in str(refused(written(good, good.read_bytes()[:-30])))
    assert "its name gives the date" in str(refused(zipped(folder / "20140506_trade.zip")))
    assert "give --source --tz" in str(refused(zipped(tmp_path / "20140506_quote.zip")))
    columns = refused(zipped(good, text="158,1.38742\n"))
    assert "row 1: 2 columns where 3 are needed (milliseconds, bid, ask)" in str(columns)


def test_a_zip_with_damaged_content(tmp_path):
    path = tmp_path / "forex/oanda/tick/eurusd/20140506_quote.zip"
    content = bytearray(zipped(path, text="158,1.38742,1.38755\n" * 5000).read_bytes())
    content[100:110] = bytes(10)
    assert "the zip is damaged" in str(refused(written(path, bytes(content))))


def test_lean_milliseconds_are_cut_and_stay_within_the_day(tmp_path):
    path = tmp_path / "forex/oanda/tick/eurusd/20140506_quote.zip"
    text = "79200613.9668,1.1,1.2\n86400000,1.1,1.2\n-1,1.1,1.2\n"
    read = whole(open_file(zipped(path, text=text)))
    assert (read.ticks["time_msc"] - 1_399_334_400_000).tolist() == [79_200_613]
    assert [r.row for r in read.refused] == [2, 3]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (HISTDATA.encode("utf-16"), "row 1: is UTF-16 text"),
        (HISTDATA.encode() * 200 + b"\0" * 50 + HISTDATA.encode(), "is zero: this is not a text"),
        (b"\x1f\x8b\x08 compressed", "the gzip is damaged"),
        (b"Date,open,high,low,close\n", "is of no format known here"),
        (b'{"metadata": {}}', 'no list "ticks"'),
        (b'{"metadata": {"symbol": "X"}, "ticks": [{"time_msc": 1, ', "not whole"),
        (b"20200101 170000065,1.121200,0\n" * 3, "row 1: 3 columns where 4 are needed"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path, content, problem):
    path = written(tmp_path / "DAT_ASCII_EURUSD_T_202001.csv", content)
    assert problem in str(refused(path, source="s", tz="UTC"))


def test_a_missing_file_and_a_folder(tmp_path):
    assert "cannot be read" in str(refused(tmp_path / "none.csv"))
    assert "cannot be read" in str(refused(tmp_path))


def test_json_that_breaks_off(tmp_path):
    source = vendor_files.mt5_json(tmp_path, "EURUSD", SOME, 3_600_000, 0)
    path = written(tmp_path / "x.json", source.read_bytes()[:100_000])
    error = refused(path, tz="+01:00")
    assert "ends in the middle of the list of ticks" in str(error)
    assert error.row is not None
    assert error.row > 100


def test_a_parquet_that_is_named_after_another_symbol_is_refused_unread(tmp_path):
    path = tmp_path / "EURUSD_x.parquet"
    rows = {"time_msc": [1, 2], "bid": [1.0, 1.0], "ask": [1.0, 1.0]}
    pq.write_table(pa.table({"symbol": ["GBPUSD", "GBPUSD"], **rows}), path)
    assert "says GBPUSD, and nowhere EURUSD" in str(refused(path))
    pq.write_table(pa.table({"symbol": ["EURUSD", "GBPUSD"], **rows}), path)
    assert [r.reason for r in whole(open_file(path)).refused] == ["unknown_symbol"]


def test_a_byte_order_mark_is_no_hindrance(tmp_path):
    path = written(tmp_path / "DAT_ASCII_EURUSD_T_202001.csv", b"\xef\xbb\xbf" + HISTDATA.encode())
    assert len(whole(open_file(path)).ticks) == 1


def test_original_truefx_says_its_symbol_in_every_row(tmp_path):
    text = (
        "EUR/USD,20120102 00:00:00.123,1.2943,1.2945\n"
        "GBP/USD,20120102 00:00:00.124,1.5,1.6\n"
        "EUR/USD,20120102 00:00:01.000,1.2944,1.2945\n"
    )
    file = open_file(written(tmp_path / "any.csv", text))
    read = whole(file)
    assert (file.source, file.symbol) == ("truefx", "EURUSD")
    assert read.ticks[["time_msc", "bid", "flags"]].tolist() == [
        (1_325_462_400_123, 1.2943, 6), (1_325_462_401_000, 1.2944, 6),
    ]  # fmt: skip
    assert [(r.row, r.reason) for r in read.refused] == [(2, "unknown_symbol")]


def test_iso_times_with_every_kind_of_fraction_and_offset(tmp_path):
    times = ["2013-01-01 22:00:00", "2013-01-01T22:00:00.5Z", "2013-01-01T22:00:00.250Z",
             "2013-01-02 00:00:00.295999+02:00", "2013-01-01 16:30:00.000000001-05:30"]  # fmt: skip
    text = "timestamp,bid,ask\n" + "".join(f"{t},1,2\n" for t in times)
    read = whole(open_file(written(tmp_path / "t.csv", text), source="s", symbol="X", tz="EST"))
    start = 1_357_077_600_000
    assert (read.ticks["time_msc"] - start).tolist() == [5 * 3_600_000, 500, 250, 295, 0]
    assert read.refused == []


def test_iso_columns_are_found_by_name(tmp_path):
    rows = "2013-01-01T22:00:00Z,{}\n"
    text = "timestamp,ask,bid\n" + rows.format("2,1")
    (tick,) = whole(open_file(written(tmp_path / "a.csv", text), source="s", symbol="X")).ticks
    assert (tick["bid"], tick["ask"]) == (1.0, 2.0)
    missing = refused(written(tmp_path / "b.csv", "timestamp,bid\n" + rows.format("2")))
    assert str(missing).endswith("row 1: column ask is missing; it has timestamp, bid")


def test_only_known_formats_have_a_reader(recordings, tmp_path):
    bars = (
        "Date,open,high,low,close,tick_volume\n2012-05-17,127801.0,128071.0,127681.0,127842.0,9\n"
    )
    assert reader_of(written(tmp_path / "USDCHFd1.csv", bars)) is None
    copy = tmp_path / "no_suffix"
    shutil.copy(recordings / "ticks/USDJPY_truefx.parquet", copy)
    assert open_file(copy, source="truefx").symbol == "USDJPY"
