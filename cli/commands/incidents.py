"""`tickhouse incidents`: the register of ICT-related incidents, their classes and time limits.

Critical alerts of a live account open one by themselves, `open` one that nothing showed. `classify`
says by DORA's criteria whether it is major, `filed` what went to the authority, `close` why it
happened; each step is a person's with a password, chained into the audit trail.
"""

import argparse
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
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
from surveillance.incidents import register
from surveillance.incidents.classes import Impact, classify
from surveillance.incidents.register import FILINGS, Incident, Person

_ROLES = identity.MAY_COMPLY
_STEPS = (
    ("show", "one incident"), ("note", "keep what you found"),
    ("classify", "what it did, by the criteria; whether it is major"),
    ("end", "say when what was disturbed worked again"),
    ("filed", "a notification or report went to the authority"),
    ("close", "its cause is known"), ("reopen", "take a closing back"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which incident, who."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="incidents that are not closed")
    listing.add_argument("--all", action="store_true", help="closed ones, too")
    opening = actions.add_parser("open", help="one that no alert showed")
    opening.add_argument("--title", required=True, metavar="TEXT", help="what is disturbed")
    opening.add_argument("--began", required=True, metavar="T", help="UTC, 2026-03-02T09:30")
    opening.add_argument("--by", default="", metavar="WHO", help="your user name")
    for name, does in _STEPS:
        action = actions.add_parser(name, help=does)
        action.add_argument("incident", metavar="ID", help="its id, or how it begins")
        if name != "show":
            action.add_argument("--by", default="", metavar="WHO", help="your user name")
        if name in ("note", "classify", "close", "reopen"):
            action.add_argument("--reason", default="", metavar="TEXT", help="what you know")
    _add_impact(actions.choices["classify"])
    actions.choices["end"].add_argument("--at", default="", metavar="T", help="UTC; default: now")
    filing = actions.choices["filed"]
    filing.add_argument("what", choices=FILINGS, help="which")
    filing.add_argument("--reference", default="", help="the authority's")
    for action in actions.choices.values():
        action.add_argument("--mode", default="live", help="world; default: live")


def _add_impact(parser: argparse.ArgumentParser) -> None:
    """An option for each criterion, from the fields of `Impact`."""
    for field in msgspec.structs.fields(Impact):
        name = f"--{field.name.replace('_', '-')}"
        kind, meta = get_args(field.type)
        if kind is bool:
            parser.add_argument(name, action="store_true", help=meta.description)
        else:
            parser.add_argument(
                name, type=kind, default=field.default, metavar="N", help=meta.description
            )


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    does: dict[str, Any] = {"list": _list, "show": _show, "open": _open}
    with audited(settings) as (client, signed_in):
        return int(does.get(namespace.action, _step)(namespace, signed_in, client))


def _list(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    table = Table("incident", "since (UTC)", "what", "about", "state", "class", "due (UTC)")
    now = datetime.now(UTC)
    for one in register.incidents(client, namespace.mode, closed=namespace.all):
        table.add_row(
            one.incident_id, f"{one.ts_began:%F %H:%M}", one.title, one.subject, _state(one),
            _class(one), _due(one, now),
        )  # fmt: skip
    output.console().print(table if table.row_count else "No incident.")
    return 0


def _show(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    one = register.incident_of(client, namespace.mode, namespace.incident)
    print(f"Incident {one.incident_id}: {one.title} ({one.subject}), account {one.account}")
    since = f"  since {one.ts_began:%F %T} UTC, known at {one.ts_aware:%F %T}"
    print(f"{since}, {one.alerts} times" if one.rule else since)
    print(f"  {_state(one)}; {_class(one)}")
    if one.impact:
        impact = msgspec.json.decode(one.impact, type=Impact)
        given = {n: v for n, v in msgspec.structs.asdict(impact).items() if v}
        words = [n.replace("_", " ") + ("" if v is True else f" {v:g}") for n, v in given.items()]
        print(f"  {', '.join(words) or 'no impact'}")
        print(f"  meets: {'; '.join(classify(impact).basis) or 'no threshold'}")
    for line in (*one.filed, *one.notes):
        print(f"  {line}")
    if one.due_step:
        print(f"  due: {_due(one, datetime.now(UTC))} UTC")
    if one.cause:
        print(f"  cause, by {one.closed_by}: {one.cause}")
    return 0


def _open(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    person = _person(namespace, settings)
    began, account = _time(namespace.began), settings.run.account
    incident_id = register.opened(person, namespace.mode, account, namespace.title, began)
    export(client, settings.clickhouse, settings.home_path)
    one = register.incident_of(client, namespace.mode, incident_id)
    print(f"Incident {incident_id} is open: {_due(one, datetime.now(UTC))} UTC.")
    return 0


def _step(namespace: argparse.Namespace, settings: Settings, client: Client) -> int:
    one = register.incident_of(client, namespace.mode, namespace.incident)
    person, reason = _person(namespace, settings), getattr(namespace, "reason", "")
    if namespace.action == "classify":
        register.classified(person, one, _impact(namespace), reason)
    elif namespace.action == "end":
        at = _time(namespace.at) if namespace.at else datetime.now(UTC)
        register.ended(person, one, at)
    elif namespace.action == "filed":
        register.filed(person, one, namespace.what, namespace.reference)
    else:
        does = {
            "note": register.noted, "close": register.closed, "reopen": register.reopened,
        }  # fmt: skip
        does[namespace.action](person, one, reason)
    export(client, settings.clickhouse, settings.home_path)
    return _show(namespace, settings, client)


def _impact(namespace: argparse.Namespace) -> Impact:
    given = {name: getattr(namespace, name) for name in Impact.__struct_fields__}
    try:
        return msgspec.convert(given, Impact)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error


def _person(namespace: argparse.Namespace, settings: Settings) -> Person:
    if not namespace.by:
        raise SettingsError("--by WHO: who works on the register says so")
    known = login(settings, namespace.by, _ROLES)
    return Person(settings.home_path, namespace.by, known, SystemClock())


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time: write 2026-03-02T09:30 (UTC)") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _state(one: Incident) -> str:
    if one.status == "closed":
        return f"closed by {one.closed_by}"
    over = f"over since {one.ts_ended:%F %H:%M}" if one.ts_ended.timestamp() else "goes on"
    return f"{one.status}, {over}"


def _class(one: Incident) -> str:
    if not one.classified_by:
        return "not classified"
    return f"{'major' if one.major else 'not major'}, by {one.classified_by}"


def _due(one: Incident, now: datetime) -> str:
    if not one.due_step:
        return ""
    late = ", LATE" if one.is_late(now) else ""
    return f"{one.due_step} by {one.ts_due:%F %H:%M}{late}"
