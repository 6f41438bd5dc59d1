"""What a statement says otherwise than those before it: deals corrected, added, taken back.

A fill of ours that is such a deal is restated with it (view `fill_version`): the reports of every
day its order was at work, and the marts of the deal's trading day.

A statement holds the account's whole history, so the next one tells what the broker changed. What
it lacks of earlier days takes nothing back: terminals forget. Only a statement of the same day,
taken again, does. Changes are written down before the statement counts, so a kill loses none; the
same changes have the same id, so repeating them adds nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import connect, errors_translated
from core import audit_log
from core.audit_log import AuditLine
from core.instruments import trading_day
from core.settings import Settings
from reports import statement
from reports.statement import BrokerStatement, StatementDeal

_CONTENT = (
    "position", "kind", "entry", "symbol", "ts_event_us", "volume", "price", "commission", "swap",
    "profit",
)  # fmt: skip
_DEALS = Path(__file__).with_name("deals_before.sql").read_text()
_DAYS = """
SELECT DISTINCT statement_date FROM broker_account
WHERE mode = {mode:String} AND account = {account:String}
"""
_ORDERS = Path(__file__).with_name("orders_of_deals.sql").read_text()
_ANY, _ALL = date(1970, 1, 1), 1 << 31
_TAKEN_BACK = """
SELECT deal FROM broker_correction FINAL
WHERE mode = {mode:String} AND account = {account:String}
GROUP BY deal HAVING argMax(change, ts_known) = 'withdrawal'
"""
_LAST = """
SELECT toUnixTimestamp64Micro(max(ts_changed)) FROM restatement WHERE correction_id = {id:String}
"""
Content = tuple[Any, ...]
_TIME = _CONTENT.index("ts_event_us")


class DealChange(NamedTuple):
    """One deal, as it was told before and as it is told now; None: not at all."""

    deal: int
    before: Content | None
    after: Content | None

    @property
    def change(self) -> str:
        """What it is called in `broker_correction`."""
        if self.before is None:
            return "addition"
        return "withdrawal" if self.after is None else "correction"

    @property
    def content(self) -> dict[str, Any]:
        """As it is now, or was last."""
        return dict(zip(_CONTENT, self.after or self.before or (), strict=True))

    @property
    def day(self) -> date:
        """UTC date of the deal, now."""
        return self.days[-1]

    @property
    def times_us(self) -> list[int]:
        """When it was done, as it was told before and as it is told now."""
        return [content[_TIME] for content in (self.before, self.after) if content]

    @property
    def days(self) -> list[date]:
        """UTC dates of these."""
        return [datetime.fromtimestamp(us / 1e6, UTC).date() for us in self.times_us]


def file(settings: Settings, taken: BrokerStatement, by: str) -> list[DealChange]:
    """Keep a statement, and what it changes; reports of those days are to be made again.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    client = connect(settings.clickhouse)
    try:
        changes, days = _compared(client, taken)
        if days:
            _keep(client, settings, taken, changes, sorted(days), by)
    finally:
        client.close()
    statement.store(settings.clickhouse, taken)
    return changes


def changed(
    day: date, now: Sequence[StatementDeal], ever: Mapping[int, Content],
    of_day: Mapping[int, Content], days: set[date],
) -> list[DealChange]:  # fmt: skip
    """What a statement changes of what was told; what is told first of a day without a statement
    changes nothing.

    Args:
        day: that the statement is of.
        now: its deals.
        ever: every deal as the last statement with it has it, but for those taken back since.
        of_day: those of the day's last statement; empty when there is none.
        days: of which there are statements.
    """
    latest = {deal.deal: _content(deal) for deal in now}
    changes = [
        DealChange(deal, ever.get(deal), content)
        for deal, content in latest.items()
        if content != ever.get(deal)
    ]
    changes += [DealChange(d, c, None) for d, c in of_day.items() if d in ever and d not in latest]
    return sorted(change for change in changes if change.before or change.day in days)


def _content(deal: StatementDeal) -> Content:
    return tuple(getattr(deal, name) for name in _CONTENT)


def _compared(client: Client, taken: BrokerStatement) -> tuple[list[DealChange], set[date]]:
    """Changes, and the days whose reports read something else from now on."""
    funds = taken.funds
    given = {"mode": funds.mode, "account": funds.account}
    with errors_translated():
        days = {day for (day,) in client.query(_DAYS, parameters=given).result_rows}
    ever = _deals(client, given, _ANY, _ALL)
    of_day = _deals(client, given, funds.statement_date, 1)
    gone = _taken_back(client, given)
    ever = {deal: content for deal, content in ever.items() if deal not in gone}
    changes = changed(funds.statement_date, taken.deals, ever, of_day, days)
    again = {funds.statement_date} & days
    return changes, {day for change in changes for day in change.days} | again


