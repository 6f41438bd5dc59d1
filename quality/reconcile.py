"""A replay is reconciled when every number agrees with another way to know it.

Three independent witnesses: SQL over the warehouse after the drain, execution's journal, and the
files read once more (`quality.recording`); for money the terminal's own account is the fourth.
The equations are explained in docs/reference/reconciliation.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from core.contracts.order import EventKind, OrderEvent
from quality.recording import FeedCount
from quality.superseded import Superseded

_AT_THE_VENUE = {
    EventKind.SUBMITTED,
    EventKind.ACCEPTED,
    EventKind.PARTIALLY_FILLED,
    EventKind.UNKNOWN,
}
_MINUTE = 60_000  # ms
_FILLS = {EventKind.FILLED, EventKind.PARTIALLY_FILLED, EventKind.CLOSED}


class Equation(NamedTuple):
    """Two ways to know one number. `left` comes from the first witness named."""

    name: str
    left: float
    right: float

    @classmethod
    def of_sums(cls, name: str, left: float, right: float) -> "Equation":
        """Sums of floats, whose last bits depend on the order of summation, to 1e-6."""
        return cls(name, round(left, 6), round(right, 6))

    @property
    def holds(self) -> bool:
        """Counts agree exactly; money to half a cent."""
        return abs(self.left - self.right) < (0.005 if "money" in self.name else 0.5)


class Deals(NamedTuple):
    """What the terminal's own account says of the run."""

    deals: int
    volume: float
    profit: float  # balance change, account currency
    comments: tuple[str, ...]  # of entry and exit requests it accepted


class AskedOnce:
    """A client whose answers stay: equations and totals ask the same of millions of rows."""

    def __init__(self, client: Any) -> None:
        """`client`: of clickhouse-connect, for as long as nothing more is stored."""
        self._client = client
        self._answers: dict[str, Any] = {}

    def query(self, sql: str, parameters: Mapping[str, object]) -> Any:
        """The client's answer, or that of the first time."""
        key = f"{sql}{sorted(parameters.items())}"
        if key not in self._answers:
            self._answers[key] = self._client.query(sql, parameters=parameters)
        return self._answers[key]


def warehouse_equations(
    client: Any,
    run_id: str,
    feeds: Sequence[FeedCount],
    unparsed: int,
    cut_msc: int,
    predicts: bool,
    superseded: Mapping[tuple[str, str], Superseded] = MappingProxyType({}),
) -> list[Equation]:
    """Files against SQL: ticks, prices, bars, features, predictions.

    Args:
        client: a clickhouse-connect client.
        feeds: counts from the files.
        unparsed: rows of the files that no reader could parse.
        cut_msc: predictions may only be at or after it.
        predicts: whether a model was in use after the cut.
        superseded: by source and symbol, what the files say that was corrected since.
    """
    equations: list[Equation] = []
    kept = 0
    for feed in feeds:
        since = superseded.get((feed.source, feed.symbol), Superseded())
        equations += _feed_equations(client, feed, since)
        kept += feed.valid
    refused = sum(row[2] for row in _query(client, "replay_quarantine", run_id=run_id))
    read = sum(feed.rows for feed in feeds) + unparsed
    equations.append(Equation("rows in files = ticks kept + quarantined", read, kept + refused))
    features, predictions, early, orphans = _query(
        client, "replay_predictions", run_id=run_id, cut_msc=cut_msc
    )[0]
    samples = sum(feed.samples for feed in feeds)
    expected = sum(feed.samples_after_cut for feed in feeds) if predicts else 0
    return [
        *equations,
        Equation("sampled spans in files = feature rows", samples, features),
        Equation("sampled spans after the cut = predictions", expected, predictions),
        Equation("no prediction before the cut", 0, early),
        Equation("no prediction without its feature row", 0, orphans),
    ]


def order_equations(
    client: Any, run_id: str, journal: Sequence[OrderEvent], deals: Deals
) -> list[Equation]:
    """Journal against SQL and the terminal's account: signals, events, fills, money."""
    signals, events, volume, profit, checksum = _query(client, "replay_orders", run_id=run_id)[0]
    ids = {event.signal_id for event in journal if event.signal_id}
    fills = [event for event in journal if event.kind in _FILLS]
    dealt = len({event.venue_deal for event in fills})  # one may have closed several's lots
    booked = sum(event.profit + event.commission + event.swap for event in journal)
    mixed = 0
    for event in journal:
        mixed ^= int.from_bytes(bytes.fromhex(event.hash[:16]), "little")
    return [
        Equation("signals in SQL = signals in the journal", signals, len(ids)),
        Equation("order events in SQL = records in the journal", events, len(journal)),
        Equation("event hashes in SQL = in the journal (0: equal)", 0, int(checksum) ^ mixed),
        Equation("orders without an outcome", 0, _open_orders(journal)),
        Equation("fills in the journal = deals at the terminal", dealt, deals.deals),
        Equation.of_sums("volume in SQL = volume at the terminal", volume, deals.volume),
        Equation.of_sums(
            "money in the journal = balance change at the terminal", booked, deals.profit
        ),
        Equation.of_sums("money in SQL = money in the journal", profit, booked),
        Equation("requests at the terminal more than once", 0, _repeats(deals.comments)),
    ]


