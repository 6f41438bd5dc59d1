"""What is stored about one decision, from any id that leads to it.

A signal, an order, one event of an order, a number of the venue (deal, order, position) or a row
of a report leads to the signal; from there on everything has the signal's run, feed and tick.
"""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.contracts.order import OrderEvent
from core.contracts.session import Session
from core.contracts.signal import AnySignal, OrderSignal, Signal
from core.desk import parse
from core.errors import InputError
from features.catalog import FEATURE_SET_HASH, NAMES
from features.peers import WATERMARK_S
from strategies import desk
from strategies.orders_form import REST_MSC, Waiting
from streams.explain import report_rows, sessions
from streams.explain.stored_rows import structs
from streams.predict import PAST_ROWS

_SQL = Path(__file__).parent
_NAMES_OF_SQL = (
    "find", "feeds", "held", "hour", "sampled", "memory", "own", "legs", "kernels", "waiting",
)  # fmt: skip
_FIND, _FEEDS, _HELD, _HOUR, _SAMPLED, _MEMORY, _OWN, _LEGS, _KERNELS, _WAITING = (
    (_SQL / f"{name}.sql").read_text() for name in _NAMES_OF_SQL
)


class HeldBefore(msgspec.Struct, frozen=True):
    """The target that held before the decision; direction 0: none."""

    direction: int
    until_msc: int


class Start(msgspec.Struct, frozen=True):
    """Where the run's kernel of one feed began."""

    source: str
    symbol: str
    time_us: int
    seq: int


class Hour(msgspec.Struct, frozen=True):
    """The kernel of the decision's feed as it stood at a full hour of market time.

    `state`: as features.state writes it; empty: there is none, all is computed from the start.
    """

    hour_us: int = 0
    state: bytes = b""
    own: bytes = b""  # memory of own features beside it


class Leg(msgspec.Struct, frozen=True):
    """A symbol that a pairs strategy looked at: its newest row as of the decision, and its kernel
    and memory of own features at the hour where the computation starts; b"" where that is the
    beginning.
    """

    symbol: str
    time_msc: int
    seq: int
    state: bytes = b""
    own: bytes = b""


class Facts(msgspec.Struct, frozen=True):
    """Everything stored, without the ticks.

    Attributes:
        asked: the id that was given.
        features: float32 values, as their bytes; own features after the catalogue's.
        probabilities: float32 values of down, flat, up, as their bytes; empty without a model.
        model: SHA-256 of the model that predicted, also where the strategy did not ask it.
        settings: the session's, JSON; `fingerprint` in it is where it ran.
        feeds: of the signal's source in this run, the signal's own among them.
        hour: where the computation starts.
        session: the start that decided; None when there were none yet.
        strategy: file of a person's own strategy, or the desk, as the session began with it.
        sampled: time_msc and seq of the rows before the decision, of a live run, oldest first:
            sessions before it may have sampled otherwise.
        absent: bit m: member m of the model had no part in the prediction.
        memory: of a strategy that remembers, its state before the row, float64 bytes.
        own_features: files of own features, as the session began with them.
        own_set_hash: of the feature set with them; "" without any.
        legs: of a strategy that sees several symbols, those that had a row.
        waiting: of an order that waits, what its name had before (strategies.orders_form).
    """

    asked: str
    signal: AnySignal
    orders: list[OrderEvent]
    feature_set_hash: str
    mid: float
    spread: float
    features: bytes
    probabilities: bytes
    model: str
    settings: str
    held: HeldBefore
    feeds: list[Start]
    hour: Hour = Hour()
    session: Session | None = None
    strategy: bytes = b""
    sampled: list[tuple[int, int]] = []
    absent: int = 0
    memory: bytes = b""
    own_features: bytes = b""
    own_set_hash: str = ""
    legs: list[Leg] = []
    waiting: tuple[int, int, float] = (0, 0, 0.0)


