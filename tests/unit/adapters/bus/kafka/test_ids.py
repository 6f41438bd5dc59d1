"""Ids are known for the window, by their first copy."""

from adapters.bus.kafka.ids import RecentIds, id_of


def test_the_first_copy_counts_and_the_old_are_forgotten() -> None:
    ids = RecentIds(1.0)
    ids.add("a", 1, 1000)
    ids.add("b", 2, 1500)
    ids.add("a", 3, 1900)
    assert ids.sequence("a") == 1
    ids.add("c", 4, 2200)
    assert ("a" in ids, "b" in ids, "c" in ids) == (False, True, True)


def test_a_message_without_the_header_has_no_id() -> None:
    assert id_of(None) == ""
    assert id_of([("other", b"x")]) == ""
    assert id_of([("other", b"x"), ("id", b"7")]) == "7"
