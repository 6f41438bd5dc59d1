"""R1b: front-office records against what was submitted and what the authority says it holds.

Delegated Regulation (EU) 2017/590, article 15(3) and (4): regularly against the authority's data
samples; without one against what was submitted, with its timeliness and each field. Submitted is
what released versions of the report sent: NEWT brings a reference, CANC takes it back.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from core import durable
from core.clock import Clock
from core.errors import InputError, SettingsError
from core.settings import Settings
from reports import holidays, package, pdf
from reports.base import DRAFT, table
from reports.build import base_of
from reports.package import LAYOUT, Rendered, ReportManifest, Version
from reports.pdf import Page
from reports.rts22 import SUBMISSION, TRANSACTIONS
from reports.tables import rows_of, write_rows

NAME = "rts22-reconciliation"
_KEY, _STATUS = "f02_transaction_reference", "f01_report_status"
_COLUMNS = ("reference", "outcome", "field", "front_office", "submitted", "authority", "order_id")
Rows = dict[str, dict[str, str]]


class Difference(NamedTuple):
    """One thing that does not agree; `field` is empty where a whole report is concerned."""

    reference: str
    outcome: str
    field: str = ""
    front_office: str = ""
    submitted: str = ""
    authority: str = ""
    order_id: str = ""


class Sources(NamedTuple):
    """The three sides of a day, by transaction reference."""

    front_office: Rows
    submitted: Rows
    authority: Rows | None  # None: no sample was given
    late: frozenset[str]  # references that were released after their due day
    twice: tuple[str, ...]  # references that the sample holds more than once


def keep_sample(settings: Settings, path: Path, day: date) -> Path:
    """Check a sample of the authority, and keep it for the day.

    Raises:
        InputError: no CSV with a column f02_transaction_reference and columns of the report alone.
    """
    rows, columns = _read_sample(path)
    if not rows:
        raise InputError(str(path), "holds no row")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    target = _sample_of(settings, day)
    target.parent.mkdir(parents=True, exist_ok=True)
    durable.write(target, text.getvalue().encode())
    return target


def reconcile(settings: Settings, day: date, mode: str, clock: Clock) -> Version:
    """Compare the day's newest RTS 22 report with what was sent and with a kept sample.

    Raises:
        SettingsError: the report of the day was not made.
        InputError: a version or a sample is damaged.
    """
    folder = package.folder_of(base_of(settings), "rts22", day, mode)
    versions = package.versions(folder) if folder.exists() else []
    if not versions:
        raise SettingsError(f"{folder}: not made yet: tickhouse report rts22 --date {day}")
    sources = _sources(settings, versions, day)
    differences = list(compare(sources))

    def render(place: Path, number: int) -> Rendered:
        write_rows(place / "differences.csv", _COLUMNS, iter(differences))
        page = _page(sources, differences, versions, day, number)
        (place / f"{NAME}.pdf").write_bytes(pdf.render(page))
        counts = Counter(difference.outcome for difference in differences)
        rows = {"differences.csv": len(differences)}
        return Rendered(rows, not differences, {"error": sum(counts.values())} if counts else {},
                        ("differences.csv",))  # fmt: skip

    blank = ReportManifest(
        report=NAME, title="Reconciliation of transaction reports", day=day, mode=mode, version=0,
        layout=LAYOUT, draft=True, made_us=clock.now_us(), query_sha256={}, dbt_invocation="",
        inputs={f"rts22 v{v.manifest.version}": v.sha256 for v in versions}, empty=False, breaks={},
        files={},
    )  # fmt: skip
    place = package.folder_of(base_of(settings), NAME, day, mode)
    return package.add_version(place, blank, render)[0]


def compare(sources: Sources) -> Iterator[Difference]:
    """What does not agree, reference by reference."""
    ours, sent, theirs = sources.front_office, sources.submitted, sources.authority
    for reference in sorted(ours.keys() | sent.keys() | (theirs or {}).keys()):
        order_id = ours.get(reference, sent.get(reference, {})).get("order_id", "")
        if outcome := _of_submission(reference, sources):
            yield Difference(reference, outcome, order_id=order_id)
        if theirs is not None and (outcome := _of_authority(reference, sources)):
            yield Difference(reference, outcome, order_id=order_id)
        yield from _fields(reference, sources, order_id)
    for reference in sources.twice:
        yield Difference(reference, "twice at the authority")


def _of_submission(reference: str, sources: Sources) -> str:
    if reference in sources.front_office and reference not in sources.submitted:
        return "not submitted"
    if reference in sources.submitted and reference not in sources.front_office:
        return "submitted, not reportable"
    return "submitted late" if reference in sources.late else ""


def _of_authority(reference: str, sources: Sources) -> str:
    held = reference in (sources.authority or {})
    if reference in sources.submitted and not held:
        return "missing at the authority"
    known = reference in sources.submitted or reference in sources.front_office
    return "unknown to us" if held and not known else ""


def _fields(reference: str, sources: Sources, order_id: str) -> Iterator[Difference]:
    sides = [side.get(reference) for side in (sources.front_office, sources.submitted)]
    sides.append((sources.authority or {}).get(reference))
    present = [side for side in sides if side is not None]
    names = [name for name in _names(present) if name not in (_KEY, _STATUS)]
    for name in names:
        values = [None if side is None else side.get(name) for side in sides]
        distinct = {_comparable(value) for value in values if value is not None}
        if len(distinct) > 1:
            ours, sent, theirs = ("" if value is None else value for value in values)
            yield Difference(reference, "field differs", name, ours, sent, theirs, order_id)


def _names(sides: Sequence[Mapping[str, str]]) -> list[str]:
    """Fields of RTS 22 that at least two sides have."""
    counts = Counter(name for side in sides for name in side if _is_field(name))
    return sorted(name for name, count in counts.items() if count > 1)


def _is_field(name: str) -> bool:
    return name[:1] == "f" and name[1:3].isdigit()


def _comparable(text: str) -> str | Decimal:
    """1.50 is 1.5; what is no number is itself."""
    try:
        return Decimal(text) if text.strip("-").replace(".", "", 1).isdigit() else text
    except InvalidOperation:
        return text


def _sources(settings: Settings, versions: Sequence[Version], day: date) -> Sources:
    newest = versions[-1].folder / TRANSACTIONS
    front_office = {row[_KEY]: row for row in rows_of(newest, "reportable", "yes")}
    due = holidays.due(day, holidays.load(settings.home_path).authority)
    submitted, late = _submitted(versions, due)
    sample = _sample_of(settings, day)
    if not sample.exists():
        return Sources(front_office, submitted, None, late, ())
    rows, _ = _read_sample(sample)
    counts = Counter(row[_KEY] for row in rows)
    twice = tuple(sorted(key for key, count in counts.items() if count > 1))
    return Sources(front_office, submitted, {row[_KEY]: row for row in rows}, late, twice)


def _submitted(versions: Sequence[Version], due: date) -> tuple[Rows, frozenset[str]]:
    """What the released versions sent, one after another, and what of it after its day."""
    held, late = Rows(), set[str]()
    for version in versions:
        release = version.sign_off("release")
        if release is None:
            continue
        out_on = datetime.fromtimestamp(release.ts_us / 1e6, UTC).date()
        for row in rows_of(version.folder / SUBMISSION):
            if row[_STATUS] == "CANC":
                held.pop(row[_KEY], None)
                late.discard(row[_KEY])
            else:
                held[row[_KEY]] = row
                late |= {row[_KEY]} if out_on > due else set()
    return held, frozenset(late)


def _sample_of(settings: Settings, day: date) -> Path:
    return settings.home_path / "extracts" / "rts22" / f"{day}.csv"


def _read_sample(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            str(path), f"{error}; a CSV in UTF-8 with columns of the report"
        ) from error
    unknown = [name for name in columns if not _is_field(name)]
    if _KEY not in columns or unknown:
        problem = f"columns are those of {SUBMISSION}, f01_... to f65_..., {_KEY} among them"
        raise InputError(str(path), f"{problem}; unknown: {', '.join(unknown) or 'none'}")
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values() or not row[_KEY]:
            raise InputError(str(path), "has another number of values, or no reference", number)
    return rows, columns


def _page(
    sources: Sources, differences: Sequence[Difference], versions: Sequence[Version], day: date,
    number: int,
) -> Page:  # fmt: skip
    counts = Counter(difference.outcome for difference in differences)
    held = "no sample" if sources.authority is None else str(len(sources.authority))
    released = sum(1 for version in versions if version.sign_off("release"))
    notes = [DRAFT, _DUTY]
    if sources.authority is None:
        notes.append(_NO_SAMPLE)
    return Page(
        title="Reconciliation of transaction reports",
        subtitle="Delegated Regulation (EU) 2017/590, article 15(3) and (4)", firm="", day=str(day),
        version=str(number), layout=LAYOUT, mark=versions[-1].sha256[:16],
        facts=(("Day (UTC)", str(day)), ("Front office", str(len(sources.front_office))),
               ("Submitted", str(len(sources.submitted))), ("At the authority", held),
               ("Versions", str(len(versions))), ("of these released", str(released)),
               ("Differences", str(len(differences)))),
        notes=tuple(notes),
        sections=(
            table("Outcomes", ("Outcome", "Count"),
                  [(outcome, str(count)) for outcome, count in sorted(counts.items())],
                  empty="All sides agree."),
            table("Differences", ("Reference", "Outcome", "Field", "Front office", "Submitted",
                                  "Authority", "Order"), differences, empty="None.", size=7.0),
        ),
        signoff=("Reconciled by", "Approved by"), wide=True,
    )  # fmt: skip


_DUTY = (
    "An error or omission in what was submitted is to be notified to the authority promptly"
    " (article 15(2)); this sheet is its log."
)
_NO_SAMPLE = (
    "There is no sample of the authority for this day, so front office and submissions alone were"
    " compared (article 15(4)): tickhouse report extract FILE --date D keeps one."
)
