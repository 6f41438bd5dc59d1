"""Generated ticks written in each vendor's format are read back as they were."""

from datetime import UTC, date, datetime

import pytest

from adapters.files.detect import open_file
from tests.support import vendor_files
from tests.support.recordings import recorded_ticks
from tests.unit.adapters.files.tick_files import assert_same_ticks, whole

DAY = date(2014, 5, 2)
HOUR = datetime(2014, 5, 2, 12, tzinfo=UTC)  # with payrolls in it


@pytest.mark.parametrize("source", ["oanda", "fxcm"])
def test_a_lean_zip_is_a_day_in_its_source_s_zone(tmp_path, source):
    ticks = recorded_ticks(f"EURUSD_{source}")
    file = open_file(vendor_files.lean(tmp_path, source, "EURUSD", ticks, DAY))
    read = whole(file)
    assert (file.source, file.symbol) == (source, "EURUSD")
    assert file.zone.startswith("-05:00 (" if source == "fxcm" else "UTC (")
    assert len(read.ticks) > 20_000
    assert_same_ticks(read.ticks, ticks)


@pytest.mark.parametrize(("symbol", "digits"), [("EURUSD", 5), ("XAUUSD", 3)])
def test_a_bi5_is_an_hour_in_points_of_its_symbol(tmp_path, symbol, digits):
    ticks = recorded_ticks(f"{symbol}_oanda")
    file = open_file(vendor_files.bi5(tmp_path, symbol, ticks, HOUR, digits))
    read = whole(file)
    assert (file.source, file.symbol) == ("dukascopy", symbol)
    assert len(read.ticks) == len(vendor_files.of_hour(ticks, HOUR)) > 1_000
    assert_same_ticks(read.ticks, ticks)


def test_an_empty_bi5_is_an_hour_without_trading(tmp_path):
    path = tmp_path / "EURUSD/2014/04/03/12h_ticks.bi5"
    path.parent.mkdir(parents=True)
    path.touch()
    assert len(whole(open_file(path)).ticks) == 0


def test_histdata_is_eastern_standard_time_and_says_its_symbol_by_name(tmp_path):
    ticks = recorded_ticks("EURUSD_oanda")[:5_000]
    file = open_file(vendor_files.histdata(tmp_path, "EURUSD", ticks))
    read = whole(file)
    assert (file.source, file.symbol) == ("histdata", "EURUSD")
    assert_same_ticks(read.ticks, ticks)
    assert read.rows.tolist() == list(range(1, 5_001))
    assert not read.ticks["volume_real"].any()


def test_truefx_says_its_symbol_in_each_row(tmp_path):
    ticks = recorded_ticks("USDJPY_truefx")
    file = open_file(vendor_files.truefx(tmp_path, "USDJPY", ticks))
    assert (file.source, file.symbol) == ("truefx", "USDJPY")
    assert_same_ticks(whole(file).ticks, ticks)


def test_an_mt5_export_is_in_server_time_and_leaves_out_what_did_not_change(tmp_path):
    ticks = recorded_ticks("EURUSD_fxcm")[:5_000]
    path = vendor_files.mt5_export(tmp_path, "EURUSD", ticks)
    read = whole(open_file(path, source="broker", tz="Europe/Athens"))
    assert_same_ticks(read.ticks, ticks)
    assert read.rows.tolist() == list(range(2, 5_002))


def test_mt4_style_csv_leaves_quoted_sizes_out(tmp_path):
    ticks = recorded_ticks("EURUSD_oanda")[:1_000]
    path = vendor_files.mt4_csv(tmp_path, ticks)
    read = whole(open_file(path, source="x", symbol="EURUSD", tz="UTC"))
    assert_same_ticks(read.ticks, ticks)
    assert not read.ticks["volume_real"].any()


def test_a_recording_s_offset_holds_when_its_ticks_bear_it_out(tmp_path):
    ticks = recorded_ticks("EURUSD_oanda")[:1_000]
    path = vendor_files.mt5_json(tmp_path, "EURUSD", ticks, 3 * 3_600_000, 3)
    file = open_file(path)
    assert (file.source, file.symbol) == ("broker-demo", "EURUSD")
    read = whole(file)
    assert read.ticks["time_msc"].tolist() == ticks["time_msc"].tolist()
    assert read.ticks["bid"].tolist() == ticks["bid"].tolist()


def test_crypto_trades_keep_their_price_volume_and_side(recordings):
    read = whole(open_file(recordings / "ticks/BTCUSDT_binance.parquet"))
    ticks = recorded_ticks("BTCUSDT_binance")
    assert read.ticks["flags"].tolist() == ticks["flags"].tolist()
    assert read.ticks["last"].tolist() == ticks["last"].tolist()
    assert read.ticks["volume_real"].tolist() == ticks["volume"].tolist()
    assert (read.ticks["flags"] & 8 > 0).sum() > 5_000
