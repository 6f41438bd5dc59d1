"""Each vendor's file gives the ticks that the normalised files have, and exact values."""

from pathlib import Path

import numpy as np
import pytest

from adapters.files.detect import open_file
from tests.unit.adapters.files.tick_files import assert_same_ticks, normalised, whole

LEAN = "raw/lean_quote_zip"
BI5 = "raw/dukascopy_bi5"


@pytest.mark.parametrize(
    ("path", "expected", "feed", "rows", "zone"),
    [
        (f"{LEAN}/forex/oanda/tick/eurusd/20140506_quote.zip", "EURUSD_oanda",
         ("oanda", "EURUSD"), 44_864, "UTC"),
        (f"{LEAN}/forex/fxcm/tick/eurusd/20140506_quote.zip", "EURUSD_fxcm",
         ("fxcm", "EURUSD"), 102_682, "-05:00"),
        (f"{LEAN}/cfd/oanda/tick/xauusd/20140504_quote.zip", "XAUUSD_oanda",
         ("oanda", "XAUUSD"), 9_889, "UTC"),
        (f"{BI5}/GBPJPY/2012/11/16/22h_ticks.bi5", "GBPJPY_dukascopy",
         ("dukascopy", "GBPJPY"), 5_100, "UTC"),
        (f"{BI5}/EURUSD/2019/01/04/13h_ticks.bi5", "EURUSD_dukascopy",
         ("dukascopy", "EURUSD"), 7_763, "UTC"),
        (f"{BI5}/BTCUSD/2023/01/20/13h_ticks.bi5", "BTCUSD_dukascopy",
         ("dukascopy", "BTCUSD"), 6_193, "UTC"),
        ("raw/truefx/usdjpy-ticks.csv", "USDJPY_truefx", ("truefx", "USDJPY"), 1_000, "UTC"),
    ],
)  # fmt: skip
def test_a_raw_file_equals_the_normalised_one(reference_data, path, expected, feed, rows, zone):
    file = open_file(reference_data / path)
    read = whole(file)
    assert (file.source, file.symbol) == feed
    assert file.zone.startswith(f"{zone} (")
    assert read.refused == []
    assert len(read.ticks) == rows
    assert_same_ticks(read.ticks, normalised(reference_data, expected))


def test_histdata_is_eastern_standard_time(reference_data):
    read = whole(
        open_file(reference_data / "raw/histdata_ascii/quote_tick_data.csv", symbol="EURUSD")
    )
    assert len(read.ticks) == 9_500
    assert_same_ticks(read.ticks, normalised(reference_data, "EURUSD_histdata2020"))
    assert read.rows.tolist() == list(range(1, 9_501))


def test_histdata_says_its_symbol_by_name_and_its_volume_is_no_trade(reference_data):
    file = open_file(reference_data / "raw/histdata_ascii/DAT_ASCII_EURUSD_T_201202.csv")
    read = whole(file)
    assert (file.source, file.symbol) == ("histdata", "EURUSD")
    assert read.ticks["volume_real"].tolist() == [0, 0, 0]
    assert read.ticks[["time_msc", "bid", "ask"]].tolist() == [
        (1_328_072_403_660, 1.3066, 1.30677),
        (1_328_072_403_973, 1.30658, 1.30675),
        (1_328_072_414_990, 1.30657, 1.30674),
    ]


def test_an_empty_bi5_is_an_hour_without_trading(reference_data):
    file = open_file(reference_data / BI5 / "GBPJPY/2012/11/01/00h_ticks.bi5")
    assert len(whole(file).ticks) == 0


def test_mt5_export_is_in_server_time(reference_data):
    path = reference_data / "raw/mt5_tab/mt5_ticks_tab_7rows.csv"
    read = whole(open_file(path, source="broker", symbol="EURGBP", tz="+02:00"))
    assert read.rows.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert read.ticks["time_msc"][0] == 1_668_085_200_017  # 2022-11-10 13:00:00.017 UTC
    assert read.ticks["bid"].tolist()[:2] == [0.86682, 0.86681]
    assert read.ticks["ask"].tolist()[:2] == [0.86712, 0.86710]
    assert read.ticks["flags"].tolist() == [6] * 7
    assert not read.ticks["last"].any()
    assert not read.ticks["volume_real"].any()


@pytest.mark.parametrize(("name", "rows", "first"), [("BTCUSD", 694, 978), ("ETHUSD", 536, None)])
def test_mt5_json_is_in_server_time_with_recorded_flags(reference_data, name, rows, first):
    (path,) = (reference_data / "raw/mt5_json").glob(f"{name}_*.json")
    file = open_file(path, tz="+01:00")
    read = whole(file)
    assert (file.source, file.symbol) == ("vantageinternational-demo", name)
    assert len(read.ticks) == rows
    assert set(read.ticks["flags"].tolist()) == {2, 4, 6}
    if first:
        assert read.ticks["time_msc"][0] == 1_772_874_222_978 - 3_600_000
        assert read.ticks["bid"][0] == 67606.99


def test_kraken_json_bears_out_its_own_offset(reference_data):
    (path,) = (reference_data / "raw/kraken_json").glob("*.json")
    file = open_file(path)
    read = whole(file)
    assert (file.source, file.symbol) == ("kraken", "SOLUSD")
    assert file.zone.startswith("UTC")
    assert read.ticks["time_msc"][0] == 1_772_870_790_580
    assert (read.ticks["last"][0], read.ticks["volume_real"][0]) == (84.27, 4.45645939)
    assert read.ticks["flags"][0] == 8 | 16 | 64


def test_mt4_style_csv_leaves_quoted_sizes_out(reference_data):
    path = reference_data / "raw/mt4_style_csv/2014-01-01--22h_ticks.csv"
    read = whole(open_file(path, source="x", symbol="EURUSD", tz="UTC"))
    assert len(read.ticks) == path.read_bytes().count(b"\n")
    assert read.ticks[["time_msc", "bid", "ask", "volume_real"]][0].tolist() == (
        1_388_613_658_616, 1.37553, 1.37637, 0.0,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "rows"), [("EURUSD_oanda", 416_628), ("BTCUSDT_binance", 37_797)])
def test_parquet_is_read_as_it_is(reference_data: Path, name: str, rows: int):
    file = open_file(reference_data / "ticks" / f"{name}.parquet")
    read = whole(file)
    assert f"{file.symbol}_{file.source}" == name
    assert len(read.ticks) == rows
    assert read.refused == []
    trades = read.ticks["flags"] & 8 > 0
    assert np.count_nonzero(trades) == (9_757 if name == "BTCUSDT_binance" else 0)
    assert (read.ticks["volume_real"][trades] > 0).all()
    assert (read.ticks["time"] == read.ticks["time_msc"] // 1000).all()
