"""The broker's statement: what the terminal says of its own books, kept beside ours.

Taken through the terminal's protocol, from the history it keeps, never from anything we journalled.
"""

from datetime import UTC, date, datetime

import msgspec

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import Terminal
from core.errors import UnavailableError
from core.sections import ClickhouseSettings, RunSettings

_FAR = 1 << 33  # seconds: after every deal


class StatementDeal(msgspec.Struct, frozen=True):
    """A row of `broker_deal`."""

    statement_date: date
    ts_init_us: int
    mode: str
    account: str
    deal: int
    position: int
    kind: str
    entry: str
    symbol: str
    ts_event_us: int
    volume: float
    price: float
    commission: float
    swap: float
    profit: float


class Holding(msgspec.Struct, frozen=True):
    """A row of `broker_position`."""

    statement_date: date
    ts_init_us: int
    mode: str
    account: str
    position: int
    symbol: str
    volume: float
    price: float


class StatementFunds(msgspec.Struct, frozen=True):
    """A row of `broker_account`."""

    statement_date: date
    ts_init_us: int
    mode: str
    account: str
    ts_event_us: int
    currency: str
    balance: float
    equity: float
    margin: float = -1.0  # in use; -1: it was not said


class BrokerStatement(msgspec.Struct, frozen=True):
    """All that the terminal said at one moment."""

    deals: list[StatementDeal]
    positions: list[Holding]
    funds: StatementFunds


def take(
    terminal: Terminal, run: RunSettings, day: date, holds_us: int, now_us: int
) -> BrokerStatement:
    """Ask a connected terminal.

    Args:
        day: UTC; deals after its end are left out.
        holds_us: market time for which positions and balance hold.

    Raises:
        UnavailableError: it does not answer.
    """
    end = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + 86_400
    terminal.at(holds_us // 1000)
    deals, positions = terminal.history_deals_get(0, _FAR), terminal.positions_get()
    account = terminal.account_info()
    if deals is None or positions is None or account is None:
        raise UnavailableError(f"the terminal gives no statement: {terminal.last_error()[1]}")
    head = (day, now_us, run.mode, run.account)
    return BrokerStatement(
        [
            StatementDeal(
                *head,
                deal=d.ticket,
                position=d.position_id,
                kind=_kind(d.type),
                entry="in" if d.entry == 0 else "out",
                symbol=d.symbol,
                ts_event_us=d.time_msc * 1000,
                volume=d.volume,
                price=d.price,
                commission=d.commission,
                swap=d.swap,
                profit=d.profit,
            )
            for d in deals
            if d.time < end
        ],
        [
            Holding(
                *head, p.ticket, p.symbol, p.volume if p.type == 0 else -p.volume, p.price_open
            )
            for p in positions
        ],
        StatementFunds(
            *head, holds_us, account.currency, account.balance, account.equity, account.margin
        ),
    )  # fmt: skip


def store(where: ClickhouseSettings, statement: BrokerStatement) -> None:
    """Keep it. The account comes last: without it a statement does not count."""
    with Writer(where) as writer:
        if statement.deals:
            writer.insert("broker_deal", message_columns(statement.deals))
        if statement.positions:
            writer.insert("broker_position", message_columns(statement.positions))
        writer.insert("broker_account", message_columns([statement.funds]))


def _kind(code: int) -> str:
    return {mt5.DEAL_TYPE_BUY: "buy", mt5.DEAL_TYPE_SELL: "sell"}.get(code, "balance")
