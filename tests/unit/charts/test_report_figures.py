"""Pictures are the same bytes for the same data, and need no special case for little of it."""

import pytest

from charts import report_figures as plots
from charts.report_figures import Draw, Spread

ONE = [Spread("8", 0.0, 0.5, 0.4, 1.0, 3)]
DRAWN = [
    plots.columns(ONE, "", "bp"),
    plots.ranges(ONE, "by symbol", "bp"),
    plots.curves([("known", [1.0, 2.0]), ("one", [3.0])], "latency", "ms"),
    plots.stacked(["EURUSD"], [(name, [n]) for n, name in enumerate("abcd")], "outcomes"),
    plots.stacked(["nothing"], [(name, [0]) for name in "abcd"], "outcomes"),
    plots.bars([("10019 No money", 2)], "", "orders"),
    plots.pairs([(1.0, 1.0), (1.0, 1.0)], "", "twin", "broker"),
    plots.through_the_day([(0.0, 0.1), (23.5, 2000.0)], "", "us", 1000.0),
    plots.held_through_the_day({"one": [(0.0, 0.0)], "two": [(1.0, 2.0), (2.0, 0.0)]}, "", "USD"),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_equal_data_give_equal_pictures_without_dates_or_fonts(draw: Draw) -> None:
    built = plots.figure(draw)
    assert built == plots.figure(draw)
    assert "<text" not in built  # letters are paths: no font of a machine is asked for
    assert "dc:date" not in built
