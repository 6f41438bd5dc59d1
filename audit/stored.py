"""The warehouse's copy of an audited stream, read back as the events it was made from."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.rows import column_name
from audit.streams import Event
from core.contracts.audit import AuditEvent
from core.contracts.order import EventKind, OrderEvent

_EPOCH = datetime(1970, 1, 1)
_US = timedelta(microseconds=1)


def stored_log(client: Client, stream: str) -> Iterator[Event]:
    """Rows of `audit_event` as they are: no row replaces another there."""
    sql = f"SELECT {_names(AuditEvent)} FROM audit_event WHERE stream = {{s:String}} ORDER BY seq"
    return _read(client, sql, {"s": stream}, AuditEvent)


def stored_orders(client: Client, run_id: str, account: str) -> Iterator[Event]:
    """Rows of `order_event` of one run and account; of rows with one number the last stored."""
    where = "run_id = {r:String} AND account = {a:String}"
    return _read(client, _orders(where), {"r": run_id, "a": account}, OrderEvent)


_OF_ACCOUNT = "account = {a:String} AND mode NOT IN ('replay', 'backtest')"


def stored_account(client: Client, account: str, after: int = 0) -> Iterator[Event]:
    """Rows of one live account, whatever its runs were called: its journal goes on through all.

    `after`: those that follow the event of a number.
    """
    where = f"{_OF_ACCOUNT} AND seq > {{after:UInt64}}"
    return _read(client, _orders(where), {"a": account, "after": after}, OrderEvent)


def sum_of_account(client: Client, account: str, last: int) -> str:
    """Over every value of the rows of a live account up to an event, in whatever order they are."""
    sql = (
        f"SELECT count(), sum(reinterpretAsUInt256(SHA256(toString(tuple({_names(OrderEvent)})))))"
        f" FROM order_event FINAL WHERE {_OF_ACCOUNT} AND seq <= {{last:UInt64}}"
    )
    with errors_translated():
        [(count, total)] = client.query(sql, parameters={"a": account, "last": last}).result_rows
    return f"{count}:{total}"


def stored_end(client: Client, account: str) -> tuple[int, str]:
    """Number and hash of the last event of a live account that has all before it; 0 of none."""
    with errors_translated():
        [(last, its_hash, rows)] = client.query(
            "SELECT max(seq), argMax(hash, seq), uniqExact(seq) FROM order_event"
            f" WHERE {_OF_ACCOUNT}",
            parameters={"a": account},
        ).result_rows
    return (int(last), str(its_hash)) if last == rows else (0, "")


def _orders(where: str) -> str:
    return f"SELECT {_names(OrderEvent)} FROM order_event FINAL WHERE {where} ORDER BY seq"


def _names(kind: type[msgspec.Struct]) -> str:
    return ", ".join(f"`{column_name(field)}`" for field in msgspec.structs.fields(kind))


def _read(client: Client, sql: str, parameters: dict[str, Any], kind: type[Any]) -> Iterator[Event]:
    times = [n for n, f in enumerate(kind.__struct_fields__) if f.endswith("_us")]
    kinds = [n for n, f in enumerate(kind.__struct_fields__) if f == "kind"]
    with (
        errors_translated(),
        client.query_row_block_stream(
            sql, parameters=parameters, settings={"max_block_size": 20_000}
        ) as blocks,
    ):
        for block in blocks:
            for row in block:
                values = list(row)
                for n in times:
                    values[n] = (values[n].replace(tzinfo=None) - _EPOCH) // _US
                for n in kinds:
                    values[n] = EventKind(values[n]) if values[n] in _KINDS else values[n]
                yield kind(*values)


_KINDS = frozenset(EventKind)
