"""What a recording says that was corrected since: a file is compared with its own versions.

`tick` shows the newest version of a tick. A file from before its correction says an earlier one,
and a replay of it ran on that: what stands in its place now is no difference between the two.
"""

from collections import Counter
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from quality.recording import FeedCount

_PRICE_UNITS = 100_000_000
_MINUTE = 60_000
Quote = tuple[int, int, int]  # time_msc; bid and ask in units of 1e-8


class Superseded(NamedTuple):
    """What has to be added to what SQL says now for it to be what the file says."""

    versions: int = 0  # ticks of which the file has an earlier version
    ticks: int = 0  # of these, withdrawn since
    bid_units: int = 0
    ask_units: int = 0
    minutes: int = 0  # that have no tick any more


class _Version(NamedTuple):
    time_msc: int
    seq: int
    version: int
    withdrawn: int
    bid_units: int
    ask_units: int

    @property
    def quote(self) -> Quote:
        return self.time_msc, self.bid_units, self.ask_units


def of_file(client: Any, path: Path, feed: FeedCount) -> Superseded:
    """Of one normalised parquet file, which is counted as `feed`."""
    rows = _ask(client, "replay_versions", feed)
    ticks = [
        [_Version(*map(int, row)) for row in group] for _, group in groupby(rows, lambda r: r[:2])
    ]
    if not ticks:
        return Superseded()
    said = _quotes(path, {versions[0].time_msc for versions in ticks})
    earlier = [(own, versions[-1]) for versions in ticks if (own := _own(versions, said))]
    gone = [own for own, newest in earlier if newest.withdrawn]
    stand = [(own, newest) for own, newest in earlier if not newest.withdrawn]
    return Superseded(
        len(earlier), len(gone),
        sum(own.bid_units for own in gone) + sum(o.bid_units - n.bid_units for o, n in stand),
        sum(own.ask_units for own in gone) + sum(o.ask_units - n.ask_units for o, n in stand),
        _emptied(client, feed, {own.time_msc // _MINUTE for own in gone}),
    )  # fmt: skip


def _own(versions: list[_Version], said: Counter[Quote]) -> _Version | None:
    """The earlier version that the file has; None when it has the newest, or none."""
    *before, newest = versions
    if not newest.withdrawn and _take(newest, said):
        return None
    return next((one for one in reversed(before) if not one.withdrawn and _take(one, said)), None)


def _take(version: _Version, said: Counter[Quote]) -> bool:
    there = said[version.quote] > 0
    said[version.quote] -= there
    return there


def _quotes(path: Path, times: set[int]) -> Counter[Quote]:
    """What the file says in these milliseconds."""
    said: Counter[Quote] = Counter()
    wanted = np.array(sorted(times), np.int64)
    columns = ["time_msc", "bid", "ask"]
    for group in pq.ParquetFile(path).iter_batches(batch_size=262_144, columns=columns):
        time, bid, ask = (group.column(i).to_numpy(zero_copy_only=False) for i in range(3))
        here = np.flatnonzero(np.isin(time, wanted))
        prices = [np.rint(one[here] * _PRICE_UNITS) for one in (bid, ask)]
        good = np.isfinite(prices[0]) & np.isfinite(prices[1])
        said.update(
            zip(time[here][good].tolist(), *(p[good].astype(np.int64).tolist() for p in prices),
                strict=True)
        )  # fmt: skip
    return said


def _emptied(client: Any, feed: FeedCount, minutes: set[int]) -> int:
    if not minutes:
        return 0
    return int(_ask(client, "replay_empty_minutes", feed, minutes=sorted(minutes))[0][0])


def _ask(client: Any, name: str, feed: FeedCount, **given: object) -> Any:
    sql = resources.files("quality").joinpath("sql", f"{name}.sql").read_text()
    span = {"source": feed.source, "symbol": feed.symbol, "first_msc": feed.first_msc,
            "last_msc": feed.last_msc}  # fmt: skip
    return client.query(sql, parameters=span | given).result_rows