def find(client: Client, identity: str, run_id: str = "", *, from_start: bool = False) -> Facts:
    """The facts behind an id.

    Args:
        run_id: of the decision, when an id is in several runs.
        from_start: leave the kernel's hourly snapshots alone.

    Raises:
        InputError: nothing or several decisions have that id, or a row behind it is missing.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    with errors_translated():
        signal = _signal(client, identity, run_id)
        key = {"run_id": signal.run_id, "source": signal.source, "symbol": signal.symbol,
               "time_msc": signal.time_msc, "seq": signal.seq}  # fmt: skip
        origin = sessions.of_signal(client, signal, identity)
        row = _feature(client, key, identity, origin.session)
        orders = structs(
            client, OrderEvent, "order_event", f"{_OF_SIGNAL} ORDER BY seq",
            {"signal_id": signal.signal_id},
        )  # fmt: skip
        sessions.refuse_overwritten(client, signal, orders, identity)
        feeds = client.query(_FEEDS, {**key, "hash": row[0]}).result_rows
        own = signal.strategy if desk.kept(origin.strategy) else ""
        held = client.query(_HELD, {**key, "strategy": own}).result_rows
        values, own_set = _own(client, key, identity, origin)
        since = {**key, "hash": row[0], "own": own_set}
        legs = _legs(client, signal, _group(origin.strategy, signal))
        hour = Hour() if from_start else _hour(client, since)
        hour, legs = _hour_of_all(client, since, hour, legs)
        probabilities, model, absent = _prediction(client, key, signal.prediction_id)
        sampled = _sampled(client, key) if signal.session_id else []
        memory = _memory(client, signal)
        waiting = _waiting(client, signal)
    return Facts(
        asked=identity,
        signal=signal,
        orders=orders,
        feature_set_hash=row[0],
        mid=row[1],
        spread=row[2],
        features=np.array([*row[3:], *values], np.float32).tobytes(),
        probabilities=probabilities,
        model=model,
        settings=origin.settings,
        held=HeldBefore(int(np.sign(held[0][0])), held[0][1]) if held else HeldBefore(0, 0),
        feeds=[Start(signal.source, *feed) for feed in feeds],
        hour=hour,
        session=origin.session,
        strategy=origin.strategy,
        sampled=sampled,
        absent=absent,
        memory=memory,
        own_features=origin.features,
        own_set_hash=own_set,
        legs=legs,
        waiting=waiting,
    )


def _own(
    client: Client, key: dict[str, Any], identity: str, origin: sessions.Origin
) -> tuple[list[float], str]:
    """Values of own features in the order of their columns, and the set with them."""
    if not origin.features:
        return [], ""
    rows = client.query(_OWN, key).result_rows
    if not rows:
        raise InputError(
            identity, "its own features are not stored (retention, or not yet written)"
        )
    return [value for _, value, _ in rows], str(rows[0][2])


def _sampled(client: Client, key: dict[str, Any]) -> list[tuple[int, int]]:
    rows = client.query(_SAMPLED, {**key, "past_rows": PAST_ROWS}).result_rows
    return [(int(time_msc), int(seq)) for time_msc, seq in reversed(rows)]


def _memory(client: Client, signal: Signal) -> bytes:
    given = {name: getattr(signal, name) for name in _MEMORY_OF}
    rows = client.query(_MEMORY, given).result_rows
    return base64.b64decode(rows[0][0]) if rows else b""


def _waiting(client: Client, signal: AnySignal) -> Waiting:
    if not isinstance(signal, OrderSignal):
        return Waiting()
    given = {name: getattr(signal, name) for name in _WAITING_OF}
    rows = client.query(_WAITING, {**given, "rest_msc": REST_MSC}).result_rows
    return Waiting(int(rows[0][0]), int(rows[0][1]), float(rows[0][2])) if rows else Waiting()


_WAITING_OF = ("run_id", "source", "symbol", "strategy", "name", "time_msc", "seq")


def _group(strategy: bytes, signal: Signal) -> tuple[str, ...]:
    """The symbols that the signal's strategy saw together."""
    kept = desk.kept(strategy)
    one = parse(kept.desk.encode(), "the session's desk").named(signal.strategy) if kept else None
    groups = one.pairs if one else ()
    return next((group for group in groups if signal.symbol in group), ())


