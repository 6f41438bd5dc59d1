"""Makes one report of one day from marts that are built, and has two people sign for it."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings
from reports import package, pdf, version_changes
from reports.base import Report, ReportContext, page_of
from reports.package import LAYOUT, Rendered, ReportManifest, SignOff, Version
from reports.tables import text, write_csv, write_rows
from reports.version_changes import Change


def base_of(settings: Settings, out: Path | None = None) -> Path:
    """Where report folders are."""
    if out is not None:
        return out.resolve()
    set_to = settings.reports.folder
    return Path(set_to).expanduser().resolve() if set_to else settings.home_path / "reports"


def build_report(
    settings: Settings, client: Client, report: Report, day: date, mode: str, report_folder: Path,
    built: tuple[str, Path], clock: Clock, by: str,
) -> tuple[Version, bool]:  # fmt: skip
    """Render, package and note it; the version, and whether it is new.

    Args:
        report_folder: of the report and day, see package.folder_of.
        built: dbt's invocation id, and the folder of its compiled SQL.
        by: who made it, for the audit trail.
    """
    database = report.marts_of(settings.clickhouse.database, mode)
    earlier = package.versions(report_folder) if report_folder.exists() else []
    released = [v for v in earlier if v.sign_off("release")]

    def render(folder: Path, number: int) -> Rendered:
        context = ReportContext(
            client=client,
            settings=settings,
            database=database,
            day=day,
            mode=mode,
            folder=folder,
            version=number,
            before=earlier[-1] if earlier else None,
            released=released[-1] if released else None,
            rows={},
            today=datetime.fromtimestamp(clock.now_us() / 1e6, UTC).date(),
            released_before=tuple(released),
        )
        return _render(report, context)

    blank = ReportManifest(
        report=report.name, title=report.title, day=day, mode=mode, version=0, layout=LAYOUT,
        draft=True, made_us=clock.now_us(), query_sha256=_queries(report, built[1]),
        dbt_invocation=built[0], inputs=_inputs(client, day, mode), empty=False, breaks={},
        files={},
    )  # fmt: skip
    version, new = package.add_version(report_folder, blank, render)
    if new:
        _note(settings, clock, by, "restatement" if version.manifest.restates else "report made",
              version, False, {})  # fmt: skip
    return version, new


def sign(settings: Settings, version: Version, by: str, known: bool, clock: Clock) -> SignOff:
    """The maker's sign-off: this person made the version and stands for it.

    Raises:
        SettingsError: somebody did already, or the person gave no password.
    """
    _must_be_known(known)
    sign_off = SignOff(by, known, clock.now_us(), version.sha256)
    package.record_sign_off(version, "maker", sign_off)
    _note(settings, clock, by, "report signed", version, known, {})
    return sign_off


def release(
    settings: Settings, version: Version, by: str, known: bool, reason: str, clock: Clock
) -> SignOff:
    """The checker's sign-off: another person has reviewed the version and lets it out.

    Raises:
        SettingsError: not signed, by the same person, changed since, broken, or out already.
    """
    _must_be_known(known)
    maker = version.sign_off("maker")
    if maker is None:
        raise SettingsError(
            f"{version.folder} has no maker: tickhouse report sign {version.manifest.report}"
            f" --date {version.manifest.day} --by WHO"
        )
    if maker.by == by:
        raise SettingsError(f"{by} made it; a second person releases it")
    if changed := package.changed_files(version):
        raise SettingsError(f"{version.folder}: changed since it was made: {', '.join(changed)}")
    if errors := version.manifest.breaks.get("error", 0):
        raise SettingsError(
            f"{version.folder}: {errors} breaks of severity error; correct the reference data or"
            " the trades, make it again, and release that version"
        )
    sign_off = SignOff(by, known, clock.now_us(), version.sha256, reason)
    package.record_sign_off(version, "release", sign_off)
    _note(settings, clock, by, "report released", version, known, {"reason": reason})
    return sign_off


def file(
    settings: Settings, report: Report, version: Version, by: str, known: bool, reference: str,
    clock: Clock,
) -> SignOff:  # fmt: skip
    """Note that a released version went out, by the firm's own means, and under what reference.

    Raises:
        SettingsError: it goes nowhere, is not released, is filed already, or no reference is given.
    """
    _must_be_known(known)
    if not report.goes_to:
        raise SettingsError(f"{report.name} stays in the house: there is nobody to file it with")
    if version.sign_off("release") is None:
        raise SettingsError(f"{version.folder} is not released: nothing of it may be filed")
    if not reference.strip():
        raise SettingsError(f"--reference TEXT is missing: what {report.goes_to} gave for it")
    sign_off = SignOff(by, known, clock.now_us(), version.sha256, reference.strip())
    package.record_sign_off(version, "filed", sign_off)
    _note(settings, clock, by, "report filed", version, known, {"reason": sign_off.reason})
    return sign_off


def _must_be_known(known: bool) -> None:
    if not known:
        raise SettingsError(
            "maker and checker must be two people with passwords: tickhouse users add NAME"
        )


def _render(report: Report, context: ReportContext) -> Rendered:
    data = []
    for sheet in report.sheets:
        sql = (
            f"SELECT * FROM `{context.database}`.`{sheet.mart}`"
            f" WHERE {sheet.where} ORDER BY {sheet.order}"
        )
        path = context.folder / sheet.file
        context.rows[sheet.file] = write_csv(context.client, sql, {"day": context.day}, path)
        data.append(sheet.file)
    follows = tuple(report.extra(context)) if report.extra else ()  # noqa: S610 - no Django here
    data += follows
    changed = _changes(report, context)
    mark = package.mark(context.folder, tuple(data))
    page = page_of(report, context, report.page(context), mark, version_changes.said(changed))
    (context.folder / f"{report.name}.pdf").write_bytes(pdf.render(page))
    empty = not context.rows[report.sheets[0].file]
    return Rendered(context.rows, empty, _breaks(report, context), tuple(data), follows)


def _changes(report: Report, context: ReportContext) -> list[Change]:
    """`restated.csv`: what the version before said otherwise; of a first version nothing."""
    if context.before is None:
        return []
    changed = [
        change
        for sheet in report.sheets
        for change in version_changes.changes(
            sheet.file, context.before.folder / sheet.file, context.folder / sheet.file, sheet.key
        )
    ]
    path = context.folder / version_changes.FILE
    context.rows[path.name] = write_rows(path, version_changes.COLUMNS, iter(changed))
    return changed


def _breaks(report: Report, context: ReportContext) -> dict[str, int]:
    if not report.breaks:
        return {}
    day = "report_date = {day:Date}"
    when = next((sheet.where for sheet in report.sheets if sheet.mart == report.breaks), day)
    rows = context.query(
        f"SELECT severity, count() FROM {{db}}.`{report.breaks}`"
        f" WHERE {when} GROUP BY severity ORDER BY severity"
    )
    return {severity: int(count) for severity, count in rows}


def _queries(report: Report, compiled: Path) -> dict[str, str]:
    """Hashes of the SQL as dbt compiled it; empty when it was built elsewhere."""
    hashes = {}
    for mart in report.marts:
        path = next(compiled.rglob(f"{mart}.sql"), None)
        hashes[mart] = hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
    return hashes


def _inputs(client: Client, day: date, mode: str) -> dict[str, str]:
    """What the marts were built from: the end of each journal and of the reference data, and how
    often the ticks of the day were corrected.
    """
    with errors_translated():
        rows = client.query(
            "SELECT run_id, account, count(), max(seq), argMax(hash, seq) FROM order_event FINAL"
            " WHERE mode = {mode:String} AND toDate(ts_event) <= {day:Date}"
            " GROUP BY run_id, account ORDER BY run_id, account",
            parameters={"mode": mode, "day": day},
        ).result_rows
        tables = ("instrument", "party", "account", "person")
        newest = ", ".join(f"(SELECT max(version) FROM reference_{name})" for name in tables)
        reference = client.query(f"SELECT greatest({newest})").result_rows[0][0]
        corrected, known = client.query(
            "SELECT count(), max(ts_known) FROM tick_version FINAL WHERE version > 0"
            " AND toDate(ts_event, 'UTC') BETWEEN {day:Date} - 1 AND {day:Date}",
            parameters={"day": day},
        ).result_rows[0]
    inputs = {
        f"order_event {run} {account}": f"{count} events, to number {seq}, hash {last}"
        for run, account, count, seq, last in rows
    }
    inputs["reference data"] = f"version {text(reference)}"
    if corrected:
        inputs["tick corrections"] = f"{corrected}, the last of {text(known)}"
    return inputs


def _note(
    settings: Settings, clock: Clock, by: str, action: str, version: Version, known: bool,
    payload: dict[str, str],
) -> None:  # fmt: skip
    manifest = version.manifest
    subject = f"{manifest.report} {manifest.day} v{version.manifest.version}"
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=action, detail=manifest.title,
        subject=subject, reason=payload.get("reason", ""),
        payload={"manifest_sha256": version.sha256, "breaks": manifest.breaks},
    )  # fmt: skip
    audit_log.append(settings.home_path, line, mode=manifest.mode)
