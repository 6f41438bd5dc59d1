"""The start that decided: its row, and the settings and strategy it refers to by their hashes.

A decision is explained by its own session or not at all. What is missing is named, with what brings
it back; nothing newer stands in for it. Decisions of before there were sessions have the run's row,
which the newest start of that run wrote.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from core.contracts.order import OrderEvent
from core.contracts.session import Session
from core.contracts.signal import Signal
from core.errors import InputError
from streams.explain.stored_rows import structs

_RECORDED = ("replay", "backtest")


class Origin(NamedTuple):
    """What shaped a decision. `session` is None when there were none yet."""

    session: Session | None
    settings: str  # JSON
    strategy: bytes  # a person's own, or the desk; b"" for one that ships, or when unknown
    features: bytes = b""  # a person's own; b"" without any


def of_signal(client: Client, signal: Signal, decision: str) -> Origin:
    """The origin of a decision.

    Raises:
        InputError: its session, or what that refers to, is missing or was changed.
    """
    name = signal.session_id or (signal.run_id if signal.mode in _RECORDED else "")
    session = read(client, signal.run_id, name) if name else None
    if session is None and signal.session_id:
        raise InputError(
            decision, f"its session {name} has no row in table session: it was removed, or that"
            " start wrote to another warehouse. Bring it back from a backup (`tickhouse restore`);"
            " `tickhouse sessions` lists those that are here"
        )  # fmt: skip
    if session is None:
        return Origin(None, _of_run(client, signal.run_id), b"")
    settings = _body(client, session, "settings", session.settings_hash, decision)
    own = session.strategy_hash
    strategy = _body(client, session, "strategy", own, decision) if own else b""
    named = session.features_hash
    features = _body(client, session, "features", named, decision) if named else b""
    return Origin(session, settings.decode(), strategy, features)


def refuse_overwritten(
    client: Client, signal: Signal, orders: Sequence[OrderEvent], decision: str
) -> None:
    """A killed start may have published what the next one, with other settings, decided anew.

    Raises:
        InputError: the order was taken up by an earlier session than the one in the signal's row.
    """
    taken_up = next((event.session_id for event in orders if event.kind == "received"), "")
    if not taken_up or taken_up == signal.session_id:
        return
    earlier, later = (read(client, signal.run_id, s) for s in (taken_up, signal.session_id))
    if earlier and later and earlier.number < later.number:
        raise InputError(
            decision, f"session {taken_up} decided it and was killed; session {signal.session_id},"
            " with settings of its own, decided the same tick again and wrote over its row. What"
            " was traded stands in the order journal of its account"
        )  # fmt: skip


def read(client: Client, run_id: str, session_id: str) -> Session | None:
    """One session; None when it has no row."""
    given = {"run_id": run_id, "session_id": session_id}
    where = "run_id = {run_id:String} AND session_id = {session_id:String}"
    rows = structs(client, Session, "session", where, given)
    return rows[-1] if rows else None


def listed(client: Client, run_id: str = "") -> list[Session]:
    """All sessions, or those of a run, in the order in which they were begun."""
    where = "empty({run_id:String}) OR run_id = {run_id:String} ORDER BY run_id, number, session_id"
    return structs(client, Session, "session", where, {"run_id": run_id})


def versions(session: Session) -> dict[str, str]:
    """Of the product, its code and libraries, and the machine, as the session wrote them down."""
    software = msgspec.json.decode(session.versions, type=dict[str, str])
    return {**software, **msgspec.json.decode(session.fingerprint, type=dict[str, str])}


def _of_run(client: Client, run_id: str) -> str:
    rows = client.query(
        "SELECT settings FROM run FINAL WHERE run_id = {run_id:String}", {"run_id": run_id}
    ).result_rows
    return str(rows[0][0]) if rows else "{}"


def _body(client: Client, session: Session, kind: str, digest: str, decision: str) -> bytes:
    rows = client.query(
        "SELECT base64Encode(body) FROM content FINAL WHERE hash = {hash:String}", {"hash": digest}
    ).result_rows
    back = "bring it back from a backup (`tickhouse restore`)"
    if not rows:
        raise InputError(
            decision, f"the {kind} of its session {session.session_id} is not in table content"
            f" (hash {digest}): {back}"
        )  # fmt: skip
    body = base64.b64decode(rows[0][0])
    if hashlib.sha256(body).hexdigest() != digest:
        raise InputError(
            decision, f"the {kind} of its session {session.session_id} was CHANGED in table"
            f" content: its SHA-256 is no longer {digest}; {back}"
        )  # fmt: skip
    return body
