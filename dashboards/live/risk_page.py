"""`/risk`: what the account can lose now, as the warehouse has it.

Drawn here and sent whole, without a script, like an order's trace; the browser asks again every
ten seconds. Another run and account: `/risk?run=RUN&account=ACCOUNT`. The live page's tab asks for
the same without head and style: `/risk?part=body`.
"""

import asyncio
import math
import threading
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.clickhouse import client
from core.errors import TickhouseError
from core.sections import ClickhouseSettings, RunSettings
from dashboards.live import profit_plot

Rows = list[dict[str, Any]]
_SQL = Path(__file__).with_name("sql")
_DAY = math.sqrt(1440)
_LONGEST = 64  # characters of a run's or an account's name
_BINS, _WIDTH, _HEIGHT = 48, 720, 180
#: The live page has names for its colours; the page that stands alone has not.
_BAR, _LOST = "var(--accent,#2f6f8f)", "var(--down,#b4553c)"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Risk of {account}</title>
<meta http-equiv="refresh" content="10"><meta name="viewport" content="width=device-width">
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;
color:#1d2321;background:#fbfaf7}}h1{{margin-bottom:0}}h2{{font-size:1.05rem;margin:1.6rem 0 .4rem}}
table{{border-collapse:collapse}}th,td{{padding:.25rem .6rem;text-align:left;
border-bottom:1px solid #d8d6cd;white-space:nowrap}}td.number,th.number{{text-align:right;
font-variant-numeric:tabular-nums}}.halves{{display:grid;gap:0 2.5rem;
grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr))}}td.bar{{width:45%;min-width:9rem}}
td.bar div{{height:.8rem;border-radius:2px;background:#2f6f8f}}
td.bar div.short{{background:#b4553c}}
svg{{max-width:100%;height:auto}}svg text{{font:11px system-ui,sans-serif;fill:currentColor}}
td.cell{{text-align:center;font-variant-numeric:tabular-nums;color:#1d2321}}
p.problem{{color:#b4553c}}@media(prefers-color-scheme:dark){{body{{color:#dfe3e0;
background:#161b19}}th,td{{border-color:#333b37}}a{{color:#6fb1d1}}
td.bar div{{background:#6fb1d1}}td.bar div.short{{background:#d98466}}}}</style>
<body><p><a href="/">live page</a></p><h1>Risk of {account}</h1>{body}</body></html>"""


class Figures(NamedTuple):
    """All that the page shows of one moment."""

    summary: dict[str, Any]
    values: Rows
    exposures: Rows
    correlations: Rows
    stress: Rows
    minutes: list[float]  # what each would do to what is held
    regimes: Rows
    profits: Sequence[dict[str, Any]] = ()


class RiskPage:
    """Answers `/risk`."""

    def __init__(self, settings: ClickhouseSettings, run: RunSettings) -> None:
        self._settings, self._run, self._lock = settings, run, threading.Lock()
        self._client: Client | None = None

    async def answer(self, request: Request) -> Response:
        """The page; 404 while nothing is known of the account, 503 without the warehouse."""
        run_id = request.query_params.get("run", self._run.run_id)[:_LONGEST]
        account = request.query_params.get("account", self._run.account)[:_LONGEST]
        page = _part if request.query_params.get("part") == "body" else _page
        try:
            figures = await asyncio.to_thread(self.figures, run_id, account)
        except TickhouseError as error:
            return page(account, f"<p>{escape(str(error))}</p>", 503)
        if figures is None:
            return page(account, "<p>Nothing was held yet, so nothing could be lost.</p>", 404)
        return page(account, body(figures), 200)

    def figures(self, run_id: str, account: str) -> Figures | None:
        """All of the newest moment; None before anything was held. Blocking.

        One question at a time: a connection is not for two threads.

        Raises:
            UnavailableError, WarehouseError: the warehouse is away, or refuses.
        """
        whose = {"run_id": run_id, "account": account}
        with self._lock, client.errors_translated():
            newest = self._rows("risk_newest", whose)
            if not newest:
                return None
            at = {**whose, "at_us": newest[0]["at_us"]}
            return Figures(
                summary=newest[0], values=self._rows("risk_values", at),
                exposures=self._rows("risk_exposures", at),
                correlations=self._rows("risk_correlations", whose),
                stress=self._rows("risk_stress", whose),
                minutes=[row["profit"] for row in self._rows("risk_distribution", at)],
                regimes=self._rows("risk_regimes", whose),
                profits=self._rows("risk_profits", whose),
            )  # fmt: skip

    def _rows(self, name: str, parameters: dict[str, Any]) -> Rows:
        if self._client is None:
            self._client = client.connect(self._settings)
        sql = _SQL.joinpath(f"{name}.sql").read_text()
        return list(self._client.query(sql, parameters).named_results())


def body(figures: Figures) -> str:
    """What the page says of a moment."""
    by_kind = {
        kind: [row for row in figures.exposures if row["kind"] == kind]
        for kind in ("currency", "feed")
    }
    return "".join(
        (
            _head(figures.summary),
            '<div class="halves"><section><h2>Value at risk and expected shortfall</h2>',
            _values(figures.values),
            "</section><section><h2>Stress</h2>",
            _stress(figures.stress),
            "<h2>Regime</h2>",
            _regimes(figures.regimes),
            "</section><section><h2>Exposure by currency</h2>",
            _bars(by_kind["currency"]),
            "</section><section><h2>Exposure by symbol</h2>",
            _bars(by_kind["feed"]),
            "</section></div><h2>Profit by strategy, each half hour of a day</h2>",
            profit_plot.plot(figures.profits, figures.summary["currency"]),
            "<h2>The minutes of two days, over what is held now, as a day</h2>",
            distribution(figures.minutes, figures.values),
            "<h2>Correlation</h2>",
            heatmap(figures.correlations),
        )
    )


def _head(summary: dict[str, Any]) -> str:
    money = escape(summary["currency"])
    problem = f'<p class="problem">{escape(summary["problem"])}</p>' if summary["problem"] else ""
    return (
        f"<p>{summary['ts_event']:%Y-%m-%d %H:%M:%S} UTC; {summary['positions']} positions, gross"
        f" {summary['gross']:,.0f}, net {summary['net']:,.0f}, after correlation"
        f" {summary['correlated']:,.0f} {money}; concentration {summary['concentration']:.2f};"
        f" room before stop-out {summary['stop_out']:,.0f} {money}"
        f" ({summary['stop_out_days']:.1f} standard deviations of a day); swap of a day"
        f" {summary['swap_1d']:,.2f}; {summary['observations']} minutes of history</p>{problem}"
    )


def _values(values: Rows) -> str:
    if not values:
        return "<p>No figures: see above why.</p>"
    rows = "".join(
        f"<tr><td>{row['measure'].replace('_', ' ')}<td>{row['confidence']:.0%}<td>{row['horizon']}"
        f'<td class="number">{row["value_at_risk"]:,.2f}'
        f'<td class="number">{row["expected_shortfall"]:,.2f}</tr>'
        for row in values
    )
    return (
        '<table><thead><tr><th>measure<th>at<th>in<th class="number">value at risk'
        f'<th class="number">shortfall</thead><tbody>{rows}</tbody></table>'
    )


def _stress(stress: Rows) -> str:
    if not stress:
        return "<p>Not computed yet: tickhouse stress, or tonight.</p>"
    rows = "".join(
        f'<tr><td>{escape(row["scenario"])}<td class="number">{row["lost_or_won"]:,.2f}'
        f'<td class="number">{row["of_equity"]:.2%}'
        f'<td class="number">{_times(row["times"])}<td>{escape(row["worst"])}</tr>'
        for row in stress
    )
    return (
        '<table><thead><tr><th>scenario<th class="number">profit<th class="number">of equity'
        f'<th class="number">times until 10 %<th>worst</thead><tbody>{rows}</tbody></table>'
    )


def _regimes(regimes: Rows) -> str:
    if not regimes:
        return "<p>No quarter of an hour has ended yet.</p>"
    rows = "".join(
        f"<tr><td>{escape(row['feed'])}<td>{escape(row['now'])}"
        f'<td class="number">{row["moves_bp"]:.2f}<td class="number">{row["lasted_h"]:.1f}</tr>'
        for row in regimes
    )
    return (
        "<table><thead><tr><th>symbol<th>by its own twenty days"
        '<th class="number">a minute moves, bp'
        f'<th class="number">for about, h</thead><tbody>{rows}</tbody></table>'
    )


def _times(factor: float) -> str:
    return f"{factor:.1f}" if math.isfinite(factor) else "never"


def _bars(exposures: Rows) -> str:
    most = max((abs(row["exposure"]) for row in exposures), default=0.0) or 1.0
    rows = "".join(
        f'<tr><td>{escape(row["name"])}<td class="number">{row["exposure"]:,.0f}'
        f'<td class="bar"><div class="{"long" if row["exposure"] >= 0 else "short"}"'
        f' style="width:{100 * abs(row["exposure"]) / most:.1f}%"></div></tr>'
        for row in exposures
    )
    return f"<table>{rows}</table>" if rows else "<p>Nothing is held.</p>"


def heatmap(correlations: Rows) -> str:
    """Every pair once is a whole table; reddish moves together, bluish against each other."""
    feeds = sorted({row[side] for row in correlations for side in ("feed", "other")})
    if not feeds:
        return "<p>No feed has enough history yet.</p>"
    known = {(row["feed"], row["other"]): row["correlation"] for row in correlations}
    head = "".join(f"<th>{escape(feed)}" for feed in feeds)
    rows = "".join(
        f"<tr><th>{escape(feed)}"
        + "".join(_cell(known.get((feed, o), known.get((o, feed), math.nan))) for o in feeds)
        + "</tr>"
        for feed in feeds
    )
    return f"<table><thead><tr><th>{head}</thead><tbody>{rows}</tbody></table>"


def _cell(correlation: float) -> str:
    if math.isnan(correlation):
        return '<td class="cell">'
    hue, light = (12, 95 - 35 * correlation) if correlation >= 0 else (205, 95 + 35 * correlation)
    return f'<td class="cell" style="background:hsl({hue},60%,{light:.0f}%)">{correlation:.2f}'


def distribution(minutes: Sequence[float], values: Rows) -> str:
    """A histogram with the lines of the day's value at risk at 99 %, left where money is lost."""
    lines = {
        row["measure"]: -row["value_at_risk"]
        for row in values
        if row["horizon"] == "1d" and row["confidence"] > 0.98
    }
    scaled = [profit * _DAY for profit in minutes]
    if not scaled or not lines:
        return "<p>Not enough history yet.</p>"
    reach = 1.2 * max(map(abs, lines.values())) or 1.0
    counts = [0] * _BINS
    for profit in scaled:
        counts[min(max(int((profit / reach + 1) / 2 * _BINS), 0), _BINS - 1)] += 1
    tallest, step = max(counts), _WIDTH / _BINS
    columns = "".join(
        f'<rect x="{n * step:.1f}" y="{_HEIGHT * (1 - count / tallest):.1f}" width="{step - 1:.1f}"'
        f' height="{_HEIGHT * count / tallest:.1f}" style="fill:{_BAR}" opacity=".75"/>'
        for n, count in enumerate(counts)
    )
    marks = "".join(_mark(n, name, at, reach) for n, (name, at) in enumerate(lines.items()))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 20}" width="{_WIDTH}" role="img"'
        f' aria-label="distribution of a day\'s profit">{columns}{marks}'
        f'<text x="0" y="{_HEIGHT + 15}">{-reach:,.0f}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 15}" text-anchor="end">{reach:,.0f}</text></svg>'
    )


def _mark(number: int, name: str, at: float, reach: float) -> str:
    x, y = (at / reach + 1) / 2 * _WIDTH, 14 + 14 * number
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}" style="stroke:{_LOST}"/>'
        f'<text x="{x + 4:.1f}" y="{y}">{escape(name.replace("_", " "))} {at:,.0f}</text>'
    )


def _part(_: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(body, status)


def _page(account: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(account=escape(account), body=body), status)
