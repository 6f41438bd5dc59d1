"""Seconds follow from what was watched, and faults from their seed."""

from tests.availability.faults import DISK, KILLED, faults
from tests.availability.measure import Recovery, Sample, away_s, back_after, rows, was_away


def samples(*looks: tuple[float, int, bool]) -> list[Sample]:
    return [Sample(*one) for one in looks]


ONE = samples((0, 1, True), (1, 1, False), (2, 0, False), (3, 2, False), (4, 2, True), (9, 2, True))


def test_a_killed_process_is_back_as_another_one_that_is_ready() -> None:
    assert back_after(ONE, 0.0, killed_pid=1) == 4.0
    assert back_after(ONE, 0.0) == 0.0
    assert back_after(ONE, 2.5) == 1.5
    assert back_after(ONE, 10.0) is None


def test_time_away_is_counted_once_for_several() -> None:
    other = samples((0, 7, True), (3, 7, False), (6, 7, True))
    watched = {"a": ONE, "b": other}
    assert away_s(watched, ["a"], (0.0, 10.0)) == 3.0
    assert away_s(watched, ["a", "b", "not watched"], (0.0, 10.0)) == 5.0
    assert away_s(watched, ["a", "b"], (2.0, 4.0)) == 2.0
    assert away_s({"a": samples((5, 0, False))}, ["a"], (0.0, 10.0)) == 5.0
    assert was_away(ONE, 1.5, 2.5)
    assert not was_away(ONE, 4.0, 9.0)


def test_a_row_says_what_was_measured_against_what_was_promised() -> None:
    of = [Recovery("f", "execution", s) for s in (1.0, 3.0)]
    of += [Recovery("f", "streams.ticks", 7.0), Recovery("f", "watch", None)]
    assert rows(of) == [
        ("execution", "2", "2.0 s", "3.0 s", "2 s", "over"),
        ("streams.ticks", "1", "7.0 s", "7.0 s", "8 s", "held"),
        ("watch", "1", "", "", "", "did not come back"),
    ]


def test_the_same_seed_gives_the_same_faults_and_every_process_has_its_turn() -> None:
    kinds = {"kill", "hang", "full", "slow", "outage"}
    first = list(faults(7, 60, KILLED, kinds))
    assert first == list(faults(7, 60, KILLED, kinds)) != list(faults(8, 60, KILLED, kinds))
    assert {f.kind for f in first} == kinds
    killed = [f.target for f in first if f.kind == "kill"]
    assert set(killed[: len(KILLED)]) == set(KILLED)
    assert {f.target for f in first if f.kind in ("full", "slow")} == {DISK}
    there = ("execution", "bus")
    assert {f.target for f in faults(7, 40, there, {"kill", "hang"})} == set(there)
