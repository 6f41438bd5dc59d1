"""`tickhouse report NAME --date D`: one compliance report, the same code Dagster schedules.

`report sign` and `report release` are the words of a maker and of a checker: two people, each with
a password; `report filed` says under what reference it went out. `report list` says what there is
and how far each got, `report breaks` what is wrong with one and who works on it. `report remake
--date D --until D` makes every report of a span of days again, `report mail` sends what is new.
"""

import argparse
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec.structs import replace
from rich.markup import escape
from rich.table import Table

from cli import many_reports
from cli.commands.printed import output
from cli.login import login
from cli.stack.running import running
from cli.stack.warehouse_client import at_hand, warehouse_client, warehouse_settings
from core import identity
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import COMMANDS
from core.identity import this_user
from core.settings import Settings
from reports import breaks, build, catalog, legal_texts, package
from reports.package import Version

_SIGNERS = identity.MAY_COMPLY
_BREAK_STEPS: dict[str, breaks.Step] = {
    "assign": "assigned", "resolve": "resolved", "reopen": "reopened",
}  # fmt: skip
#: How many words each action has, with its own.
_WORDS = {
    "make": 1, "sign": 2, "release": 2, "filed": 2, "breaks": 2, **dict.fromkeys(_BREAK_STEPS, 3),
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which report, of which day, who."""
    names = ", ".join(catalog.REPORTS)
    parser.add_argument(
        "words", nargs="+", metavar="NAME",
        help=f"{names}; or: sign NAME, release NAME, filed NAME, breaks NAME, assign NAME BREAK,"
        " resolve NAME BREAK, reopen NAME BREAK, list, texts, statement, clock, reconcile,"
        " extract FILE, answer FILE, remake, mail",
    )  # fmt: skip
    parser.add_argument("--date", type=date.fromisoformat, metavar="D", help="UTC day")
    parser.add_argument(
        "--until", type=date.fromisoformat, metavar="D", help="with remake: last day; yesterday"
    )
    parser.add_argument(
        "--again", action="store_true", help="with mail: also what may have gone out already"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: HOME/reports")
    parser.add_argument("--mode", default="live", help="world; default: live")
    parser.add_argument("--by", default="", metavar="WHO", help="your user name; signs as maker")
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="with release a remark; what a break was"
    )
    parser.add_argument("--reference", default="", metavar="TEXT", help="with filed: as received")
    parser.add_argument("--owner", default="", metavar="WHO", help="with assign: who works on it")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    arguments = namespace.words
    if arguments == ["statement"]:
        return _statement(namespace, settings)
    if arguments == ["clock"]:
        return _clock(settings)
    if arguments == ["list"]:
        return _list(build.base_of(settings, namespace.out))
    if arguments == ["texts"]:
        return _texts(settings)
    if arguments == ["remake"]:
        return many_reports.remake(namespace, settings)
    if arguments == ["mail"]:
        return many_reports.send(namespace, settings)
    if arguments == ["reconcile"] or (len(arguments) == 2 and arguments[0] == "extract"):
        return _reconcile(namespace, settings)
    if len(arguments) == 2 and arguments[0] == "answer":
        return _answer(namespace, settings)
    action, name = (arguments[0], arguments[1]) if len(arguments) > 1 else ("make", arguments[0])
    if len(arguments) != _WORDS.get(action) or namespace.date is None:
        raise SettingsError(
            "report: NAME --date D, sign NAME --date D, release NAME --date D, filed NAME --date D,"
            " breaks NAME --date D, assign|resolve|reopen NAME BREAK --date D, list, texts,"
            " statement, clock, reconcile --date D, extract FILE --date D, answer FILE --date D,"
            " remake --date D --until D, mail"
        )
    if action == "make":
        return _build(namespace, settings, catalog.named(name).name)
    if action not in ("breaks", *_BREAK_STEPS):
        catalog.named(name)
    version = package.newest(
        build.base_of(settings, namespace.out), name, namespace.date, namespace.mode
    )
    if action == "breaks":
        return _breaks(settings, version)
    known = _known(settings, namespace.by)
    if action in _BREAK_STEPS:
        return _break_step(namespace, settings, version, known)
    _step(namespace, settings, version, known)
    return 0


def _step(namespace: argparse.Namespace, settings: Settings, version: Version, known: bool) -> None:
    action, by, clock = namespace.words[0], namespace.by, SystemClock()
    if action == "sign":
        build.sign(settings, version, by, known, clock)
        print(f"{version.folder}: signed by {by}; another person releases it.")
    elif action == "release":
        build.release(settings, version, by, known, namespace.reason, clock)
        print(f"{version.folder}: released by {by}.")
    else:
        report = catalog.named(version.manifest.report)
        build.file(settings, report, version, by, known, namespace.reference, clock)
        print(f"{version.folder}: filed with {report.goes_to}, as {by} says.")


def _breaks(settings: Settings, version: Version) -> int:
    table = Table("break", "what", "owner", "resolution")
    for one in breaks.breaks(settings.home_path, version):
        what = ", ".join(f"{name} {value}" for name, value in one.row.items() if value)
        resolved = f"{one.work.resolution} ({one.work.by})" if one.work.resolution else ""
        table.add_row(one.break_id, escape(what), one.owner, escape(resolved))
    output.console().print(table if table.row_count else "No break.")
    return 0


def _break_step(
    namespace: argparse.Namespace, settings: Settings, version: Version, known: bool
) -> int:
    action, _, begins = namespace.words
    one = breaks.named(settings.home_path, version, begins)
    breaks.step(
        settings, version, one, _BREAK_STEPS[action], namespace.by, known, SystemClock(),
        owner=namespace.owner, reason=namespace.reason,
    )  # fmt: skip
    print(f"Break {one.break_id}: {_BREAK_STEPS[action]} by {namespace.by}.")
    return 0


def _reconcile(namespace: argparse.Namespace, settings: Settings) -> int:
    """Transaction reports against what was sent and what the authority says it holds."""
    from reports import rts22_reconciliation as reconciliation

    if namespace.date is None:
        raise SettingsError("report reconcile and extract: --date D, the day of the trades")
    if namespace.words[0] == "extract":
        sample = Path(namespace.words[1])
        print(f"Kept as {reconciliation.keep_sample(settings, sample, namespace.date)}.")
        return 0
    version = reconciliation.reconcile(settings, namespace.date, namespace.mode, SystemClock())
    print(f"{version.folder}: {version.manifest.files['differences.csv'].rows} differences.")
    return 0


def _answer(namespace: argparse.Namespace, settings: Settings) -> int:
    """A trade repository's answer, matched to what was sent."""
    from reports import emir_answers as answers

    if namespace.date is None:
        raise SettingsError("report answer: --date D, the day of the report that it answers")
    kept = answers.keep(settings, Path(namespace.words[1]), namespace.date)
    by = namespace.by or this_user()
    version = answers.make(settings, namespace.date, namespace.mode, SystemClock(), by)
    breaks = version.manifest.breaks
    listed = ", ".join(f"{count} {severity}" for severity, count in breaks.items()) or "none"
    print(f"Kept as {kept}.\n{version.folder}: breaks: {listed}.")
    return 0


def _texts(settings: Settings) -> int:
    """The legal texts behind the reports, and which reading has become old."""
    today = datetime.now(UTC).date()
    table = Table("act", "articles", "consolidated", "next review", "read by", "reports", "")
    for name, legal in legal_texts.load(settings.home_path).items():
        reports = ", ".join(r.name for r in catalog.REPORTS.values() if name in r.texts)
        table.add_row(
            f"{legal.act}\n{legal.says}", legal.articles, str(legal.consolidated),
            str(legal.review), legal.read_by, reports, legal.problem(today),
        )  # fmt: skip
    output.console().print(table)
    print(f"A firm's own readings are in {legal_texts.path_in(settings.home_path)}.")
    return 0


def _statement(namespace: argparse.Namespace, settings: Settings) -> int:
    """Taken from the terminal that runs on the home."""
    from adapters.mt5 import connect
    from reports import statement, statement_changes, statement_effects

    now = SystemClock().now_us()
    day = namespace.date or datetime.fromtimestamp(now / 1e6, UTC).date()
    where = _with_address(settings).terminal
    terminal = connect.terminal(where, settings.home_path, role="reader")
    try:
        taken = statement.take(terminal, settings.run, day, now, now)
    finally:
        terminal.shutdown()
    settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
    changes = statement_changes.file(settings, taken, namespace.by or this_user())
    print(f"Statement of {day}: {len(taken.deals)} deals, {len(taken.positions)} open positions.")
    effects = statement_effects.of(settings, taken, changes)
    for effect in effects:
        print(f"  {effect}")
    if effects:
        counts = statement_effects.counted(effects).items()
        print(f"Changes: {', '.join(f'{count} {kind}' for kind, count in counts)}.")
    return 0


def _clock(settings: Settings) -> int:
    """Measured once, now; `watch` of a running stack does so by itself."""
    from reports import clocks

    with at_hand(settings):
        settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
        with closing(warehouse_client(settings, COMMANDS)) as client:
            count = clocks.take(settings, client, SystemClock())
    print(f"{count} references answered; tickhouse report clock-sync --date D reads them.")
    return 0


def _with_address(settings: Settings) -> Settings:
    """The simulated terminal of a running stack is where the stack says it is."""
    stack = running(settings.home_path)
    if settings.terminal.kind == "real" or settings.terminal.address or stack is None:
        return settings
    terminal = replace(settings.terminal, address=stack.urls.get("terminal", ""))
    return replace(settings, terminal=terminal)


def _known(settings: Settings, by: str) -> bool:
    if not by:
        raise SettingsError("--by WHO: maker and checker say who they are")
    return login(settings, by, _SIGNERS)


def _build(namespace: argparse.Namespace, settings: Settings, name: str) -> int:
    from orchestration.reporting import build_report

    known = login(settings, namespace.by, _SIGNERS) if namespace.by else False
    clock = SystemClock()
    with at_hand(settings):
        settings = replace(settings, clickhouse=warehouse_settings(settings, COMMANDS))
        version, new = build_report(
            settings, catalog.named(name), namespace.date, namespace.mode, namespace.out,
            namespace.by or this_user(), clock,
        )  # fmt: skip
    if namespace.by and known and version.sign_off("maker") is None:
        build.sign(settings, version, namespace.by, known, clock)
    _print(version, new)
    return 0


def _print(version: Version, new: bool) -> None:
    manifest = version.manifest
    what = "restated" if manifest.restates and new else "made" if new else "unchanged, stands"
    print(f"{version.folder}: version {manifest.version} {what}; layout {manifest.layout} (draft).")
    for file, facts in manifest.files.items():
        print(f"  {file}" + (f": {facts.rows} rows" if facts.rows >= 0 else ""))
    if manifest.empty:
        print("  Nothing happened on this day: the report is issued empty, and says so.")
    if manifest.breaks:
        listed = ", ".join(f"{count} {severity}" for severity, count in manifest.breaks.items())
        print(f"  breaks: {listed}", file=sys.stderr)


def _list(base: Path) -> int:
    for name, report in catalog.REPORTS.items():
        print(f"{name:20} {report.title}")
    for folder in sorted(base.glob("????-??-??/*")):
        for version in package.versions(folder):
            maker, checker = version.sign_off("maker"), version.sign_off("release")
            filed = version.sign_off("filed")
            state = (
                f"filed by {filed.by}, {filed.reason}" if filed
                else f"released by {checker.by}" if checker
                else f"signed by {maker.by}" if maker else "unsigned"
            )  # fmt: skip
            print(f"{folder.parent.name} {folder.name} v{version.manifest.version}: {state}")
    return 0
