"""A reader never mistakes a good row, and says so when a file is not whole."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from adapters.files.base import BUY, LAST, SELL, VOLUME
from adapters.files.detect import open_file
from core.errors import InputError
from tests.support import vendor_files
from tests.support.recordings import recorded_ticks
from tests.unit.adapters.files.tick_files import assert_same_ticks, whole, written

ISO = "2013-01-01T22:00:00.{:03d}+00:00,1.10000,1.20000\n"
HISTDATA = "20200101 1700{:02d}065,1.121200,1.121720,10\n"
NAME = "DAT_ASCII_EURUSD_T_202001.csv"


def read(path, **options):
    return whole(open_file(path, **{"source": "s", "symbol": "EURUSD", "tz": "UTC", **options}))


def test_an_odd_line_costs_no_good_row_of_an_equally_long_layout(tmp_path):
    rows = [ISO.format(i) for i in range(500)]
    rows[250] = "2013-01-01 22:00:00.123456789,1.10000,1.20000\n"  # 29 characters too
    rows[300] = "not a time at all............,1.10000,1.20000\n"
    ticks = read(written(tmp_path / "t.csv", "timestamp,bid,ask\n" + "".join(rows)))
    assert len(ticks.ticks) == 499
    assert [row.row for row in ticks.refused] == [302]
    expected = np.delete(np.where(np.arange(500) == 250, 123, np.arange(500)), 300)
    assert (ticks.ticks["time_msc"] % 1000).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("last", "why"),
    [("20200101 1700", "in time"), ("20200101 170040065,1.1212", "columns"),
     ("20200101 170040065,1.121200,1.121720,1", "the last number")],
)  # fmt: skip
def test_a_file_cut_in_its_last_row_is_refused_and_taken_without_it_on_request(tmp_path, last, why):
    text = "".join(HISTDATA.format(i) for i in range(30)) + last
    path = written(tmp_path / NAME, text)
    with pytest.raises(InputError, match=r"row 31: ends in the middle of a row .*--accept-cut"):
        whole(open_file(path))
    assert len(whole(open_file(path, accept_cut=True)).ticks) == 30


def test_a_last_row_without_a_line_end_may_be_whole(tmp_path):
    text = "".join(HISTDATA.format(i) for i in range(30)).rstrip("\n")
    assert len(whole(open_file(written(tmp_path / NAME, text))).ticks) == 30
    one = written(tmp_path / "t.csv", "timestamp,bid,ask\n2013-01-01T22:00:00Z,1,2")
    assert len(read(one).ticks) == 1


def test_a_lean_zip_of_another_day_than_its_name_is_refused(tmp_path):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("20140507_eurusd_tick_quote.csv", "158,1.38742,1.38755\n")
    path = tmp_path / "forex/oanda/tick/eurusd/20140506_quote.zip"
    with pytest.raises(InputError, match=r"holds 20140507_eurusd_tick_quote\.csv, another day"):
        open_file(written(path, memory.getvalue()))


@pytest.mark.parametrize(
    "text",
    [
        "timestamp;bid;ask\n2020-01-01 00:00:01.5;1,10001;1,10002\n",
        "Gmt time,Ask,Bid,AskVolume,BidVolume\n01.01.2020 00:00:01.500,1.10002,1.10001,1,1\n",
        "Time (UTC),Ask,Bid,AskVolume,BidVolume\n2020.01.01 00:00:01.500,1.10002,1.10001,1,1\n",
        "Local time,Ask,Bid,AskVolume,BidVolume\n"
        "01.01.2020 02:00:01.500 GMT+0200,1.10002,1.10001,1,1\n",
        "timestamp,askPrice,bidPrice,askVolume,bidVolume\n1577836801500,1.10002,1.10001,1,1\n",
    ],
)
def test_headers_of_other_tools_say_the_same_tick(tmp_path, text):
    file = open_file(written(tmp_path / "eurusd-ticks.csv", text), source="s", tz="UTC")
    (tick,) = whole(file).ticks[["time_msc", "bid", "ask"]].tolist()
    assert tick == (1_577_836_801_500, 1.10001, 1.10002)
    if "Volume" in text:
        assert open_file(file.path).source == "dukascopy"


def test_dukascopy_s_eastern_european_time_has_its_summer(tmp_path):
    text = "Time (EET),Ask,Bid,AskVolume,BidVolume\n2020.07.01 03:00:00.000,1.2,1.1,1,1\n"
    file = open_file(written(tmp_path / "EURUSD.csv", text))
    assert (file.source, file.zone) == ("dukascopy", "EET (its header)")
    assert whole(file).ticks["time_msc"].tolist() == [1_593_561_600_000]


TRADES = "1,61700.10,0.002,123.4,1709251200123,True,True\n2,61700.20,0.5,1.0,{},false,True\n"


@pytest.mark.parametrize("pack", ["csv", "gz", "zip"])
def test_binance_trades_of_spot_files(tmp_path, pack):
    text = TRADES.format("1709251200124567").encode()  # microseconds, as newer files have
    name = "BTCUSDT-trades-2024-03-01"
    path = tmp_path / f"{name}.{'csv.gz' if pack == 'gz' else pack}"
    if pack == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.csv", text)
    else:
        path.write_bytes(gzip.compress(text) if pack == "gz" else text)
    file = open_file(path)
    assert (file.source, file.symbol) == ("binance-trades", "BTCUSDT")
    ticks = whole(file).ticks
    assert ticks[["time_msc", "bid", "ask", "last", "volume_real", "flags"]].tolist() == [
        (1_709_251_200_123, 61700.1, 61700.1, 61700.1, 0.002, LAST | VOLUME | SELL),
        (1_709_251_200_124, 61700.2, 61700.2, 61700.2, 0.5, LAST | VOLUME | BUY),
    ]


def test_binance_book_tickers_and_aggregated_trades_with_headers(tmp_path):
    book = written(
        tmp_path / "BTCUSDT-bookTicker-2024-03-01.csv",
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n1,61700.1,1,61700.2,2,1709251200123,1709251200130\n",
    )
    file = open_file(book)
    assert (file.source, file.symbol) == ("binance", "BTCUSDT")
    assert whole(file).ticks[["time_msc", "bid", "ask"]].tolist() == [
        (1_709_251_200_123, 61700.1, 61700.2)
    ]
    trades = written(
        tmp_path / "BTCUSDT-aggTrades-2024-03.csv",
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        "9,61700.1,0.25,1,2,1709251200123,true\n9,61700.1,0.25,1,2,1709251200124,perhaps\n",
    )
    read = whole(open_file(trades))
    assert read.ticks[["last", "volume_real", "flags"]].tolist() == [
        (61700.1, 0.25, LAST | VOLUME | SELL)
    ]
    assert [row.row for row in read.refused] == [3]


def test_a_text_file_may_be_gzipped_or_zipped(tmp_path):
    ticks = recorded_ticks("EURUSD_oanda")[:1_000]
    plain = vendor_files.histdata(tmp_path, "EURUSD", ticks).read_bytes()
    packed = written(tmp_path / "DAT_ASCII_EURUSD_T_201405.csv.gz", gzip.compress(plain))
    assert_same_ticks(whole(open_file(packed, symbol="EURUSD")).ticks, ticks)
    with zipfile.ZipFile(tmp_path / "DAT_ASCII_EURUSD_T201405.zip", "w") as archive:
        archive.writestr("DAT_ASCII_EURUSD_T_201405.csv", plain)
        archive.writestr("readme.txt", "from the vendor")
    zipped = open_file(tmp_path / "DAT_ASCII_EURUSD_T201405.zip")
    assert zipped.format == "HistData ASCII"
    assert_same_ticks(whole(zipped).ticks, ticks)
    broken = written(tmp_path / "half.csv.gz", gzip.compress(plain)[:-400])
    with pytest.raises(InputError, match="the gzip is damaged"):
        whole(open_file(broken, symbol="EURUSD"))
