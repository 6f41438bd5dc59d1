"""Copies of table `tick` without its bars, as blocks of new ticks fit them."""

import re

from adapters.clickhouse import migrate

_RECEIVED = re.compile(r"ts_recv DateTime64.*")
_AFTER = "recv_after_us Int64 CODEC (T64, ZSTD(1)) COMMENT 'When we received it, after ts_event',"


def statement(table: str) -> str:
    """CREATE TABLE of one by another name: what the first migration and tick_times make."""
    text = migrate.product_migrations()[0].statements()[0]
    return _RECEIVED.sub(_AFTER, text.replace("EXISTS tick (", f"EXISTS {table} ("))
