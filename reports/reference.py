"""Reference data as people write it: dated CSV templates, one kind of row each.

A template's header names its kind. Every row is checked before the first is loaded; a file with
one bad row loads nothing, and all its bad rows are told.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec
from stdnum import cfi, isin, lei
from stdnum.exceptions import ValidationError
from stdnum.util import clean

from core.errors import InputError

NO_END = date(2149, 6, 6)  # the last a Date holds


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every kind's columns are those of its table, less the three that loading adds."""


class Instrument(_Row, frozen=True):
    """`instruments.csv`, table reference_instrument."""

    source: str
    symbol: str
    valid_from: date
    full_name: str
    isin: str
    cfi: str
    venue: str
    price_currency: str
    price_notation: Literal["MONE", "PERC", "YIEL", "BAPO"]
    quantity_notation: Literal["UNIT", "NOML", "MONE"]
    units_per_lot: float
    notional_currency_1: str
    notional_currency_2: str
    price_multiplier: float
    underlying_isin: str
    underlying_index: str
    underlying_index_term: str
    option_type: Literal["", "PUTO", "CALL", "OTHR"]
    strike: float
    strike_currency: str
    option_style: Literal["", "EURO", "AMER", "ASIA", "BERM", "OTHR"]
    maturity: str
    expiry: str
    delivery: Literal["", "PHYS", "CASH", "OPTL"]
    commodity: bool
    reportable_rts22: bool
    reason_rts22: str
    reportable_emir: bool
    reason_emir: str


class Party(_Row, frozen=True):
    """`parties.csv`, table reference_party."""

    party: str
    valid_from: date
    legal_name: str
    lei: str
    lei_valid_until: date
    country: str


class Account(_Row, frozen=True):
    """`accounts.csv`, table reference_account."""

    account: str
    source: str
    valid_from: date
    executing_party: str
    client_party: str
    counterparty: str
    submitter: str
    investment_firm: bool
    capacity: Literal["DEAL", "MTCH", "AOTC"]


class Person(_Row, frozen=True):
    """`people.csv`, table reference_person."""

    strategy: str
    valid_from: date
    decision_kind: Literal["ALGO", "PERSON"]
    decision_id: str
    execution_kind: Literal["ALGO", "PERSON", "NORE"]
    execution_id: str
    country: str
    description: str
    owner: str
    approved_by: str


class Rate(_Row, frozen=True):
    """`rates.csv`, table reference_rate."""

    currency: str
    valid_from: date
    rate: float
    publisher: str


class Code(_Row, frozen=True):
    """`codes.csv`, table reference_code."""

    list: Literal["mic", "currency", "country"]
    code: str
    valid_from: date
    name: str


Row = Instrument | Party | Account | Person | Rate | Code

#: Kind -> (table, how many of the first columns name a row).
TABLES: dict[type[Row], tuple[str, int]] = {
    Instrument: ("reference_instrument", 3),
    Party: ("reference_party", 2),
    Account: ("reference_account", 3),
    Person: ("reference_person", 2),
    Rate: ("reference_rate", 2),
    Code: ("reference_code", 3),
}


class Template(msgspec.Struct, frozen=True):
    """One file, read and found good. `content` is what its SHA-256 is of."""

    path: str
    kind: type[Row]
    rows: list[Row]
    content: bytes


