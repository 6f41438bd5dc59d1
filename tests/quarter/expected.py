"""What each report of the quarter must hold, reckoned from the script alone.

Nothing of the product is used: names, identifiers and codes are written out here as a person reads
them in the reference data and the annexes, figures are reckoned with Decimal.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from tests.quarter.script import ACCOUNT, INDEX, SOURCE, STRATEGY, Day, Fill, bid

Row = dict[str, str]
FIRM, BROKER, SUBMITTER = (
    "TICKHOUSEDEMOFIRM093", "TICKHOUSEDEMOBROK069", "TICKHOUSEDEMOSUBM082",
)  # fmt: skip
#: RTS 24, annex, table 2, field 21; "" for steps of our own and acknowledgements.
CODES = {
    "submitted": "NEWO", "partially_filled": "PARF", "filled": "FILL", "rejected": "REMO",
    "expired": "EXPI", "stop_moved": "REME", "modified": "REME", "closed": "FILL",
}  # fmt: skip
SIDES = {"buy": "BUYI", "sell": "SELL", "": ""}
#: RTS 22 fields that are the same for every trade in the index, as its reference data have them.
INDEX_TRADE = {
    "f01_report_status": "NEWT", "f04_executing_entity": FIRM, "f05_investment_firm": "true",
    "f06_submitting_entity": SUBMITTER, "f25_transmission": "false", "f29_capacity": "DEAL",
    "f34_price_currency": "EUR", "f36_venue": "XXXX", "f43_classification": "JEIXCC",
    "f42_instrument_name": "Tickhouse Fictitious Euro Index 50 CFD",
    "f44_notional_currency_1": "EUR", "f46_price_multiplier": "1", "f56_delivery": "CASH",
    "f47_underlying_id": "DE000TICKH04", "f48_underlying_index": "FICTITIOUS EURO 50",
    "f57_investment_decision": "TH-MODEL-1", "f59_execution": "TH-EXEC-1",
    "f65_securities_financing": "false",
}  # fmt: skip
#: Fields of RTS 22 that hold nothing for a firm that trades a CFD on own account by algorithm.
EMPTY = [
    "f03_venue_transaction_id", "f08_buyer_branch_country", "f09_buyer_first_names",
    "f10_buyer_surnames", "f11_buyer_birth_date", "f12_buyer_decision_maker",
    "f13_buyer_decision_first_names", "f14_buyer_decision_surnames",
    "f15_buyer_decision_birth_date", "f17_seller_branch_country", "f18_seller_first_names",
    "f19_seller_surnames", "f20_seller_birth_date", "f21_seller_decision_maker",
    "f22_seller_decision_first_names", "f23_seller_decision_surnames",
    "f24_seller_decision_birth_date", "f26_transmitting_firm_buyer",
    "f27_transmitting_firm_seller", "f31_quantity_currency", "f32_notional_change",
    "f35_net_amount", "f37_membership_country", "f38_up_front_payment", "f39_up_front_currency",
    "f40_complex_trade_id", "f41_instrument_id", "f45_notional_currency_2",
    "f49_underlying_index_term", "f50_option_type", "f51_strike", "f52_strike_currency",
    "f53_option_style", "f54_maturity", "f55_expiry", "f58_decision_country",
    "f60_execution_country", "f61_waiver", "f62_short_selling", "f63_otc_indicator",
    "f64_commodity_indicator",
]  # fmt: skip
EMIR_TRADE = {
    "reportable": "yes", "regime": "EU", "t1_02_report_submitting_entity": SUBMITTER,
    "t1_03_entity_responsible": FIRM, "t1_04_counterparty_1": FIRM, "t1_05_nature_1": "F",
    "t1_06_sector_1": "INVF", "t1_07_threshold_1": "false", "t1_08_counterparty_2_by_lei": "true",
    "t1_09_counterparty_2": BROKER, "t1_11_nature_2": "F", "t1_12_sector_2": "INVF",
    "t1_13_threshold_2": "false", "t1_14_obligation_2": "true", "t2_008_upi": "QZTCKHSDM017",
    "t2_009_cfi": "JEIXCC", "t2_010_contract_type": "CFDS", "t2_011_asset_class": "EQUI",
    "t2_012_crypto": "false", "t2_013_underlying_type": "X", "t2_014_underlying_id": "DE000TICKH04",
    "t2_019_settlement_currency_1": "EUR", "t2_026_portfolio_indicator": "true",
    "t2_027_portfolio_code": "THPORTFOLIO1", "t2_029_confirmed": "ECNF",
    "t2_030_clearing_obligation": "UKWN", "t2_031_cleared": "N", "t2_034_master_agreement": "OTHR",
    "t2_036_master_agreement_version": "2024", "t2_037_intragroup": "false",
    "t2_041_venue": "XXXX", "t2_047_delivery": "CASH", "t2_049_price_currency": "EUR",
    "t2_056_notional_currency_1": "EUR", "t2_151_action_type": "POSC",
    "t2_152_event_type": "TRAD", "t2_154_level": "TCTN",
}  # fmt: skip


def number(value: float, digits: int = 8) -> str:
    """As a report writes it: rounded, without a zero at its end."""
    exact = Decimal(repr(value)).quantize(Decimal(10) ** -digits, ROUND_HALF_EVEN)
    text = f"{exact:f}".rstrip("0").rstrip(".") if "." in f"{exact:f}" else f"{exact:f}"
    return "0" if text in ("-0", "") else text


def moment(us: int) -> str:
    """UTC with microseconds."""
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06}Z"


def transactions(day: Day) -> Iterator[Row]:
    """RTS 22, all 65 fields but the reference, of every fill of the index, by its deal."""
    for fill in (fill for fill in day.fills if fill.symbol == INDEX):
        buyer, seller = (FIRM, BROKER) if fill.way > 0 else (BROKER, FIRM)
        yield {
            **dict.fromkeys(EMPTY, ""), **INDEX_TRADE, "venue_deal": str(fill.deal),
            "account": ACCOUNT, "order_id": fill.order, "f07_buyer_id": buyer,
            "f16_seller_id": seller, "f28_trading_time": moment(fill.us),
            "f30_quantity": number(fill.lots), "f33_price": number(fill.price), "reportable": "yes",
        }  # fmt: skip


def spot(day: Day) -> Iterator[Row]:
    """Fills that are no instrument of MiFID II: there, and not reported."""
    for fill in (fill for fill in day.fills if fill.symbol != INDEX):
        yield {
            "venue_deal": str(fill.deal), "reportable": "no", "f33_price": number(fill.price),
            "reportable_reason": "spot FX is not a financial instrument under MiFID II",
        }  # fmt: skip


def order_records(day: Day) -> Iterator[Row]:
    """One record for each journalled event of an order, with its code."""
    for event in day.events:
        if not event.order_id:
            continue
        kind = str(event.kind)
        rest = kind == "cancelled" and event.reason == "rest"
        code = "CAMO" if rest else "CAME" if kind == "cancelled" else CODES.get(kind, "")
        yield {
            "order_id": event.order_id, "own_event": kind, "event_code": code,
            "ts_event": moment(event.ts_event_us), "side": SIDES[event.side],
            "account": ACCOUNT, "strategy": STRATEGY, "source": SOURCE, "symbol": event.symbol,
            "purpose": event.purpose, "decision_id": "TH-MODEL-1", "execution_id": "TH-EXEC-1",
            "venue_deal": str(event.venue_deal), "price_currency":
            "EUR" if event.symbol == INDEX else "USD", "reason": event.reason,
        }  # fmt: skip


def blocked(day: Day) -> Iterator[Row]:
    """Every order that a control refused, with the limit and what it saw."""
    for order, control in day.denied:
        yield {
            "order_id": order, "control": control, "limit_value": "3", "observed": "9",
            "limits_version": "limits-7", "action": "blocked", "approver": "", "volume": "9",
        }  # fmt: skip


def contracts(day: Day) -> Iterator[Row]:
    """EMIR: each fill of the index is reported as part of a position."""
    for fill in (fill for fill in day.fills if fill.symbol == INDEX):
        notional = Decimal(repr(fill.price)) * Decimal(repr(fill.lots))
        yield {
            **EMIR_TRADE, "venue_deal": str(fill.deal), "order_id": fill.order,
            "t1_17_direction": "BYER" if fill.way > 0 else "SLLR",
            "t2_042_execution_timestamp": f"{moment(fill.us)[:19]}Z",
            "t2_048_price": number(fill.price), "t2_060_quantity_1": number(fill.lots),
            "t2_055_notional_1": number(float(notional)), "t2_153_event_date": str(day.day),
        }  # fmt: skip


def statement_rows(day: Day) -> Iterator[Row]:
    """Each deal agrees with the broker's, by its money: profit less a commission of 1."""
    for fill in day.fills:
        earned = number(round(fill.profit - 1, 8))
        yield {
            "item": "deal", "item_key": str(fill.deal), "symbol": fill.symbol, "ours": earned,
            "theirs": earned, "difference": "0", "status": "matched", "order_id": fill.order,
        }  # fmt: skip


