"""How old the newest tick of each subscribed symbol is, and whether it ought to be younger."""

from datetime import UTC, datetime

import msgspec

from core.clock import Clock
from core.home_users import READER, sign_in
from core.instruments import instrument, is_open
from core.settings import Settings

STALE_AFTER_S = 60.0  # while the market is open
_HOUR_US = 3_600_000_000
_LONGEST_CLOSE_H = 24 * 7


class FeedStatus(msgspec.Struct, frozen=True):
    """One symbol of the terminal's source."""

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
    """The terminal's symbols, each with its newest tick in the warehouse at `url`.

    Raises:
        UnavailableError, WarehouseError: it does not answer, or has no tables yet.
    """
    newest = _newest(settings, url)
    source, now_us = settings.terminal.source, clock.now_us()
    return [
        feed(source, symbol, newest.get(symbol, 0), started_us, now_us)
        for symbol in settings.terminal.symbols
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


def _newest(settings: Settings, url: str) -> dict[str, int]:
    from adapters.clickhouse import client

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), READER)
    with client.errors_translated():
        answer = client.connect(where).query(
            "SELECT symbol, toUnixTimestamp64Micro(max(ts_event)) FROM tick"
            " WHERE source = {source:String} GROUP BY symbol",
            parameters={"source": settings.terminal.source},
        )
    return {str(symbol): int(last_us) for symbol, last_us in answer.result_rows}
