from core.contracts.operations import Heartbeat
from core.metrics import Histograms
from dashboards.live.latency import WINDOW_US, Latencies


def beat(at_us: int, *durations_ns: int) -> Heartbeat:
    histograms = Histograms()
    for duration in durations_ns:
        histograms.record("risk", duration)
    stages, longest = histograms.take()
    return Heartbeat(
        run_id="r", mode="demo", process="execution", incarnation_us=1, seq=at_us,
        ts_event_us=at_us, status="ready", detail="", stages=stages, max_ns=longest,
    )  # fmt: skip


def test_deltas_of_the_window_add_up() -> None:
    latencies = Latencies()
    latencies.add(beat(0, *[1_000_000] * 50))
    assert latencies.add(beat(10, *[5_000] * 99)) == ["risk"]
    summary = latencies.summary("risk", 10)
    assert summary is not None
    assert (summary["count"], summary["max"]) == (149, 1000.0)
    assert abs(summary["p50"] - 5.0) < 0.2
    later = latencies.summary("risk", WINDOW_US + 5)
    assert later is not None
    assert (later["count"], later["max"]) == (99, 5.0)


def test_nothing_measured_is_nothing() -> None:
    latencies = Latencies()
    assert latencies.summary("risk", 0) is None
    latencies.add(beat(0, 7))
    assert latencies.summary("risk", WINDOW_US + 1) is None
