"""Client money, daily: what our books say is an account's, against what its broker states.

Ours is the order journal alone: the opening balance and every deal and payment since, positions at
their average entry, valued at the last tick of our own before the statement's moment, with
reference data and our own rates. Theirs is the last statement of the day. A row for each amount of
each account and day, also when it agrees, and one that says so when there was no statement:
Directive 2014/65/EU, article 16(8) and (9); Delegated Directive (EU) 2017/593, article 2(1)(c).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from risk.exposure import ConversionError, Feed, unit

_CENT, _BASIS_POINT, _PER_CENT = 0.005, 1e-4, 0.01
_UNKNOWN = -1.0  # margin of statements that did not say it
MATCHED = "matched"
NO_STATEMENT = "no statement of the broker"


class Funds(NamedTuple):
    """Of a statement, account currency. `ts_us`: market time it holds for."""

    ts_us: int
    currency: str
    balance: float
    equity: float
    margin: float


class Held(NamedTuple):
    """A position of our books: signed lots, average price of entry."""

    source: str
    symbol: str
    lots: float
    price: float

    @property
    def feed(self) -> Feed:
        """Source and symbol."""
        return self.source, self.symbol


class Books(NamedTuple):
    """Ours at a moment. `balance` None: nothing says with what the account began."""

    balance: float | None
    held: tuple[Held, ...]
    quotes: Mapping[Feed, tuple[float, float]]  # bid and ask of each feed, the last before it


class Valued(NamedTuple):
    """Of positions, account currency."""

    profit: float
    margin: float
    notional: float


class Amount(NamedTuple):
    """One comparison. `tolerance`: what a difference may be."""

    item: str
    ours: float
    theirs: float
    tolerance: float
    status: str
    severity: str
    owner: str

    @property
    def difference(self) -> float:
        """Ours less theirs."""
        return self.ours - self.theirs


class MoneyRow(msgspec.Struct, frozen=True):
    """A row of `client_money`."""

    report_date: date
    mode: str
    account: str
    client: str
    item: str
    currency: str
    ours: float
    theirs: float
    difference: float
    tolerance: float
    status: str
    severity: str
    owner: str
    since: date | None
    age_days: int
    ts_event_us: int
    ts_init_us: int


def compare(books: Books, funds: Funds) -> list[Amount]:
    """Balance to half a cent; what prices decide to one basis point of the notional; margin to 1 %,
    for brokers reckon it in ways of their own.
    """
    if books.balance is None:
        return [_amount("balance", 0.0, funds.balance, 0.0, "not in our books")]
    try:
        valued = value(books, funds)
    except ConversionError as error:
        unknown = _amount("open profit", 0.0, funds.equity - funds.balance, 0.0, str(error))
        return [_amount("balance", books.balance, funds.balance, _CENT), unknown]
    moved = max(_CENT, valued.notional * _BASIS_POINT)
    amounts = [
        _amount("balance", books.balance, funds.balance, _CENT),
        _amount("open profit", valued.profit, funds.equity - funds.balance, moved),
        _amount("equity", books.balance + valued.profit, funds.equity, moved),
    ]
    if funds.margin != _UNKNOWN:
        most = max(_CENT, funds.margin * _PER_CENT)
        amounts.append(_amount("margin", valued.margin, funds.margin, most, severity="warning"))
    return amounts


def value(books: Books, funds: Funds) -> Valued:
    """All positions at the price at which each would close.

    Raises:
        ConversionError: an instrument, a price or a rate is not known.
    """
    mids = {feed: (bid + ask) / 2 for feed, (bid, ask) in books.quotes.items()}
    profit = margin = notional = 0.0
    for held in books.held:
        one = unit(held.feed, mids, funds.currency, funds.ts_us)
        units, closes = held.lots * one.per_price, books.quotes[held.feed][held.lots < 0]
        profit += units * (closes - held.price)
        margin += abs(units) * held.price * one.instrument.margin_rate
        notional += abs(units) * closes
    return Valued(profit, margin, notional)


def take(
    client: Client, mode: str, day: date, clients: Mapping[str, str], now_us: int
) -> list[MoneyRow]:
    """Compare a UTC day and keep it; done again, the day is replaced.

    Args:
        clients: pseudonym by account, of those who have one.

    Raises:
        WarehouseError, UnavailableError: it refused, or does not answer.
    """
    rows = [
        _row(
            day=day,
            mode=mode,
            account=account,
            client=clients.get(account, ""),
            funds=funds,
            amount=amount,
            since=began,
            now_us=now_us,
        )
        for account, funds in _accounts(client, mode, day)
        for amount in _amounts(client, mode, account, funds)
        for began in [_since(client, mode, account, amount, day)]
    ]
    _store(client, rows)
    return rows


def breaks(rows: Sequence[MoneyRow]) -> list[MoneyRow]:
    """Those that differ, or could not be compared."""
    return [row for row in rows if row.status != MATCHED]


def _amounts(client: Client, mode: str, account: str, funds: Funds | None) -> list[Amount]:
    if funds is None:
        return [_amount("statement", 0.0, 0.0, 0.0, NO_STATEMENT)]
    return compare(_books(client, mode, account, funds.ts_us), funds)


def _amount(
    item: str, ours: float, theirs: float, tolerance: float, problem: str = "",
    severity: str = "error",
) -> Amount:  # fmt: skip
    """Owners as of the breaks of EMIR: who supplies what a valuation needs, or asks the broker."""
    if not problem and abs(ours - theirs) <= tolerance:
        return Amount(item, ours, theirs, tolerance, MATCHED, "", "")
    owner = "reference data" if problem and item == "open profit" else "operations"
    return Amount(item, ours, theirs, tolerance, problem or "differs", severity, owner)


def _row(
    day: date, mode: str, account: str, client: str, funds: Funds | None, amount: Amount,
    since: date | None, now_us: int,
) -> MoneyRow:  # fmt: skip
    return MoneyRow(
        report_date=day, mode=mode, account=account, client=client, item=amount.item,
        currency=funds.currency if funds else "", ours=round(amount.ours, 8),
        theirs=round(amount.theirs, 8), difference=round(amount.difference, 8),
        tolerance=amount.tolerance, status=amount.status, severity=amount.severity,
        owner=amount.owner, since=since, age_days=(day - since).days if since else 0,
        ts_event_us=funds.ts_us if funds else 0, ts_init_us=now_us,
    )  # fmt: skip


def _accounts(client: Client, mode: str, day: date) -> Iterator[tuple[str, Funds | None]]:
    """Every account that had a journal by the end of the day, with its last statement of it."""
    for account, stated, *funds in _query(client, "client_money_accounts", mode=mode, day=day):
        yield str(account), Funds(*funds) if stated else None


def _books(client: Client, mode: str, account: str, at_us: int) -> Books:
    of = {"mode": mode, "account": account, "at_us": at_us}
    [(opened, balance)] = _query(client, "client_money_balance", **of)
    held = tuple(Held(*row) for row in _query(client, "client_money_held", **of))
    sources = sorted({one.source for one in held})
    quotes = {
        (source, symbol): (bid, ask)
        for source, symbol, bid, ask in _query(
            client, "client_money_quotes", sources=sources, at_us=at_us
        )
    }
    return Books(float(balance) if opened else None, held, quotes)


def _since(client: Client, mode: str, account: str, amount: Amount, day: date) -> date | None:
    """The first of the days on which it has differed, one after another; None: it does not."""
    if amount.status == MATCHED:
        return None
    rows = _query(
        client, "client_money_before", mode=mode, account=account, item=amount.item,
        before=day - timedelta(days=1),
    )  # fmt: skip
    return rows[0][0] if rows else day


def _store(client: Client, rows: Sequence[MoneyRow]) -> None:
    if not rows:
        return
    names = list(MoneyRow.__struct_fields__)
    values = [[_value(name, getattr(row, name)) for name in names] for row in rows]
    with errors_translated():
        client.insert("client_money", values, column_names=[n.removesuffix("_us") for n in names])


def _value(name: str, value: Any) -> Any:
    if name.endswith("_us"):
        return datetime.fromtimestamp(value / 1e6, UTC)
    return date(1970, 1, 1) if value is None else value


def _query(client: Client, name: str, **parameters: object) -> list[tuple[Any, ...]]:
    sql = resources.files("reports").joinpath(f"{name}.sql").read_text("utf-8")
    with errors_translated():
        return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]
