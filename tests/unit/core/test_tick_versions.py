"""What arrives is compared by identity and content: nothing is lost, a repeat changes nothing."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import tick_versions
from core.quality import LATE_SEQ
from core.tick_versions import CORRECTED, KNOWN, NEW, REPEATED, SAME, Stored, decide, resolve

T0 = 1_400_000_000_000
NEVER = -(2**62)
NOTHING = np.zeros(0, KNOWN)


def ticks(text: str, first: int = 0, msc: int = T0) -> np.ndarray:
    """One tick per letter, all of one millisecond; the letter is its price."""
    known = np.zeros(len(text), KNOWN)
    known["time_msc"], known["version"] = msc, -1
    known["seq"] = first + np.arange(len(text))
    known["bid"] = [ord(letter) for letter in text]
    return known


def stored(text: str) -> Stored:
    return resolve(ticks(text), NOTHING)


def apply(before: Stored, arrived: np.ndarray, said_us: int = NEVER, now_us: int = 1) -> Stored:
    """What is stored once the arrived ticks are written, versions kept."""
    decision = decide(arrived, before, said_us)
    new = arrived[decision.verdict == NEW].copy()
    new["seq"] = decision.seq[decision.verdict == NEW]
    old = before.ticks[decision.of[decision.verdict == CORRECTED]]
    after = tick_versions.changed(arrived, before, decision, now_us)
    return _stored(before, new, old, after)


def withdraw(before: Stored, seq: int, now_us: int = 1) -> Stored:
    old = before.ticks[before.ticks["seq"] == seq]
    return _stored(before, NOTHING, old, tick_versions.withdrawn(old, now_us))


def _stored(before: Stored, new, old, after) -> Stored:
    current = np.concatenate([before.ticks[before.ticks["version"] < 0], new])
    current = current[np.lexsort((current["seq"], current["time_msc"]))]
    kept = [before.superseded, before.ticks[before.ticks["version"] >= 0]]
    versions = np.concatenate([*kept, tick_versions.firsts(old), after])
    order = np.lexsort((versions["version"], versions["seq"], versions["time_msc"]))
    return resolve(current, versions[order])


def shown(state: Stored) -> dict[int, str]:
    """What `tick` shows: seq and letter."""
    live = state.ticks[state.ticks["withdrawn"] == 0]
    return {int(tick["seq"]): chr(tick["bid"]) for tick in live}


@pytest.mark.parametrize(
    ("before", "arrived", "after"),
    [
        ("ABC", "ABC", "ABC"),
        ("ABC", "AC", "ABC"),
        ("ABC", "C", "ABC"),
        ("ABC", "AbC", "AbC"),
        ("ABC", "AXBC", "ABCX"),
        ("ABC", "ABCD", "ABCD"),
        ("ABC", "BA", "ABC"),
        ("ABC", "abc", "abc"),
        ("ABC", "aBc", "aBc"),
        ("AAB", "ABB", "ABB"),
        ("A", "AA", "AA"),
        ("AA", "A", "AA"),
        ("A", "XAY", "AXY"),
        ("AB", "XB", "XB"),
    ],
)
def test_a_millisecond_is_told_by_content_first(before, arrived, after):
    assert sorted(shown(apply(stored(before), ticks(arrived))).values()) == sorted(after)
    if after[: len(before)] != after and after != "AXY":
        assert "".join(shown(apply(stored(before), ticks(arrived))).values()) == after


@pytest.mark.parametrize(
    ("before", "arrived", "first", "after"),
    [
        ("A", "A", 1, "AA"),  # the second of two alike, in a message of its own
        ("A", "B", 1, "AB"),
        ("AB", "B", 1, "AB"),
        ("AB", "b", 1, "Ab"),
        ("ABC", "B", 2, "ABC"),  # a file had counted one more before it
    ],
)
def test_the_rest_of_a_millisecond_says_nothing_of_its_beginning(before, arrived, first, after):
    assert "".join(shown(apply(stored(before), ticks(arrived, first))).values()) == after


def test_a_late_tick_never_takes_anothers_place():
    state = apply(stored("AB"), ticks("L", LATE_SEQ + 7))
    assert shown(state) == {0: "A", 1: "B", LATE_SEQ + 7: "L"}
    assert shown(apply(state, ticks("AXB"))) == {0: "A", 1: "B", 3: "X", LATE_SEQ + 7: "L"}


def test_a_late_tick_of_a_file_that_is_cut_elsewhere_is_the_one_that_is_stored():
    in_order, late = stored("AB"), resolve(ticks("AL", LATE_SEQ + 7), NOTHING)
    assert shown(apply(in_order, ticks("B", LATE_SEQ + 99))) == shown(in_order)
    assert shown(apply(late, ticks("LA", LATE_SEQ + 99))) == shown(late)
    assert shown(apply(late, ticks("AL"))) == shown(late)
    assert len(shown(apply(late, ticks("LAL", LATE_SEQ + 99)))) == 3, "the file has two of them"


def test_a_late_tick_that_repeats_one_of_its_own_file_is_a_second_one():
    before = stored("AB")
    own = np.ones(2, np.bool_)
    decision = decide(ticks("B", LATE_SEQ + 99), before, NEVER, own)
    assert decision.verdict.tolist() == [NEW]
    assert decision.seq.tolist() == [LATE_SEQ + 99]


def test_a_late_tick_that_was_corrected_since_does_not_come_back():
    state = apply(stored("AB"), ticks("Ab"))
    assert shown(apply(state, ticks("B", LATE_SEQ + 99))) == {0: "A", 1: "b"}


def test_a_corrected_tick_keeps_when_it_was_received():
    before = stored("AB")
    before.ticks["ts_recv_us"] = [5, 6]
    state = apply(before, ticks("Ab"), now_us=900)
    corrected = state.ticks[1]
    assert (corrected["ts_recv_us"], corrected["ts_known_us"], corrected["version"]) == (6, 900, 1)
    (first,) = state.superseded
    assert (chr(first["bid"]), first["version"], state.until_us.tolist()) == ("B", 0, [900])


def test_what_was_corrected_does_not_return_by_being_repeated():
    state = apply(stored("AB"), ticks("Ab"), now_us=100)
    again = decide(ticks("AB"), state, said_us=50)
    assert again.verdict.tolist() == [SAME, REPEATED]
    assert again.of.tolist() == [0, 1]
    other_file = decide(ticks("AB"), state, said_us=200)
    assert other_file.verdict.tolist() == [SAME, CORRECTED]
    back = apply(state, ticks("AB"), said_us=200, now_us=200)
    assert shown(back) == {0: "A", 1: "B"}
    assert back.ticks["version"].tolist() == [-1, 2]


def test_a_withdrawn_tick_leaves_the_others_theirs_and_its_seq_to_nobody():
    state = withdraw(stored("ABC"), 1, now_us=100)
    assert shown(state) == {0: "A", 2: "C"}
    assert decide(ticks("ABC"), state, said_us=50).verdict.tolist() == [SAME, REPEATED, SAME]
    assert shown(apply(state, ticks("AC"), said_us=200)) == {0: "A", 2: "C"}
    back = apply(state, ticks("ABC"), said_us=200, now_us=200)
    assert shown(back) == {0: "A", 1: "B", 2: "C"}
    gone = withdraw(back, 1, now_us=300)
    assert shown(gone) == {0: "A", 2: "C"}
    assert gone.ticks["version"].tolist() == [-1, 3, -1]


def test_a_clock_that_was_set_back_puts_no_version_before_the_one_it_follows():
    state = apply(stored("A"), ticks("B"), now_us=1_000)
    state = apply(state, ticks("C"), said_us=2_000, now_us=10)
    assert state.ticks["ts_known_us"].tolist() == [1_001]
    assert shown(state) == {0: "C"}


def test_a_newest_version_counts_before_the_table_shows_it():
    versions = np.concatenate([ticks("A"), ticks("B")])
    versions["version"] = [0, 1]
    unfinished = resolve(ticks("A"), versions)
    assert decide(ticks("B"), unfinished, NEVER).verdict.tolist() == [SAME]


LETTERS = st.text("ABC", max_size=5)
FILES = st.lists(LETTERS, min_size=3, max_size=3)


def file_of(texts: list[str]) -> np.ndarray:
    return np.concatenate([ticks(text, msc=T0 + n) for n, text in enumerate(texts)])


def contents(known: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((int(t["time_msc"]), int(t["bid"])) for t in known if not t["withdrawn"])


@given(FILES, FILES)
def test_all_that_is_said_is_stored_and_said_again_changes_nothing(before, arrived):
    old, new = resolve(file_of(before), NOTHING), file_of(arrived)
    state = apply(old, new)
    assert not contents(new) - contents(state.ticks)
    assert len(state.ticks) >= len(old.ticks)
    identities = [(int(t["time_msc"]), int(t["seq"])) for t in state.ticks]
    assert len(set(identities)) == len(identities)
    verdicts = decide(new, state, NEVER).verdict
    assert set(verdicts.tolist()) <= {SAME}


@given(FILES, FILES, FILES)
def test_no_content_is_ever_lost(one, two, three):
    state = resolve(file_of(one), NOTHING)
    for now, said in enumerate((two, three), 1):
        state = apply(state, file_of(said), said_us=now * 10, now_us=now * 10)
    ever = contents(np.concatenate([state.ticks, state.superseded]))
    for said in (one, two, three):
        assert set(contents(file_of(said))) <= set(ever)


@given(FILES, FILES, st.permutations(range(3)))
def test_the_order_of_rows_does_not_matter(before, arrived, order):
    new = file_of(arrived)
    mixed = np.concatenate([new[new["time_msc"] == T0 + n] for n in order])
    old = resolve(file_of(before), NOTHING)
    assert apply(old, new).ticks.tolist() == apply(old, mixed).ticks.tolist()


def test_a_million_ticks_that_are_as_stored_cost_no_loop(monkeypatch):
    many = np.zeros(1_000_000, KNOWN)
    many["time_msc"], many["version"] = T0 + np.arange(len(many)) // 3, -1
    many["seq"] = np.arange(len(many)) % 3
    other = many.copy()
    other["bid"][::3] = 7
    monkeypatch.delattr(tick_versions, "_Millisecond")
    decision = decide(other, resolve(many, NOTHING), NEVER)
    assert np.count_nonzero(decision.verdict == CORRECTED) == 333_334
    assert np.count_nonzero(decision.verdict == SAME) == 666_666
