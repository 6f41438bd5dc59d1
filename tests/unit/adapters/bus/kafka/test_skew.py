"""Clocks that part are told of once, and once when they agree again."""

import logging

import pytest

from adapters.bus.kafka.skew import SkewWatch, skew_ms


@pytest.mark.parametrize(
    ("stamped", "skew"), [(105, 0), (100, 0), (99.2, 0), (110, 0), (90, -10), (130, 20)]
)
def test_a_stamp_between_sending_and_hearing_shows_no_skew(stamped: float, skew: float) -> None:
    assert skew_ms(100, 110, stamped) == skew


def test_a_fault_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    watch = SkewWatch(1.0)
    for stamped in (105, 5_000, 5_000, 105, 105, -9_000):
        watch.observe(100, 110, stamped)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["4.9 s ahead of" in said[0], "agree again" in said[1], "9.1 s behind" in said[2]]
    assert len(said) == 3
