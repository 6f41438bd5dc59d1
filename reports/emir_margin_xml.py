"""EMIR margins as ISO 20022 XML, auth.108: a new balance, or a correction of one."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from reports import emir_xml
from reports.emir_xml import Element
from reports.iso20022 import Tree

Row = Mapping[str, str]
MESSAGE, BASE = "auth.108.001", "auth.108.001.02"


def write(path: Path, rows: Iterable[Row], count: int, version: str = BASE) -> None:
    """One document of so many margins; of none it says that nothing happened (NOTX)."""
    emir_xml.write_document(path, "DerivsTradMrgnDataRpt", map(_named, rows), count, version)


def _named(row: Row) -> emir_xml.Build:
    return lambda tree: _margin(tree, row)


def _margin(tree: Tree, row: Row) -> Element:
    corrected = row["t3_28_action_type"] == "CORR"
    return tree.node(
        "Crrctn" if corrected else "MrgnUpd",
        tree.node(
            "CtrPtyId",
            tree.node("RptgCtrPty", emir_xml.legal(tree, "Id", row["t3_04_counterparty_1"])),
            tree.node("OthrCtrPty", emir_xml.legal(tree, "IdTp", row["t3_06_counterparty_2"])),
            tree.maybe("SubmitgAgt", tree.leaf("LEI", row["t3_02_report_submitting_entity"])),
            tree.maybe("NttyRspnsblForRpt", tree.leaf("LEI", row["t3_03_entity_responsible"])),
            tree.maybe("ExctnAgt", tree.leaf("LEI", row["t3_30_execution_agent"])),
        ),
        tree.leaf("EvtDt", row["t3_29_event_date"]),
        tree.maybe("TxId", tree.leaf("UnqTxIdr", row["t3_10_uti"])),
        _collateral(tree, row),
        _posted(tree, row),
        tree.node("TechAttrbts", tree.leaf("TechRcrdId", row["record_id"])),
    )


def _collateral(tree: Tree, row: Row) -> Element:
    code = tree.leaf("Cd", row["t3_09_portfolio_code"])
    none = tree.leaf("NoPrtfl", "NOAP")
    return tree.node(
        "Coll",
        tree.node("CollPrtflCd", tree.node("Prtfl", none if code is None else code)),
        tree.leaf("CollstnCtgy", row["t3_11_category"]),
        tree.leaf("TmStmp", row["t3_07_collateral_timestamp"]),
    )


def _posted(tree: Tree, row: Row) -> Element | None:
    currency = row["t3_14_initial_posted_currency"]
    return tree.maybe(
        "PstdMrgnOrColl",
        tree.leaf(
            "InitlMrgnPstdPreHrcut", row["t3_12_initial_posted_before_haircut"], Ccy=currency
        ),
        tree.leaf("InitlMrgnPstdPstHrcut", row["t3_13_initial_posted"], Ccy=currency),
    )
