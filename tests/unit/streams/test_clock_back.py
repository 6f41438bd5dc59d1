"""A clock that goes back: the broker's, or this machine's. Ticks are flagged or refused, and said;
the rows after it are those that would have come without it."""

import numpy as np
import numpy.typing as npt

from core.contracts.tick import OUT_OF_ORDER, TickArray, TickBatch
from core.metrics import Histograms
from core.quality import FeedState
from streams.sample import Sampler
from tests.support.recordings import recorded_ticks

TICKS = recorded_ticks("EURUSD_oanda")[:1_500]
SECOND_US = 1_000_000
Times = npt.NDArray[np.int64]


class Feed:
    """A live feed as the collector judges it and the signals flow samples it."""

    def __init__(self) -> None:
        self.state = FeedState("oanda", "EURUSD")
        self.sampler = Sampler(1000, Histograms(), None, keep_hours=True)
        self.refused: list[str] = []

    def rows(self, ticks: TickArray, time_msc: Times, now_us: int) -> npt.NDArray[np.float32]:
        prices = (ticks[name] for name in ("bid", "ask", "last", "volume", "flags"))
        predictions = self.state.normalise(
            time_msc, *prices, now_us=now_us, recv_us=now_us, future_tolerance_us=5 * SECOND_US
        )
        self.refused += [reason for _, reason in predictions.rejected]
        self.flagged = predictions.ticks["quality"] & OUT_OF_ORDER > 0
        data = np.ascontiguousarray(predictions.ticks).tobytes()
        (sampled,) = self.sampler.rows(TickBatch("r", "live", "oanda", "EURUSD", 0, 0, data), 0)
        return sampled.features


def test_ticks_from_before_what_was_seen_make_no_rows_and_change_none() -> None:
    times = TICKS["time_msc"]
    now_us, end = int(times[-1]) * 1000, len(TICKS)
    plain, disturbed = Feed(), Feed()
    first, second = TICKS[: end // 2], TICKS[end // 2 :]
    for feed in (plain, disturbed):
        feed.rows(first, first["time_msc"], now_us)
    again = disturbed.rows(first, first["time_msc"] - 3_600_000, now_us)
    assert disturbed.flagged.all()
    assert len(again) == 0
    expected = plain.rows(second, second["time_msc"], now_us)
    result = disturbed.rows(second, second["time_msc"], now_us)
    assert result.tobytes() == expected.tobytes()
    assert disturbed.refused == []


def test_ticks_ahead_of_a_machine_whose_clock_went_back_are_refused_until_it_is_right() -> None:
    """Not traded on and not lost sight of: each goes to the quarantine with its reason."""
    feed, third = Feed(), len(TICKS) // 3
    parts = [TICKS[:third], TICKS[third : 2 * third], TICKS[2 * third :]]
    now = [int(part["time_msc"][-1]) * 1000 for part in parts]
    assert len(feed.rows(parts[0], parts[0]["time_msc"], now[0])) > 0
    assert len(feed.rows(parts[1], parts[1]["time_msc"], now[0] - 3_600 * SECOND_US)) == 0
    assert feed.refused == ["future_time"] * third
    assert len(feed.rows(parts[2], parts[2]["time_msc"], now[2])) > 0
    assert len(feed.refused) == third
