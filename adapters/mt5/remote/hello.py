"""Who a client of the simulated terminal is, and what he may call: proven before a frame is read.

Both sides prove in messages of a fixed size that they know the role's secret
(`<home>/credentials/terminal.<role>`), and neither tells it: a program that took the terminal's
port learns nothing, and is sent no order. What a role does not list is denied.
"""

import hmac
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from core.credentials import secret

_MAGIC = b"TKT1"
_ROLE, _NONCE, _PROOF = 16, 16, 32  # bytes
_GREETING = len(_MAGIC) + _ROLE + _NONCE
_WELCOME, _REFUSED = b"\x01", b"\x00"

_SYMBOLS = {"terminal_info", "account_info", "offered", "symbols_get", "symbol_info"}
_TICKS = {"symbol_info_tick", "copy_ticks_from", "copy_ticks_range", "wait_for_ticks"}
_RECORDED = {"feeds", "slice", "slice_ticks"}
_BOOKS = {"positions_get", "orders_get", "history_orders_get", "history_deals_get"}
_TRADE = {"order_calc_margin", "order_send", "claim"}

#: What each may call. A reader asks for statements and accounts: reports, pages, a replay's end.
ROLES: Mapping[str, frozenset[str]] = {
    "collector": frozenset(_SYMBOLS | _TICKS | _RECORDED),
    "reader": frozenset(_SYMBOLS | _TICKS | _RECORDED | _BOOKS),
    "execution": frozenset(_SYMBOLS | _TICKS | _RECORDED | _BOOKS | _TRADE),
}


class RefusedError(ConnectionError):
    """The two sides know different secrets: trying again does not help."""


def secret_of(credentials: Path, role: str) -> bytes:
    """A role's secret, made when there is none.

    Raises:
        SettingsError: others may read the file, or it holds no secret of ours.
    """
    return secret(credentials, f"terminal.{role}").encode()


def introduce(connection: socket.socket, role: str, key: bytes, within_s: float) -> None:
    """Say who we are, as the side that connected.

    Raises:
        RefusedError: the other side knows another secret, or is no terminal of this home.
        OSError: it went away, or took too long.
    """
    deadline = time.monotonic() + within_s
    ours = secrets.token_bytes(_NONCE)
    connection.settimeout(within_s)
    connection.sendall(_MAGIC + role.encode().ljust(_ROLE, b"\0") + ours)
    answer = _exactly(connection, _NONCE + _PROOF, deadline)
    theirs = answer[:_NONCE]
    if not hmac.compare_digest(answer[_NONCE:], _proof(key, b"terminal", ours, theirs)):
        raise RefusedError
    connection.sendall(_proof(key, b"client", ours, theirs))
    if _exactly(connection, len(_WELCOME), deadline) != _WELCOME:
        raise RefusedError


def receive(connection: socket.socket, keys: Mapping[str, bytes], within_s: float) -> str:
    """The role of who connected, once proven; empty when refused.

    Raises:
        OSError: it went away, or took too long.
    """
    deadline = time.monotonic() + within_s
    greeting = _exactly(connection, _GREETING, deadline)
    role = greeting[len(_MAGIC) : -_NONCE].rstrip(b"\0").decode("ascii", "replace")
    if not greeting.startswith(_MAGIC):
        return ""
    # Who is not known is answered like who proves nothing.
    key = keys.get(role) or secrets.token_bytes(_PROOF)
    ours, theirs = secrets.token_bytes(_NONCE), greeting[-_NONCE:]
    connection.sendall(ours + _proof(key, b"terminal", theirs, ours))
    proof = _exactly(connection, _PROOF, deadline)
    known = hmac.compare_digest(proof, _proof(key, b"client", theirs, ours))
    connection.sendall(_WELCOME if known else _REFUSED)
    return role if known else ""


def _proof(key: bytes, side: bytes, client: bytes, terminal: bytes) -> bytes:
    return hmac.digest(key, side + client + terminal, "sha256")


def _exactly(connection: socket.socket, count: int, deadline: float) -> bytes:
    got = b""
    while len(got) < count:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(count - len(got))
        if not part:
            raise ConnectionError("closed within the hello")
        got += part
    return got
