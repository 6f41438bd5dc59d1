"""Limits: what may be traded, and how much, as a person wrote it down in a versioned file.

Without a file the limits are those of the settings, which stop the same orders as ever. A file
replaces them whole: its version together with the hash of its bytes then names, for every
denial, exactly which limits held. Nearer tables win: `limits`, `symbols.<symbol>`,
`accounts.<account>`, `accounts.<account>.symbols.<symbol>`. `inf` means no limit.

What is shipped protects an account of any size: notionals and the day's loss are bounded by the
account's own equity. Where a limit stands both in money and in equity, the smaller holds.

`firms.<name>` says the rules of a proprietary trading firm, or of a broker's retail clients, which
`accounts.<account>.firm` names; `accounts.<account>.client` for whom it trades, by pseudonym, so
that their file has to be in order; `news.<name>` what events of the economic calendar do.
"""

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from core.errors import InputError
from core.pseudonyms import is_pseudonym
from core.sections import ExecutionSettings
from core.toml_lines import line_of
from execution.risk.firm_rules import FirmRules
from execution.risk.news import NewsRule, of_firm

T = TypeVar("T")
#: Before the number of the signed version, in what names the limits of a decision.
SIGNED = "#"
OFF = math.inf
FIRM = "firm"  # of an account: the name of its firm's table
CLIENT = "client"  # of an account: the pseudonym of whom it trades for
_NO_LIMITS = ("symbols", FIRM, CLIENT)
Action = Literal["none", "reducing", "halted"]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All limits and the sizing of one symbol in one account. Money in account currency."""

    max_lots: float = 1.0  # of one order
    max_order_value: float = OFF  # notional of one order
    max_order_equity: float = 3.0  # the same, in equities of the account
    max_position_lots: float = OFF  # net lots of a feed, all strategies together
    max_position_equity: float = 5.0  # their notional, in equities of the account
    max_gross_exposure: float = OFF  # notional of all positions and this order
    max_gross_equity: float = 10.0  # the same, in equities of the account
    max_orders_per_minute: float = 60  # entries of a feed
    max_messages_per_second: float = 20  # orders of the account, exits counted too
    max_repeats: float = 100  # entries of one strategy in one feed within repeat_window_s
    repeat_window_s: float = 300.0  # then a person must release the throttle
    max_daily_loss: float = OFF  # below the equity at 17:00 New York
    max_daily_loss_share: float = 0.03  # the same, as a share of that equity
    max_drawdown: float = OFF  # below the highest equity seen
    max_quote_age_s: float = 10.0  # of the newest quote
    max_spread_ratio: float = 5.0  # spread over its own running median
    collar: float = 0.005  # reference price to live mid, share of price
    restricted: bool = False  # no new position in it
    sizing: Literal["fixed", "volatility", "kelly"] = "fixed"  # how a target becomes lots
    lots: float = 0.10  # full position of `fixed`
    risk_share: float = 0.005  # of equity lost at the stop of a full position of `volatility`
    kelly_fraction: float = 0.25  # of the growth-optimal share
    kelly_payoff: float = 1.0  # gain of a right signal over loss of a wrong one
    kelly_cap: float = 0.01  # most of equity lost at the stop, whatever Kelly says
    max_sized_lots: float = 1.0  # cap of `volatility` and `kelly`
    resize_share: float = 0.25  # a held position is not resized for less than this
    max_var_equity: float = OFF  # value at risk of all positions (99 %, a day), in equities
    max_shortfall_equity: float = OFF  # expected shortfall, the same
    max_order_var_equity: float = OFF  # what one order may add to that value at risk
    max_currency_equity: float = OFF  # held or owed of one currency but the account's, in equities
    max_correlated_equity: float = OFF  # of all exposures, what moves with the symbol, in equities
    max_stress_equity: float = OFF  # loss in the worst stress scenario, in equities
    max_risk_age_s: float = 150.0  # of the stream's figures; older, and these limits deny entries


class Breakers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When trading stops by itself. A price must move by both to count as a flash crash."""

    crash: Action = "halted"
    crash_move_1s: float = 0.008  # share of price within a second
    crash_move_10s: float = 0.012
    crash_move_60s: float = 0.015
    crash_deviations: float = 12.0  # of the volatility before the move, over the same time
    rejects: Action = "reducing"
    max_reject_share: float = 0.5  # of the orders of the last minute
    min_orders: float = 10  # fewer say nothing about rejects
    latency: Action = "reducing"
    max_send_ms: float = 5000.0  # median of the last 5 answers
    min_answers: float = 5  # since execution started; fewer say nothing about latency
    disconnected: Action = "reducing"
    max_away_s: float = 10.0  # without an answer of the terminal
    drift: Action = "reducing"
    max_drift_s: float = 2.0  # jump of our clock, or ticks from the future
    half_at_drawdown: float = 0.05  # below the highest equity: new entries at half size
    reducing_at_drawdown: float = 0.08  # no entries; exits pass
    halted_at_drawdown: float = 0.10
    disk: Action = "reducing"
    min_free_mib: float = 256.0  # on the journal's disk; taken back when twice as much is free


