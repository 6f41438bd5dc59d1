"""Every suite, and every rule as others know it. Loads no Great Expectations."""

from typing import NamedTuple

from quality.suites.bar import BARS
from quality.suites.feature import FEATURES
from quality.suites.label import LABELS
from quality.suites.order_event import MONEY, ORDERS
from quality.suites.prediction import PREDICTIONS
from quality.suites.tick import TICKS

SUITES = (TICKS, BARS, FEATURES, LABELS, PREDICTIONS, ORDERS, MONEY)


class Named(NamedTuple):
    """A rule of a suite; `name` is unique over all of them."""

    name: str
    suite: str
    rule: str
    blocking: bool
    description: str


def rules() -> list[Named]:
    """All of them, suite by suite."""
    return [
        Named(
            f"{suite.name}_{rule.name}",
            suite.name,
            rule.name,
            rule.severity == "error",
            f"{suite.name}: {rule.expected}",
        )
        for suite in SUITES
        for rule in suite.rules
    ]
