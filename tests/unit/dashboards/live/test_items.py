"""One list of versions serves snapshot, update and thinning."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from dashboards.live.items import Items


def sent(items: Items, version: int) -> list[tuple[str, object]]:
    text = items.since(version)
    return [(one["k"], one["v"]) for one in json.loads(text)] if text else []


def test_a_new_viewer_gets_everything_and_then_only_changes() -> None:
    items = Items()
    items.put("quote|a", 1)
    items.put("quote|b", 2)
    assert sent(items, 0) == [("quote|a", 1), ("quote|b", 2)]
    have = items.version
    items.put("quote|a", 3)
    assert sent(items, have) == [("quote|a", 3)]
    assert sent(items, items.version) == []


def test_a_slow_viewer_gets_the_newest_state_of_each_key_once() -> None:
    items = Items()
    for value in range(1000):
        items.put("quote|a", value)
    items.put("quote|b", 1)
    assert sent(items, 0) == [("quote|a", 999), ("quote|b", 1)]


def test_what_has_not_changed_is_not_news() -> None:
    items = Items()
    items.put("risk|x", {"state": "active"})
    version = items.version
    items.put("risk|x", {"state": "active"})
    items.put("never there", None)
    assert items.version == version


def test_a_removed_key_is_told_and_forgotten_after_a_while() -> None:
    items = Items(gone=2)
    for name in "abc":
        items.put(name, 1)
    have = items.version
    for name in "abc":
        items.put(name, None)
    assert sent(items, have) == [("b", None), ("c", None)]
    assert "a" not in items
    items.put("b", 5)
    assert items.get("b") == 5
    assert items.keys("") == ["b"]


def test_a_change_wakes_who_waits() -> None:
    async def wait() -> bool:
        items = Items()
        with items.waking() as waker:
            items.put("a", 1)
            await asyncio.wait_for(waker.wait(), 5)
        items.put("a", 2)
        return waker.is_set()

    assert asyncio.run(wait())


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 3)))))
def test_any_pauses_between_reads_end_in_the_same_picture(changes: list[tuple[str, int]]) -> None:
    items, patient, hasty, have = Items(), {}, {}, 0
    for key, value in changes:
        items.put(key, value)
        hasty.update(sent(items, have))
        have = items.version
    patient.update(sent(items, 0))
    assert {k: v for k, v in patient.items() if v is not None} == {
        k: v for k, v in hasty.items() if v is not None
    }