def _feed_equations(client: Any, feed: FeedCount, since: Superseded) -> list[Equation]:
    name = f"{feed.source} {feed.symbol}"
    if feed.valid == 0:
        return []
    span = _span(feed)
    ticks, bid, ask = _query(client, "replay_ticks", **span)[0]
    bars, counted = _query(client, "replay_bars", **span)[0]
    # A home may hold more of the feed than the run: its first and last bar then count that too.
    minutes = {"first_msc": feed.first_msc // _MINUTE * _MINUTE,
               "last_msc": feed.last_msc // _MINUTE * _MINUTE + _MINUTE - 1}  # fmt: skip
    in_minutes = _query(client, "replay_ticks", **{**span, **minutes})[0][0]
    return [
        Equation(f"{name}: valid rows in file = ticks in SQL", feed.valid, ticks + since.ticks),
        Equation(f"{name}: sum of bids, 1e-8", feed.bid_units, bid + since.bid_units),
        Equation(f"{name}: sum of asks, 1e-8", feed.ask_units, ask + since.ask_units),
        Equation(f"{name}: minutes with a tick = minute bars", feed.minutes, bars + since.minutes),
        Equation(f"{name}: ticks in SQL = ticks in bars", in_minutes, counted),
    ]


def _open_orders(journal: Sequence[OrderEvent]) -> int:
    last = {event.order_id: event for event in journal if event.order_id}
    # A signal whose target is held already ends as received, with that reason.
    undecided = (e for e in last.values() if e.kind == EventKind.RECEIVED and not e.reason)
    return sum(e.kind in _AT_THE_VENUE for e in last.values()) + sum(1 for _ in undecided)


def _repeats(comments: Sequence[str]) -> int:
    return sum(count - 1 for count in Counter(comments).values())


def _query(client: Any, name: str, **parameters: object) -> Any:
    sql = resources.files("quality").joinpath("sql", f"{name}.sql").read_text()
    return client.query(sql, parameters=parameters).result_rows


def totals(
    client: Any, run_id: str, feeds: Sequence[FeedCount], cut_msc: int = 0
) -> dict[str, Any]:
    """What a replay stored, counted in SQL; `cut_msc` as in `warehouse_equations`."""
    stored, bars, flags = 0, 0, Counter[str]()
    for feed in feeds:
        if feed.valid:
            span = _span(feed)
            stored += _query(client, "replay_ticks", **span)[0][0]
            bars += _query(client, "replay_bars", **span)[0][0]
            names = ("crossed", "locked", "same_millisecond", "out_of_order")
            flags.update(dict(zip(names, _query(client, "replay_flags", **span)[0], strict=True)))
    features, predictions, *_ = _query(
        client, "replay_predictions", run_id=run_id, cut_msc=cut_msc
    )[0]
    return {
        "ticks_stored": stored,
        "ticks_quarantined": sum(r[2] for r in _query(client, "replay_quarantine", run_id=run_id)),
        "ticks_flagged": dict(flags),
        "bars": bars,
        "features": features,
        "predictions": predictions,
        "predictions_per_tick": round(predictions / stored, 4) if stored else 0.0,
        "signals": _query(client, "replay_orders", run_id=run_id)[0][0],
    }


def denials(client: Any, run_id: str) -> dict[str, int]:
    """Denied orders by reason, most frequent first."""
    return dict(_query(client, "replay_denials", run_id=run_id))


def latency(client: Any, run_id: str, since_us: int = 0) -> dict[str, dict[str, float]]:
    """p50, p99 and max of each stage of a run in microseconds."""
    rows = _query(client, "replay_latency", run_id=run_id, since=since_us)
    return {
        stage: {"p50": round(p50, 3), "p99": round(p99, 3), "max": round(largest, 3)}
        for stage, p50, p99, largest in rows
    }


def _span(feed: FeedCount) -> dict[str, Any]:
    return {
        "source": feed.source,
        "symbol": feed.symbol,
        "first_msc": feed.first_msc,
        "last_msc": feed.last_msc,
    }
