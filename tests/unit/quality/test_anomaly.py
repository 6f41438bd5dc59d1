"""Bad prints in recorded quotes: those planted are found, payrolls are not taken for one."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from quality.anomaly import bad_prints


def quotes(reference_data: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    table = pq.read_table(reference_data / "ticks" / f"{name}.parquet", columns=["bid", "ask"])
    part = table.slice(60_000, 60_000)
    return part["bid"].to_numpy().copy(), part["ask"].to_numpy().copy()


def test_a_day_with_payrolls_holds_no_bad_print_and_planted_ones_are_found(
    reference_data: Path,
) -> None:
    """The slice spans 2014-05-02 12:30, when EURUSD fell by 47 pips within minutes."""
    bid, ask = quotes(reference_data, "EURUSD_oanda")
    assert bad_prints(bid, ask).sum() == 0
    planted = [10_000, 33_333, 50_000]
    for place, jump in zip(planted, (0.02, -0.05, 0.03), strict=True):
        bid[place] += jump
        ask[place] += jump
    assert np.flatnonzero(bad_prints(bid, ask)).tolist() == planted


def test_too_few_ticks_say_nothing() -> None:
    assert bad_prints(np.ones(20), np.ones(20)).tolist() == [0] * 20
    still = bad_prints(np.full(500, 1.1), np.full(500, 1.1001))
    assert still.sum() == 0
