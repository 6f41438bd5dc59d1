"""Each order's way from tick to fill to a collector, once the order has ended.

What waits is in the warehouse and nowhere else: a collector that is away costs no memory and stops
nothing, and what it missed follows when it is back, up to a day. `<home>/traces.json` says how far
each account's journal was sent; a process that is killed between sending and noting sends a batch
twice, whose names are the same.
"""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from adapters import otlp
from adapters.clickhouse.client import connect, errors_translated
from core import checked_json, durable
from core.clock import Clock
from core.errors import InputError, TickhouseError, UnavailableError
from core.settings import Settings

_log = logging.getLogger(__name__)
_MOST = 200  # orders in one request
_OLDEST_US = 24 * 3_600_000_000
_LONGEST_WAIT_S = 60.0
_FAILED = frozenset({"denied", "rejected", "expired", "unknown"})
_OF_THE_ORDER = (
    "order_id", "outcome", "run_id", "mode", "account", "strategy", "source", "symbol",
)  # fmt: skip
_SQL = {p.stem: p.read_text() for p in Path(__file__).parent.glob("sql/trace/*.sql")}


class _Sent(msgspec.Struct):
    seq: dict[str, int] = {}  # the newest journal record that was sent, by run and account


class TraceSender:
    """One account's traces. Used by one thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._path = settings.home_path / "traces.json"
        self._sent = _read(self._path)
        self.endpoint = settings.traces.otlp_endpoint
        self.wait_s = settings.traces.every_s  # until the next turn
        self._problem = ""

    def turn(self) -> None:
        """Send what ended, until nothing is left or something is in the way.

        A problem is logged when it begins and when it is over; between two attempts the wait
        doubles, up to a minute.
        """
        try:
            while self._batch():
                pass
        except TickhouseError as error:
            self.wait_s = min(self.wait_s * 2, _LONGEST_WAIT_S)
            self._say(str(error))
        else:
            self.wait_s = self._settings.traces.every_s
            self._say("")

    def run(self, stop: threading.Event) -> None:
        """Until told to stop, in a thread of its own."""
        while not stop.wait(self.wait_s):
            try:
                self.turn()
            except Exception:  # one round's fault must not end the traces for good
                _log.exception("traces were not sent; they are tried again in a moment")

    def _batch(self) -> bool:
        """Send the next orders; whether there may be more."""
        client = connect(self._settings.clickhouse)
        try:
            with errors_translated():
                ended = self._ended(client)
                spans = _spans(client, [order for order, _ in ended]) if ended else []
        finally:
            client.close()
        if not ended:
            return False
        try:
            if left := otlp.send(self.endpoint, self._settings.traces.otlp_headers, spans):
                _log.warning("traces: %s", left)
        except InputError as error:  # it will never take these: the next ones have their turn
            _log.error("traces of %d orders were refused: %s", len(ended), error)
        self._note(max(seq for _, seq in ended))
        return len(ended) == _MOST

    def _ended(self, client: Client) -> list[tuple[str, int]]:
        """Orders that ended since, and where in the journal. At first those from now on."""
        key, run = self._key(), self._settings.run
        given: dict[str, Any] = {"run": run.run_id, "account": run.account}
        if key not in self._sent.seq:
            self._note(int(client.query(_SQL["newest"], given).result_rows[0][0]))
        now_us, settle_us = self._clock.now_us(), round(self._settings.traces.settle_s * 1e6)
        given |= {
            "after": self._sent.seq[key], "from_us": now_us - _OLDEST_US,
            "until_us": now_us - settle_us, "most": _MOST,
        }  # fmt: skip
        return [(str(o), int(seq)) for o, seq in client.query(_SQL["ended"], given).result_rows]

    def _key(self) -> str:
        return f"{self._settings.run.run_id}/{self._settings.run.account}"

    def _note(self, seq: int) -> None:
        self._sent.seq[self._key()] = seq
        try:
            durable.write(self._path, checked_json.encode(self._sent))
        except OSError as error:
            raise UnavailableError(f"{self._path} cannot be written: {error}") from error

    def _say(self, problem: str) -> None:
        if problem and not self._problem:
            _log.warning("traces wait in the warehouse and are sent again for a day: %s", problem)
        elif self._problem and not problem:
            _log.info("traces are sent again")
        self._problem = problem


def _spans(client: Client, orders: list[str]) -> list[otlp.Span]:
    answer = client.query(_SQL["spans"], {"orders": orders})
    return [_span(row) for row in answer.named_results()]


def _span(row: Any) -> otlp.Span:
    named = dict(_attributes(row))
    return otlp.Span(
        trace_id=row["trace_id"], span_id=row["span_id"], parent_id=row["parent_id"],
        name=row["span"], start_us=row["start_us"], end_us=row["end_us"],
        failed=not row["parent_id"] and row["outcome"] in _FAILED, attributes=named,
    )  # fmt: skip


def _attributes(row: Any) -> Iterator[tuple[str, str]]:
    yield "tickhouse.detail", row["detail"]
    if not row["parent_id"]:
        yield from ((f"tickhouse.{name}", row[name]) for name in _OF_THE_ORDER)


def _read(path: Path) -> _Sent:
    try:
        return checked_json.read(path, _Sent)
    except FileNotFoundError:
        return _Sent()
    except (OSError, msgspec.DecodeError) as error:
        _log.error("%s cannot be read (%s): traces begin with the orders from now on", path, error)
        return _Sent()
