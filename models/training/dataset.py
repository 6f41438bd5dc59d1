"""Feature rows from the warehouse as one matrix.

Blocks arrive as NumPy columns and go straight into a matrix of the right size, so memory stays
near one copy of the data.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.tick_reader import read_ticks
from core.contracts.tick import OUT_OF_ORDER
from features.catalog import FEATURE_SET_HASH, NAMES
from features.own import LoadedFeature
from models.serving.card import DataVersion, Span
from models.training.corrected import FORGOTTEN_MSC, FeedRows, Source, corrected
from models.training.labels import MidSeries

_FEEDS_SQL = Path(__file__).with_name("feeds.sql").read_text()
_ROWS_SQL = Path(__file__).with_name("dataset.sql").read_text()
_FAR_MSC = 9_000_000_000_000  # the year 2255, which DateTime64 still has
_VERSION_SQL = Path(__file__).with_name("data_version.sql").read_text()
_AS_OF_SQL = Path(__file__).with_name("as_of.sql").read_text()


class Dataset(NamedTuple):
    """Rows of several feeds, feed by feed, each in time order.

    Attributes:
        rows: features in catalogue order, float32 [n, F].
        time_us: market time, int64 [n].
        mid, spread: price units, float64 [n].
        feed: index into `feeds`, int32 [n].
        feeds: `source.symbol`.
        simulated: a feed is of a generated market.
        name: hash of query, run, span, sources and feature set: what was asked for. The same
            name with another `data_hash` means that the warehouse has changed since.
        quotes: every tick of each feed within the span, to answer rows with; or none.
        version: what it takes to read it again as it is, whatever is corrected later.
        own: a person's own features, whose columns follow the catalogue's.
        set_hash: of the feature set with them.
    """

    rows: npt.NDArray[np.float32]
    time_us: npt.NDArray[np.int64]
    mid: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    feed: npt.NDArray[np.int32]
    feeds: tuple[str, ...]
    simulated: bool = False
    name: str = ""
    quotes: tuple[MidSeries, ...] = ()
    version: DataVersion | None = None
    own: tuple[LoadedFeature, ...] = ()
    set_hash: str = FEATURE_SET_HASH

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return (*NAMES, *(one.feature.name for one in self.own))

    def data_hash(self) -> str:
        """SHA-256 over every value."""
        digest = hashlib.sha256(",".join(self.feeds).encode())
        for values in (self.rows, self.time_us, self.mid, self.spread, self.feed):
            digest.update(np.ascontiguousarray(values).data)
        for quotes in self.quotes:
            digest.update(np.ascontiguousarray(quotes.time_us).data)
            digest.update(np.ascontiguousarray(quotes.mid).data)
        return digest.hexdigest()


def empty_dataset(feeds: Sequence[str], counts: Sequence[int]) -> Dataset:
    """Unfilled arrays for `counts` rows of each feed."""
    n = sum(counts)
    return Dataset(
        rows=np.empty((n, len(NAMES)), np.float32),
        time_us=np.empty(n, np.int64),
        mid=np.empty(n, np.float64),
        spread=np.empty(n, np.float64),
        feed=np.repeat(np.arange(len(feeds), dtype=np.int32), counts),
        feeds=tuple(feeds),
    )


def read_dataset(
    client: Client,
    run_id: str,
    span: Span,
    sources: Sequence[str] = (),
    as_of_us: int | None = None,
) -> Dataset:
    """Every feature row of a run within a span of market time, made by this feature set.

    With them all ticks of their feeds within the span, and none after it: rows are answered from
    ticks as they were known at its end. When a feed has no ticks stored, rows answer rows. Rows
    that saw ticks which were corrected since come from the corrected ones (see corrected.py).

    Args:
        sources: only these; all when empty.
        as_of_us: with ticks as they were known then, such as a model's data version; now when None.

    Raises:
        ModelError: a kernel's snapshot is damaged, and rows have to be computed again.
        UnavailableError: the warehouse does not answer.
        WarehouseError: it refused.
    """
    dataset = read_decided(client, run_id, span, sources)
    feeds = [feed.partition(".")[::2] for feed in dataset.feeds]
    known_us = _newest_us(client, feeds, span) if as_of_us is None else as_of_us
    dataset = _corrected(client, run_id, dataset, known_us, as_of_us is not None)
    quotes = tuple(read_quotes(client, *feed, span, as_of_us) for feed in feeds)
    if all(len(q.time_us) for q in quotes):
        dataset = dataset._replace(quotes=quotes)
    last_us = int(dataset.time_us.max()) if len(dataset.time_us) else 0
    return dataset._replace(version=DataVersion(known_us, *span, tuple(sources), last_us))


def read_decided(client: Client, run_id: str, span: Span, sources: Sequence[str] = ()) -> Dataset:
    """The same rows as they were when they were decided on, and no ticks.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    given = {
        "run_id": run_id,
        "feature_set_hash": FEATURE_SET_HASH,
        "start_us": span.start_us,
        "end_us": span.end_us,
    }
    with errors_translated():
        feeds = client.query(_FEEDS_SQL, {**given, "sources": list(sources)}).result_rows
        dataset = empty_dataset([f"{f[0]}.{f[1]}" for f in feeds], [f[2] for f in feeds])
        start = 0
        for source, symbol, rows, _ in feeds:
            feed = {**given, "source": source, "symbol": symbol, "rows": rows}
            _fill(client, feed, dataset, start)
            start += rows
    return dataset._replace(
        simulated=any(feed[3] for feed in feeds), name=dataset_name(run_id, span, sources)
    )


