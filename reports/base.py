"""What a report is: marts it reads, tables it shows, what it writes besides."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.settings import Settings
from reports import legal_texts
from reports.package import LAYOUT, Version
from reports.pdf import Page, Section
from reports.tables import text

Every = Literal["day", "month", "quarter", "year"]
DRAFT = (
    "The layout of this report is a draft (" + LAYOUT + "). It counts as a report only when the"
    " firm's compliance officer signs it."
)


class Sheet(NamedTuple):
    """A mart as a CSV file: the rows of the day, in an order that does not change."""

    file: str
    mart: str
    order: str
    where: str = "report_date = {day:Date}"

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that tell its rows apart: those of its order, without times where ids do."""
        columns = tuple(word.strip() for word in self.order.split(","))
        ids = tuple(name for name in columns if not name.startswith("ts_"))
        return ids if any(name.endswith(("_id", "_key", "seq")) for name in ids) else columns


class ReportContext(NamedTuple):
    """One report of one day being rendered into a folder."""

    client: Client
    settings: Settings
    database: str  # of the marts
    day: date
    mode: str
    folder: Path
    version: int
    before: Version | None  # the version before this one
    released: Version | None  # the last one that was released
    rows: dict[str, int]  # file -> rows, filled as files are written
    today: date  # UTC day on which it is made
    released_before: tuple[Version, ...] = ()  # every one that was, the first first

    def query(self, sql: str, **parameters: object) -> list[tuple[str, ...]]:
        """Rows as text. `{db}` is the marts' database; `{day:Date}`, `{mode:String}` are bound."""
        with errors_translated():
            rows = self.client.query(
                sql.replace("{db}", f"`{self.database}`"),
                parameters={"day": self.day, "mode": self.mode, **parameters},
            ).result_rows
        return [tuple(text(value) for value in row) for row in rows]


class Report(NamedTuple):
    """One report of the catalogue."""

    name: str
    title: str
    subtitle: str
    sheets: tuple[Sheet, ...]
    breaks: str  # mart of its breaks (columns report_date, severity); "" when it has none
    page: Callable[[ReportContext], "Content"]
    extra: Callable[[ReportContext], Sequence[str]] | None = None  # more data files; their names
    signoff: tuple[str, ...] = ("Prepared by", "Checked by")
    wide: bool = False
    texts: tuple[str, ...] = ()  # names of the legal texts it was written after
    every: Every = "day"  # of what period; its day is the last one
    goes_to: str = ""  # who is sent it, by the firm's own means; "": it stays in the house
    firm: str = ""  # party whose accounts alone it is of (reports/firms.py); "": of all

    @property
    def marts(self) -> tuple[str, ...]:
        """Every mart it is made from."""
        own = tuple(sheet.mart for sheet in self.sheets)
        return own if not self.breaks or self.breaks in own else (*own, self.breaks)

    @property
    def kind(self) -> str:
        """Its name, whosever it is."""
        return self.name.partition("@")[0]

    def of_firm(self, firm: str) -> "Report":
        """The same report of one firm's accounts; of "" it is itself."""
        return self._replace(name=f"{self.name}@{firm}", firm=firm) if firm else self

    def marts_of(self, database: str, mode: str) -> str:
        """Database of its marts, as dbt's `mode.sql` names it."""
        world = "" if mode == "live" else f"_{mode}"
        return f"{database}_marts{world}" + (f"_firm_{self.firm}" if self.firm else "")


class Content(NamedTuple):
    """What a report says on paper."""

    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


def page_of(
    report: Report, context: ReportContext, content: Content, mark: str, changed: str
) -> Page:
    """The report as a PDF's data."""
    restated: tuple[str, ...] = ()
    if context.before is not None:
        replaced = f"Restated: version {context.version} replaces version {context.version - 1}"
        restated = (f"{replaced}: {changed}",)
    firm = context.query(
        "SELECT argMax(legal_name, version) FROM reference_party WHERE party = {party:String}",
        party=report.firm or "firm",
    )[0][0]
    known = legal_texts.load(context.settings.home_path)
    basis = legal_texts.notes([known[name] for name in report.texts], context.today)
    return Page(
        title=report.title,
        subtitle=report.subtitle,
        firm=firm or "no firm in the reference data",
        day=str(context.day),
        version=str(context.version),
        layout=LAYOUT,
        mark=mark,
        facts=(
            ("Day (UTC)", str(context.day)), ("World", context.mode),
            ("Version", str(context.version)), ("Layout", LAYOUT), *content.facts,
        ),
        notes=(DRAFT, *basis, *restated, *content.notes),
        sections=content.sections,
        signoff=report.signoff,
        wide=report.wide,
    )  # fmt: skip


def undecided(trades: str) -> tuple[str, ...]:
    """What to say of so many trades that no reference data decide; nothing of "0"."""
    if trades == "0":
        return ()
    return (
        f"Trades in instruments without reference data on this day: {trades}. Nobody decided"
        " whether they are reportable, so this version cannot be released.",
    )


def table(
    title: str, columns: Mapping[str, int] | Sequence[str], rows: Sequence[Sequence[str]], *,
    empty: str = "None on this day.", limit: int = 60, remark: str = "", size: float = 8.5,
) -> Section:  # fmt: skip
    """A section of rows, cut at `limit` and saying so."""
    note = (
        f"{len(rows)} rows, the first {limit} shown; all are in the CSV."
        if len(rows) > limit
        else ""
    )
    return Section(
        title,
        remark,
        tuple(columns),
        tuple(tuple(row) for row in rows[:limit]),
        empty,
        note,
        size=size,
    )