def _legs(client: Client, signal: Signal, group: tuple[str, ...]) -> list[Leg]:
    if not group:
        return []
    given = {"run_id": signal.run_id, "source": signal.source, "symbols": list(group),
             "until_msc": (signal.time_msc // 1000 - WATERMARK_S + 1) * 1000}  # fmt: skip
    return [Leg(*map(_plain, row)) for row in client.query(_LEGS, given).result_rows]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def _hour_of_all(
    client: Client, key: dict[str, Any], hour: Hour, legs: list[Leg]
) -> tuple[Hour, list[Leg]]:
    """The hour, where every leg's kernel is known then and its row came later; else the start."""
    if not hour.state or not legs:
        return hour, legs
    given = {**key, "symbols": [leg.symbol for leg in legs], "hour_us": hour.hour_us}
    rows = client.query(_KERNELS, given).result_rows
    states = {symbol: map(base64.b64decode, kept) for symbol, *kept in rows}
    if any(leg.symbol not in states or leg.time_msc * 1000 < hour.hour_us for leg in legs):
        return Hour(), legs
    return hour, [Leg(leg.symbol, leg.time_msc, leg.seq, *states[leg.symbol]) for leg in legs]


_MEMORY_OF = ("run_id", "strategy", "source", "symbol", "signal_id")


def _hour(client: Client, key: dict[str, Any]) -> Hour:
    rows = client.query(_HOUR, {**key, "past_rows": PAST_ROWS - 1}).result_rows
    if not rows:
        return Hour()
    hour_us, kernel, own_memory = rows[0]
    return Hour(hour_us, base64.b64decode(kernel), base64.b64decode(own_memory))


def _signal(client: Client, identity: str, run_id: str) -> AnySignal:
    named = report_rows.id_in_file(identity)
    number = int(named) if named.isdigit() and len(named) < 19 else 0
    given = {"asked": named, "number": number, "run_id": run_id}
    rows = client.query(_FIND, given).result_rows
    surest = min((row[0] for row in rows), default=0)
    candidates = sorted({row[1] for row in rows if row[0] == surest})
    candidates = candidates or report_rows.signals_of(client, named, run_id)
    if not candidates:
        raise InputError(
            identity, "no signal, order, event or deal has this id in the warehouse, and no row of"
            " a report's mart shows it"
        )  # fmt: skip
    if len(candidates) > 1:
        some = ", ".join(candidates[:3])
        raise InputError(
            identity,
            f"leads to {len(candidates)} signals ({some}, ...): say --run, or a signal's id",
        )
    signals = _of_id(client, candidates[0])
    if not signals:
        raise InputError(
            identity, f"its signal {candidates[0]} is not stored; is streams.signals behind?"
        )
    return signals[0]


def _of_id(client: Client, identity: str) -> list[AnySignal]:
    """The signal of an id: a target, or an order that waits."""
    given = {"signal_id": identity}
    orders = structs(client, OrderSignal, "signal", f"{_OF_SIGNAL} AND action != ''", given)
    return [*orders] or [*structs(client, Signal, "signal", _OF_SIGNAL, given)]


def _feature(
    client: Client, key: dict[str, Any], identity: str, session: Session | None
) -> Sequence[Any]:
    columns = ", ".join(("feature_set_hash", "mid", "spread", *NAMES))
    rows = client.query(f"SELECT {columns} FROM feature FINAL {_AT_TICK}", key).result_rows
    if not rows:
        raise InputError(identity, "its feature row is not stored (retention, or not yet written)")
    if rows[0][0] != FEATURE_SET_HASH:
        by = sessions.versions(session).get("tickhouse", "") if session else ""
        with_it = f"Tickhouse {by}, which made it" if by else "the version that made it"
        raise InputError(
            identity, f"was made with feature set {rows[0][0]}, this version has"
            f" {FEATURE_SET_HASH}; explain it with {with_it}, in an environment of its own"
        )  # fmt: skip
    row: Sequence[Any] = rows[0]
    return row


def _prediction(client: Client, key: dict[str, Any], prediction_id: str) -> tuple[bytes, str, int]:
    """Of the model that the strategy names, else of the one in use."""
    named = prediction_id.rpartition(":")[2] if ":" in prediction_id else ""
    table = "named_prediction FINAL" if named else "prediction FINAL"
    asked = f"{_AT_TICK} AND ({{named:String}} = '' OR model = {{named:String}})"
    with errors_translated():
        rows = client.query(
            f"SELECT p_down, p_flat, p_up, model, absent FROM {table} {asked}",
            {**key, "named": named},
        ).result_rows
    return (np.array(rows[0][:3], np.float32).tobytes(), *rows[0][3:]) if rows else (b"", "", 0)


_OF_SIGNAL = "signal_id = {signal_id:String}"


_AT_TICK = """WHERE run_id = {run_id:String} AND source = {source:String}
    AND symbol = {symbol:String} AND ts_event = fromUnixTimestamp64Milli({time_msc:Int64}, 'UTC')
    AND seq = {seq:UInt32}"""


def vector(content: bytes) -> npt.NDArray[np.float32]:
    """Stored float32 bytes as values, read-only."""
    return np.frombuffer(content, np.float32)