def read_quotes(
    client: Client, source: str, symbol: str, span: Span, as_of_us: int | None = None
) -> MidSeries:
    """Every tick of a feed within a span that came in order, as moments and mids.

    Args:
        as_of_us: as they were known then; the newest of each when None.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    first_msc, last_msc = -(-span.start_us // 1000), min((span.end_us - 1) // 1000, _FAR_MSC)
    times, mids = [np.empty(0, np.int64)], [np.empty(0)]
    for block in read_ticks(client, source, symbol, first_msc, last_msc, as_of_us):
        ticks = block[block["quality"] & OUT_OF_ORDER == 0]
        times.append(ticks["time_msc"] * 1000)
        mids.append((ticks["bid"] + ticks["ask"]) / 2.0)
    return MidSeries(np.concatenate(times), np.concatenate(mids))


def dataset_name(run_id: str, span: Span, sources: Sequence[str]) -> str:
    """First 16 hex digits of the SHA-256 over all that decides which rows are read."""
    identity = json.dumps(
        [_FEEDS_SQL, _ROWS_SQL, "ticks", run_id, *span, sorted(sources), FEATURE_SET_HASH],
        ensure_ascii=False,
    )
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def rows_as_of(
    client: Client, run_id: str, source: str, symbol: str, moments_us: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The newest feature row at or before each moment, so that nothing later is in it.

    Args:
        moments_us: market times in microseconds UTC, int64 [k].

    Returns:
        when each row was made, int64 [k], -1 without one; the rows, float32 [k, F], NaN then.
    """
    times = np.full(len(moments_us), -1, np.int64)
    rows = np.full((len(moments_us), len(NAMES)), np.nan, np.float32)
    given = {
        "run_id": run_id,
        "source": source,
        "symbol": symbol,
        "feature_set_hash": FEATURE_SET_HASH,
        "moments": moments_us.tolist(),
    }
    with errors_translated():
        answer = client.query(_AS_OF_SQL.replace("feature_columns", ", ".join(NAMES)), given)
    for index, time_us, *features in answer.result_rows:
        times[index], rows[index] = time_us, features
    return times, rows


def _newest_us(client: Client, feeds: Sequence[Sequence[str]], span: Span) -> int:
    """When the newest of what is read became known; 0 without ticks."""
    given = {
        "start_us": span.start_us,
        "end_us": min(span.end_us, _FAR_MSC * 1000),
        "memory_us": min(span.start_us, FORGOTTEN_MSC * 1000),
    }
    with errors_translated():
        newest = [
            client.query(_VERSION_SQL, {**given, "source": source, "symbol": symbol}).result_rows
            for source, symbol in feeds
        ]
    return max((int(rows[0][0]) for rows in newest), default=0)


def _corrected(
    client: Client, run_id: str, dataset: Dataset, known_us: int, as_of: bool
) -> Dataset:
    """The dataset with rows computed again, where a tick behind them was corrected by then."""
    feeds = [feed.partition(".")[::2] for feed in dataset.feeds]
    parts = [_feed(dataset, index) for index in range(len(feeds))]
    for name in sorted({source for source, _ in feeds}):
        own = {symbol: i for i, (source, symbol) in enumerate(feeds) if source == name}
        source = Source(client, run_id, name, known_us, as_of)
        rows = corrected(source, {symbol: parts[i] for symbol, i in own.items()})
        for symbol, index in own.items():
            parts[index] = rows[symbol]
    if not parts:
        return dataset
    columns = [np.concatenate(values) for values in zip(*parts, strict=True)]
    feed = np.repeat(np.arange(len(parts), dtype=np.int32), [len(p.time_us) for p in parts])
    return dataset._replace(
        rows=columns[0], time_us=columns[1], mid=columns[2], spread=columns[3], feed=feed
    )


def _feed(dataset: Dataset, index: int) -> FeedRows:
    begin, end = np.searchsorted(dataset.feed, [index, index + 1])
    own = slice(int(begin), int(end))
    return FeedRows(dataset.rows[own], dataset.time_us[own], dataset.mid[own], dataset.spread[own])


def _fill(client: Client, parameters: dict[str, object], dataset: Dataset, start: int) -> None:
    query = _ROWS_SQL.replace("feature_columns", ", ".join(NAMES))
    context = client.create_query_context(query, parameters, use_numpy=True)
    with client.query_column_block_stream(context=context) as blocks:
        for time_us, mid, spread, *features in blocks:
            stop = start + len(time_us)
            dataset.time_us[start:stop] = time_us
            dataset.mid[start:stop] = mid
            dataset.spread[start:stop] = spread
            for column, values in enumerate(features):
                dataset.rows[start:stop, column] = values
            start = stop
