"""What makes a row of reference data good: identifiers, codes, dates and what belongs together."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from stdnum import cfi, isin, lei
from stdnum.exceptions import ValidationError
from stdnum.util import clean

from reports.reference_rows import (
    Code,
    EmirAccount,
    EmirInstrument,
    EmirParty,
    Party,
    Person,
    Rate,
    ReferenceAccount,
    ReferenceInstrument,
    Row,
    Uti,
)


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


def valid_uti(text: str) -> bool:
    """ISO 23897 as EMIR wants it: an LEI, then up to 32 capitals and digits."""
    own = text[20:]
    return valid_lei(text[:20]) and 1 <= len(own) <= 32 and own.isalnum() and own == own.upper()


def valid_upi(text: str) -> bool:
    """ISO 4914: QZ, nine consonants or digits, and a check character by ISO 7064, modulus 31,30."""
    if len(text) != 12 or text[:2] != "QZ" or not set(text) <= set(_UPI_ALPHABET):
        return False
    return _UPI_ALPHABET[_upi_check(text[:11])] == text[11]


def _upi_check(text: str) -> int:
    rest = 30
    for character in text:
        rest = (rest + _UPI_ALPHABET.index(character)) % 30 or 30
        rest = rest * 2 % 31
    return (1 - rest) % 30


def _instrument(row: ReferenceInstrument) -> Iterator[str]:
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


def _account(row: ReferenceAccount) -> Iterator[str]:
    for name in ("account", "executing_party", "client_party", "counterparty", "submitter"):
        if not getattr(row, name):
            yield f"{name} is empty"
    if row.branch_country and not _country(row.branch_country):
        yield f"branch_country {row.branch_country!r} is no ISO 3166 alpha-2 code"
    if row.mandate and row.client_party == row.executing_party:
        yield "mandate is for a client: client_party is the firm itself"


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


def _emir_party(row: EmirParty) -> Iterator[str]:
    sectors = row.sector.split()
    known = {"F": _FINANCIAL, "N": _SECTIONS}.get(row.nature, frozenset[str]())
    if bool(sectors) != bool(known):
        yield "sector is wanted of natures F and N, and of no other"
    if unknown := set(sectors) - known:
        yield f"sector {' '.join(sorted(unknown))!r} is no code of nature {row.nature}"


def _emir_account(row: EmirAccount) -> Iterator[str]:
    for name in ("account", "source", "agreement"):
        if not getattr(row, name):
            yield f"{name} is empty"
    if (row.account == "*") != (row.source == "*"):
        yield "account and source are both * or neither: *,* stands for every other account"
    if (row.agreement == "OTHR") != bool(row.agreement_other):
        yield "agreement_other is the name of an agreement OTHR, and of no other"
    if row.agreement_year and not (len(row.agreement_year) == 4 and row.agreement_year.isdigit()):
        yield f"agreement_year {row.agreement_year!r} is no year"
    if not _code_of(row.portfolio_code, 52):
        yield "portfolio_code has at most 52 letters and digits"
    if row.collateral == "UNCL" and row.portfolio_code:
        yield "portfolio_code without collateral: UNCL has none"
    if row.execution_agent and row.regime != "UK":
        yield "execution_agent is asked for under the regime UK alone"


def _emir_instrument(row: EmirInstrument) -> Iterator[str]:
    if row.upi and not valid_upi(row.upi):
        yield f"upi {row.upi!r} is no ISO 4914 code (its check character, or its form)"
    if row.settlement_currency and not _currency(row.settlement_currency):
        yield f"settlement_currency {row.settlement_currency!r} is no ISO 4217 code"
    if (row.asset_class == "COMM") != bool(row.base_product):
        yield "base_product is wanted of asset class COMM, and of no other"


def _uti(row: Uti) -> Iterator[str]:
    for name in ("account", "source", "ticket"):
        if not getattr(row, name):
            yield f"{name} is empty"
    if not valid_uti(row.uti):
        yield f"uti {row.uti!r}: the LEI that generated it, then 1 to 32 capitals and digits"


def _code_of(text: str, most: int) -> bool:
    return len(text) <= most and (not text or (text.isascii() and text.isalnum()))


def _currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_UPI_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXZ"
_FINANCIAL = frozenset(("INVF", "CDTI", "INUN", "UCIT", "ORPI", "AIFD", "CSDS"))
_SECTIONS = frozenset("ABCDEFGHIJKLMNOPQRSTU")  # of NACE

_CHECKS: dict[type[Row], Callable[[Any], Iterator[str]]] = {
    ReferenceInstrument: _instrument,
    Party: _party,
    ReferenceAccount: _account,
    Person: _person,
    Rate: _rate,
    Code: _code,
    EmirParty: _emir_party,
    EmirAccount: _emir_account,
    EmirInstrument: _emir_instrument,
    Uti: _uti,
}
