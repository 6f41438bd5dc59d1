"""Patterns as folds over order events, each the same rule as its statement in `sql`.

A fold keeps what can still become a pattern: orders that work, fills and cancellations of the last
seconds, counts of the day. Times are microseconds since 1970, UTC; events come nearly in order.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from core.contracts.order import EventKind, OrderEvent

Parameters = Mapping[str, int | float]
_FILLS = (EventKind.FILLED, EventKind.PARTIALLY_FILLED)
_ENDS = (EventKind.FILLED, EventKind.CANCELLED, EventKind.REJECTED, EventKind.EXPIRED)
_MOST_ORDERS, _MOST_IDS = 100_000, 500


class Pattern(NamedTuple):
    """What was seen; `key` as `case_key` of the statement, the rest as its other columns."""

    scenario: str
    key: tuple[str, ...]
    source: str
    symbol: str
    accounts: Sequence[str]
    strategies: Sequence[str]
    from_us: int
    to_us: int
    score: float
    order_ids: Sequence[str]
    detail: str


class Usual(NamedTuple):
    """What a strategy did in the days before: `usual_sizes.sql`, `usual_hours.sql`."""

    sizes: Mapping[tuple[str, str, str, str], float]  # account, strategy, source, symbol -> lots
    hours: Mapping[tuple[str, str], frozenset[int]]  # account, strategy -> hours UTC


class Order:
    """An order of the day as far as its events say."""

    __slots__ = ("cancelling", "event", "filled", "first_us", "working_us")

    def __init__(self, event: OrderEvent) -> None:
        self.event, self.first_us, self.working_us = event, event.ts_event_us, 0
        self.filled = self.cancelling = False

    @property
    def is_taken_back(self) -> bool:
        """Whether it worked, and we ask for it back with nothing of it filled."""
        return self.cancelling and self.working_us > 0 and not self.filled


class Orders:
    """Orders of the day that have not ended; of too many the oldest is given up."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Order] = OrderedDict()

    def note(self, event: OrderEvent) -> Order:
        """The event's order, with the event in it."""
        order = self._open.setdefault(event.order_id, Order(event))
        if event.kind == EventKind.SUBMITTED:
            order.event = event  # side and volume asked for
        elif event.kind == EventKind.ACCEPTED:
            order.working_us = order.working_us or event.ts_event_us
        elif event.kind == EventKind.CANCELLING:
            order.cancelling = True
        elif event.kind in _FILLS:
            order.filled = True
        if event.kind in _ENDS:
            del self._open[event.order_id]
        elif len(self._open) > _MOST_ORDERS:
            self._open.popitem(last=False)
        return order


class Fold(Protocol):
    """A scenario event by event."""

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """What the event completes; again with each event that adds to it."""
        ...


class _Party:
    """What a group of orders has come to."""

    def __init__(self) -> None:
        self.placed = self.count = 0
        self.from_us = self.to_us = 0
        self.most = 0.0
        self.ids: deque[str] = deque(maxlen=_MOST_IDS)

    def add(self, us: int, order_id: str) -> None:
        self.count += 1
        self.from_us, self.to_us = self.from_us or us, us
        self.ids.append(order_id)


