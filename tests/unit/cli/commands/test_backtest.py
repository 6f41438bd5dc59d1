"""`tickhouse backtest` as a person calls it, on a few hours of ticks."""

import json

import pyarrow.parquet as pq
import pytest

from cli.main import main
from risk.value_at_risk import MEASURES
from tests.e2e.replay_runs import cut


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs the command on a home of its own; exit code, output and errors."""
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))

    def called(*arguments):
        code = main(["backtest", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture(scope="module")
def files(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    return [
        cut(recordings / "ticks" / f"{name}_oanda.parquet", folder, 40_000, 12_000)
        for name in ("EURUSD", "NZDUSD")
    ]


def test_the_report_is_written_and_told(call, files, tmp_path):
    code, out, _ = call(*files, "--strategy", "breakout", "--workers", 1, "--json")
    result = json.loads(out)
    assert code == 0
    assert result["mode"] == "backtest"
    assert result["run_id"].startswith("backtest-")
    assert [a["name"] for a in result["accounts"]] == ["EURUSD oanda", "NZDUSD oanda"]
    assert result["ticks"] >= 24_000
    assert [file.rsplit("/", 1)[1] for file in result["files"]] == ["report.html", "report.json"]
    page = tmp_path / "home" / "backtests" / result["run_id"] / "report.html"
    assert "breakout on EURUSD oanda, NZDUSD oanda" in page.read_text()


def test_the_same_call_has_the_same_id_and_another_span_another(call, files):
    options = ("--strategy", "ema_cross", "--symbols", "EURUSD", "--json", "--workers", 1)
    first, again = (json.loads(call(*files, *options)[1]) for _ in range(2))
    other = json.loads(call(*files, *options, "--to", first["to"][:16])[1])
    assert first["run_id"] == again["run_id"] != other["run_id"]
    assert first["trades"] == again["trades"]
    assert sum(first["rejected_by_reason"].values()) == first["orders_rejected"]
    assert [a["name"] for a in first["accounts"]] == ["EURUSD oanda"]


def test_what_could_be_lost_is_told_and_kept_as_tables(call, files, tmp_path):
    """The greatest of each measure is that of the rows; without `--risk` nothing is said of it."""
    options = ("--strategy", "breakout", "--symbols", "EURUSD", "--json", "--workers", 1)
    assert json.loads(call(*files, *options)[1])["risk"] == []
    out = tmp_path / "out"
    result = json.loads(call(*files, *options, "--risk", "--out", out)[1])
    rows = pq.read_table(out / "risk" / "value_at_risk.parquet").to_pandas()
    daily = rows[(rows.strategy == "") & (rows.horizon == "1d") & (rows.confidence == 0.99)]
    most = daily.loc[daily.groupby("measure").value_at_risk.idxmax()].set_index("measure")
    assert {r["measure"] for r in result["risk"]} == set(most.index) == set(MEASURES)
    for row in result["risk"]:
        assert row["value_at_risk"] == most.value_at_risk[row["measure"]] > 0
        assert row["at"][:19] == f"{most.ts_event[row['measure']]:%Y-%m-%d %H:%M:%S}"
    assert set(rows.job) == {"EURUSD oanda"}
    assert str(out / "risk" / "portfolio_risk.parquet") in result["files"]
    assert "What could be lost in a day" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--strategy", "martingale"), "no strategy 'martingale'"),
        ((), "there is no champion"),
        (("--strategy", "breakout", "--symbols", "GBPUSD"), "there are only EURUSD, NZDUSD"),
        (("--strategy", "breakout", "--from", "2030-01-01"), "no tick lies in that span"),
        (("--strategy", "breakout", "--from", "soon"), "is no time"),
        (("--strategy", "breakout", "--workers", "0"), "--workers must be 1 or more"),
        (("--strategy", "gone.py"), "no such file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_runs(call, files, options, said):
    code, _, err = call(*files, *options)
    assert code == 2
    assert said in " ".join(err.split())
