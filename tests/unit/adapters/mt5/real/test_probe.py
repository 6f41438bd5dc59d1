"""A broker's clock measured from ticks, and its symbols found by name."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.mt5.protocol.results import Tick
from adapters.mt5.real import probe
from adapters.mt5.real.probe import Measured
from adapters.mt5.real.server_clock import rule_offset_s
from core.errors import SettingsError, UnavailableError
from tests.support.markets import ticks

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()


class Replayed:
    """A terminal whose newest tick is what a recorder saw at its own clock."""

    def __init__(self, seen: list[tuple[int, int]]) -> None:
        """`seen`: (collected_msc, time_msc), in order."""
        self._seen, self._next = seen, 0

    def now_s(self) -> float:
        return self._seen[self._next][0] / 1000

    def wait(self, _: float) -> None:
        self._next = min(self._next + 1, len(self._seen) - 1)

    def symbol_info_tick(self, _: str) -> Tick:
        time_msc = self._seen[self._next][1]
        return Tick(
            time=time_msc // 1000, bid=1.0, ask=1.0, last=0.0, volume=0, time_msc=time_msc,
            flags=6, volume_real=0.0,
        )  # fmt: skip


@pytest.mark.parametrize(("symbol", "residual"), [("BTCUSD", 0.6), ("ETHUSD", 1.1)])
def test_a_recording_of_a_real_server_is_an_hour_ahead(
    reference_data: Path, symbol: str, residual: float
) -> None:
    """Its metadata claims an offset of 0."""
    (path,) = (reference_data / "raw" / "mt5_json").glob(f"{symbol}_*.json")
    recorded = json.loads(path.read_text())
    assert recorded["metadata"]["broker_utc_offset_hours"] == 0
    seen = Replayed([(t["collected_msc"], t["time_msc"]) for t in recorded["ticks"]])
    result = probe.measure(seen, [symbol], seen.now_s, seen.wait)  # type: ignore[arg-type]
    assert result.offset_s == 3600
    assert result.residual_s == pytest.approx(residual, abs=0.3)


def test_a_closed_market_is_said_so() -> None:
    standing = Replayed([(1000 * i, 500) for i in range(60)])
    with pytest.raises(UnavailableError, match="while the market is open"):
        probe.measure(standing, ["EURUSD"], standing.now_s, standing.wait)  # type: ignore[arg-type]


def test_a_clock_that_is_wrong_by_minutes_is_no_time_zone() -> None:
    odd = Replayed([(100 * i, 100 * i + 300_000) for i in range(400)])
    with pytest.raises(UnavailableError, match="NTP"):
        probe.measure(odd, ["EURUSD"], odd.now_s, odd.wait)  # type: ignore[arg-type]


class Weekly:
    """A terminal with a tick an hour from Sunday 17:00 to Friday 17:00 in New York."""

    def __init__(self, zone: str, ahead_h: int = 0) -> None:
        self._zone, self._ahead_s = ZoneInfo(zone), ahead_h * 3600

    def offset_s(self, utc_s: float) -> int:
        there = datetime.fromtimestamp(utc_s, self._zone).utcoffset()
        assert there is not None
        return int(there.total_seconds()) + self._ahead_s

    def copy_ticks_from(self, _: str, begin: float, count: int, __: int) -> Any:
        rows = []
        for utc in range(int(begin) - 86_400, int(begin) + 3 * 86_400, 3600):
            local = datetime.fromtimestamp(utc, probe.NEW_YORK)
            day = (local - timedelta(hours=17)).weekday()  # 6: from Sunday 17:00
            at = utc + self.offset_s(utc) + 4  # the first tick is a little late
            if day in (6, 0, 1, 2, 3) and at >= begin:
                rows.append((at * 1000, 1.0, 1.0))
        return ticks(rows[:count])


@pytest.mark.parametrize(
    ("zone", "ahead_h"),
    [("America/New_York", 7), ("Europe/Athens", 0), ("Europe/London", 0), ("UTC", 0)],
)
def test_a_years_openings_tell_the_rule(zone: str, ahead_h: int) -> None:
    server = Weekly(zone, ahead_h)
    opens = probe.week_opens(server, "EURUSD", NOW, 53)  # type: ignore[arg-type]
    assert len(opens) >= 52
    now = Measured(server.offset_s(NOW), 0.1, 9)
    rule, explained = probe.explain(now, NOW, opens)
    assert explained == 1
    year = [NOW - day * 86_400 for day in range(365)]
    assert [rule_offset_s(rule, t) for t in year] == [server.offset_s(t) for t in year]


def test_without_history_only_the_offset_of_now_is_claimed() -> None:
    rule, explained = probe.explain(Measured(7200, 0.0, 5), NOW, [])
    assert (rule.zone, rule.ahead_s, rule.since.timestamp()) == ("", 7200, NOW)
    assert explained > 1


def test_names_with_something_around_them_and_aliases_are_found() -> None:
    offered = ["EURUSD.r", "GOLD.r", "USDJPY.r", "EURJPY.r", "BTCUSD"]
    wanted = ("EURUSD", "XAUUSD", "BTCUSD")
    assert probe.match_symbols(wanted, offered, {}) == {
        "EURUSD": "EURUSD.r", "XAUUSD": "GOLD.r", "BTCUSD": "BTCUSD",
    }  # fmt: skip


def test_two_candidates_are_for_a_person_to_choose() -> None:
    offered = ["EURUSD.r", "EURUSD.ecn"]
    with pytest.raises(SettingsError, match="--symbol EURUSD=NAME"):
        probe.match_symbols(["EURUSD"], offered, {})
    chosen = {"EURUSD": "EURUSD.ecn"}
    assert probe.match_symbols(["EURUSD"], offered, chosen) == chosen
    with pytest.raises(SettingsError, match="is not offered"):
        probe.match_symbols(["EURUSD"], offered, {"EURUSD": "EURUSD.x"})
