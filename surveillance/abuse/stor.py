"""The draft of a suspicious transaction and order report: the template's fields, filled or to fill.

Template: annex of Delegated Regulation (EU) 2016/957, as published; we submit nothing. What only
people know (names, addresses, the reasons for a suspicion) is left for them, and says so.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.clock import Clock
from core.settings import Settings
from reports import package, pdf
from reports.build import base_of
from reports.package import Rendered, ReportManifest, Version
from reports.pdf import Page, Section
from reports.tables import write_rows
from surveillance.abuse import scenarios
from surveillance.abuse.cases import Case

LAYOUT = "stor-draft-1"
TO_FILL = "TO BE FILLED IN"
_NOTE = (
    "A draft: nothing was submitted. A person completes what is marked, judges whether there are"
    " reasonable grounds (recitals 9 and 10), and submits it without delay by the authority's own"
    " means. Keep it confidential (article 3(8))."
)
_CAPACITIES = {
    "DEAL": "dealing on own account", "MTCH": "matched principal", "AOTC": "any other capacity",
}  # fmt: skip
_ORDERS = (
    "ts_event", "account", "strategy", "order_id", "kind", "side", "purpose", "volume", "price",
    "stop_price", "reason", "venue_order", "venue_deal", "run_id", "seq", "signal_id",
)  # fmt: skip


class Field(msgspec.Struct, frozen=True):
    """A field of the template. `source` says where its value is from, or who has to fill it."""

    name: str
    value: str
    source: str


class Stor(msgspec.Struct, frozen=True):
    """The draft; sections as the template numbers them."""

    layout: str
    draft: bool
    case: str
    sections: dict[str, list[Field]]
    orders: int  # events in the annex


def draft(settings: Settings, client: Client, case: Case, by: str, clock: Clock) -> Version:
    """Write `stor.json`, `stor.pdf` and the annex `orders.csv` as a version of the case's folder.

    Raises:
        UnavailableError: the disk is full; nothing of the version is there.
    """
    name = f"stor-{case.alert_id}"
    folder = package.folder_of(base_of(settings), name, case.report_date, case.mode)
    events = _events(client, case)
    stor = Stor(LAYOUT, True, case.alert_id, _sections(settings, client, case, by), len(events))

    def render(place: Path, number: int) -> Rendered:
        (place / "stor.json").write_bytes(msgspec.json.format(msgspec.json.encode(stor)) + b"\n")
        write_rows(place / "orders.csv", _ORDERS, iter(events))
        (place / "stor.pdf").write_bytes(pdf.render(_page(stor, case, events, number)))
        return Rendered({"orders.csv": len(events)}, not events, {}, ("stor.json", "orders.csv"))

    blank = ReportManifest(
        report=name, title="Suspicious transaction and order report, draft", day=case.report_date,
        mode=case.mode, version=0, layout=LAYOUT, draft=True, made_us=clock.now_us(),
        query_sha256={}, dbt_invocation="", inputs={"case": case.alert_id, "scenario version":
        case.version}, empty=False, breaks={}, files={},
    )  # fmt: skip
    version, _ = package.add_version(folder, blank, render)
    return version


def _events(client: Client, case: Case) -> list[tuple[str, ...]]:
    """Every journalled event of the orders, in order."""
    columns = ", ".join(_ORDERS)
    with errors_translated():
        rows = client.query(
            f"SELECT {columns} FROM order_event FINAL WHERE mode = {{mode:String}}"
            " AND has({orders:Array(String)}, order_id) ORDER BY ts_event, account, seq",
            parameters={"mode": case.mode, "orders": list(case.order_ids)},
        ).result_rows
    return [tuple(_text(value) for value in row) for row in rows]


def _text(value: object) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else str(value)


def _sections(settings: Settings, client: Client, case: Case, by: str) -> dict[str, list[Field]]:
    known = _reference(client, case)
    scenario = scenarios.load(settings.home_path)[case.scenario]
    return {
        "1 Identity of the entity submitting": _submitter(known, by),
        "2 Transaction or order": _order(case, known),
        "3 Nature of the suspicion": _suspicion(case, scenario.says, scenario.basis),
        "4 Identity of the suspected person": _suspect(case, known),
        "5 Additional information": [
            Field("Background", "\n".join(case.notes) or TO_FILL, "notes of the case"),
            Field("Documents", "orders.csv: every event of the orders", "order journal"),
        ],
    }


def _submitter(known: Mapping[str, str], by: str) -> list[Field]:
    return [
        _person("Name of the natural person", f"the person in charge; drafted by {by}"),
        _person("Position within the reporting entity"),
        _from_data("Name of the reporting entity", known, "executing", "reference data, parties"),
        _person("Address of the reporting entity"),
        _from_data("Acting capacity", known, "capacity", "reference data, accounts"),
        Field("Type of trading activity, type of instrument", "algorithmic trading", "product"),
        _person("Relationship with the suspected person"),
        _person("Contact for additional information"),
    ]


def _order(case: Case, known: Mapping[str, str]) -> list[Field]:
    accounts = ", ".join(case.accounts)
    return [
        _from_data("Description of the financial instrument", known, "instrument",
              "reference data, instruments"),
        Field("Date and time (UTC)", f"{_text(case.ts_from)} to {_text(case.ts_to)}", "journal"),
        _from_data("Market", known, "market", "reference data, instruments"),
        _from_data("Location (country)", known, "country", "reference data, parties"),
        Field("Description of the order or transaction",
              f"{len(case.order_ids)} orders of {accounts} in {case.symbol} at {case.source}; each"
              " event with time, side, price and volume in the annex orders.csv", "journal"),
    ]  # fmt: skip


def _suspicion(case: Case, says: str, basis: str) -> list[Field]:
    raised_by = f"Scenario {case.scenario} (version {case.version}): {says}. Seen: {case.detail}."
    return [
        _person("Nature of the suspicion", "market manipulation, or attempted, as a person judges"),
        Field("What raised the alert", f"{raised_by} Basis: {basis}.", "surveillance"),
        Field("Reasons for the suspicion", case.reason or TO_FILL, "the analyst's finding"),
    ]


def _suspect(case: Case, known: Mapping[str, str]) -> list[Field]:
    strategies = ", ".join(case.strategies)
    return [
        _from_data("Name", known, "client", "reference data, parties"),
        _person("Date of birth", "of natural persons"),
        _person("National identification number"),
        _person("Address"),
        _person("Employment: place and position"),
        Field("Account numbers", ", ".join(case.accounts), "journal"),
        Field("Client identifier under transaction reporting", known.get("client_lei", "")
              or TO_FILL, f"reference data, parties; algorithms: {strategies}"),
        _person("Relationship with the issuer"),
    ]  # fmt: skip


def _from_data(name: str, known: Mapping[str, str], key: str, source: str) -> Field:
    value = known.get(key, "")
    return Field(name, value or TO_FILL, source if value else f"{source}: none for the day")


def _person(name: str, hint: str = "") -> Field:
    return Field(name, TO_FILL, hint or "a person")


def _reference(client: Client, case: Case) -> dict[str, str]:
    """What the reference data of the day say of instrument, account and parties."""
    account = case.accounts[0] if case.accounts else ""
    parameters: dict[str, Any] = {
        "day": case.report_date, "source": case.source, "symbol": case.symbol, "account": account,
    }  # fmt: skip
    instrument = _described(_latest(client, _INSTRUMENT, parameters))
    terms = _latest(client, _ACCOUNT, parameters)
    if not terms:
        return instrument
    executing = _party(client, terms["executing_party"], case.report_date)
    client_party = _party(client, terms["client_party"], case.report_date)
    return {
        **instrument, "capacity": _CAPACITIES.get(terms["capacity"], ""),
        "executing": executing.get("said", ""),
        "country": executing.get("country", ""), "client": client_party.get("said", ""),
        "client_lei": client_party.get("lei", ""),
    }  # fmt: skip


_INSTRUMENT = """
SELECT full_name, isin, cfi, price_currency, underlying_isin, underlying_index, venue
FROM reference_instrument
WHERE source = {source:String} AND symbol = {symbol:String} AND valid_from <= {day:Date}
ORDER BY valid_from DESC, version DESC, ts_init DESC LIMIT 1
"""
_ACCOUNT = """
SELECT executing_party, client_party, capacity FROM reference_account
WHERE account IN ({account:String}, '*') AND source IN ({source:String}, '*')
    AND valid_from <= {day:Date}
