"""A plan is a sum of measured figures; more load never takes less."""

import pytest

from core.capacity import plan

FIGURES = {
    "replay, streams signals": 4.0,
    "replay, streams ticks": 1.0,
    "replay, warehouse": 5.0,
    "replay, streams signals, memory": 200.0,
    "replay, streams ticks, memory": 100.0,
    "replay, warehouse, memory": 1000.0,
    "replay, other processes, memory": 300.0,
    "stored tick, every column of `tick`, merged": 5.0,
    "replay, warehouse on disk by sampled second": 100.0,
}


def test_a_small_desk_is_one_process_of_each() -> None:
    one = plan(10, 100.0, FIGURES)
    assert one.partitions == 1
    assert set(one.processes.values()) == {1}
    assert one.memory_mib == 1600.0
    assert one.disk_gib_a_day == pytest.approx((100 * 5 + 10 * 100) * 86_400 / 2**30)


def test_the_busier_of_the_sharded_flows_decides_about_partitions() -> None:
    many = plan(50, 500_000.0, FIGURES)
    assert many.partitions == 4  # 2 CPU seconds a second, half a core each
    assert many.processes["streams ticks"] == 4
    assert many.processes["warehouse"] == 1
    assert many.cores == pytest.approx(10.0)
    assert many.memory_mib == 300 + 1000 + 4 * 300


def test_fewer_ticks_than_symbols_fill_no_more_seconds_than_there_are_ticks() -> None:
    assert plan(1000, 1.0, FIGURES).disk_gib_a_day == plan(1, 1.0, FIGURES).disk_gib_a_day


@pytest.mark.parametrize(
    ("symbols", "rate"), [(0, 1.0), (1, 0.0), (1, float("nan")), (1, float("inf"))]
)
def test_no_load_is_no_question(symbols: int, rate: float) -> None:
    with pytest.raises(ValueError, match="positive rate"):
        plan(symbols, rate, FIGURES)


def test_a_figure_that_nobody_measured_is_not_made_up() -> None:
    with pytest.raises(KeyError, match="memory"):
        plan(1, 1.0, {k: v for k, v in FIGURES.items() if "memory" not in k})