class _Parties:
    """Groups by a key, made when they are asked for first."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Party] = {}

    def of(self, *key: str) -> _Party:
        return self._known.setdefault(key, _Party())


class CancelRatio:
    """`cancel_ratio.sql`."""

    def __init__(self, parameters: Parameters, usual: Usual) -> None:
        self._parameters, self._parties = parameters, _Parties()

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """An order counts once the broker has it, as taken back once we ask and nothing filled."""
        key = (event.source, event.symbol, event.account, event.strategy)
        party = self._parties.of(*key)
        if event.kind == EventKind.ACCEPTED and order.working_us == event.ts_event_us:
            party.placed += 1
            party.from_us = party.from_us or order.first_us
        elif event.kind in _FILLS and order.cancelling and event.order_id in party.ids:
            party.count -= 1
            party.ids.remove(event.order_id)
        elif event.kind == EventKind.CANCELLING and order.is_taken_back:
            party.add(event.ts_event_us, event.order_id)
            yield from self._judged(key, party, event)

    def _judged(self, key: tuple[str, ...], party: _Party, event: OrderEvent) -> Iterator[Pattern]:
        share = party.count / party.placed / self._parameters["ratio"] if party.placed else 0.0
        if party.placed >= self._parameters["orders"] and share >= 1:
            yield Pattern(
                scenario="cancel_ratio",
                key=key,
                source=event.source,
                symbol=event.symbol,
                accounts=[event.account],
                strategies=[event.strategy],
                from_us=party.from_us,
                to_us=event.ts_event_us,
                score=share,
                order_ids=list(party.ids),
                detail=f"{party.count} of {party.placed} orders taken back unfilled",
            )


class UnusualSize:
    """`unusual_size.sql`."""

    def __init__(self, parameters: Parameters, usual: Usual) -> None:
        self._times, self._usual, self._parties = parameters["times"], usual.sizes, _Parties()

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """An order as it is sent."""
        group = (event.account, event.strategy, event.source, event.symbol)
        usual = self._usual.get(group)
        if event.kind != EventKind.SUBMITTED or not usual or event.volume < self._times * usual:
            return
        key = (event.source, event.symbol, event.account, event.strategy)
        party = self._parties.of(*key)
        party.add(event.ts_event_us, event.order_id)
        party.most = max(party.most, event.volume)
        yield Pattern(
            scenario="unusual_size",
            key=key,
            source=event.source,
            symbol=event.symbol,
            accounts=[event.account],
            strategies=[event.strategy],
            from_us=party.from_us,
            to_us=party.to_us,
            score=party.most / (usual * self._times),
            order_ids=list(party.ids),
            detail=f"{party.count} orders of up to {party.most:g} lots, usual are {usual:g}",
        )


class UnusualTime:
    """`unusual_time.sql`."""

    def __init__(self, parameters: Parameters, usual: Usual) -> None:
        self._times, self._usual, self._parties = parameters["times"], usual.hours, _Parties()

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """An order as it is sent."""
        key = (event.account, event.strategy)
        usual, hour = (
            self._usual.get(key),
            datetime.fromtimestamp(event.ts_event_us / 1e6, UTC).hour,
        )
        if event.kind != EventKind.SUBMITTED or not usual or hour in usual:
            return
        party = self._parties.of(*key)
        party.add(event.ts_event_us, event.order_id)
        if party.count >= self._times:
            yield Pattern(
                scenario="unusual_time",
                key=key,
                source=event.source,
                symbol=event.symbol,
                accounts=[event.account],
                strategies=[event.strategy],
                from_us=party.from_us,
                to_us=party.to_us,
                score=party.count / self._times,
                order_ids=list(party.ids),
                detail=f"{party.count} orders up to {hour} h UTC, where none was before",
            )


class _Fill:
    """A fill, and what of the other side was taken back around it."""

    def __init__(self, event: OrderEvent) -> None:
        self.event, self.gone = event, list[tuple[Order, int]]()


class _TakenBack:
    """`taken_back.sql`: a fill with orders of the other side that go soon after it."""

    name = ""

    def __init__(self, parameters: Parameters, usual: Usual) -> None:
        self._parameters = parameters
        self._window_us = int(parameters["window_s"] * 1_000_000)
        self._fills: deque[_Fill] = deque()
        self._gone: deque[tuple[Order, int]] = deque()

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """A fill meets what has just gone, what goes meets the fills of just before."""
        yield from self._over(event.ts_event_us - self._window_us)
        if event.kind in _FILLS:
            fill = _Fill(event)
            self._fills.append(fill)
            for gone in self._gone:
                self._meet(fill, gone)
            yield from self._met(fill)
        elif event.kind == EventKind.CANCELLED and order.is_taken_back:
            gone = order, event.ts_event_us
            self._gone.append(gone)
            for fill in self._fills:
                if self._meet(fill, gone):
                    yield from self._met(fill)

    def _meet(self, fill: _Fill, gone: tuple[Order, int]) -> bool:
        (order, gone_us), event = gone, fill.event
        meets = (
            (event.source, event.symbol) == (order.event.source, order.event.symbol)
            and event.side != order.event.side
            and order.working_us <= event.ts_event_us <= gone_us
            and gone_us <= event.ts_event_us + self._window_us
        )
        if meets:
            fill.gone.append(gone)
        return meets

    def _over(self, before_us: int) -> Iterator[Pattern]:
        """Fills that nothing meets any more."""
        while self._gone and self._gone[0][1] < before_us:
            self._gone.popleft()
        while self._fills and self._fills[0].event.ts_event_us < before_us:
            yield from self._ended(self._fills.popleft())

    def _met(self, fill: _Fill) -> Iterator[Pattern]:
        return iter(())

    def _ended(self, fill: _Fill) -> Iterator[Pattern]:
        return iter(())

    def _judged(self, fill: _Fill) -> Iterator[Pattern]:
        event, gone = fill.event, [order.event for order, _ in fill.gone]
        volume = sum(one.volume for one in gone)
        if not gone or volume < self._parameters["ratio"] * event.volume:
            return
        hour = datetime.fromtimestamp(event.ts_event_us // 3_600_000_000 * 3600, UTC)
        parties = [event, *gone]
        yield Pattern(
            scenario=self.name,
            key=(event.source, event.symbol, f"{hour:%Y-%m-%d %H:%M:%S}"),
            source=event.source,
            symbol=event.symbol,
            accounts=sorted({one.account for one in parties}),
            strategies=sorted({one.strategy for one in parties}),
            from_us=min(order.working_us for order, _ in fill.gone),
            to_us=max(us for _, us in fill.gone),
            score=volume / (event.volume * self._parameters["ratio"]),
            order_ids=[one.order_id for one in (*gone, event)][-_MOST_IDS:],
            detail=f"{len(gone)} orders of {volume:g} lots taken back within"
            f" {self._parameters['window_s']:g} s of a fill of the other side",
        )


class Layering(_TakenBack):
    """Several orders: decided when the last of them goes."""

    name = "layering"

    def _met(self, fill: _Fill) -> Iterator[Pattern]:
        enough = len(fill.gone) >= self._parameters["orders"]
        return self._judged(fill) if enough else iter(())


class Spoofing(_TakenBack):
    """Fewer than that: decided when no further one can go within the window."""

    name = "spoofing"

    def _ended(self, fill: _Fill) -> Iterator[Pattern]:
        enough = len(fill.gone) >= self._parameters["orders"]
        return iter(()) if enough else self._judged(fill)


class _Pair(NamedTuple):
    apart_us: int
    parties: tuple[str, ...]
    bought: OrderEvent
    sold: OrderEvent


class WashTrade:
    """`wash_trade.sql`: to each order that bought the nearest sale of another own party."""

    def __init__(self, parameters: Parameters, usual: Usual) -> None:
        self._parameters = parameters
        self._window_us = int(parameters["window_s"] * 1_000_000)
        self._recent: deque[OrderEvent] = deque()
        self._pairs: dict[str, _Pair] = {}  # of recent orders that bought
        self._fills = Counter[tuple[str, str, str]]()
        self._parties = _Parties()

    def note(self, event: OrderEvent, order: Order) -> Iterator[Pattern]:
        """A fill beside those of the last moments."""
        if event.kind not in _FILLS:
            return
        self._forget(event.ts_event_us - self._window_us)
        self._fills[event.source, event.symbol, _party(event)] += 1
        for other in self._recent:
            if event.side != other.side:
                bought, sold = (event, other) if event.side == "buy" else (other, event)
                yield from self._met(bought, sold)
        self._recent.append(event)

    def _forget(self, before_us: int) -> None:
        while self._recent and self._recent[0].ts_event_us < before_us:
            self._pairs.pop(self._recent.popleft().order_id, None)

    def _met(self, bought: OrderEvent, sold: OrderEvent) -> Iterator[Pattern]:
        apart_us = abs(bought.ts_event_us - sold.ts_event_us)
        before = self._pairs.get(bought.order_id)
        if not self._alike(bought, sold, apart_us) or (before and before.apart_us <= apart_us):
            return
        parties = tuple(sorted((_party(bought), _party(sold))))
        if before:
            self._of(before).count -= 1
        pair = self._pairs[bought.order_id] = _Pair(apart_us, parties, bought, sold)
        party = self._of(pair)
        party.add(min(bought.ts_event_us, sold.ts_event_us), bought.order_id)
        party.ids.append(sold.order_id)
        yield from self._judged(pair, party)

    def _alike(self, bought: OrderEvent, sold: OrderEvent, apart_us: int) -> bool:
        own, larger = self._parameters, max(bought.volume, sold.volume)
        return (
            (bought.source, bought.symbol) == (sold.source, sold.symbol)
            and _party(bought) != _party(sold)
            and apart_us <= self._window_us
            and abs(bought.volume - sold.volume) <= own["size"] * larger
            and abs(bought.price - sold.price) <= own["price_bp"] / 1e4 * bought.price
        )

    def _of(self, pair: _Pair) -> _Party:
        return self._parties.of(pair.bought.source, pair.bought.symbol, *pair.parties)

    def _judged(self, pair: _Pair, party: _Party) -> Iterator[Pattern]:
        own, (source, symbol) = self._parameters, (pair.bought.source, pair.bought.symbol)
        fills = min(self._fills[source, symbol, name] for name in pair.parties)
        if party.count >= own["pairs"] and party.count >= own["share"] * fills:
            both = (pair.bought, pair.sold)
            yield Pattern(
                scenario="wash_trade",
                key=(source, symbol, *pair.parties),
                source=source,
                symbol=symbol,
                accounts=sorted({one.account for one in both}),
                strategies=sorted({one.strategy for one in both}),
                from_us=party.from_us,
                to_us=party.to_us,
                score=party.count / own["pairs"],
                order_ids=list(dict.fromkeys(party.ids)),
                detail=f"{party.count} pairs of {' and '.join(pair.parties)}",
            )


def _party(event: OrderEvent) -> str:
    return f"{event.account} {event.strategy}"


#: What can be decided on an event, by scenario.
FOLDS: dict[str, type] = {
    "layering": Layering, "spoofing": Spoofing, "wash_trade": WashTrade,
    "cancel_ratio": CancelRatio, "unusual_size": UnusualSize, "unusual_time": UnusualTime,
}  # fmt: skip