ORDER BY account = '*', valid_from DESC, version DESC, ts_init DESC LIMIT 1
"""
_PARTY = """
SELECT concat(legal_name, ', LEI ', lei) AS said, country, lei FROM reference_party
WHERE party = {party:String} AND valid_from <= {day:Date}
ORDER BY valid_from DESC, version DESC, ts_init DESC LIMIT 1
"""


def _described(row: Mapping[str, str]) -> dict[str, str]:
    if not row:
        return {}
    named = (("ISIN", "isin"), ("CFI", "cfi"), ("price in", "price_currency"),
             ("underlying", "underlying_isin"), ("index", "underlying_index"))  # fmt: skip
    parts = [row["full_name"], *(f"{word} {row[name]}" for word, name in named if row[name])]
    venue = "outside a trading venue" if row["venue"] in ("XXXX", "XOFF") else row["venue"]
    return {"instrument": ", ".join(parts), "market": venue}


def _latest(client: Client, sql: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    with errors_translated():
        rows = list(client.query(sql, parameters=dict(parameters)).named_results())
    return {name: str(value) for name, value in rows[0].items()} if rows else {}


def _party(client: Client, party: str, day: date) -> dict[str, str]:
    return _latest(client, _PARTY, {"party": party, "day": day})


def _page(stor: Stor, case: Case, events: Sequence[tuple[str, ...]], number: int) -> Page:
    sections = [
        Section(title, columns=("Field", "Value", "From"),
                rows=tuple((f.name, f.value, f.source) for f in fields), size=8.0)
        for title, fields in stor.sections.items()
    ]  # fmt: skip
    shown = tuple(tuple(row[place] for place in (0, 1, 2, 4, 5, 7, 8, 10)) for row in events[:80])
    note = f"{len(events)} events, the first {len(shown)} shown; all are in orders.csv."
    annex = Section(
        "Annex: orders", "", ("Time (UTC)", "Account", "Strategy", "Event", "Side", "Lots", "Price",
        "Reason"), shown, empty="No order.", note=note, size=7.0,
    )  # fmt: skip
    return Page(
        title="Suspicious transaction and order report, DRAFT",
        subtitle="Template of Delegated Regulation (EU) 2016/957, annex", firm="",
        day=str(case.report_date), version=str(number), layout=stor.layout, mark=case.alert_id,
        facts=(("Case", case.alert_id), ("Scenario", case.scenario), ("Analyst", case.analyst),
               ("Score", f"{case.score:.2f}"), ("Drafted", f"{datetime.now(UTC):%Y-%m-%d}")),
        notes=(_NOTE,),
        sections=(*sections, annex), signoff=("Analyst", "Compliance officer"), wide=True,
    )  # fmt: skip
