"""`tickhouse abuse`: own orders watched for market abuse, and what people decide about alerts.

`scan` looks at a day, as Dagster does each night; `list` and `show` say what is open; `take`,
`note`, `close` and `reopen` are the words of an analyst with a password; `stor` writes the draft.
"""

import argparse
from datetime import UTC, date, datetime, timedelta

from clickhouse_connect.driver.client import Client
from rich.table import Table

from audit.export import export
from cli.commands.printed import output
from cli.login import login
from cli.stack.audited import audited
from core import identity
from core.clock import SystemClock
from core.errors import SettingsError
from core.settings import Settings
from surveillance.abuse import cases, scan, scenarios, stor
from surveillance.abuse.cases import OUTCOMES, Case

_ANALYSTS = identity.MAY_COMPLY
_STEPS = {"take": "taken", "note": "noted", "close": "closed", "reopen": "reopened"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which case, who."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    scanning = actions.add_parser("scan", help="look at a UTC day's orders; default: yesterday")
    scanning.add_argument("--date", type=date.fromisoformat, metavar="D")
    listing = actions.add_parser("list", help="cases that are not closed")
    listing.add_argument("--all", action="store_true", help="closed ones, too")
    actions.add_parser(
        "scenarios", help="what is watched for, parameters, reviews, false positives"
    )
    for name, does in (("show", "one case"), ("stor", "draft the report of one case"),
                       ("take", "make a case yours"), ("note", "keep what you found"),
                       ("close", "decide"), ("reopen", "take a decision back")):  # fmt: skip
        action = actions.add_parser(name, help=does)
        action.add_argument("case", metavar="CASE", help="its id, or how it begins")
        if name not in ("show",):
            action.add_argument("--by", default="", metavar="WHO", help="your user name")
        if name in ("note", "close", "reopen"):
            action.add_argument("--reason", default="", metavar="TEXT", help="what you found")
    closing_case = actions.choices["close"]
    closing_case.add_argument("--outcome", default="", help=", ".join(OUTCOMES))
    closing_case.add_argument("--reference", default="", help="of the report that was filed")
    for action in actions.choices.values():
        action.add_argument("--mode", default="live", help="world; default: live")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    does = {"scan": _scan, "list": _list, "show": _show, "stor": _stor, "scenarios": _scenarios}
    with audited(settings) as (client, signed_in):
        return does.get(namespace.action, _step)(namespace, signed_in, client)


def _scan(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    day = namespace.date or _today() - timedelta(days=1)
    now_us = SystemClock().now_us()
    done = scan.scan(client, settings.home_path, namespace.mode, day, now_us)
    print(f"{day}: {done.events} order events looked at.")
    for name, count in done.alerts.items():
        print(f"  {name}: {count or 'nothing'}")
    return 0


def _list(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    table = Table("case", "day", "scenario", "instrument", "accounts", "score", "status", "due")
    today = _today()
    for case in cases.cases(client, namespace.mode, closed=namespace.all):
        table.add_row(
            case.alert_id, str(case.report_date), case.scenario, f"{case.source} {case.symbol}",
            ", ".join(case.accounts), f"{case.score:.2f}", _status(case), _due(case, today),
        )  # fmt: skip
    output.console().print(table if table.row_count else "No case.")
    return 0


def _show(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    case = cases.case_of(client, namespace.mode, namespace.case)
    print(f"Case {case.alert_id}: {case.scenario} (version {case.version}), {case.report_date}")
    print(f"  {case.detail}")
    print(f"  {case.source} {case.symbol}, accounts {', '.join(case.accounts)},"
          f" strategies {', '.join(case.strategies)}")  # fmt: skip
    print(f"  {case.ts_from:%H:%M:%S} to {case.ts_to:%H:%M:%S} UTC, score {case.score:.2f}")
    print(f"  {_status(case)}; due {_due(case, _today())}")
    for note in case.notes:
        print(f"  {note}")
    shown = ", ".join(case.order_ids[:20])
    print(f"  orders (tickhouse explain ID): {shown}{' ...' if len(case.order_ids) > 20 else ''}")
    return 0


def _step(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    case = cases.case_of(client, namespace.mode, namespace.case)
    if not namespace.by:
        raise SettingsError("--by WHO: who works on a case says so")
    known = login(settings, namespace.by, _ANALYSTS)
    cases.step(
        settings, case, _STEPS[namespace.action], namespace.by, known, SystemClock(),  # type: ignore[arg-type]
        reason=getattr(namespace, "reason", ""), outcome=getattr(namespace, "outcome", ""),
        reference=getattr(namespace, "reference", ""),
    )  # fmt: skip
    export(client, settings.clickhouse, settings.home_path)
    print(f"Case {case.alert_id}: {_status(cases.case_of(client, case.mode, case.alert_id))}.")
    return 0


def _stor(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    case = cases.case_of(client, namespace.mode, namespace.case)
    if not namespace.by:
        raise SettingsError("--by WHO: the draft names who drafted it")
    login(settings, namespace.by, _ANALYSTS)
    version = stor.draft(settings, client, case, namespace.by, SystemClock())
    print(f"{version.folder}: stor.pdf, stor.json, orders.csv; a draft, nothing was submitted.")
    return 0


def _scenarios(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    table = Table(
        "scenario", "looks for", "basis", "version", "parameters", "review", "closed", "false"
    )
    outcomes = cases.outcomes(client, namespace.mode, _today() - timedelta(days=365))
    for name, scenario in scenarios.load(settings.home_path).items():
        decided, false = outcomes.get(name, (0, 0))
        table.add_row(
            name if scenario.watched else f"{name}\n(not watched)", scenario.says, scenario.basis,
            scenario.version, ", ".join(f"{k} {v:g}" for k, v in scenario.parameters.items()),
            f"{scenario.review}\n{scenario.problem(_today())}".strip(), str(decided),
            f"{false / decided:.0%}" if decided else "",
        )  # fmt: skip
    output.console().print(table)
    print(f"A firm's own parameters are in {scenarios.path_in(settings.home_path)}.")
    return 0


def _status(case: Case) -> str:
    if case.status == "closed":
        filed = f", {case.reference}" if case.reference else ""
        return f"closed by {case.analyst}: {case.outcome}{filed} ({case.reason})"
    return f"taken by {case.analyst}" if case.status == "taken" else "open"


def _due(case: Case, today: date) -> str:
    return f"{case.due}, LATE" if case.is_late(today) else str(case.due)


def _today() -> date:
    return datetime.now(UTC).date()
