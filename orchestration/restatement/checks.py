"""Data checks of corrected days, run again: what they found before and find now."""

from datetime import date
from typing import Any

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import crashpoint
from orchestration import sites
from orchestration.restatement import rows, work
from orchestration.restatement.rows import Change, Restatement
from orchestration.restatement.work import Desk
from quality.trading_day import bounds

_SUBJECT = "check_result"
_RESULTS = """
SELECT check_id, status, rows_checked, rows_failed FROM check_result FINAL
WHERE ts_event = {end:DateTime64(6)} AND position(check_id, {feed:String}) > 0 ORDER BY check_id
"""


def restate(desk: Desk) -> list[Restatement]:
    """Run the suites on each day once for all of its corrected feeds; what was closed.

    Raises:
        WarehouseError, UnavailableError: the warehouse refused, or does not answer.
    """
    closed = []
    for day, due in rows.by_day(rows.due(desk.client, "check")).items():
        for one in due:
            work.keep(desk, one, {_SUBJECT: _results(desk.client, one)})
        _check(desk, day, sorted({one.symbol for one in due}))
        crashpoint.reach("restate.checked")
        for one in due:
            before = work.before(desk, one, _SUBJECT)
            change = _change(before, _results(desk.client, one))
            closed.append(work.finish(desk, one, {_SUBJECT: change}))
    return closed


def _check(desk: Desk, day: date, symbols: list[str]) -> None:
    from quality.runner import check_day  # Great Expectations takes seconds to load

    docs = sites.folders(desk.settings.home_path)[sites.DATA_DOCS]
    check_day(desk.client, day, desk.clock, symbols=symbols, docs=docs)


def _results(client: Client, one: Restatement) -> dict[str, Any]:
    given = {"end": bounds(one.trading_day)[1], "feed": f"{one.source}.{one.symbol}."}
    with errors_translated():
        answer = client.query(_RESULTS, parameters=given).result_rows
    return {check: [status, checked, failed] for check, status, checked, failed in answer}


def _change(before: dict[str, Any], after: dict[str, Any]) -> Change:
    """Checks that found something else: outcome, rows looked at, rows that broke it."""
    others = sorted(
        check for check in before.keys() | after.keys() if before.get(check) != after.get(check)
    )
    return Change(
        len(others), {c: before[c] for c in others if c in before},
        {c: after[c] for c in others if c in after},
    )  # fmt: skip
