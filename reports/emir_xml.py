"""EMIR rows as ISO 20022 XML, auth.030: each in the element of its action.

Without a package it is ISO's base message, which is not an authority's own subset. The time of
sending (`RptgTmStmp`) is left to whoever sends it.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from reports import iso20022
from reports.iso20022 import Tree

Row = Mapping[str, str]
Element = Any  # of lxml, which has no types
Build = Callable[[Tree], Element]
MESSAGE, BASE = "auth.030.001", "auth.030.001.04"
_ELEMENTS = {
    "NEWT": "New", "MODI": "Mod", "CORR": "Crrctn", "TERM": "Termntn", "EROR": "Err",
    "REVI": "Rvv", "VALU": "ValtnUpd", "POSC": "PosCmpnt",
}  # fmt: skip
#: Base and sub-product of the annex, table 4 -> the elements they stand in.
_COMMODITIES = {("METL", "PRME"): ("Metl", "Prcs"), ("METL", "NPRM"): ("Metl", "NonPrcs")}


def write(path: Path, rows: Iterable[Row], count: int, version: str = BASE) -> None:
    """One document of so many reports; of none it says that nothing happened (NOTX)."""
    write_document(path, "DerivsTradRpt", map(_named, rows), count, version)


def write_document(
    path: Path, name: str, reports: Iterable[Build], count: int, version: str
) -> None:
    """A document of reports, one by one, so that a million cost no memory.

    Args:
        name: of the message's element.
        reports: each builds its element in the document's namespace.
    """
    space = iso20022.namespace(version)
    tree = Tree(space)
    with path.open("wb") as file, etree.xmlfile(file, encoding="utf-8") as document:
        document.write_declaration()
        with (
            document.element(f"{{{space}}}Document", nsmap={None: space}),
            document.element(f"{{{space}}}{name}"),
        ):
            header = tree.node("RptHdr", tree.leaf("NbRcrds", str(count)))
            document.write(header, pretty_print=True)
            with document.element(f"{{{space}}}TradData"):
                if not count:
                    document.write(tree.leaf("DataSetActn", "NOTX"))
                for build in reports:
                    document.write(tree.node("Rpt", build(tree)), pretty_print=True)


def _named(row: Row) -> Build:
    return lambda tree: _report(tree, row)


def _report(tree: Tree, row: Row) -> Element:
    return tree.node(
        _ELEMENTS[row["t2_151_action_type"]],
        tree.node("CtrPtySpcfcData", _counterparties(tree, row), _valuation(tree, row)),
        tree.node("CmonTradData", _contract(tree, row), _transaction(tree, row)),
        tree.leaf("Lvl", row["t2_154_level"]),
        tree.node("TechAttrbts", tree.leaf("TechRcrdId", row["record_id"])),
    )


def _counterparties(tree: Tree, row: Row) -> Element:
    return tree.node(
        "CtrPty",
        tree.node(
            "RptgCtrPty",
            legal(tree, "Id", row["t1_04_counterparty_1"]),
            _nature(tree, row["t1_05_nature_1"], row["t1_06_sector_1"], row["t1_07_threshold_1"]),
            tree.maybe("DrctnOrSd", tree.leaf("CtrPtySd", row["t1_17_direction"])),
        ),
        tree.node(
            "OthrCtrPty",
            legal(tree, "IdTp", row["t1_09_counterparty_2"]),
            _nature(tree, row["t1_11_nature_2"], row["t1_12_sector_2"], row["t1_13_threshold_2"]),
            tree.leaf("RptgOblgtn", row["t1_14_obligation_2"]),
        ),
        tree.maybe("SubmitgAgt", tree.leaf("LEI", row["t1_02_report_submitting_entity"])),
        tree.maybe("NttyRspnsblForRpt", tree.leaf("LEI", row["t1_03_entity_responsible"])),
        tree.maybe("ExctnAgt", tree.leaf("LEI", row["t1_21_execution_agent"])),
    )


def legal(tree: Tree, name: str, lei: str) -> Element | None:
    """A legal entity by its LEI."""
    identity = tree.maybe("Id", tree.leaf("LEI", lei))
    return None if identity is None else tree.node(name, tree.node("Lgl", identity))


def _nature(tree: Tree, nature: str, sectors: str, above: str) -> Element | None:
    if nature in ("C", "O"):
        return tree.node("Ntr", tree.leaf("CntrlCntrPty" if nature == "C" else "Othr", "NORE"))
    if not nature:
        return None
    kind, code = ("FI", "Cd") if nature == "F" else ("NFI", "Id")
    activities = [tree.node("Sctr", tree.leaf(code, sector)) for sector in sectors.split()]
    return tree.node("Ntr", tree.node(kind, *activities, tree.leaf("ClrThrshld", above)))


def _valuation(tree: Tree, row: Row) -> Element | None:
    amount = row["t2_021_valuation_amount"]
    if not amount:
        return None
    return tree.node(
        "Valtn",
        _signed(tree, "CtrctVal", amount, row["t2_022_valuation_currency"]),
        tree.leaf("TmStmp", row["t2_023_valuation_timestamp"]),
        tree.leaf("Tp", row["t2_024_valuation_method"]),
    )


def _signed(tree: Tree, name: str, amount: str, currency: str) -> Element:
    """An amount; its sign stands beside it, and `true` is plus."""
    plus = "false" if amount.startswith("-") else "true"
    return tree.node(
        name, tree.leaf("Amt", amount.removeprefix("-"), Ccy=currency), tree.leaf("Sgn", plus)
    )


def _contract(tree: Tree, row: Row) -> Element | None:
    return tree.maybe(
        "CtrctData",
        tree.leaf("CtrctTp", row["t2_010_contract_type"]),
        tree.leaf("AsstClss", row["t2_011_asset_class"]),
        tree.leaf("PdctClssfctn", row["t2_009_cfi"]),
        tree.maybe(
            "PdctId",
            tree.leaf("ISIN", row["t2_007_isin"]),
            tree.maybe("UnqPdctIdr", tree.leaf("Id", row["t2_008_upi"])),
        ),
        _underlying(tree, row),
        tree.maybe("SttlmCcy", tree.leaf("Ccy", row["t2_019_settlement_currency_1"])),
        tree.leaf("DerivBasedOnCrptAsst", row["t2_012_crypto"]),
    )


def _underlying(tree: Tree, row: Row) -> Element | None:
    kind, isin = row["t2_013_underlying_type"], row["t2_014_underlying_id"]
    if kind == "I":
        return tree.maybe("UndrlygInstrm", tree.leaf("ISIN", isin))
    if kind == "X":
        name = tree.leaf("Nm", row["t2_016_underlying_index_name"])
        return tree.maybe("UndrlygInstrm", tree.maybe("Indx", tree.leaf("ISIN", isin), name))
    return None


def _transaction(tree: Tree, row: Row) -> Element:
    return tree.node(
        "TxData",
        tree.maybe("TxId", tree.leaf("UnqTxIdr", row["t2_001_uti"])),
        tree.maybe("SbsqntTxId", tree.leaf("UnqTxIdr", row["t2_004_subsequent_position_uti"])),
        _portfolio(tree, row),
        tree.leaf("PltfmIdr", row["t2_041_venue"]),
        *_amounts(tree, row),
        tree.leaf("DlvryTp", row["t2_047_delivery"]),
        tree.leaf("ExctnTmStmp", row["t2_042_execution_timestamp"]),
        tree.leaf("FctvDt", row["t2_043_effective_date"]),
        tree.leaf("XprtnDt", row["t2_044_expiration_date"]),
        tree.leaf("EarlyTermntnDt", row["t2_045_early_termination_date"]),
        _agreement(tree, row),
        tree.leaf("PstTradRskRdctnFlg", row["t2_038_ptrr"]),
        tree.node(
            "DerivEvt",
            tree.leaf("Tp", row["t2_152_event_type"]),
            tree.node("TmStmp", tree.leaf("Dt", row["t2_153_event_date"])),
        ),
        _confirmation(tree, row),
        _clearing(tree, row),
        _commodity(tree, row),
    )


def _portfolio(tree: Tree, row: Row) -> Element | None:
    if not row["t2_026_portfolio_indicator"]:
        return None
    code = tree.leaf("Cd", row["t2_027_portfolio_code"])
    none = tree.leaf("NoPrtfl", "NOAP")
    return tree.node("CollPrtflCd", tree.node("Prtfl", none if code is None else code))


def _amounts(tree: Tree, row: Row) -> list[Element | None]:
    if not row["t2_048_price"]:
        return [None]
    price = _signed(tree, "MntryVal", row["t2_048_price"], row["t2_049_price_currency"])
    notional = tree.leaf("Amt", row["t2_055_notional_1"], Ccy=row["t2_056_notional_currency_1"])
    quantity = tree.leaf("TtlQty", row["t2_060_quantity_1"])
    return [
        tree.node("TxPric", tree.node("Pric", price)),
        tree.node("NtnlAmt", tree.node("FrstLeg", tree.node("Amt", notional))),
        tree.node("NtnlQty", tree.node("FrstLeg", quantity)),
    ]


def _agreement(tree: Tree, row: Row) -> Element | None:
    return tree.maybe(
        "MstrAgrmt",
        tree.maybe("Tp", tree.leaf("Tp", row["t2_034_master_agreement"])),
        tree.leaf("Vrsn", row["t2_036_master_agreement_version"]),
        tree.leaf("OthrMstrAgrmtDtls", row["t2_035_other_master_agreement"]),
    )


def _confirmation(tree: Tree, row: Row) -> Element | None:
    kind = tree.leaf("Tp", row["t2_029_confirmed"])
    if kind is None:
        return None
    if row["t2_029_confirmed"] == "NCNF":
        return tree.node("TradConf", tree.node("NonConfd", kind))
    time = tree.leaf("TmStmp", row["t2_028_confirmation_timestamp"])
    return tree.node("TradConf", tree.node("Confd", kind, time))


def _clearing(tree: Tree, row: Row) -> Element | None:
    if not row["t2_031_cleared"]:
        return None
    status = tree.node(
        "NonClrd" if row["t2_031_cleared"] == "N" else "Clrd", tree.leaf("Rsn", "NORE")
    )
    return tree.node(
        "TradClr",
        tree.leaf("ClrOblgtn", row["t2_030_clearing_obligation"]),
        tree.node("ClrSts", status),
        tree.leaf("IntraGrp", row["t2_037_intragroup"]),
    )


def _commodity(tree: Tree, row: Row) -> Element | None:
    base, sub = row["t2_116_base_product"], row["t2_117_sub_product"]
    if (base, sub) not in _COMMODITIES:  # of others the report has a break: commodity_covered
        return None
    kind, detail = _COMMODITIES[base, sub]
    product = tree.node(
        detail,
        tree.leaf("BasePdct", base),
        tree.leaf("SubPdct", sub),
        tree.leaf("AddtlSubPdct", row["t2_118_further_sub_product"]),
    )
    return tree.node("Cmmdty", tree.node(kind, product))
