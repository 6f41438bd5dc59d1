"""`tickhouse reference import` against a real warehouse: versions, audit, refusals."""

from pathlib import Path

import pytest

from cli.main import main
from core import audit_log
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]


def test_a_template_is_loaded_once_and_a_change_is_a_new_version(
    warehouse: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home, folder = tmp_path / "home", tmp_path / "templates"
    monkeypatch.setenv("TICKHOUSE_HOME", str(home))
    warehouse.reached(monkeypatch)
    assert main(["reference", "templates", str(folder)]) == 0
    files = [str(path) for path in sorted(folder.glob("*.csv"))]
    line = ["reference", "import", *files, "--by", "ann", "--reason", "first load"]
    assert main(["reference", "check", *files]) == 0
    assert main(line) == 0
    assert main(line) == 0
    output = capsys.readouterr().out
    assert output.count("nothing new, nothing was loaded") == len(files)

    parties = folder / "parties.csv"
    parties.write_text(parties.read_text().replace("2030-12-31", "2031-12-31", 1))
    assert main(["reference", "import", str(parties), "--by", "ann", "--reason", "renewed"]) == 0
    rows = warehouse.client.query(
        "SELECT lei_valid_until, version FROM reference_party WHERE party = 'firm' ORDER BY version"
    ).result_rows
    assert [str(until) for until, _ in rows] == ["2030-12-31", "2031-12-31"]
    *_, last = audit_log.read(audit_log.path_in(home))
    assert (last.action, last.subject, last.reason) == (
        "reference import",
        "reference_party",
        "renewed",
    )
    assert last.seq == rows[1][1]
    assert '"was":{"lei_valid_until":"2030-12-31"}' in last.detail

    parties.write_text(parties.read_text().replace("FIRM093", "FIRM094"))
    before = warehouse.client.command("SELECT count() FROM reference_party")
    assert main(["reference", "import", str(parties), "--by", "ann", "--reason", "x"]) == 2
    assert warehouse.client.command("SELECT count() FROM reference_party") == before
