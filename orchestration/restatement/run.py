"""What follows from corrections, in order: bars, who learnt of them, checks, marts, reports.

Checks come first, for a blocking one holds its day's marts back. What fails says why and stays
pending; the rest goes on.
"""

from collections.abc import Callable, Sequence
from datetime import date

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from adapters.clickhouse.finish import finish
from core.errors import TickhouseError
from core.file_lock import locked
from core.home_users import SETUP, sign_in
from orchestration.restatement import checks, learned, marts, reports, rows
from orchestration.restatement.work import Desk
from quality.check_result import blocked_days
from quality.trading_day import bounds

_WAIT_S = 3600
_BLOCKING = """
SELECT check_id FROM check_result FINAL
WHERE ts_event = {end:DateTime64(6)} AND severity = 'error' AND status != 'passed' ORDER BY check_id
"""


def restate(desk: Desk) -> list[str]:
    """Work off what is pending; the reasons why something still is.

    Raises:
        BusyError: another restatement keeps the lock for an hour.
    """
    problems: list[str] = []
    with locked(desk.settings.home_path / "restate.lock", timeout_s=_WAIT_S):
        for step in _STEPS:
            try:
                problems += step(desk)
            except TickhouseError as error:
                problems.append(str(error))
        return problems + _held_back(desk)


def bars(desk: Desk) -> Sequence[str]:
    """Those that a stream left, which may delete nothing."""
    settings = desk.settings
    finish(sign_in(settings.clickhouse, SETUP), settings.home_path, "restate")
    return ()


def _learned(desk: Desk) -> Sequence[str]:
    learned.restate(desk)
    return ()


def _checks(desk: Desk) -> Sequence[str]:
    checks.restate(desk)
    return ()


def _marts(desk: Desk) -> Sequence[str]:
    marts.restate(desk)
    return ()


def _reports(desk: Desk) -> Sequence[str]:
    return reports.restate(desk).problems


_STEPS: tuple[Callable[[Desk], Sequence[str]], ...] = (bars, _learned, _checks, _marts, _reports)


def _held_back(desk: Desk) -> list[str]:
    blocked = set(blocked_days(desk.client))
    days = {one.trading_day for one in rows.due(desk.client, "mart")} & blocked
    return [
        f"marts of {day} are held back: {', '.join(_blocking(desk.client, day))} failed; correct"
        f" the rows, or the limit after a review, then: tickhouse check --date {day}"
        for day in sorted(days)
    ]


def _blocking(client: Client, day: date) -> list[str]:
    with errors_translated():
        answer = client.query(_BLOCKING, parameters={"end": bounds(day)[1]}).result_rows
    return [str(check) for (check,) in answer]
