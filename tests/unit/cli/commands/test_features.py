"""`tickhouse features` as a person calls it."""

from pathlib import Path

import pytest

from cli.main import main

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "features" / "range_position_1h.py"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))

    def called(*arguments):
        code = main(["features", *map(str, arguments)])
        said = capsys.readouterr()
        return code, " ".join(said.out.split()), " ".join(said.err.split())

    return called


def test_one_that_fails_is_told_and_not_installed_and_a_good_one_is_listed(call, tmp_path):
    bad = tmp_path / "range_position_1h.py"
    bad.write_text(EXAMPLE.read_text().replace("state.bars < 60", "state.bars < 60 or True"))
    code, said, _ = call("check", bad, "--install")
    assert code == 1
    assert "FAILED warm-up it is NaN for ever" in said
    assert "cannot be served" in said
    code, said, _ = call("list")
    assert code == 0
    assert "0 of your own" in said
    code, said, _ = call("check", EXAMPLE, "--install")
    assert code == 0, said
    code, said, _ = call("list")
    assert "range_position_1h" in said
    assert "1 of your own" in said


def test_what_is_no_feature_is_an_error_with_its_file(call, tmp_path):
    code, _, errors = call("check", tmp_path / "none.py")
    assert code == 2
    assert "none.py: No such file" in errors
