from adapters.simulator.broker.booked import Booked


def filled(*times: int) -> Booked[str]:
    built: Booked[str] = Booked()
    for time in times:
        built.append(f"at {time}", time)
    return built


def test_a_branch_goes_on_without_changing_where_it_came_from() -> None:
    base = filled(1, 2)
    first, second = base.branch(), base.branch()
    first.append("first", 3)
    second.append("second", 4)
    base.append("base", 5)
    assert [list(b.between(0, 9)) for b in (base, first, second)] == [
        ["at 1", "at 2", "base"], ["at 1", "at 2", "first"], ["at 1", "at 2", "second"],
    ]  # fmt: skip
    assert (len(base), base[-1], base[0]) == (3, "base", "at 1")


def test_a_span_finds_what_was_booked_out_of_order() -> None:
    result = filled(10, 30, 20, 40)
    assert list(result.between(20, 30)) == ["at 30", "at 20"]
    assert list(result.between(41, 99)) == []
    assert list(result.between(10, 10)) == ["at 10"]


def test_looking_at_the_newest_does_not_go_through_the_oldest() -> None:
    """Long replays look for their last deal after every order."""
    built = filled(*range(1000))
    checked: list[int] = []

    class Counted(list[int]):
        def __getitem__(self, index: int) -> int:  # type: ignore[override]
            checked.append(index)
            return super().__getitem__(index)

    built._times = Counted(built._times)
    assert list(built.between(998, 2000)) == ["at 998", "at 999"]
    assert set(checked) == {998, 999}
