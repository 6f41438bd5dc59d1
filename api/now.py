"""What is now, ready to be sent: the items of the live page, by kind, as lists of records.

A group's bytes are made when somebody asks and something has changed, and given to all until it
changes again. Nothing here asks the warehouse.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from api.rows import Time
from api.scopes import Scope
from dashboards.live.items import Items

Value = dict[str, Any]
#: Versions begin anew with the process.
BOOT = secrets.token_hex(4)


class Kind(NamedTuple):
    """One list of what is now: items whose keys begin so."""

    prefix: str
    scope: Scope
    says: str
    record: type[msgspec.Struct]
    read: Callable[[str, Any], Value]  # of the rest of the key, and the item


def _time(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _feed(text: str) -> Value:
    source, _, symbol = text.partition("/")
    return {"source": source, "symbol": symbol}


class Quote(msgspec.Struct, frozen=True):
    """The newest quote of a feed."""

    source: str
    symbol: str
    bid: float
    ask: float
    ts_event: Time
    ts_recv: Time


class NowPrediction(msgspec.Struct, frozen=True):
    """The newest prediction of a feed."""

    source: str
    symbol: str
    ts_event: Time
    model: str
    p_down: float
    p_flat: float
    p_up: float
    confidence: float


class NowPosition(msgspec.Struct, frozen=True):
    """A net position; volume 0 is flat."""

    account: str
    source: str
    symbol: str
    volume: float
    price: float
    stop_price: float
    profit_realised: float


class NowAccount(msgspec.Struct, frozen=True):
    """The account as the terminal reports it."""

    account: str
    mode: str
    currency: str
    balance: float
    equity: float
    margin: float
    ts_event: Time


class NowOrder(msgspec.Struct, frozen=True):
    """An order that is out."""

    order_id: str
    source: str
    symbol: str
    ts_event: Time
    kind: str
    side: str
    purpose: str
    volume: float
    price: float
    stop_price: float


class TradingState(msgspec.Struct, frozen=True):
    """Active, reducing or halted; by whom and why."""

    account: str
    mode: str
    state: str
    by: str
    reason: str
    ts_event: Time


class RunningProcess(msgspec.Struct, frozen=True):
    """A process and its last sign of life."""

    process: str
    status: str
    detail: str
    ts_event: Time


class Link(msgspec.Struct, frozen=True):
    """Whether bus or warehouse answers."""

    name: str
    up: bool
    since: Time
    problem: str


def _quote(_: str, value: Value) -> Value:
    return {
        **value, "ts_event": _time(value["time"]), "ts_recv": _time(value["received"]),
    }  # fmt: skip


def _prediction(key: str, value: Value) -> Value:
    return {**_feed(key), **value, "ts_event": _time(value["time"])}


def _position(_: str, value: Value) -> Value:
    return {
        **_feed(value["feed"]), **value, "stop_price": value["stop"],
        "profit_realised": value["realised"],
    }  # fmt: skip


def _account(_: str, value: Value) -> Value:
    return {**value, "ts_event": _time(value["time"])}


def _order(key: str, value: Value) -> Value:
    return {
        **_feed(value["feed"]), **value, "order_id": key, "stop_price": value["stop"],
        "ts_event": _time(value["time"]),
    }  # fmt: skip


def _state(_: str, value: Value) -> Value:
    return {**value, "ts_event": _time(value["since"])}


def _link(key: str, value: Value) -> Value:
    return {"name": key, **value, "since": _time(value["since"])}


KINDS: Mapping[str, Kind] = {
    "quotes": Kind("quote", "market", "The newest quote of each feed", Quote, _quote),
    "predictions": Kind(
        "prediction", "market", "The newest prediction of each feed", NowPrediction, _prediction
    ),
    "positions": Kind("position", "desk", "Net positions", NowPosition, _position),
    "accounts": Kind("account", "desk", "Balance and equity", NowAccount, _account),
    "orders": Kind("order", "desk", "Orders that are out", NowOrder, _order),
    "trading": Kind("risk", "desk", "Whether trading is active", TradingState, _state),
    "processes": Kind("process", "desk", "Processes and their health", RunningProcess, _account),
    "links": Kind("link", "market", "Whether bus and warehouse answer", Link, _link),
}
OF_PREFIX = {kind.prefix: name for name, kind in KINDS.items()}


class Ready:
    """One list: its records by key, and the bytes of them once they are asked for."""

    def __init__(self, kind: Kind, refresh: Callable[[], None]) -> None:
        self.scope, self._kind, self._refresh = kind.scope, kind, refresh
        self._rows: dict[str, bytes] = {}
        self._version, self._encoded = 0, (-1, b"", b"")

    def answer(self) -> tuple[bytes, bytes]:
        """Body and entity tag."""
        self._refresh()
        if self._encoded[0] != self._version:
            body = b'{"data":[' + b",".join(self._rows.values()) + b"]}"
            etag = f'"{BOOT}.{self._version}"'.encode()
            self._encoded = (self._version, body, etag)
        return self._encoded[1:]

    def clear(self) -> None:
        """Know nothing any more; the entity tag changes with the next item, or at once."""
        if self._rows:
            self._rows, self._version = {}, self._version + 1

    def change(self, key: str, value: Any, version: int) -> None:
        """Take in an item as it is now; None: it is gone."""
        self._version = version
        if value is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = encoded(self._kind, key, value)


def encoded(kind: Kind, key: str, value: Any) -> bytes:
    """One record as JSON."""
    names = kind.record.__struct_fields__
    row = kind.read(key, value)
    return msgspec.json.encode(kind.record(**{name: row[name] for name in names}))


class NowLists:
    """All lists of what is now, by name."""

    def __init__(self, items: Items) -> None:
        self._items, self._version = items, 0
        self.lists = {name: Ready(kind, self._refresh) for name, kind in KINDS.items()}

    def _refresh(self) -> None:
        if self._items.version == self._version:
            return
        if self._version < self._items.forgotten:  # some that went may not be said: begin anew
            self._version = 0
            for each in self.lists.values():
                each.clear()
        for version, key, value in self._items.newer(self._version):
            prefix, _, rest = key.partition("|")
            name = OF_PREFIX.get(prefix)
            if name is not None:
                self.lists[name].change(rest, value, version)
        self._version = self._items.version
