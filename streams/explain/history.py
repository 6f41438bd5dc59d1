"""The ticks behind a decision as they were known when it was made.

Prices are corrected afterwards and ticks come in late. A live stream saw each tick as it came in
and no correction since; a replay saw what its files said. When those were read is not always known,
and clocks are set back: whichever state of knowledge gives the decision's bits is the one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.contracts.tick import TICK, TickArray
from features.peers import MEMORY_MSC
from streams.explain.facts import Facts, Start

_SQL = Path(__file__).parent
_TICKS, _VERSIONS = ((_SQL / f"{name}.sql").read_text() for name in ("ticks", "versions_of"))
_TIMES = npt.NDArray[np.int64]
#: All that is known today; and each tick as the live stream had it.
NOW, STREAMED = np.iinfo(np.int64).max, -1
_MOST = 16  # states of knowledge that are tried


class FeedHistory(NamedTuple):
    """Ticks of a feed as they are known today, and versions of those that changed.

    `known_us`: when each became known, 0 for one that came in live. Rows of `versions` are in the
    order of tick and version; when each became known and whether it takes the tick back is beside.
    """

    ticks: TickArray
    known_us: _TIMES
    versions: TickArray
    versions_us: _TIMES
    withdrawn: npt.NDArray[np.bool_]

    def at(self, moment_us: int) -> TickArray:
        """The ticks as they were known at a moment, or STREAMED."""
        if moment_us == NOW:
            return self.ticks
        streamed = moment_us == STREAMED
        changed = np.isin(_identity(self.ticks), _identity(self.versions))
        kept = self.ticks[~changed & (self.known_us <= (0 if streamed else moment_us))]
        versions = self._first() if streamed else self._newest(moment_us)
        ticks = np.concatenate([kept, versions])
        in_order: TickArray = ticks[np.lexsort((ticks["seq"], ticks["time_msc"]))]
        return in_order

    def _first(self) -> TickArray:
        """What ticks that changed later were when they came in live."""
        identity = _identity(self.versions)
        first = np.append(True, identity[1:] != identity[:-1])[: len(identity)]
        came_in: TickArray = self.versions[
            first & (self.versions_us == self.versions["ts_recv_us"])
        ]
        return came_in

    def _newest(self, moment_us: int) -> TickArray:
        """What ticks that changed were at a moment; those taken back are none."""
        known = self.versions_us <= moment_us
        versions, withdrawn = self.versions[known], self.withdrawn[known]
        identity = _identity(versions)
        last = np.append(identity[1:] != identity[:-1], True)[: len(identity)]
        newest: TickArray = versions[last & ~withdrawn]
        return newest


class History(NamedTuple):
    """Of all feeds of a decision, by symbol."""

    feeds: dict[str, FeedHistory]

    def at(self, moment_us: int) -> dict[str, TickArray]:
        """All feeds' ticks as they were known at a moment."""
        return {symbol: feed.at(moment_us) for symbol, feed in self.feeds.items()}

    def moments(self, *, live: bool) -> Iterator[int]:
        """States of knowledge that differ, the likeliest first; one when nothing changed."""
        changes = sorted({t for feed in self.feeds.values() for t in _changes(feed)})[-_MOST:]
        if changes and live:
            yield STREAMED
        yield NOW
        yield from (change - 1 for change in reversed(changes))


def read(client: Client, facts: Facts) -> History:
    """Ticks by symbol up to the decision's tick, with their versions.

    From the kernels' beginning; with a snapshot from what peers need before its hour, and of each
    feed the last tick before that.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    return History({feed.symbol: _feed(client, facts, feed) for feed in facts.feeds})


def _feed(client: Client, facts: Facts, start: Start) -> FeedHistory:
    signal, begin, begin_seq = facts.signal, start.time_us, start.seq
    since_us = facts.hour.hour_us - MEMORY_MSC * 1000
    if facts.hour.state and since_us > start.time_us:
        begin, begin_seq = since_us, 0
    own = start.symbol == signal.symbol
    given = {
        "source": start.source, "symbol": start.symbol, "from": begin, "from_seq": begin_seq,
        "first": start.time_us, "first_seq": start.seq,
        "to": signal.ts_event_us, "to_seq": signal.seq if own else 1 << 31,
    }  # fmt: skip
    ticks, (known,) = _read(client, _TICKS, given, 1)
    live = known == ticks["ts_recv_us"]
    versions, (versions_us, withdrawn) = _read(client, _VERSIONS, given, 2)
    return FeedHistory(ticks, np.where(live, 0, known), versions, versions_us, withdrawn > 0)


def _read(
    client: Client, query: str, given: dict[str, Any], beside: int
) -> tuple[TickArray, list[_TIMES]]:
    """Ticks, and as many columns beside them."""
    parts, columns = [np.empty(0, TICK)], [[np.empty(0, np.int64)] for _ in range(beside)]
    names = TICK.names or ()
    context = client.create_query_context(query, given, use_numpy=True)
    with errors_translated(), client.query_column_block_stream(context=context) as blocks:
        for block in blocks:
            part = np.zeros(len(block[0]), TICK)
            for name, values in zip(names, block, strict=False):
                part[name] = values
            parts.append(part)
            for column, values in zip(columns, block[len(names) :], strict=True):
                column.append(np.asarray(values, np.int64))
    return np.concatenate(parts), [np.concatenate(column) for column in columns]


def _changes(feed: FeedHistory) -> set[int]:
    """When what is known of a feed changed after ticks of it were known."""
    later = feed.known_us[feed.known_us > 0]
    return {*np.unique(later).tolist(), *np.unique(feed.versions_us).tolist()}


def _identity(ticks: TickArray) -> _TIMES:
    identity: _TIMES = ticks["time_msc"] * (1 << 20) + ticks["seq"]
    return identity
