"""The page of risk draws what it is given, and nothing that it is not."""

from datetime import UTC, datetime

from dashboards.live import profit_plot, risk_page

SUMMARY = {
    "ts_event": datetime(2024, 3, 5, tzinfo=UTC), "currency": "USD", "positions": 2,
    "gross": 20_000.0, "net": 1_000.0, "correlated": 5_000.0, "concentration": 0.5,
    "stop_out": 900.0, "stop_out_days": 3.2, "swap_1d": 1.5, "observations": 2880, "problem": "",
}  # fmt: skip
VALUE = {
    "measure": "monte_carlo", "confidence": 0.99, "horizon": "1d", "value_at_risk": 100.0,
    "expected_shortfall": 130.0,
}  # fmt: skip


def figures(**changes: object) -> risk_page.Figures:
    known = risk_page.Figures(
        SUMMARY, [VALUE],
        [
            {"kind": "currency", "name": "EUR", "exposure": -500.0, "contribution": 0.0},
            {"kind": "feed", "name": "x <EURUSD>", "exposure": 1000.0, "contribution": 1.0},
        ],
        [{"feed": "x A", "other": "x B", "correlation": -0.4}],
        [
            {
                "scenario": "franc-2015", "lost_or_won": -50.0, "of_equity": -0.01,
                "times": float("inf"), "worst": "EURUSD",
            }
        ],
        [-1.0, 0.5, 2.0],
        [{"feed": "x <EURUSD>", "now": "wild", "moves_bp": 1.25, "lasted_h": 7.5}],
    )  # fmt: skip
    return known._replace(**changes)


def test_all_of_a_moment_is_shown() -> None:
    page = risk_page.body(figures())
    for shown in (
        "monte carlo",
        "100.00",
        "130.00",
        "franc-2015",
        "never",
        "-500",
        "-0.40",
        "wild",
        "1.25",
        "<svg",
    ):
        assert shown in page
    assert "x &lt;EURUSD&gt;" in page


def test_the_line_stands_where_the_money_is_lost() -> None:
    drawn = risk_page.distribution([-1.0, 0.0, 1.0], [VALUE])
    left = float(drawn.split('<line x1="')[1].split('"')[0])
    assert abs(left - (1 - 1 / 1.2) / 2 * 720) < 0.1


def test_nothing_known_is_said_and_not_drawn() -> None:
    bare = figures(values=[], exposures=[], correlations=[], stress=[], minutes=[])
    page = risk_page.body(bare._replace(summary={**SUMMARY, "problem": "no rate of JPY"}))
    for said in ("no rate of JPY", "No figures", "Not computed yet", "Not enough history yet"):
        assert said in page
    assert "<svg" not in page


def earned(*rows: tuple[str, int, float]) -> list[dict[str, object]]:
    return [{"strategy": s, "at_s": at, "profit": p} for s, at, p in rows]


def test_profits_are_stacked_gains_on_gains_and_losses_below() -> None:
    """30 and 10 above the line, 20 below it: the plot is 60 high, a unit 160 / 60."""
    drawn = profit_plot.plot(earned(("a", 0, 30.0), ("<b>", 0, 10.0), ("c", 0, -20.0)), "USD")
    rects = [
        {k: float(v) for k, v in (part.split('="')[:2] for part in bar.split('" ')[:4])}
        for bar in drawn.replace('"x', '" x').split("<rect ")[1:]
    ]
    unit = 160 / 60
    assert [round(r["height"] / unit) for r in rects] == [10, 30, 20]
    assert [round(r["y"] / unit) for r in rects] == [30, 0, 40]
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert [f"{sum_:.2f}" in drawn for sum_ in (30.0, 10.0, -20.0)] == [True] * 3


def test_a_day_without_a_fill_has_no_plot() -> None:
    assert "<svg" not in profit_plot.plot([], "USD")