def _taken_back(client: Client, given: Mapping[str, Any]) -> set[int]:
    """Deals of which the last word is that they never were."""
    with errors_translated():
        answer = client.query(_TAKEN_BACK, parameters=dict(given)).result_rows
    return {int(deal) for (deal,) in answer}


def _deals(
    client: Client, given: Mapping[str, Any], day: date, statements: int
) -> dict[int, Content]:
    given = {**given, "day": day, "statements": statements}
    with errors_translated():
        answer = client.query(_DEALS, parameters=given).result_rows
    return {int(deal): tuple(content) for deal, content in answer}


def _keep(
    client: Client, settings: Settings, taken: BrokerStatement, changes: Sequence[DealChange],
    days: Sequence[date], by: str,
) -> None:  # fmt: skip
    identity = _identity(taken, changes)
    if changes:
        _insert(client, "broker_correction", [_row(taken, one, identity, by) for one in changes])
    _insert(client, "restatement", _pending(client, taken, days, changes, identity))
    home, funds = settings.home_path, taken.funds
    if changes and not any(
        event.reason == f"correction {identity}"
        for event in audit_log.read(audit_log.path_in(home))
    ):
        audit_log.append(home, AuditLine(
            ts_us=funds.ts_init_us, by=by, authenticated=False, action="statement corrected",
            detail=f"{len(changes)} deals of {funds.account} are told otherwise than before",
            subject=str(funds.statement_date), reason=f"correction {identity}",
            payload={str(c.deal): {"before": c.before, "after": c.after} for c in changes},
        ), mode=funds.mode)  # fmt: skip


def _identity(taken: BrokerStatement, changes: Sequence[DealChange]) -> str:
    """Of the changes; of a day's statement that was taken again without any, of what it holds."""
    funds = taken.funds
    what: Any = [list(change) for change in changes] or [
        str(funds.statement_date), funds.balance, funds.equity,
        [[p.position, p.volume, p.price] for p in taken.positions],
    ]  # fmt: skip
    content = msgspec.json.encode(["statement", funds.mode, funds.account, what])
    return hashlib.sha256(content).hexdigest()[:32]


def _row(taken: BrokerStatement, one: DealChange, identity: str, by: str) -> dict[str, Any]:
    funds = taken.funds
    return {
        "correction_id": identity, "mode": funds.mode, "account": funds.account,
        "deal": one.deal, "change": one.change, "ts_known": _time(funds.ts_init_us),
        "statement_date": funds.statement_date,
        **{name: value for name, value in one.content.items() if name != "ts_event_us"},
        "ts_event": _time(one.content["ts_event_us"]),
        "before": msgspec.json.encode(one.before).decode() if one.before else "", "author": by,
    }  # fmt: skip


def _pending(
    client: Client, taken: BrokerStatement, days: Sequence[date], changes: Sequence[DealChange],
    identity: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """To be done, again when it was: never older than what it follows."""
    funds = taken.funds
    given = {
        "id": identity, "mode": funds.mode, "account": funds.account,
        "deals": [change.deal for change in changes],
    }  # fmt: skip
    with errors_translated():
        last = client.query(_LAST, parameters=given).result_rows[0][0]
        fills = client.query(_ORDERS, parameters=given).result_rows
    when = _time(max(funds.ts_init_us, int(last) + 1))
    at_work = {day for of_order, *_ in fills for day in of_order}
    what = {("report", day, funds.account, "") for day in {*days, *at_work}}
    told_us = {change.deal: change.times_us for change in changes}
    what |= {
        ("mart", trading_day(us), str(source), str(symbol))
        for _, deal, filled_us, source, symbol in fills
        for us in (int(filled_us), *told_us[int(deal)])
    }
    return [
        {"correction_id": identity, "what": kind, "subject": "*", "trading_day": day,
         "source": source, "symbol": symbol, "status": "pending", "ts_changed": when, "rows": 0,
         "before": "", "after": ""}
        for kind, day, source, symbol in sorted(what)
    ]  # fmt: skip


def _insert(client: Client, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    with errors_translated():
        client.insert(table, [list(row.values()) for row in rows], column_names=list(rows[0]))


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
