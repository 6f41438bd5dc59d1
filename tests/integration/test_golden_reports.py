"""Every report of half an hour of recorded ticks, traded by a script, is the golden one."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest

from core.errors import InputError
from reports.tables import rows_of
from streams.explain import facts, report_rows
from tests.support.golden_day import (
    GOLDEN,
    OF_THE_DAY,
    RESTATED,
    SELDOM,
    GoldenDesk,
    golden_desk,
    golden_files,
)

EXECUTION = ("execution-quality", "execution-quality-quarter")
#: What people did, who trades, and the hours of the twin.
NOT_DECISIONS = ("changes.csv", "kill_register.csv", "strategies.csv", "twin.csv")
pytestmark = [
    pytest.mark.process,
    pytest.mark.heavy(suite="golden"),
    pytest.mark.usefixtures("reference_data"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoldenDesk]:
    with golden_desk(tmp_path_factory.mktemp("golden")) as golden:
        yield golden


def golden(name: str) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((GOLDEN / name).iterdir())}


def words_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


@pytest.mark.parametrize("name", OF_THE_DAY)
def test_a_report_is_the_golden_one(desk: GoldenDesk, name: str) -> None:
    version = desk.version(name)
    files, wanted = golden_files(version), golden(name)
    assert list(files) == list(wanted)
    for file, text in files.items():
        assert text == wanted[file], file


def test_the_nightly_jobs_run_in_dagster(desk: GoldenDesk) -> None:
    for name, run in desk.jobs.items():
        assert run["success"], (name, run["failures"])
    nightly = desk.jobs["reports_job"]["metadata"]
    invocation = nightly.pop("report_marts")["invocation"]
    assert int(nightly.pop("abuse_alerts")["events"]) > 0
    assert nightly.pop("mailed_pack") == {"mailed": "nothing: reports.mail_to is not set"}
    assert len(nightly) == len(OF_THE_DAY) - len(SELDOM)
    for name in set(OF_THE_DAY) - set(SELDOM):
        manifest = desk.version(name).manifest
        assert all(manifest.query_sha256.values()), name
        assert manifest.dbt_invocation == invocation, name
    audit = desk.jobs["audit_job"]
    assert audit["made"] == ["exported_records", "sealed_day", "verified_trail"]
    assert audit["metadata"]["verified_trail"]["seals"] == "checked"


def test_explain_resolves_every_row_that_a_decision_led_to(desk: GoldenDesk) -> None:
    """Rows without an order of ours: deposits, what a person traded there, sums of money, stops."""
    client, unresolved = desk.server.client, dict[str, int]()
    for name in ("broker-reconciliation", "rts22", "emir", "order-records", "controls", *EXECUTION):
        folder = desk.version(name).folder
        for path in sorted(folder.glob("*.csv")):
            if path.name in NOT_DECISIONS:
                continue
            for row, _ in enumerate(rows_of(path), start=1):
                try:
                    order_id = report_rows.id_in_file(f"{path}:{row}")
                    assert facts._signal(client, order_id, "").run_id == "live"
                except InputError:
                    unresolved[f"{name} {path.name}"] = unresolved.get(f"{name} {path.name}", 0) + 1
    assert unresolved == {
        "broker-reconciliation reconciliation.csv": 6,  # four sums, a deal and a position by hand
        "order-records order_records.csv": 1,  # that deal, booked
        "controls alerts.csv": 1,  # a halt
    }


def test_a_late_tick_restates_what_was_measured_against_it_and_nothing_else(
    desk: GoldenDesk,
) -> None:
    first, new = desk.make("execution-quality")
    assert not new  # the same data: what the night made stands
    desk.late_tick()
    second, new = desk.make("execution-quality")
    assert new
    assert (second.manifest.version, second.manifest.restates) == (2, 1)
    assert second.manifest.previous == first.sha256
    assert "Restated: version 2 replaces version 1" in words_of(
        second.folder / "execution-quality.pdf"
    )
    assert golden_files(second) == golden(RESTATED)
    before, after = (golden(n)["orders.csv"].splitlines() for n in ("execution-quality", RESTATED))
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert not desk.make("rts22")[1]