class LimitsBook(NamedTuple):
    """One version of all limits: tables as written, nearest table wins."""

    version: str
    base: Limits
    symbols: Mapping[str, Mapping[str, Any]]
    accounts: Mapping[str, Mapping[str, Any]]
    breakers: Breakers
    flash_crash: Mapping[str, Mapping[str, Any]]  # breakers' own tables per symbol
    firms: Mapping[str, FirmRules] = {}
    news: Mapping[str, NewsRule] = {}

    def firm_of(self, account: str) -> tuple[str, FirmRules] | None:
        """The firm whose rules an account is under, by name; None without one."""
        name = self.accounts.get(account, {}).get(FIRM, "")
        return (name, self.firms[name]) if name else None

    def client_of(self, account: str) -> str:
        """Pseudonym of the client that an account trades for; "" for none."""
        return str(self.accounts.get(account, {}).get(CLIENT, ""))

    def news_of(self, account: str) -> dict[str, NewsRule]:
        """Rules about the calendar that hold for an account, its firm's among them."""
        firm = self.firm_of(account)
        own = of_firm(firm[1]) if firm and firm[1].enforce else None
        return {**self.news, f"firm {firm[0]}": own} if firm and own else dict(self.news)

    def of(self, account: str, symbol: str) -> Limits:
        """What holds for a symbol in an account; "" for the account as such."""
        mine = self.accounts.get(account, {})
        tables = (
            self.symbols.get(symbol, {}),
            {name: value for name, value in mine.items() if name not in _NO_LIMITS},
            mine.get("symbols", {}).get(symbol, {}),
        )
        merged = {name: value for table in tables for name, value in table.items()}
        return _converted(Limits, {**msgspec.structs.asdict(self.base), **merged})

    def breakers_of(self, symbol: str) -> Breakers:
        """The breakers' thresholds for a symbol."""
        return _converted(
            Breakers, {**msgspec.structs.asdict(self.breakers), **self.flash_crash.get(symbol, {})}
        )


def signed(book: LimitsBook, entry: int) -> LimitsBook:
    """The limits by the name of the signed entry that they are; as they are when it is 0."""
    return book._replace(version=f"{book.version}{SIGNED}{entry}") if entry else book


def of_settings(settings: ExecutionSettings) -> LimitsBook:
    """The limits of a home without a file: those of the settings."""
    base = Limits(
        max_lots=settings.max_lots, max_orders_per_minute=settings.max_orders_per_minute,
        max_quote_age_s=settings.max_quote_age_s, max_spread_ratio=settings.max_spread_ratio,
        collar=settings.collar, lots=settings.lots,
    )  # fmt: skip
    return LimitsBook(settings.limits_version, base, {}, {}, Breakers(), {})


def parse(content: bytes, name: str) -> LimitsBook:
    """The limits of a file's bytes; `name` is the file, for errors.

    Raises:
        InputError: with the line, the key, and the nearest known one.
    """
    text = content.decode("utf-8", "replace")
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(name, f"not TOML: {error}") from error
    page = _Page(name, text)
    version = written.pop("version", None)
    if not isinstance(version, str) or not re.fullmatch(r"[\w.-]{1,40}", version):
        raise InputError(name, 'version: write version = "…", letters, digits, dots and dashes')
    for table, known, values in _tables(written, page):
        page.check(table, known, values)
    digest = hashlib.sha256(content).hexdigest()[:12]
    breakers = dict(written.get("breakers", {}))
    flash_crash = breakers.pop("symbols", {})
    return LimitsBook(
        version=f"{version}+{digest}",
        base=_converted(Limits, written.get("limits", {})),
        symbols=written.get("symbols", {}),
        accounts=written.get("accounts", {}),
        breakers=_converted(Breakers, breakers),
        flash_crash=flash_crash,
        firms={
            name: _converted(FirmRules, table) for name, table in written.get("firms", {}).items()
        },
        news={name: _converted(NewsRule, table) for name, table in written.get("news", {}).items()},
    )


def render(book: LimitsBook) -> str:
    """The account-wide limits as a file that `parse` reads again."""
    lines = [f'version = "{book.version.partition("+")[0]}"']
    for table, values in (("limits", book.base), ("breakers", book.breakers)):
        lines += ["", f"[{table}]"]
        pairs = msgspec.structs.asdict(values).items()
        lines += [f"{name} = {_literal(value)}" for name, value in pairs]
    nested = (
        ("symbols", book.symbols),
        ("accounts", book.accounts),
        ("breakers.symbols", book.flash_crash),
        ("firms", {name: _written(rules) for name, rules in book.firms.items()}),
        ("news", {name: _written(rule) for name, rule in book.news.items()}),
    )
    for prefix, tables in nested:
        for name, table_values in tables.items():
            lines += _rendered(f"{prefix}.{_quoted(name)}", table_values)
    return "\n".join(lines) + "\n"


