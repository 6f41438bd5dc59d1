"""How old the newest tick of each collected symbol is, and whether it ought to be younger."""

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from core.clock import Clock
from core.home_users import READER, sign_in
from core.instruments import instrument, is_open
from core.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

STALE_AFTER_S = 60.0  # while the market is open
_HOUR_US = 3_600_000_000
_LONGEST_CLOSE_H = 24 * 7
_COLLECTED = (
    "SELECT name FROM session_part FINAL WHERE kind = 'feed' AND session_id IN"
    " (SELECT session_id FROM running_mode WHERE status = 'running') ORDER BY name"
)


class FeedStatus(msgspec.Struct, frozen=True):
    """One symbol of a source."""

    source: str
    symbol: str
    last_us: int  # newest stored tick, market time; 0: none yet
    age_s: float
    waited_s: float  # since that tick or since the stack started, whichever is later
    market: str  # open, closed, unknown (no reference data)
    opens_us: int  # when a closed market opens next; 0 otherwise

    @property
    def stale(self) -> bool:
        """The market is open and no tick came for a minute."""
        return self.market == "open" and self.waited_s > STALE_AFTER_S


def feeds(settings: Settings, url: str, started_us: int, clock: Clock) -> list[FeedStatus]:
    """What the running session collects, each feed with its newest tick in the warehouse at `url`.

    The session says what that is, whatever the settings of who asks; they do where none is noted.

    Raises:
        UnavailableError, WarehouseError: it does not answer, or has no tables yet.
    """
    from adapters.clickhouse import client

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), READER)
    terminal, now_us = settings.terminal, clock.now_us()
    with client.errors_translated(), contextlib.closing(client.connect(where)) as connection:
        expected = [_pair(str(name)) for (name,) in connection.query(_COLLECTED).result_rows]
        expected = expected or [(terminal.source, symbol) for symbol in terminal.symbols]
        newest = _newest(connection, expected)
    return [
        feed(source, symbol, newest.get((source, symbol), 0), started_us, now_us)
        for source, symbol in expected
    ]


def feed(source: str, symbol: str, last_us: int, started_us: int, now_us: int) -> FeedStatus:
    """One symbol at a time; all times in microseconds, UTC."""
    known = instrument(symbol, now_us)
    age_s = (now_us - last_us) / 1e6 if last_us else 0.0
    waited_s = (now_us - max(last_us, started_us)) / 1e6
    market, opens_us = "unknown", 0
    if known is not None:
        market = "open" if is_open(known.session, now_us) else "closed"
    if known is not None and market == "closed":
        opens_us = next_open_us(known.session, now_us)
    return FeedStatus(source, symbol, last_us, age_s, waited_s, market, opens_us)


def next_open_us(session: str, now_us: int) -> int:
    """When a closed session opens: the start of an hour (sessions hold for whole UTC hours)."""
    hour = now_us // _HOUR_US
    for ahead in range(1, _LONGEST_CLOSE_H + 1):
        if is_open(session, (hour + ahead) * _HOUR_US):
            return (hour + ahead) * _HOUR_US
    return 0


def market_text(feed: FeedStatus) -> str:
    """For a person."""
    if not feed.opens_us:
        return feed.market
    opens = datetime.fromtimestamp(feed.opens_us / 1e6, UTC)
    return f"closed, opens {opens:%a %d %b %H:%M} UTC"


def _pair(feed: str) -> tuple[str, str]:
    source, _, symbol = feed.partition("/")
    return source, symbol


def _newest(connection: "Client", expected: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    answer = connection.query(
        "SELECT source, symbol, toUnixTimestamp64Micro(max(ts_event)) FROM tick"
        " WHERE (source, symbol) IN {expected:Array(Tuple(String, String))}"
        " GROUP BY source, symbol",
        parameters={"expected": expected},
    )
    return {(str(source), str(symbol)): int(at) for source, symbol, at in answer.result_rows}
