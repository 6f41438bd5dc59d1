"""All that was worked out, file by file: what the results page is made of."""

from typing import NamedTuple

from backtest.results.bars import BarFigures
from backtest.results.leak import Finding
from backtest.results.ticks import Figures
from backtest.results.trading import Earned


class FeedResult(NamedTuple):
    """Everything about one tick file; only why, when it was left out."""

    name: str
    figures: Figures | None
    findings: list[Finding]
    earned: list[Earned]
    left_out: str


class Findings(NamedTuple):
    """Everything the page is made of."""

    feeds: list[FeedResult]
    bars: list[BarFigures]
    made_with: str = ""  # features and members

    @property
    def ticks(self) -> list[Figures]:
        """Of all feeds that could be judged."""
        return [feed.figures for feed in self.feeds if feed.figures is not None]

    @property
    def trading(self) -> list[Earned]:
        """By all shipped strategies."""
        return [earned for feed in self.feeds for earned in feed.earned]

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Files and why."""
        return [(feed.name, feed.left_out) for feed in self.feeds if feed.left_out]
