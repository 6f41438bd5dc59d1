"""A report that MetaTrader 5's strategy tester exported, beside a backtest of ours.

The layout is the documented one: an HTML table in which a cell that ends with a colon names the
value in the next cell that holds something; numbers with spaces between thousands; UTF-16 or UTF-8
(https://www.metatrader5.com/en/terminal/help/algotrading/testing_report). No real report was at
hand: files written after that page are what this was tried on. Labels are those of the English
terminal; what is not there is left out.
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from backtest.job import Drawdown
from backtest.metrics import Figures
from core.errors import InputError

_NUMBER = re.compile(r"-?\d[\d \u00a0]*(?:[.,]\d+)?")
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_LEAST = 5  # labels that are known; fewer make no report

Of = Callable[[Figures], float | None]


class Compared(NamedTuple):
    """One figure, ours and the tester's. `difference`: ours less theirs."""

    name: str
    ours: float | None
    theirs: float
    difference: float | None


class _Reported(NamedTuple):
    """Where a figure stands: the label, which number of its cell, and ours."""

    label: str
    name: str
    number: int
    ours: Of


def _drawdown(of: Callable[[Figures], Drawdown], field: str, factor: float = 1.0) -> Of:
    return lambda figures: float(getattr(of(figures), field)) * factor


def _balance(figures: Figures) -> Drawdown:
    return figures.balance_drawdown


def _equity(figures: Figures) -> Drawdown:
    return figures.equity_drawdown


def _won(figures: Figures) -> int:
    return figures.long.won + figures.short.won


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100.0


#: In the order of the report. A label stands alone, or a cell has "12 (34.56%)": numbers 0 and 1.
_FIGURES = (
    _Reported("Initial Deposit", "Initial deposit", 0, lambda f: f.deposit),
    _Reported("Total Net Profit", "Total net profit", 0, lambda f: f.net_profit),
    _Reported("Gross Profit", "Gross profit", 0, lambda f: f.gross_profit),
    _Reported("Gross Loss", "Gross loss", 0, lambda f: f.gross_loss),
    _Reported("Profit Factor", "Profit factor", 0, lambda f: f.profit_factor),
    _Reported("Expected Payoff", "Expected payoff", 0, lambda f: f.expected_payoff),
    _Reported("Recovery Factor", "Recovery factor", 0, lambda f: f.recovery_factor),
    _Reported("Sharpe Ratio", "Sharpe ratio", 0, lambda f: f.sharpe),
    _Reported("Balance Drawdown Absolute", "Balance drawdown, absolute", 0,
              _drawdown(_balance, "absolute")),
    _Reported("Balance Drawdown Maximal", "Balance drawdown, maximal", 0,
              _drawdown(_balance, "maximal")),
    _Reported("Balance Drawdown Maximal", "the same, percent", 1,
              _drawdown(_balance, "maximal_share", 100.0)),
    _Reported("Balance Drawdown Relative", "Balance drawdown, relative, percent", 0,
              _drawdown(_balance, "relative", 100.0)),
    _Reported("Equity Drawdown Absolute", "Equity drawdown, absolute", 0,
              _drawdown(_equity, "absolute")),
    _Reported("Equity Drawdown Maximal", "Equity drawdown, maximal", 0,
              _drawdown(_equity, "maximal")),
    _Reported("Equity Drawdown Maximal", "the same, percent", 1,
              _drawdown(_equity, "maximal_share", 100.0)),
    _Reported("Equity Drawdown Relative", "Equity drawdown, relative, percent", 0,
              _drawdown(_equity, "relative", 100.0)),
    _Reported("Total Trades", "Total trades", 0, lambda f: f.trades),
    _Reported("Short Trades (won %)", "Short trades", 0, lambda f: f.short.trades),
    _Reported("Short Trades (won %)", "the same, won, percent", 1,
              lambda f: _percent(f.short.win_rate)),
    _Reported("Long Trades (won %)", "Long trades", 0, lambda f: f.long.trades),
    _Reported("Long Trades (won %)", "the same, won, percent", 1,
              lambda f: _percent(f.long.win_rate)),
    _Reported("Profit Trades (% of total)", "Profit trades", 0, _won),
    _Reported("Loss Trades (% of total)", "Loss trades", 0, lambda f: f.trades - _won(f)),
    _Reported("Largest profit trade", "Largest profit trade", 0, lambda f: f.best_trade),
    _Reported("Largest loss trade", "Largest loss trade", 0, lambda f: f.worst_trade),
    _Reported("Average profit trade", "Average profit trade", 0, lambda f: f.average_win),
    _Reported("Average loss trade", "Average loss trade", 0, lambda f: f.average_loss),
    _Reported("Maximum consecutive wins ($)", "Most wins in a row", 0,
              lambda f: f.consecutive_wins),
    _Reported("Maximum consecutive losses ($)", "Most losses in a row", 0,
              lambda f: f.consecutive_losses),
)  # fmt: skip


def read(path: Path) -> dict[str, list[float]]:
    """The numbers behind each known label of an exported report.

    Raises:
        InputError: it cannot be read, or is no report of the tester in English.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        problem = f"{error.strerror}; name the tester's exported report"
        raise InputError(str(path), problem) from error
    cells = _Cells()
    cells.feed(_decoded(body, path))
    values = _labelled(cells.texts)
    if len(values) < _LEAST:
        raise InputError(
            str(path),
            f"{len(values)} figures of a strategy tester's report in it: export it as HTML (Report,"
            " Save as) from a terminal in English",
        )
    return values


def compare(figures: Figures, reported: dict[str, list[float]]) -> list[Compared]:
    """Figure by figure, those that the report has."""
    rows = []
    for entry in _FIGURES:
        numbers = reported.get(entry.label, [])
        if entry.number >= len(numbers):
            continue
        ours, theirs = entry.ours(figures), numbers[entry.number]
        difference = None if ours is None else float(ours) - theirs
        rows.append(Compared(entry.name, ours, theirs, difference))
    return rows


class _Cells(HTMLParser):
    """The texts of all table cells, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("td", "th"):
            self.texts.append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data


def _decoded(body: bytes, path: Path) -> str:
    encoding = next((name for bom, name in _BOMS if body.startswith(bom)), "utf-8")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(str(path), "neither UTF-16 nor UTF-8: export it again as HTML") from error


def _labelled(texts: list[str]) -> dict[str, list[float]]:
    known = {entry.label for entry in _FIGURES}
    values: dict[str, list[float]] = {}
    label = ""
    for text in (" ".join(text.split()) for text in texts):
        if text.endswith(":"):
            label = text[:-1].strip()
        elif text and label:
            if label in known and label not in values and (numbers := _numbers(text)):
                values[label] = numbers
            label = ""
    return values


def _numbers(text: str) -> list[float]:
    """Those of a cell; a comma alone before digits is a decimal point."""
    plain = text.replace("\u2212", "-")
    return [
        float(re.sub(r"[ \u00a0]", "", match).replace(",", ".")) for match in _NUMBER.findall(plain)
    ]