def money(ours: float, theirs: float) -> Iterator[Row]:
    """The balance of the account, and its equity: everything is closed each evening."""
    agrees = "matched" if abs(ours - theirs) < 0.005 else "differs"
    for item in ("balance", "equity"):
        yield {
            "account": ACCOUNT, "item": item, "ours": number(ours), "theirs": number(theirs),
            "status": agrees, "currency": "USD",
        }  # fmt: skip
    yield {"account": ACCOUNT, "item": "open profit", "ours": "0", "theirs": "0",
           "status": "matched"}  # fmt: skip


def executions(day: Day) -> Iterator[Row]:
    """Orders that filled, and closings at the broker, by the tick that stood when each began."""
    parts: dict[tuple[str, int], list[Fill]] = {}
    for fill in day.fills:
        parts.setdefault((fill.order, fill.way), []).append(fill)
    for (order, way), fills in parts.items():
        sent = next(e for e in day.events if e.order_id == order and e.kind == "submitted")
        ours = (sent.side == "buy") == (way > 0)  # else the broker closed what it opened
        second = (sent.ts_event_us if ours else fills[0].us) // 1_000_000 % 3600
        low, high = _quote(day.number, sent.symbol, second)
        mid, lots = (low + high) / 2, sum(fill.lots for fill in fills)
        price = sum(fill.lots * fill.price for fill in fills) / lots
        whole = not ours or lots >= sent.volume
        yield {
            "order_id": order, "side": "buy" if way > 0 else "sell", "symbol": sent.symbol,
            "volume_asked": number(sent.volume), "volume_filled": number(lots),
            "outcome": "filled" if whole else "partially_filled",
            "reference_kind": "tick mid", "reference_price": number(mid),
            "slippage_bp": number(way * (price / mid - 1) * 1e4, 6),
            "spread_bp": number((high - low) / mid * 1e4, 6),
        }  # fmt: skip


def _quote(day: int, symbol: str, second: int) -> tuple[float, float]:
    if symbol == INDEX:
        return bid(day, second), bid(day, second) + 0.5
    low = round(1.17 + second % 5 * 1e-5, 5)
    return low, round(low + 1e-4, 5)
