"""What a trade repository answered: status advices (auth.031) matched to what was sent.

`tickhouse report answer FILE --date D` keeps a file and makes `emir-answers` of the day anew: each
record that was sent with its last answer, and what is not in order, with an owner. A record that
nobody sent is a break of its own, never an error of the program.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from audit.seal import sha256
from core import audit_log, durable
from core.audit_log import AuditLine
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings
from reports import emir_history, package, pdf, status_advice
from reports.base import DRAFT, table
from reports.build import base_of
from reports.package import LAYOUT, Rendered, ReportManifest, Version
from reports.pdf import Page
from reports.status_advice import Advice
from reports.tables import rows_of, write_rows

NAME, BREAKS, ANSWERS = "emir-answers", "breaks.csv", "answers.csv"
#: The line of the audit trail that rule `report_rejected` reads.
ACTION = "repository answered"
#: What is sent, each with the columns of its action and UTI.
_FILES = {
    emir_history.SUBMISSION: (emir_history.ACTION, "t2_001_uti"),
    emir_history.MARGIN_SUBMISSION: (emir_history.MARGIN_ACTION, "t3_10_uti"),
}
_FINAL = {"ACPT", "ACPD", "WARN"}
_REFUSED = {"RJCT", "RJPD"}


class Sent(NamedTuple):
    """A record as it was sent last, and who answers for it: the maker of that version."""

    version: int
    action: str
    uti: str
    owner: str
    order_id: str


class Answer(NamedTuple):
    """A record that was sent, and what is known of it."""

    record_id: str
    status: str  # as the repository says; empty: nothing yet
    rule_id: str
    says: str
    version: int
    action: str
    uti: str
    order_id: str


class Break(NamedTuple):
    """What is not in order."""

    record_id: str
    rule_id: str
    severity: str
    value: str
    owner: str
    order_id: str


def keep(settings: Settings, path: Path, day: date) -> Path:
    """Check an answer and keep it for the day, under its number; the same file once.

    Raises:
        InputError: it is no status advice.
    """
    status_advice.read(path)
    place = settings.home_path / "answers" / "emir" / str(day)
    place.mkdir(parents=True, exist_ok=True)
    digest = sha256(path)
    kept = _kept(settings, day)
    for earlier in kept:
        if sha256(earlier) == digest:
            return earlier
    target = place / f"{len(kept) + 1:04}.xml"
    durable.write(target, path.read_bytes())
    return target


def make(settings: Settings, day: date, mode: str, clock: Clock, by: str) -> Version:
    """The day's answers beside what was sent, as a package; noted for rule `report_rejected`.

    Raises:
        SettingsError: no version of the day's report was released, so nothing was sent.
        InputError: a version or an answer is damaged.
    """
    sent = _sent(settings, day, mode)
    advices = [status_advice.read(path) for path in _kept(settings, day)]
    answers = list(_answers(sent, advices))
    breaks = list(_breaks(sent, answers, advices))

    def render(place: Path, number: int) -> Rendered:
        write_rows(place / ANSWERS, Answer._fields, (_texts(answer) for answer in answers))
        write_rows(place / BREAKS, Break._fields, (_texts(one) for one in breaks))
        page = _page(answers, breaks, len(advices), day, number, package.mark(place, _DATA))
        (place / f"{NAME}.pdf").write_bytes(pdf.render(page))
        rows = {ANSWERS: len(answers), BREAKS: len(breaks)}
        return Rendered(rows, not answers, dict(Counter(one.severity for one in breaks)), _DATA)

    inputs = {path.name: sha256(path) for path in _kept(settings, day)}
    blank = ReportManifest(
        report=NAME, title=_TITLE, day=day, mode=mode, version=0, layout=LAYOUT, draft=True,
        made_us=clock.now_us(), query_sha256={}, dbt_invocation="", inputs=inputs, empty=False,
        breaks={}, files={},
    )  # fmt: skip
    place = package.folder_of(base_of(settings), NAME, day, mode)
    version, _ = package.add_version(place, blank, render)
    _note(settings, version, breaks, clock, by)
    return version


def _kept(settings: Settings, day: date) -> list[Path]:
    return sorted((settings.home_path / "answers" / "emir" / str(day)).glob("*.xml"))


def _sent(settings: Settings, day: date, mode: str) -> dict[str, Sent]:
    folder = package.folder_of(base_of(settings), "emir", day, mode)
    sent = dict[str, Sent]()
    for version in package.versions(folder) if folder.exists() else []:
        maker = version.sign_off("maker")
        if version.sign_off("release") is None:
            continue
        owner = maker.by if maker else "compliance"
        for file, (action, uti) in _FILES.items():
            for row in rows_of(version.folder / file):
                sent[row[emir_history.KEY]] = Sent(
                    version=version.manifest.version, action=row[action], uti=row[uti],
                    owner=owner, order_id=row.get("order_id", ""),
                )  # fmt: skip
    if not sent:
        problem = f"{folder}: nothing was sent: no version with reports is released"
        raise SettingsError(f"{problem}; tickhouse report release emir --date {day}")
    return sent


def _answers(sent: Mapping[str, Sent], advices: Sequence[Advice]) -> Iterator[Answer]:
    """What was said last counts: a resent record is answered anew."""
    last = {record.record_id: record for advice in advices for record in advice.records}
    for key, one in sent.items():
        record = last.get(key)
        status, rule, says = (record.status, record.rule, record.says) if record else ("", "", "")
        yield Answer(
            record_id=key,
            status=status,
            rule_id=rule,
            says=says,
            version=one.version,
            action=one.action,
            uti=one.uti,
            order_id=one.order_id,
        )


def _breaks(
    sent: Mapping[str, Sent], answers: Sequence[Answer], advices: Sequence[Advice]
) -> Iterator[Break]:
    for answer in answers:
        owner = sent[answer.record_id].owner
        if answer.status in _REFUSED:
            value = f"{answer.rule_id} {answer.says}".strip() or "no reason given"
            yield Break(answer.record_id, "rejected", "error", value, owner, answer.order_id)
        elif answer.status not in _FINAL:
            rule = "unanswered" if answer.status in ("", "PDNG", "RCVD") else "status_known"
            yield Break(answer.record_id, rule, "warning", answer.status, owner, answer.order_id)
    for number, advice in enumerate(advices, 1):
        yield from _of_file(sent, advice, number)


def _of_file(sent: Mapping[str, Sent], advice: Advice, number: int) -> Iterator[Break]:
    """What a whole file is wrong about, under the number it is kept under."""
    name = f"{number:04}.xml"
    for record in advice.records:
        if record.record_id not in sent:
            value = f"{name}: {record.status} {record.rule} {record.says}".strip()
            yield Break(record.record_id, "unknown_report", "error", value, "compliance", "")
    if advice.status in ("RJCT", "CRPT", "INCF"):
        value = f"{name}: {advice.status} {advice.rule} {advice.says}".strip()
        yield Break(advice.message_id, "file_rejected", "error", value, "operations", "")
    if advice.total and advice.total != len(advice.records) and advice.records:
        value = f"{name}: {advice.total} records said, {len(advice.records)} there"
        yield Break(advice.message_id, "record_count", "warning", value, "operations", "")


def _texts(row: NamedTuple) -> list[str]:
    return [str(value) for value in row]


def _note(
    settings: Settings, version: Version, breaks: Sequence[Break], clock: Clock, by: str
) -> None:
    manifest = version.manifest
    pending = sum(1 for one in breaks if one.severity == "error")
    audit_log.append(
        settings.home_path,
        AuditLine(
            ts_us=clock.now_us(), by=by, authenticated=False, action=ACTION, detail=_TITLE,
            subject=f"emir {manifest.day} v{manifest.version}",
            payload={"manifest_sha256": version.sha256, "errors": pending},
        ),
        mode=manifest.mode,
    )  # fmt: skip


def _page(
    answers: Sequence[Answer], breaks: Sequence[Break], files: int, day: date, number: int,
    mark: str,
) -> Page:  # fmt: skip
    counts = Counter(answer.status or "none yet" for answer in answers)
    return Page(
        title=_TITLE, subtitle="ISO 20022 auth.031, status advice", firm="", day=str(day),
        version=str(number), layout=LAYOUT, mark=mark,
        facts=(("Day (UTC)", str(day)), ("Files", str(files)), ("Sent", str(len(answers))),
               ("Rejected", str(sum(counts[status] for status in _REFUSED))),
               ("Breaks", str(len(breaks)))),
        notes=(DRAFT,),
        sections=(
            table("Answers", ("Status", "Records"),
                  [(status, str(count)) for status, count in sorted(counts.items())]),
            table("Breaks", Break._fields, [_texts(one) for one in breaks], size=7.0,
                  empty="Everything that was sent was taken."),
        ),
        signoff=("Reviewed by", "Approved by"), wide=True,
    )  # fmt: skip


_DATA = (ANSWERS, BREAKS)
_TITLE = "Answers of the trade repository"
