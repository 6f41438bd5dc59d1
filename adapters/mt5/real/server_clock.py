"""A broker's server clock: dated rules from its wall clock, which MT5 labels as UTC, to UTC.

A rule says how far the server's clock is ahead of UTC from a moment on: by a fixed number of
seconds, or by a zone's own offset plus some seconds. Most brokers run on New York + 7 h, so that
the trading day ends at midnight; some on a European zone, whose summer begins on other days.

Where a clock is put back an hour repeats: its times are read as the later of the two.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
import numpy.typing as npt

from core.errors import SettingsError

#: Clocks change at multiples of this, so within one an offset is constant.
QUARTER_S = 900


class OffsetRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the server is ahead of UTC, from `since` on."""

    since: datetime  # UTC, a full quarter of an hour
    zone: str = ""  # IANA name; empty: UTC
    ahead_s: int = 0  # ahead of `zone`


class ServerClock:
    """Converts between a server's seconds and UTC seconds, both as epoch.

    Args:
        rules: in the order of `since`. What lies before the first is read by the first.

    Raises:
        SettingsError: no rule, rules out of order, an unknown zone, an odd `since`.
    """

    def __init__(self, rules: Sequence[OffsetRule]) -> None:
        if not rules:
            raise SettingsError("no rule for the server's clock; measure it: tickhouse connect")
        self._since = [_checked(rule) for rule in rules]
        if self._since != sorted(set(self._since)):
            raise SettingsError("the clock's rules are not in the order of `since`")
        self._rules = tuple(rules)

    def offset_s(self, utc_s: float) -> int:
        """Seconds that the server is ahead of UTC at a moment."""
        return self._offset(int(utc_s // QUARTER_S))

    def to_server(self, utc_s: float) -> float:
        """What the server's clock shows at a moment."""
        return utc_s + self.offset_s(utc_s)

    def to_utc(self, server_s: float) -> float:
        """When the server's clock shows this; the later moment where it shows it twice."""
        guess = self.offset_s(server_s - self.offset_s(server_s))
        return server_s - self.offset_s(server_s - guess)

    def to_utc_msc(self, server_msc: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """`to_utc` for an array of milliseconds in ascending order."""
        if not len(server_msc):
            return server_msc
        quarters = server_msc // (QUARTER_S * 1000)
        if quarters[0] == quarters[-1]:
            return server_msc - self._quarter_msc(int(quarters[0]))
        distinct, which = np.unique(quarters, return_inverse=True)
        offsets = np.array([self._quarter_msc(int(q)) for q in distinct], np.int64)
        return server_msc - offsets[which]

    def _quarter_msc(self, quarter: int) -> int:
        start = quarter * QUARTER_S
        return round(start - self.to_utc(start)) * 1000

    @lru_cache(maxsize=4096)  # noqa: B019 - one clock lives as long as its process
    def _offset(self, quarter: int) -> int:
        utc_s = quarter * QUARTER_S
        current = self._rules[0]
        for since, rule in zip(self._since, self._rules, strict=True):
            if since <= utc_s:
                current = rule
        return rule_offset_s(current, utc_s)


def rule_offset_s(rule: OffsetRule, utc_s: float) -> int:
    """Seconds ahead of UTC that one rule gives at a moment."""
    if not rule.zone:
        return rule.ahead_s
    there = datetime.fromtimestamp(utc_s, ZoneInfo(rule.zone)).utcoffset()
    assert there is not None  # of an aware time
    return round(there.total_seconds()) + rule.ahead_s


def shifted_ticks(clock: ServerClock, ticks: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy of MT5 ticks with `time` and `time_msc` in UTC."""
    shifted = ticks.copy()
    shifted["time_msc"] = clock.to_utc_msc(ticks["time_msc"])
    shifted["time"] = shifted["time_msc"] // 1000
    return shifted


def _checked(rule: OffsetRule) -> int:
    if rule.since.tzinfo is None:
        raise SettingsError(f"clock rule since {rule.since}: write it in UTC, with a Z at the end")
    since = rule.since.astimezone(UTC).timestamp()
    if since % QUARTER_S or rule.ahead_s % QUARTER_S:
        raise SettingsError(f"clock rule since {rule.since}: use full quarters of an hour")
    if rule.zone:
        try:
            ZoneInfo(rule.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"clock rule: no zone {rule.zone!r}; see tzdata") from error
    return round(since)
