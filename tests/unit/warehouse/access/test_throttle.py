"""How long wrong guesses wait."""

from warehouse.access import throttle
from warehouse.access.throttle import FREE_TRIES, LONGEST_WAIT_S, Throttle

ANN, BOB = ("127.0.0.1", "ann"), ("127.0.0.1", "bob")


class Now:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_each_try_beyond_the_free_ones_waits_twice_as_long() -> None:
    now = Now()
    tries = Throttle(now)
    assert [tries.begin(ANN) for _ in range(FREE_TRIES)] == [0] * FREE_TRIES
    waits = []
    for _ in range(9):
        waits.append(tries.begin(ANN))
        now.s += waits[-1]
        assert tries.begin(ANN) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, LONGEST_WAIT_S]


def test_another_name_and_another_address_do_not_wait() -> None:
    tries = Throttle(Now())
    for _ in range(FREE_TRIES + 1):
        tries.begin(ANN)
    assert tries.begin(ANN) > 0
    assert tries.begin(BOB) == 0
    assert tries.begin(("10.0.0.7", "ann")) == 0


def test_success_forgets_the_tries() -> None:
    tries = Throttle(Now())
    for _ in range(3 * FREE_TRIES):
        assert tries.begin(ANN) == 0
        tries.passed(ANN)


def test_made_up_names_fill_no_memory() -> None:
    tries = Throttle(Now())
    for number in range(throttle._MOST_KEPT + 100):
        tries.begin(("127.0.0.1", str(number)))
    assert len(tries._tries) == throttle._MOST_KEPT
