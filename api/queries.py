"""Parameters of what is asked for: the type checks them, and the document is written from it.

A parameter that is not known is refused, so that a misspelt filter never widens an answer.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MOST_ROWS, MOST_ARROW_ROWS = 1_000, 100_000
Name = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_ .:/@#+-]*$")]
Given = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_ .:/@#+-]+$")
]
Interval = Literal["1s", "1m", "5m", "1h"]
_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)  # what the warehouse's times can hold
_LATEST = datetime(2261, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


class Page(BaseModel):
    """What every list takes: a span of time with its end excluded, and where to go on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begin: Moment | None = Field(None, description="ISO 8601 with zone; included")
    end: Moment | None = Field(None, description="ISO 8601 with zone; excluded")
    limit: int = Field(
        100, ge=1, le=MOST_ARROW_ROWS,
        description=f"rows of a page; at most {MOST_ROWS} of them as JSON",
    )  # fmt: skip
    cursor: Annotated[str, StringConstraints(max_length=512)] = Field(
        "", description="`next` of the page before, with everything else as it was"
    )


class Feed(Page):
    """A symbol as one source quotes it."""

    source: Given
    symbol: Given


class Bars(Feed):
    """Bars of one length."""

    interval: Interval = "1m"


class RunFeed(Feed):
    """Of a feed in a run."""

    run: Name = Field("", description="run_id; empty: the desk that runs")


class Run(Page):
    """Of an account in a run."""

    run: Name = Field("", description="run_id; empty: the desk that runs")
    account: Name = Field("", description="empty: the desk's")


class RunOrders(Run):
    """Order events, all or of one order, signal or kind."""

    order_id: Name = ""
    signal_id: Name = ""
    symbol: Name = ""
    kind: Name = ""


class RunSignals(Run):
    """Signals, all or of a symbol or strategy."""

    symbol: Name = ""
    strategy: Name = ""


class RunStrategies(Run):
    """Of an account, or a strategy on it."""

    strategy: Name = ""


class Models(Page):
    """Registered models."""

    name: Name = ""
