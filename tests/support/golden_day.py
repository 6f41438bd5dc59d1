"""Every report of the scripted day; `python -m tests.support.golden_day` writes the golden files.

Look at what changed in them before it is committed: they are what a person once found right.
"""

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from audit import signing
from audit.export import export
from core.clock import ManualClock
from core.settings import Settings
from reports import build, catalog, client_money, package
from reports.package import Version
from surveillance.incidents import register
from surveillance.incidents.classes import Impact
from surveillance.incidents.register import Incident, Person
from tests.support.compliance import TEMPLATES, dbt, import_reference
from tests.support.dagster_runs import dagster_runs
from tests.support.dbt_command import share_reading
from tests.support.scripted_day import DAY, INDEX, START_US, ScriptedDay, recorded
from tests.support.warehouse_server import Warehouse, migrated

GOLDEN = Path(__file__).parents[1] / "golden" / "day"
JOBS = (f"reports_job:{DAY}", "audit_job")
#: Not nightly: the same assets in jobs of their own, made here without another build by dbt.
SELDOM = ("execution-quality-quarter", "self-assessment")
#: Of a month's census, which no night makes: `tests/integration/test_retention.py` looks at it.
APART = ("retention",)
OF_THE_DAY = tuple(name for name in catalog.REPORTS if name not in APART)
RESTATED = "execution-quality-restated"
#: Columns that say when reference data were loaded: they are of this machine.
_OURS = {"strategies.csv": "ts_loaded"}
_CHECKED = (".csv", ".xml")


class GoldenDesk(NamedTuple):
    """The day in a warehouse, and its reports as Dagster's jobs made them."""

    home: Path
    server: Warehouse
    jobs: dict[str, dict[str, Any]]  # what became of each run

    def version(self, name: str) -> Version:
        """A report of the day as the night left it."""
        return package.versions(package.folder_of(self.home / "reports", name, DAY, "live"))[0]

    def make(self, name: str) -> tuple[Version, bool]:
        """A report of the day, made anew from the marts as they are."""
        settings = Settings(home=str(self.home), clickhouse=self.server.settings)
        place = package.folder_of(self.home / "reports", name, DAY, "live")
        built = ("an-invocation", self.home / "dbt" / "compiled")
        clock, client = ManualClock(START_US), self.server.client
        report = catalog.named(name)
        return build.build_report(
            settings=settings, client=client, report=report, day=DAY, mode="live",
            report_folder=place, built=built, clock=clock, by="ann",
        )  # fmt: skip

    def late_tick(self) -> None:
        """A quote that came late: it stood when the order at 160.198 s was sent."""
        ticks = recorded(INDEX)[:1].copy()
        ticks["time_msc"] = START_US // 1000 + 160_190
        ticks["bid"], ticks["ask"] = 3_277.60, 3_278.20
        with Writer(self.server.settings) as writer:
            writer.insert("tick", tick_columns("oanda", INDEX, ticks))
        self.build("+rpt_execution_break", "+rpt_execution_quality", "+fct_broker_twin")

    def build(self, *models: str) -> None:
        """Marts of the day, as the nightly run builds them."""
        dbt(
            self.server.settings_of("dbt"), self.home, "build", "--select", *models,
            "--exclude-resource-type", "unit_test", day=str(DAY),
        )  # fmt: skip


@contextmanager
def golden_desk(home: Path) -> Iterator[GoldenDesk]:
    """Trade, store, build."""
    day = ScriptedDay(home)
    day.run()
    server = migrated(home)
    share_reading(home)
    try:
        _incident(home, server)  # hashes of its events hold no time of this machine
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(home))
            server.reached(patch)
            import_reference(sorted(TEMPLATES.glob("*.csv")))
        day.store(server.settings)
        client_money.take(server.client, "live", DAY, {}, START_US)
        key = home.with_name(f"{home.name}-vault") / "seal.pem"
        public = signing.generate(key, home)
        keys = {"SIGNING_KEY": str(key), "PUBLIC_KEY": str(public)}
        runs = dagster_runs(home, *JOBS, **{f"TICKHOUSE_REPORTS__{k}": v for k, v in keys.items()})
        desk = GoldenDesk(home, server, {run["job"]: run for run in runs})
        for name in SELDOM:
            desk.make(name)
        yield desk
    finally:
        server.stop()


def _incident(home: Path, server: Warehouse) -> None:
    """A major incident that ran its whole course on the day."""
    began, clock = datetime.fromtimestamp(START_US / 1e6, UTC), ManualClock(START_US)
    ann = Person(home, "ann", True, clock)
    incident_id = register.opened(ann, "live", "acc", "the gateway was down", began)

    def after(hours: float) -> Incident:
        clock.advance(START_US + round(hours * 3.6e9))
        export(server.client, server.settings, home)
        return register.incident_of(server.client, "live", incident_id)

    impact = Impact(critical_service=True, downtime_h=2.5, costs_eur=200_000.0)
    register.classified(ann, after(1.0), impact, "no order went out")
    for what in register.FILINGS:
        register.filed(ann, after(2.0), what, f"REF-{what}")
    register.ended(ann, after(2.5), began + timedelta(hours=2.5))
    register.closed(ann, after(3.0), "a switch of the provider; a second line was ordered")
    export(server.client, server.settings, home)


def golden_files(version: Version) -> dict[str, str]:
    """The data files of a version, without what is of this machine."""
    texts = {}
    for name in version.manifest.files:
        if name.endswith(_CHECKED):
            text = (version.folder / name).read_text()
            texts[name] = without(text, _OURS[name]) if name in _OURS else text
    return texts


def without(text: str, column: str) -> str:
    """A CSV file less one column."""
    rows, left = list(csv.reader(io.StringIO(text))), io.StringIO()
    place = rows[0].index(column)
    csv.writer(left, lineterminator="\n").writerows(r[:place] + r[place + 1 :] for r in rows)
    return left.getvalue()


def _write(desk: GoldenDesk) -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    versions = {name: desk.version(name) for name in OF_THE_DAY}
    desk.late_tick()
    versions[RESTATED] = desk.make("execution-quality")[0]
    for name, version in versions.items():
        for file, text in golden_files(version).items():
            path = GOLDEN / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, golden_desk(Path(folder)) as golden:
        _write(golden)
        if len(sys.argv) > 1:  # the PDFs, to look at
            shutil.copytree(golden.home / "reports", sys.argv[1], dirs_exist_ok=True)
