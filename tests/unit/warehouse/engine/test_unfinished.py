"""What a killed engine noted as stored, and was not."""

from pathlib import Path

from warehouse.engine.unfinished import forget_unplaced


def table(store: Path, notes: str, *parts: str) -> Path:
    """A table's folder with its log of blocks and parts; returns the log."""
    log = store / "39a" / "39a0" / "deduplication_logs" / "deduplication_log_1.txt"
    log.parent.mkdir(parents=True)
    log.write_text(notes)
    for part in parts:
        (log.parents[1] / part).mkdir()
    return log


def test_only_the_note_of_a_part_that_never_came_into_place_goes(tmp_path: Path) -> None:
    store = tmp_path / "store"
    notes = "1\tall_1_1_0\ta\n1\tall_2_2_0\tb\n1\tall_3_3_0\tc\n"
    log = table(store, notes, "all_1_1_0", "tmp_insert_all_2_2_0", "all_3_3_0")
    assert forget_unplaced(store) == 1
    assert log.read_text() == "1\tall_1_1_0\ta\n1\tall_3_3_0\tc\n"
    assert forget_unplaced(store) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_part_that_was_merged_or_dropped_since_keeps_its_note(tmp_path: Path) -> None:
    store = tmp_path / "store"
    log = table(store, "1\tall_1_1_0\ta\n1\tall_2_2_0\tb\n", "all_1_2_1", "tmp_insert_all_9_9_0")
    assert forget_unplaced(store) == 0
    assert log.read_text().count("\n") == 2


def test_a_home_without_tables_has_nothing_to_forget(tmp_path: Path) -> None:
    assert forget_unplaced(tmp_path / "store") == 0
