"""An exported report of MT5's tester is read number by number, and set beside our figures."""

import numpy as np
import pytest

from backtest import mt5_report
from backtest.job import Curve, Drawdown
from backtest.metrics import figures
from core.errors import InputError
from tests.support.exported_report import exported_report
from tests.unit.backtest.trades import HOUR_US, MONDAY_US, trade

VALUES = {
    "Initial Deposit": "10 000.00", "Total Net Profit": "-1 234.56",
    "Balance Drawdown Absolute": "0.00", "Gross Profit": "2\u00a0345.60",
    "Balance Drawdown Maximal": "1 500.25 (12.34%)", "Gross Loss": "-3 580.16",
    "Balance Drawdown Relative": "12.34% (1 500.25)", "Profit Factor": "0.66",
    "Total Trades": "7", "Short Trades (won %)": "3 (33.33%)", "Total Deals": "14",
    "Maximum consecutive wins ($)": "2 (50.00)", "Sharpe Ratio": "-0.31",
}  # fmt: skip
EMPTY = Curve(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def ours():
    trades = [trade(n, h) for h, n in enumerate([10.0, -5.0, 20.0], 1)]
    falls = Drawdown(), Drawdown(0, 40, 0.004, 0.004, 40)
    span = MONDAY_US, MONDAY_US + 240 * HOUR_US
    return figures(trades, EMPTY, falls, 10_000.0, span, 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_numbers_are_read_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "report.html"
    path.write_bytes(exported_report(VALUES, encoding))
    values = mt5_report.read(path)
    assert values["Total Net Profit"] == [-1234.56]
    assert values["Gross Profit"] == [2345.6]
    assert values["Balance Drawdown Maximal"] == [1500.25, 12.34]
    assert values["Short Trades (won %)"] == [3.0, 33.33]
    assert "Total Deals" not in values


def test_figures_stand_beside_each_other_and_what_is_not_there_is_left_out(tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(exported_report(VALUES))
    rows = {row.name: row for row in mt5_report.compare(ours(), mt5_report.read(path))}
    assert rows["Total net profit"][1:] == pytest.approx((25.0, -1234.56, 1259.56))
    assert rows["Total trades"][1:] == (3, 7.0, -4.0)
    assert rows["Short trades"][1:] == (0, 3.0, -3.0)
    assert rows["the same, won, percent"].difference is None  # no short trade of ours
    assert rows["Balance drawdown, relative, percent"].theirs == 12.34
    assert rows["Sharpe ratio"].theirs == -0.31
    assert "Long trades" not in rows


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "0 figures of a strategy tester's report"),
        (b"<html><td>Total Net Profit:</td></html>", "0 figures"),
        (exported_report({"Gesamtgewinn": "1"}), "from a terminal in English"),
        (exported_report(dict.fromkeys(VALUES, "none")), "0 figures"),
        (b"\x80\x81", "neither UTF-16 nor UTF-8"),
        (b"\xff\xfe\x00", "neither UTF-16 nor UTF-8"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, body, problem):
    path = tmp_path / "report.html"
    path.write_bytes(body)
    with pytest.raises(InputError, match=problem):
        mt5_report.read(path)
    with pytest.raises(InputError, match="No such file"):
        mt5_report.read(tmp_path / "none.html")