def _written(rules: msgspec.Struct) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.structs.asdict(rules).items() if value is not None
    }


def _rendered(table: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"[{table}]")
    yield from (f"{k} = {_literal(v)}" for k, v in values.items() if not isinstance(v, dict))
    nested_tables = values.get("symbols", {})
    for symbol, nested in nested_tables.items() if isinstance(nested_tables, dict) else ():
        yield from _rendered(f"{table}.symbols.{_quoted(symbol)}", nested)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else '"' + name.replace('"', '\\"') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return msgspec.json.encode(value).decode() if isinstance(value, str) else str(value)


Kind = type[Limits] | type[Breakers] | type[FirmRules] | type[NewsRule]


def _tables(
    written: Mapping[str, Any], page: "_Page"
) -> Iterator[tuple[str, Kind, Mapping[str, Any]]]:
    """Every table that holds limits, with its dotted name and what it may hold."""
    tops = ("limits", "symbols", "accounts", "breakers", "firms", "news")
    for name in written:
        if name not in tops:
            raise page.error("", name, f"unknown{_nearest(name, tops)}")
    for name, table in page.table("firms", written.get("firms", {})).items():
        yield f"firms.{name}", FirmRules, page.dated(f"firms.{name}", table)
    yield from _each("news", NewsRule, written.get("news", {}), page)
    yield "limits", Limits, page.table("limits", written.get("limits", {}))
    yield from _each("symbols", Limits, written.get("symbols", {}), page)
    for name, table in page.table("accounts", written.get("accounts", {})).items():
        mine = dict(page.table(f"accounts.{name}", table))
        yield from _each(f"accounts.{name}.symbols", Limits, mine.pop("symbols", {}), page)
        page.check_firm(f"accounts.{name}", mine.pop(FIRM, None), written.get("firms", {}))
        page.check_client(f"accounts.{name}", mine.pop(CLIENT, None))
        yield f"accounts.{name}", Limits, mine
    breakers = dict(page.table("breakers", written.get("breakers", {})))
    yield from _each("breakers.symbols", Breakers, breakers.pop("symbols", {}), page)
    yield "breakers", Breakers, breakers


def _each(
    prefix: str, kind: Kind, tables: Any, page: "_Page"
) -> Iterator[tuple[str, Kind, Mapping[str, Any]]]:
    for name, table in page.table(prefix, tables).items():
        yield f"{prefix}.{name}", kind, page.table(f"{prefix}.{name}", table)


class _Page:
    """The text of a file, to say in which line something is wrong."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text

    def table(self, table: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            parent, _, key = table.rpartition(".")
            raise self.error(parent, key, f"is a table: write [{table}]")
        return value

    def check(self, table: str, known: Kind, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if key not in known.__struct_fields__:
                nearest = _nearest(key, known.__struct_fields__)
                raise self.error(table, key, f"unknown{nearest}")
            try:
                _converted(known, {key: value})
            except msgspec.ValidationError as error:
                problem = str(error).partition(" - at")[0]
                raise self.error(table, key, problem) from error
            if isinstance(value, int | float) and not value >= 0:
                raise self.error(table, key, f"{value}: a limit is a number from 0 on, or inf")

    def check_firm(self, table: str, name: object, firms: Mapping[str, Any]) -> None:
        """What an account names as its firm is one of the file's."""
        if name is not None and (not isinstance(name, str) or name not in firms):
            raise self.error(table, FIRM, f"no table [firms.{name}]{_nearest(str(name), firms)}")

    def check_client(self, table: str, name: object) -> None:
        """Whom an account trades for is a pseudonym of the vault, not a name."""
        if name is not None and not (isinstance(name, str) and is_pseudonym(name)):
            raise self.error(table, CLIENT, "is a pseudonym, as p-0123456789ab")

    def dated(self, table: str, value: Any) -> Mapping[str, Any]:
        """Rules of a firm, which say of when they are."""
        rules = self.table(table, value)
        if "dated" not in rules:
            raise self.error(table, "dated", "is missing: the day on which you read its page")
        return rules

    def error(self, table: str, key: str, problem: str) -> InputError:
        where = f"[{table}] {key}" if table else key
        return InputError(self._name, f"{where}: {problem}", line_of(self._text, table, key))


def _converted(kind: type[T], values: Mapping[str, Any]) -> T:
    return msgspec.convert(dict(values), kind)


def _nearest(name: str, known: Any) -> str:
    match = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {match[0]!r}?" if match else f"; known: {', '.join(sorted(known))}"