def read(path: Path) -> Template:
    """A template, checked.

    Raises:
        InputError: no template of ours, or bad rows; tells them all.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"{error}; name a template in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    kind = _kind(header, str(path))
    rows, problems = list[Row](), list[tuple[int, str]]()
    for number, values in enumerate(reader, 2):
        if values:
            found = _row(kind, header, values)
            if isinstance(found, str):
                problems.append((number, found))
            else:
                problems += ((number, p) for p in problems_of(found))
                rows.append(found)
    problems += _repeats(rows)
    if problems:
        told = "; ".join(f"row {n}: {p}" for n, p in problems[:20])
        raise InputError(str(path), f"nothing was loaded, correct {told}", problems[0][0])
    return Template(str(path), kind, rows, content)


def key_of(row: Row) -> tuple[Any, ...]:
    """What names the row."""
    return msgspec.structs.astuple(row)[: TABLES[type(row)][1]]


def problems_of(row: Row) -> Iterator[str]:
    """What is wrong with a row, in the words of its columns."""
    yield from _CHECKS[type(row)](row)


def valid_lei(text: str) -> bool:
    """ISO 17442 with its check digits."""
    return len(text) == 20 and text.isalnum() and text.isupper() and bool(lei.is_valid(text))


def valid_isin(text: str) -> bool:
    """ISO 6166 with its check digit; EZ is the prefix of derivatives, younger than the list."""
    if len(text) != 12 or clean(text) != text or text.upper() != text:
        return False
    try:
        return bool(isin.is_valid(text)) or (
            text[:2] == "EZ" and isin.calc_check_digit(text[:-1]) == text[-1]
        )
    except (ValidationError, ValueError):
        return False


def _kind(header: list[str], path: str) -> type[Row]:
    for kind in TABLES:
        if list(kind.__struct_fields__) == header:
            return kind
    nearest = max(TABLES, key=lambda k: len(set(k.__struct_fields__) & set(header)))
    wanted, given = set(nearest.__struct_fields__), set(header)
    raise InputError(
        path,
        f"its header is that of no template; for {nearest.__doc__} missing are"
        f" {sorted(wanted - given) or 'none'}, unknown {sorted(given - wanted) or 'none'};"
        " see: tickhouse reference templates DIR",
        1,
    )


def _row(kind: type[Row], header: list[str], values: list[str]) -> Row | str:
    if len(values) != len(header):
        return f"{len(values)} values for {len(header)} columns"
    named: dict[str, object] = dict(zip(header, (v.strip() for v in values), strict=True))
    for field in msgspec.structs.fields(kind):
        if field.type is float and named[field.name] == "":
            named[field.name] = 0.0
        if field.type is date and named[field.name] == "":
            named[field.name] = NO_END
        if field.type is bool:
            named[field.name] = {"yes": True, "no": False}.get(str(named[field.name]), "?")
    try:
        return msgspec.convert(named, kind, strict=False)
    except msgspec.ValidationError as error:
        return str(error)


def _repeats(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    seen = set()
    for number, row in enumerate(rows, 2):
        if key_of(row) in seen:
            yield number, f"{key_of(row)} stands twice in the file"
        seen.add(key_of(row))


def _instrument(row: Instrument) -> Iterator[str]:
    for name in ("isin", "underlying_isin"):
        text = getattr(row, name)
        if text and not valid_isin(text):
            yield f"{name} {text!r} is no ISIN (its check digit, its country or its length)"
    if not cfi.is_valid(row.cfi):
        yield f"cfi {row.cfi!r} is no ISO 10962 code"
    if not (len(row.venue) == 4 and row.venue.isalnum() and row.venue.isupper()):
        yield f"venue {row.venue!r} is no MIC; XXXX or XOFF when off venue"
    for name in ("price_currency", "notional_currency_1", "notional_currency_2", "strike_currency"):
        text = getattr(row, name)
        if text and not _currency(text):
            yield f"{name} {text!r} is no ISO 4217 code"
    if not row.units_per_lot > 0:
        yield "units_per_lot must be above 0"
    for name in ("maturity", "expiry"):
        if getattr(row, name) and not _is_date(getattr(row, name)):
            yield f"{name} {getattr(row, name)!r} is no date YYYY-MM-DD"
    for name in ("reason_rts22", "reason_emir"):
        if not getattr(row, name):
            yield f"{name} is empty: say why"
    if row.reportable_rts22 and not row.isin and not row.full_name:
        yield "without an ISIN the full_name is needed"


def _party(row: Party) -> Iterator[str]:
    if not valid_lei(row.lei):
        yield f"lei {row.lei!r} is no LEI (its check digits, or its length)"
    if not _country(row.country):
        yield f"country {row.country!r} is no ISO 3166 alpha-2 code"


def _account(row: Account) -> Iterator[str]:
    for name in ("account", "executing_party", "client_party", "counterparty", "submitter"):
        if not getattr(row, name):
            yield f"{name} is empty"


def _person(row: Person) -> Iterator[str]:
    for name in ("decision_id", "execution_id"):
        if not 1 <= len(getattr(row, name)) <= 50:
            yield f"{name} has 1 to 50 characters"
    if not _country(row.country):
        yield f"country {row.country!r} is no ISO 3166 alpha-2 code"


def _rate(row: Rate) -> Iterator[str]:
    if not _currency(row.currency):
        yield f"currency {row.currency!r} is no ISO 4217 code"
    if not row.rate > 0:
        yield "rate must be above 0"


def _code(row: Code) -> Iterator[str]:
    length = {"mic": 4, "currency": 3, "country": 2}[row.list]
    if len(row.code) != length or not row.code.isalnum() or row.code.upper() != row.code:
        yield f"code {row.code!r}: a {row.list} has {length} capitals or digits"


def _currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_CHECKS: dict[type[Row], Callable[[Any], Iterator[str]]] = {
    Instrument: _instrument,
    Party: _party,
    Account: _account,
    Person: _person,
    Rate: _rate,
    Code: _code,
}
