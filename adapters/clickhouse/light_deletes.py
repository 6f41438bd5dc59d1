"""Deletes that need not wait for the merges of what they delete from.

From `tick` a row is left out at once: ClickHouse notes it beside the part, and writes it in later.
What is noted makes each scan of a part about three times as dear, so that is asked for right away,
with nobody waiting. Tables of states cannot note; of those all deletes are begun together, what is
stored after that is not theirs, and whoever has to is told when they are through.
"""

import time

import numpy as np
import numpy.typing as npt

from adapters.clickhouse.writer import Writer
from core.errors import WarehouseError

#: Setting of a DELETE: seen at once. On a table that cannot it waits as any other.
NOTED = "lightweight_delete_mode = 'lightweight_update'"
#: Setting of a DELETE: it goes on when the statement is through.
BEGUN = "lightweight_deletes_sync = 0"
_GOING = """
SELECT count(), max(latest_fail_reason) FROM system.mutations
WHERE database = currentDatabase() AND table IN ({tables:Array(String)}) AND NOT is_done
"""
_AGAIN_S = 0.02


def write_in(writer: Writer, table: str, times_msc: npt.NDArray[np.int64]) -> None:
    """Have what was noted of the months of these times written into their parts."""
    for month in _months(times_msc):
        writer.ask(
            f"ALTER TABLE `{table}` APPLY PATCHES IN PARTITION {month} SETTINGS mutations_sync = 0"
        )


def wait(writer: Writer, tables: tuple[str, ...]) -> None:
    """Until nothing that was deleted from these tables is still there.

    Raises:
        WarehouseError: ClickHouse cannot; it says why.
    """
    given = {"tables": "[" + ",".join(f"'{table}'" for table in tables) + "]"}
    while True:
        going, failed = writer.ask(_GOING, given).decode().rstrip("\n").split("\t")
        if going == "0":
            return
        if failed:
            raise WarehouseError(f"rows of {', '.join(tables)} cannot be deleted: {failed}")
        time.sleep(_AGAIN_S)


def _months(times_msc: npt.NDArray[np.int64]) -> list[int]:
    months = np.unique(times_msc.astype("M8[ms]").astype("M8[M]")).astype(np.int64)
    return [int((1970 + month // 12) * 100 + month % 12 + 1) for month in months]
