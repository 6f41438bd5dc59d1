"""RTS 22 rows as ISO 20022 XML, auth.016, written row by row in the version of a schema.

Without a package it is ISO's base message, which is not an authority's own subset: ESMA takes
auth.016.001.01 of its package 1.1.0. With a package the namespace is the package's, and `validate`
holds the document to it, element by element: versions share the elements that are written here as
far as the package says so, and nothing is called valid that it refuses.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]

from reports import iso20022
from reports.iso20022 import Tree

Row = Mapping[str, str]
MESSAGE, BASE = "auth.016.001", "auth.016.001.03"


def write(path: Path, rows: Iterable[Row], version: str = BASE) -> int:
    """One document; how many transactions. An empty one is not written: the schema wants one."""
    space = iso20022.namespace(version)
    count = 0
    with (
        path.open("wb") as file,
        etree.xmlfile(file, encoding="utf-8") as document,
    ):
        document.write_declaration()
        with (
            document.element(f"{{{space}}}Document", nsmap={None: space}),
            document.element(f"{{{space}}}FinInstrmRptgTxRpt"),
        ):
            for row in rows:
                document.write(_transaction(row, space), pretty_print=True)
                count += 1
    if not count:
        path.unlink()
    return count


def _transaction(row: Row, space: str) -> "etree._Element":
    tree = Tree(space)
    if row["f01_report_status"] == "CANC":
        return tree.node("Tx", tree.node("Cxl", *_head(tree, row, investment=False)))
    return tree.node(
        "Tx",
        tree.node(
            "New",
            *_head(tree, row, investment=True),
            _party(tree, "Buyr", row["f07_buyer_id"], row["f08_buyer_branch_country"],
                   row["f12_buyer_decision_maker"]),
            _party(tree, "Sellr", row["f16_seller_id"], row["f17_seller_branch_country"],
                   row["f21_seller_decision_maker"]),
            tree.node(
                "OrdrTrnsmssn",
                tree.leaf("TrnsmssnInd", row["f25_transmission"]),
                tree.leaf("TrnsmttgBuyr", row["f26_transmitting_firm_buyer"]),
                tree.leaf("TrnsmttgSellr", row["f27_transmitting_firm_seller"]),
            ),
            _trade(tree, row),
            tree.node("FinInstrm", _instrument(tree, row)),
            _who(tree, "InvstmtDcsnPrsn", row["f57_investment_decision"], row["decision_kind"],
                 row["f58_decision_country"]),
            _who(tree, "ExctgPrsn", row["f59_execution"], row["execution_kind"],
                 row["f60_execution_country"]),
            tree.node(
                "AddtlAttrbts",
                tree.leaf("WvrInd", row["f61_waiver"]),
                tree.leaf("ShrtSellgInd", row["f62_short_selling"]),
                tree.leaf("OTCPstTradInd", row["f63_otc_indicator"]),
                tree.leaf("RskRdcgTx", row["f64_commodity_indicator"]),
                tree.leaf("SctiesFincgTxInd", row["f65_securities_financing"]),
            ),
        ),
    )  # fmt: skip


def _head(tree: Tree, row: Row, *, investment: bool) -> list["etree._Element | None"]:
    return [
        tree.leaf("TxId", row["f02_transaction_reference"]),
        tree.leaf("ExctgPty", row["f04_executing_entity"]),
        tree.leaf("InvstmtPtyInd", row["f05_investment_firm"]) if investment else None,
        tree.leaf("SubmitgPty", row["f06_submitting_entity"]),
    ]


def _party(tree: Tree, name: str, lei: str, country: str, decides: str) -> "etree._Element":
    owner = tree.node(
        "AcctOwnr", tree.node("Id", tree.leaf("LEI", lei)), tree.leaf("CtryOfBrnch", country)
    )
    return tree.node(name, owner, tree.maybe("DcsnMakr", tree.leaf("LEI", decides)))


def _trade(tree: Tree, row: Row) -> "etree._Element":
    return tree.node(
        "Tx",
        tree.leaf("TradDt", row["f28_trading_time"]),
        tree.leaf("TradgCpcty", row["f29_capacity"]),
        tree.node("Qty", _quantity(tree, row)),
        tree.leaf("DerivNtnlChng", row["f32_notional_change"]),
        tree.node("Pric", tree.node("Pric", _price(tree, row))),
        tree.leaf("NetAmt", row["f35_net_amount"]),
        tree.leaf("TradVn", row["f36_venue"]),
        tree.leaf("CtryOfBrnch", row["f37_membership_country"]),
        tree.leaf("TradPlcMtchgId", row["f03_venue_transaction_id"]),
        tree.leaf("CmplxTradCmpntId", row["f40_complex_trade_id"]),
    )


def _quantity(tree: Tree, row: Row) -> "etree._Element | None":
    kind = {"UNIT": "Unit", "NOML": "NmnlVal", "MONE": "MntryVal"}[row["quantity_notation"]]
    if kind == "Unit":
        return tree.leaf(kind, row["f30_quantity"])
    return tree.leaf(kind, row["f30_quantity"], Ccy=row["f31_quantity_currency"])


def _price(tree: Tree, row: Row) -> "etree._Element | None":
    price, notation = row["f33_price"], row["price_notation"]
    if notation != "MONE":
        return tree.leaf({"PERC": "Pctg", "YIEL": "Yld", "BAPO": "BsisPts"}[notation], price)
    amount = tree.leaf("Amt", price.removeprefix("-"), Ccy=row["f34_price_currency"])
    # The sign is only given where it is needed: for a price below zero.
    sign = tree.leaf("Sgn", "false") if price.startswith("-") else None
    return tree.node("MntryVal", amount, sign)


def _instrument(tree: Tree, row: Row) -> "etree._Element | None":
    if row["f41_instrument_id"]:
        return tree.leaf("Id", row["f41_instrument_id"])
    other = row["f45_notional_currency_2"]
    return tree.node(
        "Othr",
        tree.node(
            "FinInstrmGnlAttrbts",
            tree.leaf("FullNm", row["f42_instrument_name"]),
            tree.leaf("ClssfctnTp", row["f43_classification"]),
            tree.leaf("NtnlCcy", row["f44_notional_currency_1"]),
        ),
        tree.maybe("DebtInstrmAttrbts", tree.leaf("MtrtyDt", row["f54_maturity"])),
        tree.node(
            "DerivInstrmAttrbts",
            tree.leaf("XpryDt", row["f55_expiry"]),
            tree.leaf("PricMltplr", row["f46_price_multiplier"]),
            tree.node("UndrlygInstrm", tree.node("Othr", _underlying(tree, row))),
            tree.leaf("OptnTp", row["f50_option_type"]),
            _strike(tree, row),
            tree.leaf("OptnExrcStyle", row["f53_option_style"]),
            tree.leaf("DlvryTp", row["f56_delivery"]),
            tree.maybe("AsstClssSpcfcAttrbts", tree.maybe("FX", tree.leaf("OthrNtnlCcy", other))),
        ),
    )


def _strike(tree: Tree, row: Row) -> "etree._Element | None":
    if not row["f51_strike"]:
        return None
    amount = tree.leaf("Amt", row["f51_strike"], Ccy=row["f52_strike_currency"])
    return tree.node("StrkPric", tree.node("Pric", tree.node("MntryVal", amount)))


def _underlying(tree: Tree, row: Row) -> "etree._Element":
    if not row["f48_underlying_index"]:
        return tree.node("Sngl", tree.leaf("ISIN", row["f47_underlying_id"]))
    return tree.node(
        "Sngl",
        tree.node(
            "Indx",
            tree.leaf("ISIN", row["f47_underlying_id"]),
            tree.node(
                "Nm",
                tree.node("RefRate", tree.leaf("Nm", row["f48_underlying_index"])),
            ),
        ),
    )


def _who(tree: Tree, name: str, given: str, kind: str, country: str) -> "etree._Element | None":
    if not given:
        return None
    if given == "NORE":
        return tree.node(name, tree.leaf("Clnt", given))
    if kind == "ALGO":
        return tree.node(name, tree.leaf("Algo", given))
    person: Callable[..., etree._Element] = tree.node
    identity = person("Othr", tree.leaf("Id", given))
    return person(name, person("Prsn", tree.leaf("CtryOfBrnch", country), identity))
