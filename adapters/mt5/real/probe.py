"""Find out a broker's clock and symbol names from its terminal: measured, never assumed.

Two measurements of the clock. *Now*: a tick that arrives while we watch was made just now, so its
time less ours is the offset. *Before*: forex opens on Sunday 17:00 in New York, so the first
tick of each past week tells the offset of that week, also on the other side of a change of
clocks. The rule is the one that explains all of them.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from adapters.mt5.protocol.constants import COPY_TICKS_ALL
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.server_clock import QUARTER_S, OffsetRule, rule_offset_s
from core.errors import SettingsError, UnavailableError
from core.instruments import NEW_YORK

_LEAST_ARRIVALS, _ENOUGH_ARRIVALS = 3, 12
_WORST_RESIDUAL_S = 120.0
_LATE_S = 600  # the first tick of a week comes so late at most

#: Zones that brokers run on, the usual one first, each with seconds ahead of it.
CONVENTIONS = (
    ("America/New_York", 7 * 3600),
    ("Europe/Athens", 0),
    ("Europe/London", 0),
    ("Europe/Berlin", 0),
    ("America/New_York", 0),
    ("", 0),
)

#: What brokers call instruments whose names are not made of two currencies.
ALIASES = {
    "XAUUSD": ("GOLD",),
    "XAGUSD": ("SILVER",),
    "BTCUSD": ("BITCOIN", "BTCUSDT"),
    "ETHUSD": ("ETHEREUM", "ETHUSDT"),
}


class Measured(NamedTuple):
    """The clock now. `residual_s`: what is left of the median when rounded; transport and drift."""

    offset_s: int
    residual_s: float
    arrivals: int


class WeekOpen(NamedTuple):
    """First tick of one week: when New York opened (UTC), and how far ahead the server was."""

    opened_s: int
    offset_s: int


def measure(
    terminal: Terminal,
    names: Iterable[str],
    now_s: Callable[[], float],
    wait: Callable[[float], Any],
    *,
    patience_s: float = 30.0,
    pause_s: float = 0.02,
) -> Measured:
    """The server's offset from ticks that arrive while we watch.

    Raises:
        UnavailableError: too few ticks arrived (market closed?), or they do not fit one offset.
    """
    last: dict[str, int] = {}
    ahead_s: list[float] = []
    names = tuple(names)
    deadline = now_s() + patience_s
    while len(ahead_s) < _ENOUGH_ARRIVALS and now_s() < deadline:
        for name in names:
            tick = terminal.symbol_info_tick(name)
            if tick is None:
                continue
            if last.setdefault(name, tick.time_msc) != tick.time_msc:
                last[name] = tick.time_msc
                ahead_s.append(tick.time_msc / 1000 - now_s())
        wait(pause_s)
    if len(ahead_s) < _LEAST_ARRIVALS:
        raise UnavailableError(
            f"only {len(ahead_s)} ticks of {', '.join(names)} arrived in {patience_s:.0f} s, so "
            "the server's clock cannot be measured: try again while the market is open"
        )
    middle = statistics.median(ahead_s)
    offset = round(middle / QUARTER_S) * QUARTER_S
    if abs(middle - offset) > _WORST_RESIDUAL_S:
        raise UnavailableError(
            f"the server is {middle:.0f} s ahead of this machine, which is no offset of a time "
            "zone: set this machine's clock (NTP), then try again"
        )
    return Measured(offset, middle - offset, len(ahead_s))


def week_opens(terminal: Terminal, name: str, now_s: float, weeks: int) -> list[WeekOpen]:
    """Openings of the last weeks that the terminal's history shows, oldest first.

    Only forex shows them; an instrument that trades at weekends gives none.
    """
    openings = []
    for opened in _sundays(now_s, weeks):
        # The server is between 12 h behind and 14 h ahead of UTC, so this is in the weekend.
        begin = opened - 13 * 3600
        ticks = terminal.copy_ticks_from(name, begin, 1, COPY_TICKS_ALL)
        if ticks is None or not len(ticks):
            continue
        first = int(ticks["time_msc"][0]) // 1000
        offset = (first - opened) // QUARTER_S * QUARTER_S
        opens_late = first - opened - offset > _LATE_S
        if begin + QUARTER_S < first <= opened + 15 * 3600 and not opens_late:
            openings.append(WeekOpen(opened, offset))
    return openings


def explain(now: Measured, now_s: float, opens: Sequence[WeekOpen]) -> tuple[OffsetRule, int]:
    """The rule of the clock, and how many conventions explain all that was seen.

    With 1 the rule is proved by a change of clocks in the past. With 0 none fits, and with more
    several do: then the rule is the offset of now, which a person has to look at again when
    clocks change.
    """
    observed = [*opens, WeekOpen(int(now_s), now.offset_s)]
    since = datetime.fromtimestamp(min(o.opened_s for o in observed) // QUARTER_S * QUARTER_S, UTC)
    fitting = []
    for zone, ahead in CONVENTIONS:
        rule = OffsetRule(since, zone, ahead)
        if all(rule_offset_s(rule, o.opened_s) == o.offset_s for o in observed):
            fitting.append(rule)
    if len(fitting) == 1:
        return fitting[0], 1
    start = datetime.fromtimestamp(now_s // QUARTER_S * QUARTER_S, UTC)
    return OffsetRule(start, "", now.offset_s), len(fitting)


def match_symbols(
    wanted: Iterable[str], offered: Iterable[str], chosen: Mapping[str, str]
) -> dict[str, str]:
    """The broker's name of each of our symbols.

    The plain name wins; else the only one that is ours with something around it (`EURUSD.r`,
    `mEURUSD`) or an alias (`GOLD`). `chosen` overrides.

    Raises:
        SettingsError: none fits, several do, or a chosen one does not exist.
    """
    offered = tuple(offered)
    matched = {}
    for ours in wanted:
        if ours in chosen:
            fits = [name for name in offered if name == chosen[ours]]
        else:
            fits = _fitting(ours, offered)
        if len(fits) != 1:
            problem = f"may be any of {', '.join(fits)}" if fits else "is not offered"
            near = [name for name in offered if name[:3].upper() == ours[:3]] or offered
            raise SettingsError(
                f"{chosen.get(ours, ours)} {problem} by this terminal; say which is meant: "
                f"--symbol {ours}=NAME (it offers {', '.join(near[:8])})"
            )
        matched[ours] = fits[0]
    return matched


def _fitting(ours: str, offered: Sequence[str]) -> list[str]:
    if ours in offered:
        return [ours]
    for stem in (ours, *ALIASES.get(ours, ())):
        fits = [name for name in offered if stem in name.upper().replace("/", "")]
        if fits:
            return fits
    return []


def _sundays(now_s: float, weeks: int) -> list[int]:
    """The last so many Sundays, 17:00 New York, as UTC seconds, oldest first."""
    local = datetime.fromtimestamp(now_s, NEW_YORK)
    sunday = (local - timedelta(days=(local.weekday() + 1) % 7)).replace(
        hour=17, minute=0, second=0, microsecond=0
    )
    all_of_them = (sunday - timedelta(weeks=week) for week in range(weeks + 1))
    return sorted(int(s.timestamp()) for s in all_of_them if s.timestamp() + 15 * 3600 < now_s)
