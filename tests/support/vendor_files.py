"""Writes ticks in the formats of vendors, as their files are: generated ticks to read back.

Each function returns the path. `ticks` have dtype TICK and times in UTC.
"""

import json
import lzma
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from core.contracts.tick import TickArray

DAY_MSC, HOUR_MSC = 86_400_000, 3_600_000
EST, ATHENS_IN_SUMMER = timezone(timedelta(hours=-5)), timezone(timedelta(hours=3))
_FLAG_NAMES = {2: "BID", 4: "ASK", 6: "BID ASK"}


def of_day(ticks: TickArray, day: date, zone: timezone = UTC) -> TickArray:
    """The ticks of one calendar day of a zone."""
    return _between(ticks, _msc(datetime(day.year, day.month, day.day, tzinfo=zone)), DAY_MSC)


def of_hour(ticks: TickArray, hour: datetime) -> TickArray:
    """The ticks of one hour."""
    return _between(ticks, _msc(hour), HOUR_MSC)


def lean(folder: Path, source: str, symbol: str, ticks: TickArray, day: date) -> Path:
    """LEAN's zip of a day, in LEAN's zone of the source."""
    zone = EST if source == "fxcm" else UTC
    part, midnight = of_day(ticks, day, zone), _msc(datetime(*day.timetuple()[:3], tzinfo=zone))
    path = folder / f"forex/{source}/tick/{symbol.lower()}/{day:%Y%m%d}_quote.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = (f"{t['time_msc'] - midnight},{t['bid']:.5f},{t['ask']:.5f}" for t in part)
        archive.writestr(f"{day:%Y%m%d}_{symbol.lower()}_tick_quote.csv", _lines(rows))
    return path


def bi5(folder: Path, symbol: str, ticks: TickArray, hour: datetime, digits: int) -> Path:
    """Dukascopy's file of an hour."""
    name = f"{symbol}/{hour.year}/{hour.month - 1:02d}/{hour.day:02d}/{hour.hour:02d}h_ticks.bi5"
    return _written(folder / name, bi5_content(of_hour(ticks, hour), hour, digits))


def bi5_content(ticks: TickArray, hour: datetime, digits: int) -> bytes:
    """The LZMA stream of an hour's records."""
    records = np.zeros(len(ticks), [("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("s", ">f4", 2)])
    records["ms"] = ticks["time_msc"] - _msc(hour)
    for side in ("ask", "bid"):
        records[side] = np.round(ticks[side] * 10**digits)
    records["s"] = 1.5
    return lzma.compress(records.tobytes(), lzma.FORMAT_ALONE)


def histdata(folder: Path, symbol: str, ticks: TickArray) -> Path:
    """HistData's ASCII, in Eastern Standard Time."""
    rows = (
        f"{_local(t, EST):%Y%m%d %H%M%S}{t['time_msc'] % 1000:03d},{t['bid']:.6f},{t['ask']:.6f},0"
        for t in ticks
    )
    return _written(folder / f"DAT_ASCII_{symbol}_T_201405.csv", _lines(rows))


def truefx(folder: Path, symbol: str, ticks: TickArray) -> Path:
    """TrueFX as published."""
    pair = f"{symbol[:3]}/{symbol[3:]}"
    rows = (
        f"{pair},{_local(t, UTC):%Y%m%d %H:%M:%S}.{t['time_msc'] % 1000:03d},"
        f"{t['bid']:.5f},{t['ask']:.5f}"
        for t in ticks
    )
    return _written(folder / f"{symbol}-2014-05.csv", _lines(rows))


def mt5_export(folder: Path, symbol: str, ticks: TickArray) -> Path:
    """A terminal's tick export in Athens' summer time: unchanged prices are empty, lines CRLF."""
    rows = ["<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>"]
    for t in ticks:
        bid = f"{t['bid']:.5f}" if t["flags"] & 2 else ""
        ask = f"{t['ask']:.5f}" if t["flags"] & 4 else ""
        time = f"{_local(t, ATHENS_IN_SUMMER):%Y.%m.%d\t%H:%M:%S}.{t['time_msc'] % 1000:03d}"
        rows.append(f"{time}\t{bid}\t{ask}\t\t\t{t['flags']}")
    return _written(folder / f"{symbol}_201405010000_201405012359.csv", _lines(rows, "\r\n"))


def mt4_csv(folder: Path, ticks: TickArray) -> Path:
    """Ticks as MT4 tools write them, with quoted sizes."""
    rows = (
        f"{_local(t, UTC):%Y.%m.%d %H:%M:%S}.{t['time_msc'] % 1000:03d},"
        f"{t['bid']:.5f},{t['ask']:.5f},1.5,0.75"
        for t in ticks
    )
    return _written(folder / "ticks.csv", _lines(rows))


def mt5_json(folder: Path, symbol: str, ticks: TickArray, ahead_msc: int, claimed_h: int) -> Path:
    """A recording by an expert advisor: server time, and what its metadata claim of it."""
    rows = [
        {
            "timestamp": "", "time_msc": int(t["time_msc"]) + ahead_msc, "bid": float(t["bid"]),
            "ask": float(t["ask"]), "last": 0.0, "tick_volume": 0, "real_volume": 0.0,
            "tick_flags": _FLAG_NAMES.get(int(t["flags"]), "BID"),
            "collected_msc": int(t["time_msc"]) + 40,
        }
        for t in ticks
    ]  # fmt: skip
    metadata = {"symbol": symbol, "broker": "Broker-Demo", "broker_utc_offset_hours": claimed_h}
    content = {"metadata": metadata, "ticks": rows, "summary": {"total_ticks": len(rows)}}
    return _written(folder / f"{symbol}_ticks.json", json.dumps(content, indent=1))


def _between(ticks: TickArray, start_msc: int, lasts_msc: int) -> TickArray:
    time = ticks["time_msc"]
    return ticks[(time >= start_msc) & (time < start_msc + lasts_msc)]


def _local(tick: np.void, zone: timezone) -> datetime:
    return datetime.fromtimestamp(int(tick["time_msc"]) // 1000, zone)


def _msc(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _lines(rows: Iterable[str], end: str = "\n") -> str:
    return "".join(f"{row}{end}" for row in rows)


def _written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
