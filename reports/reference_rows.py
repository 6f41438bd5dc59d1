"""What reference data consist of: the columns of each template, and what names a row."""

from datetime import date
from typing import Any, Literal

import msgspec

NO_END = date(2149, 6, 6)  # the last a Date holds


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every kind's columns are those of its table, less the three that loading adds."""


class ReferenceInstrument(_Row, frozen=True):
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


class ReferenceAccount(_Row, frozen=True):
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
    branch_country: str = ""  # of the branch that serves the client; "": the firm's own country
    mandate: bool = False  # the firm decides for the client, at its discretion


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


class EmirParty(_Row, frozen=True):
    """`emir_parties.csv`, table reference_emir_party."""

    party: str
    valid_from: date
    nature: Literal["F", "N", "C", "O"]
    sector: str
    above_threshold: bool
    obligated: bool


class EmirAccount(_Row, frozen=True):
    """`emir_accounts.csv`, table reference_emir_account."""

    account: str
    source: str
    valid_from: date
    regime: Literal["EU", "UK"]
    level: Literal["trade", "position"]
    responsible: str
    uti_stage: Literal["", "ccp", "venue", "third_country", "platform"]
    uti_agreed: str
    portfolio_code: str
    collateral: Literal["UNCL", "PRC1", "PRC2", "PRCL", "OWC1", "OWC2", "OWP1", "OWP2", "FLCL"]
    agreement: str
    agreement_other: str
    agreement_year: str
    confirmed: Literal["NCNF", "ECNF", "YCNF"]
    intragroup: bool
    execution_agent: str = ""  # party; of the regime UK alone


class EmirInstrument(_Row, frozen=True):
    """`emir_instruments.csv`, table reference_emir_instrument."""

    source: str
    symbol: str
    valid_from: date
    upi: str
    contract_type: Literal["CFDS", "FRAS", "FUTR", "FORW", "OPTN", "SPDB", "SWAP", "SWPT", "OTHR"]
    asset_class: Literal["COMM", "CRDT", "CURR", "EQUI", "INTR"]
    crypto: bool
    underlying_kind: Literal["", "I", "B", "X"]
    settlement_currency: str
    clearing_obligation: Literal["TRUE", "FLSE", "UKWN"]
    base_product: str
    sub_product: str
    further_sub_product: str


class Uti(_Row, frozen=True):
    """`utis.csv`, table reference_uti: identifiers that somebody else generated."""

    account: str
    source: str
    ticket: str
    valid_from: date
    uti: str


Row = (
    ReferenceInstrument | Party | ReferenceAccount | Person | Rate | Code
    | EmirParty | EmirAccount | EmirInstrument | Uti
)  # fmt: skip

#: Kind -> (table, how many of the first columns name a row).
TABLES: dict[type[Row], tuple[str, int]] = {
    ReferenceInstrument: ("reference_instrument", 3),
    Party: ("reference_party", 2),
    ReferenceAccount: ("reference_account", 3),
    Person: ("reference_person", 2),
    Rate: ("reference_rate", 2),
    Code: ("reference_code", 3),
    EmirParty: ("reference_emir_party", 2),
    EmirAccount: ("reference_emir_account", 3),
    EmirInstrument: ("reference_emir_instrument", 3),
    Uti: ("reference_uti", 4),
}


def key_of(row: Row) -> tuple[Any, ...]:
    """What names the row."""
    return msgspec.structs.astuple(row)[: TABLES[type(row)][1]]
